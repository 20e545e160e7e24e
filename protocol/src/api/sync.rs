//! Asking for a sync, and what it came to. Sync goes on by itself whenever a peer is connected; this asks for it now and
//! waits for receipts.

use serde::{Deserialize, Serialize};

use super::peer::PeerSpace;
use crate::id::NodeId;

/// `POST /v1/sync`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SyncRequest {
    /// With whom; with every verified peer where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<NodeId>,
    /// How long to wait for the peers' receipts, at most; 0 only asks.
    #[serde(default)]
    pub wait_ms: u64,
}

/// How it stands with a peer when the answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Connected; its receipts cover what this node held when it was asked, and this node holds everything that the peer's
    /// frontier, as it last told it, names.
    UpToDate,
    /// Connected; not all of that is so yet.
    Behind,
    /// Not connected.
    Disconnected,
    /// Its card has no address, it has never called, and pouches have come from it: it is not waited for.
    Pouch,
    /// Not verified, so never tried.
    Unverified,
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncPeer {
    /// Which.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: SyncState,
    /// Why it is not connected, as far as known; empty otherwise.
    pub reason: String,
    /// What it has receipted.
    pub spaces: Vec<PeerSpace>,
}

/// The answer to [`SyncRequest`], given when every peer is up to date or the time is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncResult {
    /// Whether every peer that was asked about, and that a link may reach, is up to date.
    pub complete: bool,
    /// Each peer, sorted by name, then by node.
    pub peers: Vec<SyncPeer>,
}
