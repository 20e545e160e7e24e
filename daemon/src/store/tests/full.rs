//! A full disk: a clean error, everything acknowledged readable, a start with the reserve, and life again with room.

use std::{fs, path::Path, process::Command};

use portolan_protocol::{commit::Commit, entry::LogKind};

use super::{Author, open_with, options};
use crate::store::{DerivedBatch, Options, Store, StoreError};

/// A small file system, unmounted at the end.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mount(size: &str) -> Tmpfs {
        let at = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at.path()).status();
        assert!(mounted.unwrap().success());
        Tmpfs(at)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Takes all the room that is left.
fn fill(path: &Path) {
    let mut bytes = vec![0; 64 << 20];
    while bytes.len() > 512 {
        if fs::write(path.join(format!("filling-{}", bytes.len())), &bytes).is_err() {
            bytes.truncate(bytes.len() / 2);
        }
    }
}

#[test]
#[ignore = "needs root to mount a tmpfs"]
fn a_full_disk_loses_nothing_and_the_store_starts_again() {
    let disk = Tmpfs::mount("48m");
    let home = disk.0.path().join("home");
    let options = Options { reserve_bytes: 4 << 20, ..options(1) };
    fs::write(disk.0.path().join("ballast"), vec![1; 18 << 20]).unwrap();
    let (store, _) = open_with(&home, &options);
    let mut author = Author::new(1, LogKind::Data);
    let mut acknowledged = 0;
    let error = loop {
        match store.commit(&[author.commit(200, 2_000)]) {
            Ok(()) => acknowledged = author.tip.next_seq,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(acknowledged > 0 && !store.poisoned(), "refused before anything was written");
    assert_eq!(count(&store, &author), acknowledged);
    // What was taken can be derived: that has room where a commit has none.
    let derived = store.derived();
    let table = derived.open_table("rows").unwrap();
    for row in 0..64u64 {
        let mut batch = DerivedBatch::default();
        batch.put(&table, &row.to_be_bytes(), vec![row as u8; 4_000]).unwrap();
        derived.apply(batch).unwrap();
    }
    assert!(matches!(store.commit(&[author.commit(200, 2_000)]), Err(StoreError::Full { .. })));
    drop((table, derived));
    drop(store);

    fill(disk.0.path());
    let (store, report) = open_with(&home, &options);
    assert!(report.reserve_given_up, "{report:?}");
    assert!(store.trusted());
    let held = count(&store, &author);
    assert_eq!(held, acknowledged);
    assert!(matches!(store.commit(&[note()]), Err(StoreError::Full { .. })));
    assert!(!store.poisoned(), "nothing was written");

    fs::remove_file(disk.0.path().join("ballast")).unwrap();
    store.commit(&[note()]).unwrap();
    drop(store);
    let (store, report) = open_with(&home, &options);
    assert!(!report.reserve_given_up && store.trusted());
    assert_eq!(store.image().unwrap().state.len(), 1);
    assert_eq!(count(&store, &author), held);
}

#[test]
#[ignore = "needs root to mount a tmpfs"]
fn a_disk_that_is_filled_by_others_in_the_middle_of_a_commit_loses_nothing() {
    let disk = Tmpfs::mount("24m");
    let home = disk.0.path().join("home");
    let options = Options { reserve_bytes: 4 << 20, ..options(1) };
    let (store, _) = open_with(&home, &options);
    let mut author = Author::new(1, LogKind::Data);
    store.commit(&[author.commit(500, 2_000)]).unwrap();
    let acknowledged = author.tip.next_seq;
    fill(disk.0.path());
    // Past the question whether there is room, as if there had been when it was asked.
    let error = loop {
        if let Err(error) = store.0.write(&mut store.0.writer(), &[author.commit(200, 2_000)]) {
            break error;
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    drop(store);
    let (store, report) = open_with(&home, &options);
    assert!(report.reserve_given_up, "{report:?}");
    assert!(store.trusted());
    assert!(count(&store, &author) >= acknowledged);
    assert_eq!(store.check().unwrap().damaged, vec![]);
}

fn note() -> Commit {
    Commit { state: vec![(b"k".into(), Some(b"v".into()))], ..Commit::default() }
}

fn count(store: &Store, author: &Author) -> u64 {
    let mut count = 0;
    let read = store.for_each(&author.context, 0, u64::MAX, |_| {
        count += 1;
        Ok::<_, StoreError>(())
    });
    read.unwrap();
    count
}
