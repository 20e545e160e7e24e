//! Cards and peers, and how it stands with each.

use serde::{Deserialize, Serialize};

use super::card_text::CardText;
use crate::{
    control::Role,
    id::{NodeId, SpaceId},
    time::Timestamp,
};

/// `GET /v1/node/card`, and the answer to a change of the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardAnswer {
    /// The card, for others.
    pub card: CardText,
    /// The node's id.
    pub node: NodeId,
    /// 40 decimal digits in groups of five; every version of the card has the same.
    pub fingerprint: String,
    /// The card's version, 1 for the first.
    pub version: u32,
    /// The node's name.
    pub name: String,
    /// The organisation's name.
    pub organisation: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// `host:port` at which others may try to reach it, in order of preference.
    pub addresses: Vec<String>,
}

/// `PATCH /v1/node/profile`: makes a new version of this node's card. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    /// The node's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The organisation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// All addresses, `host:port`; an empty list removes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
}

/// `POST /v1/peers`: introduces a node, or takes a newer version of a known node's card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddPeer {
    /// The card.
    pub card: CardText,
    /// The fingerprint as the administrator typed it after hearing it from the other side. A wrong one is refused. Left out,
    /// the card is kept but not verified, and nothing is exchanged; a node verified before stays so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// How a peer was or is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// This node called the peer.
    Outgoing,
    /// The peer called this node.
    Incoming,
    /// A route that a newer daemon knows.
    #[serde(other)]
    Unknown,
}

/// A connection that is open, or the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Connection {
    /// The peer's network address as this node sees it.
    pub address: String,
    /// Who called whom.
    pub route: Route,
    /// When it opened.
    pub since_ms: Timestamp,
}

/// What a peer has confirmed of one space, by its signed receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PeerSpace {
    /// The space.
    pub space: SpaceId,
    /// What this node calls the space.
    pub space_name: String,
    /// The peer's role in it; null when it is no member any more.
    pub role: Option<Role>,
    /// Entries that the peer's receipt covers, among those this node holds.
    pub entries_receipted: u64,
    /// Entries that this node holds.
    pub entries_held: u64,
    /// Whether the receipt covers everything that this node holds.
    pub up_to_date: bool,
    /// When the peer signed it, by the peer's clock; null when there is none.
    pub receipt_ms: Option<Timestamp>,
}

/// A known node: `GET /v1/peers/{node}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Peer {
    /// The node's id.
    pub node: NodeId,
    /// Its name, from its card.
    pub name: String,
    /// Its organisation's name.
    pub organisation: String,
    /// Its country.
    pub country: String,
    /// The addresses on its card.
    pub addresses: Vec<String>,
    /// The version of its card that is held.
    pub card_version: u32,
    /// 40 decimal digits in groups of five.
    pub fingerprint: String,
    /// Whether an administrator of this node has compared the fingerprint. Nothing is exchanged before.
    pub verified: bool,
    /// The open connection, if there is one.
    pub connection: Option<Connection>,
    /// When something authenticated last came from it; null when never.
    pub last_heard_ms: Option<Timestamp>,
    /// When a pouch of it was last taken, by this node's clock.
    #[serde(default)]
    pub last_pouch_ms: Option<Timestamp>,
    /// The connection by which it was last heard, kept when it is closed.
    pub last_connection: Option<Connection>,
    /// Why the last attempt to connect failed, or what it sent last was refused; empty when neither is so.
    pub last_error: String,
    /// When the next attempt is made; null when none is due.
    pub next_attempt_ms: Option<Timestamp>,
    /// The spaces shared with it, sorted by space.
    pub spaces: Vec<PeerSpace>,
}

/// `GET /v1/peers`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Peers {
    /// Sorted by name, then by node.
    pub peers: Vec<Peer>,
}
