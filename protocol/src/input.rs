//! What can happen to a node.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::{
    card::Card,
    control::Role,
    entry::{EntryRef, LogKey},
    id::{NodeId, OrganisationId, PouchId, SpaceId},
    message::Message,
    page::LogContext,
    pouch::{Contents, Extent, Held, Load, Plan},
    status::{Holding, NodeStatus},
    time::Timestamp,
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
    /// Name what is to go into a pouch.
    Pack {
        /// For whom: peers.
        recipients: Vec<NodeId>,
        /// Only this space; otherwise all that all recipients share.
        space: Option<SpaceId>,
        /// How much.
        load: Load,
    },
    /// Take what a volume of a peer's pouch carries. The volume was addressed to this node and signed by the peer.
    Unpack {
        /// The sender.
        peer: NodeId,
        /// The pouch that the volume is of.
        pouch: PouchId,
        /// When it was written, by the sender's clock.
        said: Timestamp,
        /// What it says there.
        message: Box<Message>,
    },
    /// The volume was read to its end, or could not be: what was said for the rest of it is forgotten.
    EndVolume {
        /// The sender.
        peer: NodeId,
        /// What it held, once all of it was read and taken, and each extent that the store holds compared by its hash.
        whole: Option<Volume>,
    },
    /// Take a peer's word for volumes of a pouch that this node sent.
    TakeHeld {
        /// To whom the pouch was.
        recipients: Vec<NodeId>,
        /// The word of one of them.
        held: Held,
        /// What the volumes of the pouch held, by number, as kept when they were written.
        kept: Vec<(u16, Contents)>,
        /// What was named when it was packed.
        plan: Box<Plan>,
    },
    /// Tell which pouches of peers this node holds volumes of.
    TakenPouches,
    /// Tell which of these a peer has receipted whole.
    Arrived {
        /// Whom.
        peer: NodeId,
        /// What volumes held.
        contents: Vec<Contents>,
    },
    /// Tell how many entries and payloads of this are not held here.
    Weigh {
        /// What a volume holds.
        contents: Contents,
    },
    /// Tell who has signed for these entries.
    Holdings {
        /// Of which space.
        space: SpaceId,
        /// Which.
        entries: Vec<EntryRef>,
    },
    /// Tell how things stand.
    Status,
}

/// A volume of a peer's pouch that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Which pouch.
    pub pouch: PouchId,
    /// Which volume.
    pub number: u16,
    /// What it held.
    pub contents: Contents,
    /// Extents of it whose last entry is another one here.
    pub contradicted: BTreeSet<(SpaceId, Extent)>,
}

/// What came of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeReport {
    /// This node's word for the volumes of the pouch that it holds, this one among them; none while something is lacking.
    pub held: Option<Held>,
    /// Ranges that are not held, a few of them.
    pub lacking: Vec<Lacking>,
    /// How many there are.
    pub lacking_ranges: u64,
    /// Earlier volumes of which nothing seems to be lacking any more: they are to be compared with the store, and ended again.
    pub again: Vec<Volume>,
}

/// Entries or payloads of a volume that are not held: what they build on is not here, or they are not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Of which space.
    pub space: SpaceId,
    /// Of which log.
    pub log: LogKey,
    /// The first entry.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
    /// How far the log is held.
    pub held: u64,
    /// Why they are not taken, where waiting does not help.
    pub refused: Option<&'static str>,
    /// Peers that are known to hold what is between.
    pub suppliers: Vec<NodeId>,
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
    /// What is to go into a pouch.
    Plan(Box<Plan>),
    /// Entries and payloads that are held since, those that waited for them included.
    Unpacked(u64),
    /// What came of a volume.
    Volume(Box<VolumeReport>),
    /// Whose word it is, and whether it says more than was known.
    Held {
        /// Whose.
        peer: NodeId,
        /// Whether it is news.
        news: bool,
    },
    /// The word of this node for each pouch, its sender, and when a volume of it was last taken.
    TakenPouches(Vec<(NodeId, Held, Timestamp)>),
    /// For each of what was asked.
    Arrived(Vec<bool>),
    /// So many.
    Weighed(u64),
    /// What each of the others has signed for.
    Holdings(Vec<Holding>),
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
    #[error("not allowed: {0}")]
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
    /// There is nothing to put into a pouch for them.
    #[error("this node shares no space with all of them")]
    NothingShared,
    /// A peer did not keep to the format in what a courier brought.
    #[error("the sender said what does not fit together: {0}")]
    Unpacking(String),
    /// The word for volumes of a pouch is none.
    #[error("this is no receipt for the pouch: {0}")]
    NoReceipt(&'static str),
    /// No more spaces, members or readers fit.
    #[error("{0}")]
    Limit(String),
}
