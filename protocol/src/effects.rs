//! What is to be done after an input. The fields stand in the order in which they must be carried out: nothing after
//! `commit` may leave the node before the commit is durable.

use std::sync::Arc;

use crate::{
    card::Card,
    commit::Commit,
    id::{NodeId, PouchId, SpaceId},
    input::{CommandError, Fetch, Reply},
    message::Message,
    page::LogContext,
    view::SpaceView,
};

/// Something for a connected peer.
#[derive(Debug)]
pub enum Send {
    /// One message.
    Message {
        /// To whom.
        peer: NodeId,
        /// What.
        message: Message,
    },
    /// Entries `from..to` of a log, which the shell reads from the store and streams as [`Message::Run`]s.
    Range {
        /// To whom.
        peer: NodeId,
        /// Which log.
        context: LogContext,
        /// The first entry.
        from: u64,
        /// The entry after the last.
        to: u64,
    },
    /// The payload of one entry, which the shell reads from the store and sends as [`Message::Payload`].
    Payload {
        /// To whom.
        peer: NodeId,
        /// Which log.
        context: LogContext,
        /// The entry's place.
        seq: u64,
    },
    /// The connection is to be closed: the peer broke the protocol, or is no longer one.
    Close {
        /// Whose.
        peer: NodeId,
        /// Why, in words for both logs.
        reason: String,
    },
}

/// New entries for those who derive documents from logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Which log.
    pub context: LogContext,
    /// The first new entry.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
    /// By which way they came; none where they were held before, and only a payload came.
    pub way: Option<Way>,
}

/// By which way entries came to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They were written here.
    Written,
    /// A peer sent them over a link.
    Link(NodeId),
    /// A courier brought them in this peer's pouch.
    Pouch(NodeId, PouchId),
}

impl Way {
    /// The peer that they came from.
    pub fn peer(&self) -> Option<NodeId> {
        match self {
            Way::Written => None,
            Way::Link(peer) | Way::Pouch(peer, _) => Some(*peer),
        }
    }
}

/// Something that an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A peer's bytes were refused.
    Refused {
        /// Whose.
        peer: NodeId,
        /// Why.
        reason: String,
    },
    /// An author signed two entries for one place.
    Fork {
        /// Which log.
        context: LogContext,
        /// The first place at which the branches differ.
        seq: u64,
    },
    /// An author has more logs in a space than a member may have; what is beyond is not held.
    TooManyLogs {
        /// Which space.
        space: SpaceId,
        /// Whose.
        author: NodeId,
    },
    /// This node became a member of a space.
    Joined {
        /// Which.
        space: SpaceId,
    },
    /// This node was removed from a space.
    Removed {
        /// Which.
        space: SpaceId,
    },
    /// A peer is to be reached by this card: it is new, or has a new version.
    PeerCard {
        /// The card.
        card: Box<Card>,
    },
    /// A node is no longer a peer.
    PeerGone {
        /// Which.
        peer: NodeId,
    },
    /// A peer's receipt came.
    Receipted {
        /// Whose.
        peer: NodeId,
        /// For which space.
        space: SpaceId,
    },
    /// A control entry from the future stops the fold of a space.
    UpgradeNeeded {
        /// Which.
        space: SpaceId,
    },
}

/// What is to be done, in this order.
#[derive(Default)]
pub struct Effects {
    /// To be made durable.
    pub commit: Commit,
    /// To be read from the store and handed back as [`crate::input::Input::Fetched`].
    pub fetch: Vec<Fetch>,
    /// For peers.
    pub send: Vec<Send>,
    /// Answers to commands, by the number the command came with.
    pub replies: Vec<(u64, Result<Reply, CommandError>)>,
    /// Spaces whose membership, keys or own log changed, as they are now.
    pub views: Vec<Arc<SpaceView>>,
    /// New entries.
    pub appended: Vec<Appended>,
    /// For the operator.
    pub notices: Vec<Notice>,
}
