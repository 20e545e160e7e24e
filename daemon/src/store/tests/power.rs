//! Losing power between any two steps, on a modelled medium: it holds what was synced, under the names that were synced,
//! and nothing else. sled's own files beside `db` and `conf` are not on it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use portolan_protocol::{commit::Commit, entry::LogKind};

use super::{Author, options};
use crate::store::{
    OpenReport, Store, StoreError,
    disk::{Disk, RealDisk},
    open,
};

/// One operation on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Flush,
    SyncDb,
    SyncConf,
    SyncJournal,
    SyncDirectory,
    SyncOther,
}

#[derive(Clone, Default)]
struct Medium {
    contents: BTreeMap<u64, Vec<u8>>,
    names: BTreeMap<PathBuf, u64>,
    steps: Vec<Step>,
    /// Copies of the medium after each step.
    cuts: Vec<Medium>,
    /// Steps that claim to be done and are not.
    skipped: Option<Step>,
    /// The step that fails, counted from now.
    fails_after: Option<usize>,
}

impl Medium {
    fn step(&mut self, step: Step) -> io::Result<bool> {
        if let Some(left) = &mut self.fails_after {
            match left.checked_sub(1) {
                None => return Err(io::Error::other("the medium is gone")),
                Some(fewer) => *left = fewer,
            }
        }
        self.steps.push(step);
        Ok(self.skipped != Some(step))
    }

    fn cut(&mut self) {
        let (contents, names) = (self.contents.clone(), self.names.clone());
        self.cuts.push(Medium { contents, names, ..Medium::default() });
    }

    /// What is found after the cut, put in `to`.
    fn restore(&self, root: &Path, to: &Path) {
        for (name, inode) in &self.names {
            let target = to.join(name.strip_prefix(root).unwrap());
            // What is in a directory whose own name was not synced is lost with it.
            if !target.parent().unwrap().exists() {
                continue;
            }
            match name.is_dir() {
                true => fs::create_dir_all(target).unwrap(),
                false => fs::write(target, self.contents.get(inode).map_or(&[][..], Vec::as_slice)).unwrap(),
            }
        }
    }
}

#[derive(Clone, Default)]
struct PowerDisk(Arc<Mutex<Medium>>);

impl Disk for PowerDisk {
    fn flush(&self, db: &sled::Db) -> sled::Result<()> {
        match self.0.lock().unwrap().step(Step::Flush)? {
            true => RealDisk.flush(db),
            false => Ok(()),
        }
    }

    fn sync_file(&self, path: &Path, file: &File) -> io::Result<()> {
        let step = match path.file_name().and_then(|name| name.to_str()) {
            Some("db") => Step::SyncDb,
            Some("conf") => Step::SyncConf,
            Some("heads") => Step::SyncJournal,
            _ => Step::SyncOther,
        };
        let mut medium = self.0.lock().unwrap();
        if medium.step(step)? {
            medium.contents.insert(file.metadata()?.ino(), fs::read(path)?);
            medium.cut();
        }
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut medium = self.0.lock().unwrap();
        if medium.step(Step::SyncDirectory)? {
            medium.names.retain(|name, _| name.parent() != Some(path));
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                medium.names.insert(entry.path(), entry.metadata()?.ino());
            }
            medium.cut();
        }
        Ok(())
    }
}

struct World {
    root: tempfile::TempDir,
    disk: PowerDisk,
    author: Author,
}

impl World {
    fn new() -> World {
        World { root: tempfile::tempdir().unwrap(), disk: PowerDisk::default(), author: Author::new(1, LogKind::Data) }
    }

    fn open(&self) -> Result<(Store, OpenReport), StoreError> {
        open::open(&self.root.path().join("home"), &options(1), Box::new(self.disk.clone()))
    }

    fn skip(&self, step: Option<Step>) {
        self.disk.0.lock().unwrap().skipped = step;
    }

    fn write(&mut self, store: &Store) -> Result<(), StoreError> {
        let commit = Commit { state: vec![(b"k".into(), Some(b"v".into()))], ..self.author.commit(20, 300) };
        store.commit(&[commit])
    }

    /// Where the log ends after a cut, if the store is trusted.
    fn after(&self, medium: &Medium) -> Option<u64> {
        let found = tempfile::tempdir().unwrap();
        medium.restore(self.root.path(), found.path());
        if !found.path().join("home").exists() {
            return None;
        }
        let (store, _) = Store::open(&found.path().join("home"), &options(2)).ok()?;
        let image = store.image().ok()?;
        assert_eq!(store.check().unwrap().damaged, vec![]);
        image.trusted.then(|| image.logs.first().map_or(0, |log| log.tip.next_seq))
    }

    fn medium(&self) -> Medium {
        self.disk.0.lock().unwrap().clone()
    }
}

#[test]
fn whatever_the_moment_nothing_acknowledged_is_lost() {
    let mut world = World::new();
    let (store, _) = world.open().unwrap();
    for _ in 0..4 {
        let acknowledged = world.author.tip.next_seq;
        let cuts_before = world.medium().cuts.len();
        world.write(&store).unwrap();
        // The journal is never ahead of the store: each of these would be distrusted.
        for cut in &world.medium().cuts[cuts_before..] {
            assert!(world.after(cut).is_some_and(|end| end >= acknowledged));
        }
        assert_eq!(world.after(&world.medium()), Some(world.author.tip.next_seq));
    }
}

#[test]
fn a_commit_takes_its_steps_in_order() {
    let mut world = World::new();
    let (store, _) = world.open().unwrap();
    let before = world.medium().steps.len();
    world.write(&store).unwrap();
    assert_eq!(world.medium().steps[before..], [Step::Flush, Step::SyncDb, Step::SyncJournal]);
}

#[test]
fn without_flush_or_sync_of_the_store_an_acknowledged_commit_would_be_lost() {
    for step in [Step::Flush, Step::SyncDb] {
        let mut world = World::new();
        let (store, _) = world.open().unwrap();
        world.write(&store).unwrap();
        world.skip(Some(step));
        world.write(&store).unwrap();
        // And the journal, which is synced, tells.
        assert_eq!(world.after(&world.medium()), None, "{step:?}");
    }
}

#[test]
fn without_sync_of_the_journal_a_loss_in_the_store_would_go_unnoticed() {
    for (step, noticed) in [(None, true), (Some(Step::SyncJournal), false)] {
        let mut world = World::new();
        let (store, _) = world.open().unwrap();
        world.write(&store).unwrap();
        let older = world.medium();
        world.skip(step);
        world.write(&store).unwrap();
        let db = fs::metadata(world.root.path().join("home/sled/db")).unwrap().ino();
        let mut medium = world.medium();
        medium.contents.insert(db, older.contents[&db].clone());
        assert_eq!(world.after(&medium).is_none(), noticed, "{step:?}");
    }
}

#[test]
fn without_the_syncs_at_creation_the_store_would_be_lost() {
    // The names, and the bytes of a journal that is about to take its name.
    for (step, end) in [(None, Some(0)), (Some(Step::SyncDirectory), None), (Some(Step::SyncOther), None)] {
        let world = World::new();
        world.skip(step);
        let (_store, _) = world.open().unwrap();
        assert_eq!(world.after(&world.medium()), end, "{step:?}");
    }
}

#[test]
fn making_a_store_syncs_its_configuration() {
    let world = World::new();
    let (_store, _) = world.open().unwrap();
    let conf = world.root.path().join("home/sled/conf");
    let inode = fs::metadata(&conf).unwrap().ino();
    assert_eq!(world.medium().contents.get(&inode), Some(&fs::read(conf).unwrap()));
}

#[test]
fn a_commit_that_fails_at_any_step_poisons_the_store_until_it_is_opened_again() {
    for step in 0..3 {
        let mut world = World::new();
        let (store, _) = world.open().unwrap();
        world.write(&store).unwrap();
        let acknowledged = world.author.tip.next_seq;
        world.disk.0.lock().unwrap().fails_after = Some(step);
        assert!(world.write(&store).is_err());
        world.disk.0.lock().unwrap().fails_after = None;
        assert!(store.poisoned());
        assert!(matches!(world.write(&store), Err(StoreError::Poisoned)));
        assert!(matches!(store.image(), Err(StoreError::Poisoned)));
        assert_eq!(store.end(&world.author.context), acknowledged, "readers see what is durable only");
        drop(store);
        let (store, report) = world.open().unwrap();
        assert_eq!(report.lost, Vec::<String>::new());
        assert!(store.end(&world.author.context) >= acknowledged);
        assert!(store.trusted());
    }
}
