//! Why something about attachments was not done, and whose fault it is.

use std::io;

use portolan_protocol::{
    attachment::AttachmentError,
    id::{AttachmentId, NodeId},
};
use thiserror::Error;

use crate::{documents::DocumentError, store::StoreError};

/// See the head of the file.
#[derive(Debug, Error)]
pub enum AttachmentsError {
    /// The bytes, or what was asked.
    #[error(transparent)]
    Attachment(#[from] AttachmentError),
    /// The records.
    #[error(transparent)]
    Documents(#[from] DocumentError),
    /// The index of what was added.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the home.
    #[error("attachments cannot be kept: {0}")]
    File(#[from] io::Error),
    /// The disk has no room for it.
    #[error("{needed} bytes are needed on the disk, and {free} are free")]
    NoRoom {
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// Another length than was said.
    #[error("{came} bytes came, and {announced} were announced")]
    Length {
        /// Bytes that came.
        came: u64,
        /// Bytes announced.
        announced: u64,
    },
    /// The sender went away or said nothing for too long.
    #[error("the file was cut: {0}")]
    Cut(String),
    /// What is stored is not what its name says.
    #[error("the attachment {0} is damaged on this node")]
    Damaged(AttachmentId),
    /// It is not here.
    #[error("the attachment {id} is not on this node{}", held_by(holders))]
    Missing {
        /// Which.
        id: AttachmentId,
        /// Peers that said that they hold it.
        holders: Vec<String>,
    },
    /// The record does not say its size, or no key.
    #[error("the record does not say {0} of the attachment {1}")]
    Unsaid(&'static str, AttachmentId),
    /// No record here names it, with that size.
    #[error("no record on this node names the attachment {0}")]
    Unnamed(AttachmentId),
    /// What a peer sent was not what it was asked for.
    #[error("{peer} sent what is not the attachment: {why}")]
    Liar {
        /// Which peer.
        peer: NodeId,
        /// What was wrong.
        why: String,
    },
    /// It is to go on later, after what somebody waits for.
    #[error("fetching goes on later")]
    Later,
    /// Records were not looked at to the end, so what they refer to is not known.
    #[error("records are still being looked at; what nothing refers to is not known yet")]
    Behind,
    /// A step of the daemon ended unexpectedly.
    #[error("a step of the daemon ended unexpectedly; its log says where")]
    Unexpected,
}

fn held_by(holders: &[String]) -> String {
    match holders {
        [] => ", and no peer is known to hold it".to_owned(),
        holders => format!("; it is held by {}", holders.join(", ")),
    }
}

/// Runs what blocks where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AttachmentsError> + Send + 'static,
) -> Result<T, AttachmentsError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(AttachmentsError::Unexpected))
}
