//! What can go wrong with the store, and whose fault it is.

use std::{io, path::PathBuf};

use portolan_protocol::page::{LogContext, RunError};
use thiserror::Error;

/// A failure of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has the store open.
    #[error("the store in {} is in use by process {holder}", .home.display())]
    Locked {
        /// The store's directory.
        home: PathBuf,
        /// The process that holds it, as it wrote itself down.
        holder: String,
    },
    /// Written by a release that this one does not understand.
    #[error("the store has format {found:?}, this release reads {expected:?}")]
    Format {
        /// What the store says.
        found: String,
        /// What would be understood.
        expected: &'static str,
    },
    /// No room on the disk. What was acknowledged is safe; nothing new is taken until there is room again.
    #[error("the disk is full ({what}); what was acknowledged is safe")]
    Full {
        /// What was being done.
        what: &'static str,
    },
    /// The disk or the file system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Bytes on the disk are not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// An earlier commit failed, so memory may be ahead of the disk: open the store again.
    #[error("an earlier commit failed; the store must be opened again")]
    Poisoned,
    /// The caller's mistake: a run that does not continue the log as it is stored.
    #[error("a run starts at {found}, but the log's next entry is {expected}, or it continues another entry")]
    NotContinuing {
        /// The log.
        context: Box<LogContext>,
        /// The place of the next entry.
        expected: u64,
        /// The place at which the run starts.
        found: u64,
    },
    /// The caller's mistake: a payload for a place that lacks none, or another payload than the one that is lacking.
    #[error("no payload like this is lacking at {seq}")]
    NoGap {
        /// The log.
        context: Box<LogContext>,
        /// The place.
        seq: u64,
    },
    /// The caller's mistake: a key or a table name that is empty or too long.
    #[error("a key of {0} bytes; 1 to {max} are possible", max = super::KEY_BYTES_MAX)]
    Key(usize),
}

impl StoreError {
    /// Sorts a failure of the file system, telling a full disk from the rest.
    pub(super) fn io(what: &'static str, source: io::Error) -> StoreError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { what },
            _ => StoreError::Io { what, source },
        }
    }

    /// Sorts a failure of sled. It copies I/O errors by kind and text, and the kind of a full disk may be lost on the way.
    pub(super) fn sled(what: &'static str, error: sled::Error) -> StoreError {
        match error {
            sled::Error::Io(source) if source.to_string().contains("StorageFull") => StoreError::Full { what },
            sled::Error::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                StoreError::Damaged(format!("{what}: the file ends early"))
            }
            sled::Error::Io(source) => StoreError::io(what, source),
            other => StoreError::Damaged(format!("{what}: {other}")),
        }
    }

    /// A stored page that cannot be read.
    pub(super) fn page(number: u32, first_seq: u64, error: RunError) -> StoreError {
        StoreError::Damaged(format!("log number {number}, page at {first_seq}: {error}"))
    }
}
