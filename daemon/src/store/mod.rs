//! The store: logs, small records and derived data in one sled database, behind this door. It decides nothing about
//! entries: what it is given was verified, and what it reads back is handed on. Calls block.
//!
//! ```text
//! home/lock           held while open; the holder's process id
//! home/format         "portolan store 1"
//! home/heads          the heads journal (`heads`): what was acknowledged, outside sled
//! home/reserve        room that is given up so that a store can be opened on a full disk
//! home/sled/          sled's own: db, conf, blobs/, snap.*
//!
//! main tree, integers big-endian      key                                value
//!   META     1                        1                                  incarnation (16)
//!   LOG      2, log number (4)                                           space (32), author (32), log (16), kind (1)
//!   PAGE     3, log number (4), first seq (8)                            stored page (`pages`)
//!   PAYLOAD  4, log number (4), seq (8)                                  a payload too long for its page
//!   GAP      5, log number (4), seq (8)                                  hash of a payload not held (32)
//!   STATE    6, the core's key (1..=256)                                 the core's value
//! derived trees, named "derived/" and the table: 1, key (1..=256)        value
//! ```
//!
//! Each value is a cell or several (`cells`). Pages hold about 4 kB of consecutive entries, so that keys are few and in the
//! order of the log. Why it is like this, and what was measured: `docs/decisions/store.md`.

mod append;
mod cells;
mod check;
mod commit;
mod compact;
mod derived;
mod disk;
mod error;
mod frames;
mod heads;
mod home;
mod keys;
mod open;
mod pages;
mod read;
mod reserve;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use portolan_protocol::{id::Incarnation, limits::PAGE_BYTES_AIM, page::LogContext};

pub use check::CheckReport;
pub use derived::{Derived, DerivedBatch, Pair, Table};
pub use error::StoreError;
pub use frames::Frames;
pub use open::OpenReport;

use append::Tails;
use cells::Cells;
use disk::Disk;
use heads::{Head, Journal};
use home::Home;
use pages::Pages;
use reserve::Reserve;

/// Longest key of a small record or of derived data, and longest name of a table, in bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Drawn at random by the caller; used when the store is created, or when it turns out that something was lost.
    pub incarnation: Incarnation,
    /// Aim for sled's cache. Resident memory is several times as much.
    pub cache_bytes: u64,
    /// Aim for the size of a page.
    pub page_bytes_aim: usize,
    /// Room kept for opening the store on a full disk; 0 for none.
    pub reserve_bytes: u64,
}

impl Options {
    /// What suits a server.
    pub fn new(incarnation: Incarnation) -> Options {
        Options { incarnation, cache_bytes: 16 << 20, page_bytes_aim: PAGE_BYTES_AIM, reserve_bytes: 16 << 20 }
    }
}

/// An open store. Clones share it; it is closed when the last one, and the last iterator over it, is dropped.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    cells: Cells,
    tables: RwLock<BTreeMap<String, Cells>>,
    numbers: RwLock<BTreeMap<keys::Name, u32>>,
    /// What is durable and journalled, by log number. Readers see no further.
    heads: RwLock<BTreeMap<u32, Head>>,
    writer: Mutex<Writer>,
    poisoned: AtomicBool,
    trusted: AtomicBool,
    incarnation: Incarnation,
    page_bytes_aim: usize,
    reserve: Reserve,
    disk: Box<dyn Disk>,
    db_file: std::fs::File,
    db: sled::Db,
    /// Last, so that the lock outlives sled.
    home: Home,
}

struct Writer {
    tails: Tails,
    journal: Journal,
    /// The least log number never used.
    next_number: u32,
}

impl Store {
    /// Opens the store in the directory `home`, making it when there is none.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process has it; [`StoreError::Full`] when even giving up the reserve leaves no
    /// room; [`StoreError::Damaged`] when sled cannot read its files; [`StoreError::Format`], [`StoreError::Io`].
    pub fn open(home: &Path, options: &Options) -> Result<(Store, OpenReport), StoreError> {
        open::open(home, options, Box::new(disk::RealDisk))
    }

    /// The life of the store.
    pub fn incarnation(&self) -> Incarnation {
        self.0.incarnation
    }

    /// Whether the heads journal and the store agreed when it was opened, or the loss was settled since.
    pub fn trusted(&self) -> bool {
        self.0.trusted.load(Ordering::Acquire)
    }

    /// Whether a commit failed: everything but reading is refused until the store is opened again.
    pub fn poisoned(&self) -> bool {
        self.0.poisoned.load(Ordering::Acquire)
    }

    /// Bytes that sled's files take on the disk.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        cells::guard("measuring the store", || self.0.db.size_on_disk())
    }
}

/// What writing `bytes` may take on the disk at most: a page is written again when it grows, and sled takes segments of
/// 512 kB for several purposes.
fn room_for(bytes: usize) -> u64 {
    const SEGMENTS_BYTES: u64 = 4 << 20;
    (bytes as u64).saturating_mul(2).saturating_add(SEGMENTS_BYTES)
}

impl Inner {
    fn pages(&self) -> Pages<'_> {
        Pages { cells: &self.cells, draft: None }
    }

    /// The number of a log, and the place after its last durable entry.
    fn durable(&self, context: &LogContext) -> Option<(u32, u64)> {
        let number = *self.numbers.read().unwrap_or_else(PoisonError::into_inner).get(&keys::name(context))?;
        let head = *self.heads.read().unwrap_or_else(PoisonError::into_inner).get(&number)?;
        Some((number, head.next_seq))
    }

    /// All logs, by number.
    fn logs(&self) -> Vec<(u32, LogContext)> {
        let numbers = self.numbers.read().unwrap_or_else(PoisonError::into_inner);
        let mut logs: Vec<_> =
            numbers.iter().filter_map(|(name, number)| keys::context(name).map(|log| (*number, log))).collect();
        logs.sort_unstable_by_key(|(number, _)| *number);
        logs
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(|broken| {
            // A thread ended in the middle of a commit.
            self.poisoned.store(true, Ordering::Release);
            broken.into_inner()
        })
    }

    /// Writes sled's buffers, and waits until they are on the medium.
    fn sync_sled(&self) -> Result<(), StoreError> {
        cells::guard("flushing", || self.disk.flush(&self.db))?;
        let path = self.home.sled().join("db");
        self.disk.sync_file(&path, &self.db_file).map_err(|e| StoreError::io("syncing the store", e))
    }
}
