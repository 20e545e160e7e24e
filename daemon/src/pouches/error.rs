//! What can go wrong with pouches on this node.

use std::io;

use portolan_protocol::{
    id::{NodeId, PouchId},
    pouch::{CodeError, PouchError, WriteError},
};
use thiserror::Error;

use crate::{attachments::AttachmentsError, engine::EngineError, kept::KeptError, store::StoreError};

/// See the head of the file.
#[derive(Debug, Error)]
pub enum PouchesError {
    /// The core refuses, or does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A small file.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Attachments.
    #[error(transparent)]
    Attachments(#[from] AttachmentsError),
    /// Pieces of an attachment are lacking, or are not what they are said to be.
    #[error("the volume is damaged where the file is{}", damage(.0.as_ref()))]
    FileDamaged(Option<PouchError>),
    /// What came is no good.
    #[error(transparent)]
    Pouch(#[from] PouchError),
    /// A volume cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A code that is none.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// A volume has no room.
    #[error("a volume of this size has no room for entries beside the {0} bytes that every volume begins with")]
    TooSmall(u64),
    /// This node keeps nothing of such a pouch.
    #[error("this node has sent no pouch {0}, or has forgotten it")]
    Unknown(PouchId),
    /// The volume before it was not written yet, or it is beyond the last one.
    #[error("volume {0} cannot be written now: volumes are written in order, and end with the last one")]
    NoVolume(u16),
    /// The store was lost or put back since it was packed: what it says of this node is no longer so.
    #[error("the store has begun another life since this pouch was packed")]
    OtherLife,
    /// One for whom a pouch was packed is no peer any more.
    #[error("{0} is no peer of this node any more")]
    NoPeer(NodeId),
    /// One for whom a pouch was packed is no member any more of a space in it.
    #[error("{0} is no member any more of a space that this pouch carries")]
    NoMember(NodeId),
    /// More than a record may hold.
    #[error("the pouch names more than can be kept of it: choose one space")]
    TooMuch,
    /// No room to stage a volume.
    #[error("the disk has {free} bytes left; to take this volume, {needed} are needed")]
    NoRoom {
        /// What there is.
        free: u64,
        /// What is needed.
        needed: u64,
    },
    /// More or fewer bytes came than were announced.
    #[error("{came} bytes came of a volume of {announced}")]
    Length {
        /// What came.
        came: u64,
        /// What was announced.
        announced: u64,
    },
    /// The body was cut.
    #[error("the volume was cut off on its way: {0}")]
    Cut(String),
    /// Staging failed.
    #[error("the volume cannot be kept beside the store: {0}")]
    Staging(io::Error),
    /// Nobody takes what is written, or waits for what is taken.
    #[error("whoever asked for the volume has gone")]
    Gone,
    /// A step ended in a way that it cannot.
    #[error("a step of the daemon ended unexpectedly; see its log")]
    Unexpected,
}

fn damage(error: Option<&PouchError>) -> String {
    error.map(|error| format!(": {error}")).unwrap_or_default()
}
