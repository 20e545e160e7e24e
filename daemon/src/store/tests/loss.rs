//! Losses are noticed: a store that is older than its journal, or gone, or opened twice.

use std::fs;

use portolan_protocol::{entry::LogKind, id::Incarnation};

use super::{Author, copy, open, open_with, options};
use crate::store::{Store, StoreError};

#[test]
fn a_second_opener_is_told_who_holds_the_store() {
    let home = tempfile::tempdir().unwrap();
    let (store, report) = open(home.path());
    assert!(report.created);
    let Err(error) = Store::open(home.path(), &options(1)) else { panic!("opened twice") };
    assert!(matches!(&error, StoreError::Locked { holder, .. } if *holder == std::process::id().to_string()));
    assert!(error.to_string().contains(&std::process::id().to_string()));
    drop(store);
    assert!(!open(home.path()).1.created);
}

#[test]
fn a_restored_older_store_is_not_trusted_until_the_loss_is_settled() {
    let (home, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut author = Author::new(1, LogKind::Data);
    let (store, _) = open(home.path());
    store.commit(&[author.commit(10, 100)]).unwrap();
    drop(store);
    copy(&home.path().join("sled"), backup.path());
    let (store, _) = open(home.path());
    store.commit(&[author.commit(10, 100)]).unwrap();
    drop(store);
    fs::remove_dir_all(home.path().join("sled")).unwrap();
    copy(backup.path(), &home.path().join("sled"));

    let (store, report) = open_with(home.path(), &options(2));
    assert_eq!(report.lost.len(), 1, "{report:?}");
    assert!(!store.image().unwrap().trusted);
    assert_eq!(store.incarnation(), Incarnation([2; 16]), "older receipts are void");
    drop(store);

    let (store, _) = open_with(home.path(), &options(3));
    assert!(!store.trusted(), "not settled yet");
    assert_eq!(store.incarnation(), Incarnation([2; 16]), "the loss was the same one");
    store.settle().unwrap();
    drop(store);
    assert!(open(home.path()).0.trusted());
}

#[test]
fn a_vanished_store_is_not_trusted_and_reuses_no_number() {
    let home = tempfile::tempdir().unwrap();
    let (mut one, mut two) = (Author::new(1, LogKind::Data), Author::new(2, LogKind::Data));
    let (store, _) = open(home.path());
    store.commit(&[one.commit(10, 100)]).unwrap();
    drop(store);
    fs::remove_dir_all(home.path().join("sled")).unwrap();
    let (store, report) = open(home.path());
    assert!(!store.trusted() && !report.created && !report.lost.is_empty());
    store.commit(&[two.commit(20, 100)]).unwrap();
    assert_eq!(store.0.logs()[0].0, 1);
}

#[test]
fn a_vanished_or_damaged_journal_is_noticed() {
    let home = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, LogKind::Data);
    let (store, _) = open(home.path());
    for _ in 0..3 {
        store.commit(&[author.commit(1, 100)]).unwrap();
    }
    drop(store);
    let whole = fs::read(home.path().join("heads")).unwrap();
    for damage in [Vec::new(), whole[..20].to_vec(), flipped(&whole, 30), flipped(&whole, 5)] {
        let copied = tempfile::tempdir().unwrap();
        copy(home.path(), copied.path());
        fs::write(copied.path().join("heads"), &damage).unwrap();
        assert!(!open(copied.path()).0.trusted());
    }
    fs::remove_file(home.path().join("heads")).unwrap();
    assert!(!open(home.path()).0.trusted());
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 4;
    bytes
}

#[test]
fn an_append_to_the_journal_that_was_cut_short_is_no_loss() {
    let home = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, LogKind::Data);
    for cut in [1, 47, 48, 20] {
        let (store, report) = open(home.path());
        assert_eq!(report.lost, Vec::<String>::new());
        assert!(store.trusted());
        store.commit(&[author.commit(3, 100)]).unwrap();
        assert_eq!(store.end(&author.context), author.tip.next_seq);
        drop(store);
        let bytes = fs::read(home.path().join("heads")).unwrap();
        fs::write(home.path().join("heads"), &bytes[..bytes.len() - cut]).unwrap();
    }
}

#[test]
fn an_unfinished_snapshot_is_swept_and_reported() {
    let home = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, LogKind::Data);
    let (store, _) = open(home.path());
    store.commit(&[author.commit(10, 100)]).unwrap();
    drop(store);
    fs::write(home.path().join("sled/snap.00000000000000FF.generating"), b"half").unwrap();
    let (store, report) = open(home.path());
    assert_eq!(report.removed, ["snap.00000000000000FF.generating"]);
    assert_eq!(store.end(&author.context), 10);
}

#[test]
fn another_format_is_refused_untouched() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("format"), "portolan store 2\n").unwrap();
    let Err(error) = Store::open(home.path(), &options(1)) else { panic!("opened") };
    assert!(matches!(error, StoreError::Format { .. }), "{error}");
    assert!(!home.path().join("sled").exists());
}

#[test]
fn a_store_can_be_opened_as_soon_as_it_is_dropped() {
    let home = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, LogKind::Data);
    for _ in 0..60 {
        let (store, _) = open(home.path());
        store.commit(&[author.commit(60, 400)]).unwrap();
    }
}

#[test]
fn a_journal_mostly_outdated_is_rewritten() {
    let home = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, LogKind::Data);
    let (store, _) = open(home.path());
    store.commit(&[author.commit(1, 10)]).unwrap();
    let heads = store.0.heads.read().unwrap().clone();
    let mut writer = store.0.writer();
    while !writer.journal.bloated(1) {
        let again = (0..10_000).map(|number| (number, heads[&0])).collect();
        writer.journal.append(&*store.0.disk, &again).unwrap();
    }
    drop(writer);
    store.commit(&[author.commit(1, 10)]).unwrap();
    assert!(fs::metadata(home.path().join("heads")).unwrap().len() < 200);
    drop(store);
    let (store, report) = open(home.path());
    assert_eq!(report.lost, Vec::<String>::new());
    assert_eq!(store.end(&author.context), 2);
}
