//! What can be wrong with a volume, each with a name of its own.

use thiserror::Error;

use crate::{codec::DecodeError, id::NodeId};

/// Why a volume is refused. Places are bytes from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PouchError {
    /// The file does not start like a volume.
    #[error("not a volume of a pouch, or damaged within its first 35 bytes")]
    NotAPouch,
    /// A volume of a later format suite.
    #[error("written in format suite {0}, which this release does not know; upgrade to read it")]
    Future(u8),
    /// The bytes are not those that were written.
    #[error("damaged between byte {at} and byte {end}: copy the volume again, or ask the sender for another")]
    Damaged {
        /// The first byte that may be wrong.
        at: u64,
        /// The byte after the last one.
        end: u64,
    },
    /// The file ends too early.
    #[error("cut short: it ends at byte {at}, and more was written; copy the volume again")]
    Truncated {
        /// Where it ends.
        at: u64,
    },
    /// No slot opens with this node's key.
    #[error("not sealed to this node")]
    NotForThisNode,
    /// The sealed bytes were changed by one who also renewed the checks.
    #[error("altered on purpose at byte {at}: the checks were renewed, the seal does not hold")]
    Altered {
        /// Where the chunk starts that does not open.
        at: u64,
    },
    /// The node that names itself the sender is no peer.
    #[error("signed by {0}, which is not a peer of this node: introduce it first, then import again")]
    UnknownSender(NodeId),
    /// The signature of the sender named does not verify.
    #[error("names {0} as its sender, whose signature does not verify")]
    BadSignature(NodeId),
    /// The sender did not address it to this node, or not in this envelope: somebody passed on what was meant for others.
    #[error("{0} did not address this to this node: somebody else sealed it again")]
    Readdressed(NodeId),
    /// More than a volume may hold.
    #[error("over a bound: {0}")]
    Bound(&'static str),
    /// Sealed and signed, but not in the form that the format asks for: the sender's program is at fault.
    #[error("the sender wrote it wrongly: {0}")]
    Malformed(&'static str),
    /// A frame that cannot be read.
    #[error("the sender wrote it wrongly: a frame: {0}")]
    Frame(DecodeError),
}

/// Why a volume cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// A pouch for nobody, or for more than it has slots.
    #[error("a pouch is for 1 to {} nodes; make one more for the others", crate::limits::POUCH_SLOTS)]
    Recipients,
    /// A recipient's sealing key is unusable.
    #[error("the sealing key of {0} is not usable")]
    Key(NodeId),
    /// A volume number beyond what a pouch may have.
    #[error("a pouch has volumes 1 to {}; export the rest as a pouch of its own", crate::limits::VOLUMES_MAX)]
    Number,
    /// The volume is full: close it and go on in the next one.
    #[error("the volume is full")]
    Full,
    /// The pages are not those of the log that they are said to be.
    #[error("what was to be written are no pages of this log")]
    Pages,
    /// A message that is not for pouches, or longer than a frame may be.
    #[error("not a message that a pouch carries")]
    Message,
}
