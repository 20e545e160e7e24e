//! Why something about records was not done.

use std::sync::Arc;

use portolan_protocol::{id::DocumentId, input::CommandError};
use thiserror::Error;

use crate::{
    automerge_door::{EditError, Fault},
    search::SearchError,
    store::StoreError,
};

/// See the head of the file. Nothing was changed where it is the answer to a save.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// No such space here.
    #[error("this node has no such space")]
    UnknownSpace,
    /// No such record, or nothing of it can be shown yet.
    #[error("there is no record {0} in this space")]
    NotFound(DocumentId),
    /// A text that is no beginning of an id.
    #[error("`{0}` is not the beginning of a record's id (a-z and 2-7)")]
    BadPrefix(String),
    /// A record of that id is there.
    #[error("there is a record {0} already")]
    Exists(DocumentId),
    /// A state to edit that is not held here.
    #[error("the record was never in the state that is named: {0}")]
    UnknownHeads(String),
    /// A field to settle that says one thing, or nothing.
    #[error("`{0}` does not say several things at once")]
    NotContested(String),
    /// A value to take that is none of those there are.
    #[error("`{field}` has {count} values, and none with the number {number}")]
    NoSuchValue {
        /// The flat key.
        field: String,
        /// Values there are.
        count: usize,
        /// What was asked for.
        number: u32,
    },
    /// A marking to settle on that says less than those there are.
    #[error("the marking would be lowered from {from} to {to}; settling can only raise it")]
    Lowers {
        /// What the markings there are come to.
        from: String,
        /// What was asked for.
        to: String,
    },
    /// The edit cannot be made.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A name or a reason longer than an entry may carry.
    #[error("the {what} has {bytes} bytes; at most {most} are allowed")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// What is allowed.
        most: usize,
    },
    /// The node refused to write.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The change is in the log, but what it was made on is no longer accepted, twice in a row.
    #[error("membership changed while the record was saved; look at it and make the change again")]
    Overtaken,
    /// A library or a local limit: the record's entries are safe.
    #[error("this node cannot open the record; its entries are safe: {0}")]
    Fault(#[from] Fault),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was received lately cannot be derived, because of a full disk for instance.
    #[error("what was received lately cannot be shown now: {0}")]
    Behind(Arc<StoreError>),
    /// Records cannot be found by their words now.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Nothing can be written yet.
    #[error("records cannot be written before the engine runs")]
    NotConnected,
    /// The worker has ended.
    #[error("the service is stopping; whether the change was kept shows when it runs again")]
    Stopped,
    /// The disk is full, and the service is stopping for it.
    #[error("the disk is full; whether the change was kept shows when the service runs again")]
    Full,
}

/// Why changes were not appended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppendError {
    /// The node refuses.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// The engine has stopped; whether the changes were kept shows when it runs again.
    #[error("the service is stopping; whether the change was kept shows when it runs again")]
    Stopped,
    /// The disk is full, and the engine ends for it.
    #[error("the disk is full; whether the change was kept shows when the service runs again")]
    Full,
}
