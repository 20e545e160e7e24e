//! The status of a node: what it is, what it holds, who has confirmed what.

use serde::{Deserialize, Serialize};

use super::{access::Right, peer::Peer, space::Space};
use crate::id::{Incarnation, NodeId, PersonId};

/// This node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeStatus {
    /// Its id.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Its organisation's name.
    pub organisation: String,
    /// Its country.
    pub country: String,
    /// 40 decimal digits in groups of five.
    pub fingerprint: String,
    /// The version of its card.
    pub card_version: u32,
    /// The addresses on its card.
    pub addresses: Vec<String>,
    /// The addresses at which it listens, with the ports that it really has.
    pub listen: Vec<String>,
    /// It speaks over no network: pouches alone bring it anything.
    #[serde(default)]
    pub offline: bool,
    /// The store's incarnation: it changes when the store is created or restored.
    pub incarnation: Incarnation,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Caller {
    /// The login that the socket tells of.
    pub login: String,
    /// The person: for the superuser, and the user that runs the daemon, the operator of the home where they are not listed.
    pub person: Option<PersonId>,
    /// The person's name; the login where it is not listed.
    pub name: String,
    /// What the login may do.
    pub rights: Vec<Right>,
}

/// `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// The version of this API, the number in the paths.
    pub api: u32,
    /// The daemon's release.
    pub version: String,
    /// Milliseconds since the daemon started.
    pub uptime_ms: u64,
    /// Bytes that the store takes on disk.
    pub store_bytes: u64,
    /// This node.
    pub node: NodeStatus,
    /// Who asks.
    pub you: Caller,
    /// Its spaces, sorted by name, then by id.
    pub spaces: Vec<Space>,
    /// The nodes it knows, sorted by name, then by node.
    pub peers: Vec<Peer>,
}
