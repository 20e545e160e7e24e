//! What can happen to a node.

use thiserror::Error;

use crate::{
    card::Card,
    control::Role,
    entry::{EntryRef, LogKey},
    id::{NodeId, OrganisationId, SpaceId},
    page::LogContext,
    status::NodeStatus,
};

/// Entries that the core wants to see, to find where two branches of a log part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Which log.
    pub context: LogContext,
    /// The first entry.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
    /// Whose branch they are to be compared with.
    pub peer: NodeId,
}

/// Something happened.
#[derive(Debug)]
pub enum Input {
    /// The node was just taken up from the store; the first input.
    Started,
    /// A person or the shell wants something. The number comes back with the reply.
    Command {
        /// Chosen by the shell.
        number: u64,
        /// What is wanted.
        command: Command,
    },
    /// A connection to a verified peer is open.
    Connected {
        /// Whose key was proven.
        peer: NodeId,
    },
    /// The connection is gone.
    Disconnected {
        /// Whose.
        peer: NodeId,
    },
    /// A frame came.
    Received {
        /// From whom.
        peer: NodeId,
        /// Its body, as it came.
        frame: Vec<u8>,
    },
    /// The pages that [`crate::effects::Effects::fetch`] asked for.
    Fetched {
        /// As asked.
        fetch: Fetch,
        /// Entries `from..to`, or none when the store cannot read them.
        pages: Option<Vec<Vec<u8>>>,
    },
}

/// What a person or the shell wants.
#[derive(Debug)]
pub enum Command {
    /// Trust a card: its fingerprint was compared by people.
    AddPeer {
        /// The verified card.
        card: Box<Card>,
    },
    /// Trust it no more.
    RemovePeer {
        /// Whose.
        peer: NodeId,
    },
    /// The node's own card has a new version.
    UpdateCard {
        /// The new version.
        card: Box<Card>,
    },
    /// Found a space.
    CreateSpace {
        /// The organisation this node acts for.
        organisation: OrganisationId,
    },
    /// Make a peer a member, or raise its role.
    Grant {
        /// Where.
        space: SpaceId,
        /// Whom: a peer, or a member known from the space.
        member: NodeId,
        /// The role.
        role: Role,
        /// Whether it may read what came before.
        history: bool,
    },
    /// Remove a member. What this node holds of it stays accepted; what comes later is quarantined.
    Revoke {
        /// Where.
        space: SpaceId,
        /// Whom.
        member: NodeId,
    },
    /// Open a new epoch.
    Rotate {
        /// Where.
        space: SpaceId,
    },
    /// Append changes to this node's data log.
    Append {
        /// Where.
        space: SpaceId,
        /// The log that the changes' actors were derived from, as the view names it.
        log: LogKey,
        /// Encoded [`crate::change::ChangePayload`]s; all are appended, or none.
        changes: Vec<Vec<u8>>,
    },
    /// Compare frontiers again with every connected peer, or with one.
    Sync {
        /// With whom.
        peer: Option<NodeId>,
    },
    /// Tell how things stand.
    Status,
}

/// The answer to a command.
#[derive(Debug)]
pub enum Reply {
    /// It is done, durably.
    Done,
    /// The space was founded.
    Space(SpaceId),
    /// The changes are in the log.
    Appended(Vec<EntryRef>),
    /// How things stand.
    Status(Box<NodeStatus>),
}

/// Why a command was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// No such space here.
    #[error("this node has no such space")]
    UnknownSpace,
    /// No such peer here.
    #[error("this node has no such peer or member")]
    UnknownPeer,
    /// The node is no member with the right to do that.
    #[error("this node's role in the space does not allow it: {0}")]
    NotAllowed(String),
    /// The log that the changes were made for is not the one to write now: make them again.
    #[error("the log to write has changed; make the change again")]
    LogChanged,
    /// Larger than an entry may be.
    #[error("the change is larger than an entry may be: save in smaller parts")]
    TooLarge,
    /// A control entry from the future stops the space.
    #[error("the space uses something that this release does not know: upgrade to write in it again")]
    UpgradeNeeded,
    /// No more spaces, members or readers fit.
    #[error("{0}")]
    Limit(String),
}
