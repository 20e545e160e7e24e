//! Spaces and peers as the local API tells of them, put together from the core's status, the records and the home.

use std::collections::BTreeMap;

use portolan_protocol::{
    api::{ApiError, Peer, PeerSpace, Space, SpaceState},
    id::{NodeId, SpaceId},
    status::{NodeStatus, PeerStatus, SpaceStatus},
};

use super::{answer::not_found, caller::Caller, shared::Shared};
use crate::clock;

/// Characters of an id that stand for a space without a name.
const SHORT: usize = 8;

/// What this node calls its spaces.
pub(super) type Names = BTreeMap<SpaceId, String>;

impl Shared {
    /// What this node calls a space: as it was told to, else as the space's settings say, else the start of its id.
    pub(super) async fn space_name(&self, space: SpaceId) -> String {
        if let Some(name) = self.home.space_names.value().get(&space) {
            return name.clone();
        }
        match self.documents.space_name(space, &[]).await {
            Ok(Some(name)) if !name.is_empty() => name,
            _ => space.to_string().chars().take(SHORT).collect(),
        }
    }

    /// The names of all spaces of a status.
    pub(super) async fn names(&self, status: &NodeStatus) -> Names {
        let mut names = Names::new();
        for space in &status.spaces {
            names.insert(space.space, self.space_name(space.space).await);
        }
        names
    }

    /// The spaces that the caller sees, by name.
    pub(super) async fn spaces(&self, status: &NodeStatus, names: &Names, caller: &Caller) -> Vec<Space> {
        let mut spaces = Vec::new();
        for space in status.spaces.iter().filter(|space| caller.sees(&space.space)) {
            spaces.push(self.space(space, names).await);
        }
        spaces.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        spaces
    }

    /// One space.
    pub(super) async fn space(&self, status: &SpaceStatus, names: &Names) -> Space {
        let id = status.space;
        let progress = self.documents.progress(id).await.unwrap_or_default();
        // The settings are a record like others, and not one of those that people wrote.
        let has_settings = matches!(self.documents.space_name(id, &[]).await, Ok(Some(_)));
        let view = self.engine.view(&id);
        let was_member = view.as_ref().is_some_and(|view| view.membership.header(self.engine.own()).is_some());
        let state = match status.role {
            _ if status.upgrade_needed => SpaceState::UpgradeNeeded,
            Some(_) => SpaceState::Active,
            None if was_member => SpaceState::Removed,
            None => SpaceState::Outside,
        };
        Space {
            id,
            name: names.get(&id).cloned().unwrap_or_default(),
            role: status.role,
            state,
            members: u32::try_from(status.members.len()).unwrap_or(u32::MAX),
            epoch: status.epoch,
            entries: status.entries,
            documents: progress.total.saturating_sub(u64::from(has_settings)),
            entries_to_index: progress.entries_to_index.saturating_add(progress.total.saturating_sub(progress.indexed)),
            unreadable: progress.sealed,
            parked: status.parked_runs as u64,
            quarantined: progress.quarantined.saturating_add(progress.refused),
            gaps: status.gaps,
            damaged_logs: progress.damaged_logs,
            forks: status.forks as u64,
        }
    }

    /// The peers, verified and not, by name.
    pub(super) fn peers(&self, status: &NodeStatus, names: &Names, caller: &Caller) -> Vec<Peer> {
        let mut peers: Vec<Peer> = status.peers.iter().map(|peer| self.peer(peer, status, names, caller)).collect();
        peers.extend(
            self.strangers()
                .into_iter()
                .filter(|stranger| !status.peers.iter().any(|peer| peer.card.node() == stranger.node)),
        );
        peers.sort_by(|a, b| (&a.name, a.node).cmp(&(&b.name, b.node)));
        peers
    }

    /// One peer, verified or not.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn peer_of(
        &self,
        node: NodeId,
        status: &NodeStatus,
        names: &Names,
        caller: &Caller,
    ) -> Result<Peer, ApiError> {
        let peers = self.peers(status, names, caller);
        peers.into_iter().find(|peer| peer.node == node).ok_or_else(|| not_found("this node has no such peer"))
    }

    fn strangers(&self) -> Vec<Peer> {
        let kept = self.home.strangers.value();
        let cards = kept.values().filter_map(|text| portolan_protocol::card::Card::decode(&text.0).ok());
        cards.map(|card| bare(&card, false)).collect()
    }

    fn peer(&self, status: &PeerStatus, node: &NodeStatus, names: &Names, caller: &Caller) -> Peer {
        let id = status.card.node();
        let (open, last) = self.presence.of(&self.engine, id);
        // In a space that this node has left nothing is exchanged any more, so nothing of it is behind.
        let takes_part = |id: &SpaceId| node.spaces.iter().find(|space| space.space == *id && space.role.is_some());
        let seen = status.receipts.iter().filter(|receipt| caller.sees(&receipt.space));
        let spaces = seen.filter_map(|receipt| takes_part(&receipt.space).map(|space| (receipt, space)));
        let spaces = spaces.map(|(receipt, space)| PeerSpace {
            space: receipt.space,
            space_name: names.get(&receipt.space).cloned().unwrap_or_default(),
            role: space.members.iter().find(|(member, _)| *member == id).map(|(_, role)| *role),
            entries_receipted: receipt.entries,
            entries_held: space.entries,
            up_to_date: receipt.up_to_date,
            receipt_ms: receipt.signed,
        });
        let refused = status.refused.as_ref().map(|why| format!("what it sent was refused: {why}"));
        let trouble = self.engine.trouble(&id).filter(|_| open.is_none());
        let mut spaces: Vec<PeerSpace> = spaces.collect();
        spaces.sort_by_key(|space| space.space);
        Peer {
            last_heard_ms: status.heard,
            last_pouch_ms: status.pouch,
            connection: open,
            last_connection: last,
            last_error: trouble.or(refused).unwrap_or_default(),
            next_attempt_ms: self.engine.next_call(&id).map(clock::after),
            spaces,
            ..bare(&status.card, true)
        }
    }
}

/// What the card alone tells.
fn bare(card: &portolan_protocol::card::Card, verified: bool) -> Peer {
    let profile = card.profile();
    Peer {
        node: card.node(),
        name: profile.name.clone(),
        organisation: profile.organisation_name.clone(),
        country: profile.country.clone(),
        addresses: profile.addresses.clone(),
        card_version: card.version(),
        fingerprint: card.fingerprint().to_string(),
        verified,
        connection: None,
        last_heard_ms: None,
        last_pouch_ms: None,
        last_connection: None,
        last_error: String::new(),
        next_attempt_ms: None,
        spaces: Vec::new(),
    }
}
