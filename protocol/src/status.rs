//! How a node stands, in numbers that are true: what peers hold is what their receipts say.

use crate::{
    card::Card,
    control::Role,
    id::{EpochId, FrontierDigest, Incarnation, NodeId, SpaceId},
    time::Timestamp,
};

/// The whole node.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// Who it is.
    pub node: NodeId,
    /// The life of its store.
    pub incarnation: Incarnation,
    /// Whether heads journal and store agreed at the start.
    pub trusted: bool,
    /// Its spaces.
    pub spaces: Vec<SpaceStatus>,
    /// Its peers.
    pub peers: Vec<PeerStatus>,
}

/// One space.
#[derive(Clone, Debug)]
pub struct SpaceStatus {
    /// Which.
    pub space: SpaceId,
    /// This node's role, none when it is no longer a member.
    pub role: Option<Role>,
    /// Who is a member, and as what.
    pub members: Vec<(NodeId, Role)>,
    /// The epoch that this node would write under.
    pub epoch: Option<EpochId>,
    /// Entries held, control and data.
    pub entries: u64,
    /// The digest of what is held.
    pub digest: FrontierDigest,
    /// Logs, control and data.
    pub logs: usize,
    /// Payloads that are missing.
    pub gaps: u64,
    /// Logs known to be forked.
    pub forks: usize,
    /// Runs that wait for something they refer to.
    pub parked_runs: usize,
    /// Their bytes.
    pub parked_bytes: usize,
    /// A control entry from the future stops the fold.
    pub upgrade_needed: bool,
}

/// One peer.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Its card.
    pub card: Card,
    /// Whether a connection is open.
    pub connected: bool,
    /// When something last came from it, by this node's clock.
    pub heard: Option<Timestamp>,
    /// When a volume of its pouches was last taken, by this node's clock.
    pub pouch: Option<Timestamp>,
    /// What it has receipted, by space.
    pub receipts: Vec<ReceiptStatus>,
    /// Why its bytes were last refused.
    pub refused: Option<String>,
}

/// What a peer has receipted in one space.
#[derive(Clone, Debug)]
pub struct ReceiptStatus {
    /// Which space.
    pub space: SpaceId,
    /// Of the entries that this node holds, how many the peer has receipted.
    pub entries: u64,
    /// Whether the receipt covers everything that this node holds.
    pub up_to_date: bool,
    /// The peer is connected, has said what it holds, and this node holds all of it.
    pub caught_up: bool,
    /// When the peer signed it, by the peer's clock; none when there is no receipt, or one that does not say.
    pub signed: Option<Timestamp>,
    /// The peer says that this node is no member.
    pub not_member: bool,
}

/// What a member of a space, or a peer that was one, has signed for of some entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who.
    pub node: NodeId,
    /// Its role, none when it is no member any more.
    pub role: Option<Role>,
    /// Whether it is a peer of this node: of others there are no receipts here.
    pub peer: bool,
    /// When something last came from it, by link or courier, by this node's clock.
    pub heard: Option<Timestamp>,
    /// When it signed the receipt, by its own clock; none when there is no receipt, or one that does not say.
    pub signed: Option<Timestamp>,
    /// For each of the entries, whether the receipt covers it.
    pub held: Vec<bool>,
}
