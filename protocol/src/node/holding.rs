//! Which entries others hold, as far as they have signed for it: what the shell asks when a person wants to know.

use super::{
    Node,
    peers::{Peer, Receipted},
};
use crate::{entry::EntryRef, id::SpaceId, input::CommandError, status::Holding, time::Timestamp};

impl Node {
    /// What members of a space, and peers that were members, have signed for of `entries`; this node aside, in the order of ids.
    pub(super) fn holdings(&self, space: &SpaceId, entries: &[EntryRef]) -> Result<Vec<Holding>, CommandError> {
        let held = self.spaces.get(space).ok_or(CommandError::UnknownSpace)?;
        let members = held.membership.members();
        let role = |node| members.iter().find(|member| member.node == node).map(|member| member.role);
        let left = self.peers.iter().filter(|(_, peer)| peer.receipted.contains_key(space)).map(|(node, _)| *node);
        let mut nodes: Vec<_> = members.iter().map(|member| member.node).chain(left).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let holding = |node| {
            let peer = self.peers.get(&node);
            let receipted = peer.and_then(|peer| peer.receipted.get(space));
            Holding {
                node,
                role: role(node),
                peer: peer.is_some(),
                heard: peer.and_then(last_heard),
                // A word for volumes does not say when.
                signed: receipted.map(|receipted| receipted.signed).filter(|signed| *signed > Timestamp::default()),
                held: entries.iter().map(|entry| receipted.is_some_and(|receipted| holds(receipted, entry))).collect(),
            }
        };
        Ok(nodes.into_iter().filter(|node| *node != self.id()).map(holding).collect())
    }
}

/// When something last came from a peer, by a link or by a courier.
fn last_heard(peer: &Peer) -> Option<Timestamp> {
    peer.heard.max(peer.lives.pouch)
}

/// Whether a receipt covers an entry and its payload.
fn holds(receipted: &Receipted, entry: &EntryRef) -> bool {
    receipted.frontier.log(&entry.log).is_some_and(|log| {
        let is_gap = log.gaps.iter().any(|(first, count)| (*first..first.saturating_add(*count)).contains(&entry.seq));
        let is_last = log.next_seq == entry.seq.saturating_add(1);
        log.next_seq > entry.seq && !is_gap && (!is_last || log.hash == entry.hash)
    })
}
