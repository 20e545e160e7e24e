//! What goes in comes out: against a plain model, whatever the pages, the sizes, the gaps and the reopenings.

use std::collections::BTreeMap;

use portolan_protocol::{
    commit::{Commit, Fill},
    entry::{Entry, LogKind},
    limits::RUN_ENTRIES_MAX,
    page::{AuthenticRun, PagePayload, PageReader},
};
use proptest::prelude::*;

use super::{Author, open};
use crate::store::{DerivedBatch, Store, StoreError};

#[derive(Clone, Debug)]
enum Step {
    Run { log: usize, entries: Vec<(usize, bool)>, aim: usize },
    Fill { log: usize, which: prop::sample::Index },
    State { key: u8, value: Option<usize> },
    Commit,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![6 => 0usize..600, 2 => 2_900usize..4_200, 1 => 4_200usize..90_000];
    let entries = prop::collection::vec((length, prop::bool::weighted(0.9)), 1..40);
    let aim = prop_oneof![Just(1), Just(2_500), Just(3_900), Just(1_000_000)];
    prop_oneof![
        6 => (0usize..3, entries, aim).prop_map(|(log, entries, aim)| Step::Run { log, entries, aim }),
        2 => (0usize..3, any::<prop::sample::Index>()).prop_map(|(log, which)| Step::Fill { log, which }),
        2 => (0u8..4, prop::option::of(0usize..9_000)).prop_map(|(key, value)| Step::State { key, value }),
        4 => Just(Step::Commit),
        1 => Just(Step::Reopen),
    ]
}

struct World {
    authors: Vec<Author>,
    logs: Vec<Vec<Entry>>,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    pending: Vec<Commit>,
}

impl World {
    fn new() -> World {
        let authors = (1..=3).map(|n| Author::new(n, if n == 1 { LogKind::Control } else { LogKind::Data })).collect();
        World { authors, logs: vec![Vec::new(); 3], state: BTreeMap::new(), pending: Vec::new() }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Run { log, entries, aim } => {
                let author = &mut self.authors[*log];
                let entries: Vec<Entry> = entries.iter().map(|(length, held)| author.entry(*length, *held)).collect();
                let run = author.run(&entries, *aim);
                self.logs[*log].extend(entries);
                self.pending.push(Commit { runs: vec![run], ..Commit::default() });
            }
            Step::Fill { log, which } => {
                let author = &self.authors[*log];
                let gaps: Vec<&mut Entry> =
                    self.logs[*log].iter_mut().filter(|entry| entry.payload.is_none()).collect();
                if gaps.is_empty() {
                    return;
                }
                let at = which.index(gaps.len());
                let Some(entry) = gaps.into_iter().nth(at) else { return };
                let payload = author.payload(entry.header.seq, entry.header.payload_length as usize);
                entry.payload = Some(payload.clone());
                let fill = Fill { context: author.context, seq: entry.header.seq, payload };
                self.pending.push(Commit { fills: vec![fill], ..Commit::default() });
            }
            Step::State { key, value } => {
                let value = value.map(|length| vec![*key; length]);
                let key = vec![b'k', *key];
                match &value {
                    Some(value) => self.state.insert(key.clone(), value.clone()),
                    None => self.state.remove(&key),
                };
                self.pending.push(Commit { state: vec![(key, value)], ..Commit::default() });
            }
            Step::Commit | Step::Reopen => {}
        }
    }

    fn compare(&self, store: &Store, from: u64, to: u64) {
        let image = store.image().unwrap();
        assert!(image.trusted);
        assert_eq!(image.state, self.state);
        for (author, entries) in self.authors.iter().zip(&self.logs) {
            let Some(log) = image.logs.iter().find(|log| log.context == author.context) else {
                assert!(entries.is_empty());
                continue;
            };
            assert_eq!(log.tip, author.tip);
            let gaps = entries.iter().filter(|entry| entry.payload.is_none());
            let gaps: Vec<_> = gaps.map(|entry| (entry.header.seq, entry.header.payload_hash)).collect();
            assert_eq!(log.gaps, gaps);
            if author.context.kind == LogKind::Control {
                assert_eq!(decode(author, &log.pages), *entries);
            }
            let part = part(entries, from, to);
            assert_eq!(each(store, author, from, to), part);
            assert_eq!(frames(store, author, from, to), part);
            let last = entries.last().map(|entry| entry.header.seq).unwrap_or_default();
            assert_eq!(store.entry(&author.context, last).unwrap().as_ref(), entries.last());
            assert_eq!(store.entry(&author.context, last + 1).unwrap(), None);
        }
        let report = store.check().unwrap();
        assert_eq!(report.damaged, vec![]);
        assert_eq!(report.entries, self.logs.iter().map(|log| log.len() as u64).sum::<u64>());
    }
}

fn part(entries: &[Entry], from: u64, to: u64) -> Vec<Entry> {
    entries.iter().filter(|entry| (from..to).contains(&entry.header.seq)).cloned().collect()
}

fn decode(author: &Author, pages: &[Vec<u8>]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for page in pages {
        let mut reader = PageReader::new(&author.context, page).unwrap();
        while let Some(entry) = reader.next().unwrap() {
            entries.push(owned(entry));
        }
    }
    entries
}

fn owned(entry: portolan_protocol::page::PageEntry<'_>) -> Entry {
    let payload = match entry.payload {
        PagePayload::Inline(payload) => Some(payload.to_vec()),
        PagePayload::Gap => None,
        PagePayload::Elsewhere => panic!("a payload is never elsewhere outside the store"),
    };
    Entry { header: entry.header, signature: entry.signature, payload }
}

fn each(store: &Store, author: &Author, from: u64, to: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    let read = store.for_each(&author.context, from, to, |entry| {
        entries.push(owned(entry));
        Ok::<_, StoreError>(())
    });
    read.unwrap();
    entries
}

/// What frames hold; each of them has to be a run that a receiver accepts.
fn frames(store: &Store, author: &Author, from: u64, to: u64) -> Vec<Entry> {
    const BYTES_MAX: usize = 20_000;
    let mut entries = Vec::new();
    for frame in store.run_frames(&author.context, from, to, BYTES_MAX) {
        let frame = frame.unwrap();
        let held = decode(author, &frame);
        let largest = held.iter().filter_map(|entry| entry.payload.as_ref().map(Vec::len)).max().unwrap_or(0);
        assert!(frame.iter().map(Vec::len).sum::<usize>() <= BYTES_MAX + largest + 8_192);
        assert!((1..=RUN_ENTRIES_MAX).contains(&held.len()));
        AuthenticRun::verify(author.context, frame, &author.key.public().verifier().unwrap()).unwrap();
        entries.extend(held);
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_store_is_its_model(steps in prop::collection::vec(step(), 1..24), from in 0u64..200, length in 0u64..200) {
        let home = tempfile::tempdir().unwrap();
        let mut store = open(home.path()).0;
        let mut world = World::new();
        for step in steps {
            world.take(&step);
            if matches!(step, Step::Commit | Step::Reopen) {
                store.commit(&std::mem::take(&mut world.pending)).unwrap();
            }
            if matches!(step, Step::Reopen) {
                drop(store);
                store = open(home.path()).0;
            }
        }
        store.commit(&std::mem::take(&mut world.pending)).unwrap();
        world.compare(&store, from, from + length);
        world.compare(&store, 0, u64::MAX);
        let other = tempfile::tempdir().unwrap();
        store.compact_to(&other.path().join("copy"), &super::options(2)).unwrap();
        world.compare(&open(&other.path().join("copy")).0, from, from + length);
    }
}

#[test]
fn single_entries_share_pages() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = open(home.path());
    let mut author = Author::new(1, LogKind::Data);
    for _ in 0..60 {
        store.commit(&[author.commit(1, 300)]).unwrap();
    }
    let pages: usize = store.run_frames(&author.context, 0, 60, 1 << 20).map(|frame| frame.unwrap().len()).sum();
    assert!((5..=8).contains(&pages), "{pages} pages");
}

#[test]
fn a_frame_holds_no_more_entries_than_one_signature_may_vouch_for() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = open(home.path());
    let mut author = Author::new(1, LogKind::Data);
    store.commit(&[author.commit(3_000, 0), author.commit(3_000, 0)]).unwrap();
    let frames = store.run_frames(&author.context, 1, 6_000, 100 << 20);
    let counts: Vec<usize> = frames.map(|frame| decode(&author, &frame.unwrap()).len()).collect();
    assert_eq!(counts, [RUN_ENTRIES_MAX, 5_999 - RUN_ENTRIES_MAX]);
}

#[test]
fn a_run_that_does_not_continue_the_log_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = open(home.path());
    let mut author = Author::new(1, LogKind::Data);
    store.commit(&[author.commit(3, 10)]).unwrap();
    let _skipped = author.commit(1, 10);
    let error = store.commit(&[author.commit(1, 10)]).unwrap_err();
    assert!(matches!(error, StoreError::NotContinuing { expected: 3, found: 4, .. }), "{error}");
    assert!(matches!(
        store.commit(&[Commit { state: vec![(b"k".into(), None)], ..Commit::default() }]),
        Err(StoreError::Poisoned)
    ));
}

#[test]
fn a_payload_that_is_not_lacking_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = open(home.path());
    let mut author = Author::new(1, LogKind::Data);
    let entries = [author.entry(10, false)];
    store.commit(&[Commit { runs: vec![author.run(&entries, 4_000)], ..Commit::default() }]).unwrap();
    let fill = Fill { context: author.context, seq: 0, payload: b"another".into() };
    let error = store.commit(&[Commit { fills: vec![fill], ..Commit::default() }]).unwrap_err();
    assert!(matches!(error, StoreError::NoGap { seq: 0, .. }), "{error}");
}

#[test]
fn derived_data_of_any_size_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = open(home.path());
    let derived = store.derived();
    let (one, two) = (derived.open_table("one").unwrap(), derived.open_table("two").unwrap());
    for length in [0, 4_094, 4_095, 4_096, 8_000, 8_001, 300_000, 10] {
        let mut batch = DerivedBatch::default();
        batch.put(&one, b"a", vec![7; length]).unwrap();
        batch.put(&one, b"ab", b"next".into()).unwrap();
        batch.put(&two, b"mark", vec![1]).unwrap();
        derived.apply(batch).unwrap();
        assert_eq!(one.value(b"a").unwrap(), Some(vec![7; length]));
        let both = vec![(b"a".to_vec(), vec![7; length]), (b"ab".to_vec(), b"next".to_vec())];
        assert_eq!(one.prefix(b"a", None, 10).unwrap(), both);
        assert_eq!(one.prefix(b"a", Some(b"a"), 10).unwrap(), both[1..]);
        assert_eq!(one.range(b"a"..b"ab", 10).unwrap(), both[..1]);
        assert_eq!(one.prefix(b"", None, 1).unwrap(), both[..1]);
    }
    // Of the long values nothing is left behind: three cells.
    assert_eq!(
        store.0.db.open_tree("derived/one").unwrap().len() + store.0.db.open_tree("derived/two").unwrap().len(),
        3
    );
    derived.clear().unwrap();
    assert_eq!(derived.open_table("one").unwrap().prefix(b"", None, 10).unwrap(), vec![]);
    assert_eq!(derived.open_table("two").unwrap().value(b"mark").unwrap(), None);
}

#[test]
fn a_store_is_checked_while_others_write() {
    let home = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, LogKind::Data);
    let (store, _) = open(home.path());
    store.commit(&[author.commit(1, 100)]).unwrap();
    let writing = store.clone();
    let writer = std::thread::spawn(move || {
        for _ in 0..200 {
            writing.commit(&[author.commit(1, 100)]).unwrap();
        }
    });
    while !writer.is_finished() {
        assert_eq!(store.check().unwrap().damaged, []);
    }
    writer.join().unwrap();
}
