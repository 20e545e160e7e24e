//! Peers as the core knows them: the verified card, what they receipted, and the sessions of an open connection.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Key, PeerRow, ReceiptRow, Row};
use crate::{
    card::Card,
    crypto::signing::Verifier,
    frontier::{Frontier, LogFrontier},
    id::{Incarnation, NodeId, SpaceId},
    receipt::Receipt,
    session::Session,
    time::Timestamp,
};

/// What a peer has receipted in one space.
#[derive(Clone, Debug)]
pub(super) struct Receipted {
    pub(super) receipt: Receipt,
    pub(super) frontier: Frontier,
}

/// A peer that an administrator verified.
pub(super) struct Peer {
    pub(super) card: Card,
    pub(super) verifier: Verifier,
    pub(super) heard: Option<Timestamp>,
    pub(super) receipted: BTreeMap<SpaceId, Receipted>,
    /// One session for each space, while connected.
    pub(super) connection: Option<BTreeMap<SpaceId, Session>>,
    /// Spaces of which the peer says that this node is no member.
    pub(super) not_member: BTreeSet<SpaceId>,
    /// Spaces that were not known here when the peer asked how far they are held: it was told that nothing is.
    pub(super) told_nothing: BTreeSet<SpaceId>,
    pub(super) refused: Option<String>,
}

impl Peer {
    /// None when the card's key is not usable, which a verified card's is.
    pub(super) fn new(card: Card) -> Option<Peer> {
        let verifier = card.keys().signing.verifier().ok()?;
        Some(Peer {
            card,
            verifier,
            heard: None,
            receipted: BTreeMap::new(),
            connection: None,
            not_member: BTreeSet::new(),
            told_nothing: BTreeSet::new(),
            refused: None,
        })
    }

    /// The row that keeps the peer.
    pub(super) fn row(&self) -> Row {
        Key::Peer(self.card.node()).put(&PeerRow { card: self.card.encode(), heard: self.heard })
    }

    /// The session of a space, while connected.
    pub(super) fn session(&mut self, space: &SpaceId) -> Option<&mut Session> {
        self.connection.as_mut()?.get_mut(space)
    }

    /// Takes a receipt whose signature was checked and whose digest is that of `frontier`. Returns the rows that keep it;
    /// none when an earlier receipt of the same incarnation says more by its counter.
    pub(super) fn receipt(&mut self, receipt: Receipt, frontier: &Frontier) -> Vec<Row> {
        let (peer, space) = (self.card.node(), receipt.statement.space);
        let old = self.receipted.get(&space);
        if old.is_some_and(|old| !receipt.supersedes(&old.receipt)) {
            return Vec::new();
        }
        let mut rows = vec![Key::Receipt(peer, space).put(&ReceiptRow { receipt })];
        let before = |log: &LogFrontier| old.and_then(|old| old.frontier.log(&log.log));
        for log in frontier.logs().filter(|log| before(log) != Some(log)) {
            rows.push(Key::Held(peer, space, log.log).put(log));
        }
        for log in old.into_iter().flat_map(|old| old.frontier.logs()) {
            if frontier.log(&log.log).is_none() {
                rows.push(Key::Held(peer, space, log.log).remove());
            }
        }
        self.receipted.insert(space, Receipted { receipt, frontier: frontier.clone() });
        rows
    }

    /// Forgets what the peer receipted in another life of its store, which it may have lost. Returns the rows to remove.
    pub(super) fn void_receipts(&mut self, incarnation: Incarnation) -> Vec<Row> {
        let node = self.card.node();
        let void = |receipted: &Receipted| receipted.receipt.statement.incarnation != incarnation;
        let (gone, kept): (BTreeMap<SpaceId, Receipted>, _) =
            std::mem::take(&mut self.receipted).into_iter().partition(|(_, receipted)| void(receipted));
        self.receipted = kept;
        gone.iter().flat_map(|(space, receipted)| receipt_rows(node, *space, receipted)).collect()
    }

    /// The rows to remove when the peer is no longer one.
    pub(super) fn removal(&self) -> Vec<Row> {
        let node: NodeId = self.card.node();
        let mut rows = vec![Key::Peer(node).remove()];
        rows.extend(self.receipted.iter().flat_map(|(space, receipted)| receipt_rows(node, *space, receipted)));
        rows
    }
}

/// The removal of the rows of one receipt.
fn receipt_rows(node: NodeId, space: SpaceId, receipted: &Receipted) -> Vec<Row> {
    let held = receipted.frontier.logs().map(|log| Key::Held(node, space, log.log).remove());
    std::iter::once(Key::Receipt(node, space).remove()).chain(held).collect()
}
