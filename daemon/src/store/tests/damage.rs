//! Damaged files: an error, or everything intact, or a loss that is noticed. Never a panic, never a silent loss.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use portolan_protocol::entry::LogKind;

use super::{Author, copy, open, options};
use crate::store::{Store, StoreError};

/// What became of a damaged store.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    Noticed,
    Intact,
}

fn outcome(home: &Path, author: &Author) -> Outcome {
    let Ok((store, report)) = Store::open(home, &options(2)) else { return Outcome::Refused };
    let (image, checked) = (store.image(), store.check().unwrap());
    let read = store.for_each(&author.context, 0, u64::MAX, |_| Ok::<_, StoreError>(()));
    let frames = store.run_frames(&author.context, 0, u64::MAX, 1 << 18).filter(Result::is_err).count();
    let quiet = report.lost.is_empty() && report.damaged.is_empty() && store.trusted() && checked.damaged.is_empty();
    if !quiet || read.is_err() || frames > 0 || image.is_err() {
        return Outcome::Noticed;
    }
    assert_eq!(checked.entries, author.tip.next_seq, "a silent loss");
    Outcome::Intact
}

fn written(home: &Path) -> Author {
    let mut author = Author::new(1, LogKind::Data);
    let (store, _) = open(home);
    for length in [10, 400, 5_000, 300] {
        store.commit(&[author.commit(100, length)]).unwrap();
    }
    author
}

fn damaged(change: impl Fn(&mut Vec<u8>, usize), tries: usize) -> Vec<Outcome> {
    let home = tempfile::tempdir().unwrap();
    let author = written(home.path());
    let whole = fs::read(home.path().join("sled/db")).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let mut outcomes = Vec::new();
    for step in 0..tries {
        let copied = tempfile::tempdir().unwrap();
        copy(home.path(), copied.path());
        let mut bytes = whole.clone();
        change(&mut bytes, used * step / tries + step);
        fs::write(copied.path().join("sled/db"), bytes).unwrap();
        let seen = catch_unwind(AssertUnwindSafe(|| outcome(copied.path(), &author)));
        outcomes.push(seen.expect("damage never panics"));
    }
    outcomes
}

#[test]
fn flipped_bits_are_noticed() {
    let outcomes = damaged(|bytes, at| bytes[at] ^= 1 << (at % 8), 40);
    assert!(outcomes.iter().any(|outcome| *outcome != Outcome::Intact), "{outcomes:?}");
}

#[test]
fn truncation_is_noticed() {
    let outcomes = damaged(|bytes, at| bytes.truncate(at), 20);
    assert!(outcomes.iter().any(|outcome| *outcome != Outcome::Intact), "{outcomes:?}");
}

#[test]
fn a_page_changed_behind_sleds_checksums_is_named() {
    let home = tempfile::tempdir().unwrap();
    let mut author = written(home.path());
    let (store, _) = open(home.path());
    let page = store.0.pages().at(0, 150).unwrap().unwrap();
    let mut bytes = page.bytes.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut draft = crate::store::cells::Draft::default();
    let value = crate::store::pages::StoredPage::value(&bytes, page.entries, page.elsewhere);
    draft.put(crate::store::keys::at(crate::store::keys::PAGE, 0, page.first_seq).to_vec(), value);
    store.0.cells.apply(draft).unwrap();
    let report = store.check().unwrap();
    assert_eq!(report.damaged.len(), 1);
    assert_eq!(report.damaged[0].0, author.context);
    assert_eq!(report.damaged[0].1, page.first_seq);
    // Other logs, and the end of this one, are as they were.
    store.commit(&[author.commit(1, 10)]).unwrap();
}
