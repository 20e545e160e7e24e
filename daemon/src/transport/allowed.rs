//! The transport keys that may connect, shared with whoever decides about peers and changed while connections live.

use std::{collections::BTreeMap, sync::Arc};

use portolan_protocol::id::NodeId;
use tokio::sync::watch;

use super::TransportKey;

/// Which key belongs to which peer. Clones share one set. A key that is taken out, or goes to another peer, closes the
/// connections that were made with it.
#[derive(Clone, Debug)]
pub struct Allowed(Arc<watch::Sender<BTreeMap<TransportKey, NodeId>>>);

impl Default for Allowed {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl Allowed {
    /// Lets a peer in under a key. A peer may have several, while it changes from one to the next.
    pub fn insert(&self, key: TransportKey, peer: NodeId) {
        self.0.send_if_modified(|set| set.insert(key, peer) != Some(peer));
    }

    /// Shuts a key out and closes its connections.
    pub fn remove(&self, key: &TransportKey) {
        self.0.send_if_modified(|set| set.remove(key).is_some());
    }

    /// Shuts a peer out, whatever its keys, and closes its connections.
    pub fn remove_peer(&self, peer: NodeId) {
        self.0.send_if_modified(|set| {
            let before = set.len();
            set.retain(|_, holder| *holder != peer);
            set.len() != before
        });
    }

    /// Puts another set in the place of this one.
    pub fn replace(&self, new: BTreeMap<TransportKey, NodeId>) {
        self.0.send_if_modified(|set| {
            let changed = *set != new;
            *set = new;
            changed
        });
    }

    /// The peer that a key belongs to.
    pub fn peer(&self, key: &TransportKey) -> Option<NodeId> {
        self.0.borrow().get(key).copied()
    }

    /// Waits until the key no longer belongs to the peer.
    pub(super) async fn withdrawn(&self, key: TransportKey, peer: NodeId) {
        let mut set = self.0.subscribe();
        // The sender lives as long as `self`, so this ends for no other reason than the one waited for.
        let _ = set.wait_for(|set| set.get(&key) != Some(&peer)).await;
    }
}
