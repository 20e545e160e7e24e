//! Who said that it holds what, and when. In memory alone: it is asked again after a start.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portolan_protocol::{
    id::{AttachmentId, NodeId},
    time::Timestamp,
};

use crate::clock;

/// Attachments that are remembered; with more, some are forgotten.
const ATTACHMENTS_MAX: usize = 16_384;
/// Peers that are remembered for each.
const PEERS_MAX: usize = 256;

/// What a peer said of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether it holds it.
    pub held: bool,
    /// When it said so.
    pub when: Timestamp,
}

/// See the head of the file.
#[derive(Default)]
pub(super) struct Holders(Mutex<BTreeMap<AttachmentId, BTreeMap<NodeId, Told>>>);

impl Holders {
    fn told(&self) -> MutexGuard<'_, BTreeMap<AttachmentId, BTreeMap<NodeId, Told>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, id: AttachmentId, peer: NodeId, held: bool) {
        let mut told = self.told();
        if told.len() >= ATTACHMENTS_MAX && !told.contains_key(&id) {
            told.pop_first();
        }
        let peers = told.entry(id).or_default();
        if peers.len() >= PEERS_MAX && !peers.contains_key(&peer) {
            peers.pop_first();
        }
        peers.insert(peer, Told { held, when: clock::now() });
    }

    pub(super) fn of(&self, id: &AttachmentId) -> BTreeMap<NodeId, Told> {
        self.told().get(id).cloned().unwrap_or_default()
    }

    /// Whether a peer said so lately.
    pub(super) fn is_fresh(&self, id: &AttachmentId, peer: &NodeId, within: Duration) -> bool {
        let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let told = self.told().get(id).and_then(|peers| peers.get(peer).copied());
        told.is_some_and(|told| clock::now().0.saturating_sub(told.when.0) < within)
    }
}
