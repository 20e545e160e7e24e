//! What every route works with.

use std::sync::Arc;

use portolan_protocol::{api::Event, id::NodeId};
use tokio::{
    sync::{Mutex, broadcast, watch},
    time::Instant,
};

use super::presence::Presence;
use crate::{
    attachments::Attachments, documents::Documents, engine::Engine, home::Home, pouches::Pouches, search::Search,
    store::Store, transport::Endpoint,
};

/// The parts of the daemon that the local API speaks for.
pub struct Parts {
    /// Who the node is, and the small files.
    pub home: Arc<Home>,
    /// The running engine.
    pub engine: Engine,
    /// The records.
    pub documents: Documents,
    /// Finding them by their words.
    pub search: Search,
    /// What goes and comes on media.
    pub pouches: Pouches,
    /// The files that records refer to.
    pub attachments: Attachments,
    /// The store, for its size and its check.
    pub store: Store,
    /// For the addresses listened on.
    pub endpoint: Endpoint,
    /// The node speaks over no network.
    pub offline: bool,
    /// Events for listeners: see [`super::Announcer`].
    pub feed: broadcast::Sender<Event>,
}

/// [`Parts`], and what the API itself keeps.
pub(super) struct Shared {
    pub(super) home: Arc<Home>,
    pub(super) engine: Engine,
    pub(super) documents: Documents,
    pub(super) search: Search,
    pub(super) pouches: Pouches,
    pub(super) attachments: Attachments,
    pub(super) store: Store,
    pub(super) endpoint: Endpoint,
    pub(super) offline: bool,
    pub(super) feed: broadcast::Sender<Event>,
    pub(super) presence: Presence,
    pub(super) started: Instant,
    /// Held by changes that look before they write, of names and of this node's card: they follow one another.
    pub(super) changing: Mutex<()>,
    /// Turns true when the service stops: what never ends by itself ends then.
    pub(super) stopping: watch::Receiver<bool>,
}

impl Shared {
    /// Tells listeners; nobody may be listening.
    pub(super) fn announce(&self, event: Event) {
        let _ = self.feed.send(event);
    }

    /// What people call a node: by its own card, or by the card of a peer.
    pub(super) fn node_name(&self, node: &NodeId, peers: &[portolan_protocol::status::PeerStatus]) -> Option<String> {
        let own = self.home.card();
        if own.node() == *node {
            return Some(own.profile().name.clone());
        }
        peers.iter().find(|peer| peer.card.node() == *node).map(|peer| peer.card.profile().name.clone())
    }
}
