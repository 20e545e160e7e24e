//! Peers as the core knows them: the verified card, what they receipted, and the sessions of an open connection.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Key, LivesRow, PeerRow, ReceiptRow, Row};
use crate::{
    card::Card,
    crypto::signing::Verifier,
    frontier::{Frontier, LogFrontier},
    id::{Incarnation, NodeId, SpaceId},
    input::Volume,
    pouch::Payloads,
    session::Session,
    time::Timestamp,
};

/// Lives of a peer's store that are remembered as past.
const PAST_LIVES_MAX: usize = 16;

/// When a peer said what it holds, among all that it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// In which life of its store.
    pub(super) incarnation: Incarnation,
    /// Grows within a life.
    pub(super) counter: u64,
}

/// What a peer has receipted in one space.
#[derive(Clone, Debug)]
pub(super) struct Receipted {
    pub(super) mark: Mark,
    /// When, by the peer's clock; for people only.
    pub(super) signed: Timestamp,
    pub(super) frontier: Frontier,
}

/// A peer that an administrator verified.
pub(super) struct Peer {
    pub(super) card: Card,
    pub(super) verifier: Verifier,
    pub(super) heard: Option<Timestamp>,
    pub(super) lives: LivesRow,
    pub(super) receipted: BTreeMap<SpaceId, Receipted>,
    /// One session for each space, while connected.
    pub(super) connection: Option<BTreeMap<SpaceId, Session>>,
    /// Spaces of which the peer says that this node is no member.
    pub(super) not_member: BTreeSet<SpaceId>,
    /// Spaces that were not known here when the peer asked how far they are held: it was told that nothing is.
    pub(super) told_nothing: BTreeSet<SpaceId>,
    pub(super) refused: Option<String>,
    /// Frontiers that the volume of its pouch that is being taken has told so far, and which of their buckets were listed.
    pub(super) told: BTreeMap<SpaceId, (u64, Frontier)>,
    /// Volumes of its pouches of which something was lacking, the latest last. They are signed for once nothing is.
    pub(super) lacking: Vec<Volume>,
}

impl Peer {
    /// None when the card's key is not usable, which a verified card's is.
    pub(super) fn new(card: Card) -> Option<Peer> {
        let verifier = card.keys().signing.verifier().ok()?;
        Some(Peer {
            card,
            verifier,
            heard: None,
            lives: LivesRow::default(),
            receipted: BTreeMap::new(),
            connection: None,
            not_member: BTreeSet::new(),
            told_nothing: BTreeSet::new(),
            refused: None,
            told: BTreeMap::new(),
            lacking: Vec::new(),
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

    /// The peer says on a connection which life its store is in. What it receipted in another one it may have lost, and counts
    /// no more. Returns the rows to write.
    pub(super) fn lives_in(&mut self, incarnation: Incarnation) -> Vec<Row> {
        if self.lives.current == Some(incarnation) {
            return Vec::new();
        }
        self.lives.said = Timestamp::default();
        let past = &mut self.lives.past;
        past.extend(self.lives.current.replace(incarnation));
        // A store that is put back as a whole lives an earlier life again.
        past.retain(|life| *life != incarnation);
        past.drain(..past.len().saturating_sub(PAST_LIVES_MAX));
        let node = self.card.node();
        let is_void = |receipted: &Receipted| receipted.mark.incarnation != incarnation;
        let (void, kept): (BTreeMap<SpaceId, Receipted>, _) =
            std::mem::take(&mut self.receipted).into_iter().partition(|(_, receipted)| is_void(receipted));
        self.receipted = kept;
        let mut rows = vec![Key::Lives(node).put(&self.lives)];
        rows.extend(void.iter().flat_map(|(space, receipted)| receipt_rows(node, *space, receipted)));
        rows
    }

    /// The same, said by what a courier brought, which may be old: at `said`, by the peer's clock. A life that is known to be
    /// past is not taken up again, nor is one that was spoken of before the present one.
    pub(super) fn lived_in(&mut self, incarnation: Incarnation, said: Timestamp) -> Vec<Row> {
        let is_present = self.lives.current.is_none_or(|current| current == incarnation);
        if !is_present && (self.lives.past.contains(&incarnation) || said <= self.last_said()) {
            return Vec::new();
        }
        let mut rows = self.lives_in(incarnation);
        if self.lives.said < said {
            self.lives.said = said;
            rows.push(Key::Lives(self.card.node()).put(&self.lives));
        }
        rows
    }

    /// When the peer last said something that is known, by its clock.
    fn last_said(&self) -> Timestamp {
        let signed = self.receipted.values().map(|receipted| receipted.signed);
        signed.max().unwrap_or_default().max(self.lives.said)
    }

    /// Whether something that was signed in this life, and was this much counted by then, is news of a space.
    fn is_news(&self, space: &SpaceId, mark: Mark) -> bool {
        self.lives.current == Some(mark.incarnation)
            && self.receipted.get(space).is_none_or(|held| held.mark.counter < mark.counter)
    }

    /// Takes a receipt whose signature was checked and whose digest is that of `frontier`. Returns the rows that keep it;
    /// none when what is known is of a later counter, or of a later life of the peer's store.
    pub(super) fn receipt(&mut self, space: SpaceId, mark: Mark, signed: Timestamp, frontier: Frontier) -> Vec<Row> {
        if !self.is_news(&space, mark) {
            return Vec::new();
        }
        let peer = self.card.node();
        let old = self.receipted.get(&space);
        let Mark { incarnation, counter } = mark;
        let mut rows = vec![Key::Receipt(peer, space).put(&ReceiptRow { incarnation, counter, signed })];
        let before = |log: &LogFrontier| old.and_then(|old| old.frontier.log(&log.log));
        for log in frontier.logs().filter(|log| before(log) != Some(log)) {
            rows.push(Key::Held(peer, space, log.log).put(log));
        }
        for log in old.into_iter().flat_map(|old| old.frontier.logs()) {
            if frontier.log(&log.log).is_none() {
                rows.push(Key::Held(peer, space, log.log).remove());
            }
        }
        self.receipted.insert(space, Receipted { mark, signed, frontier });
        rows
    }

    /// Takes it that the peer holds `logs` at least this far, and the payloads that were `filled` in, which it signed for at
    /// `mark`. Returns the rows that keep it.
    pub(super) fn holds(
        &mut self,
        space: SpaceId,
        mark: Mark,
        logs: impl IntoIterator<Item = LogFrontier>,
        filled: &[Payloads],
    ) -> Vec<Row> {
        if !self.is_news(&space, mark) {
            return Vec::new();
        }
        let held = self.receipted.get(&space);
        // It does not say when; what is known is that it was no earlier.
        let signed = held.map(|held| held.signed).unwrap_or_default();
        let mut frontier = held.map(|held| held.frontier.clone()).unwrap_or_default();
        let further = |log: &LogFrontier| frontier.log(&log.log).is_none_or(|known| known.next_seq < log.next_seq);
        let further: Vec<LogFrontier> =
            logs.into_iter().filter(further).map(|log| with_gaps(frontier.log(&log.log), log)).collect();
        frontier.extend(further);
        for range in filled {
            if let Some(log) = frontier.log(&range.log) {
                frontier.set(LogFrontier { gaps: without(&log.gaps, range), ..log.clone() });
            }
        }
        self.receipt(space, mark, signed, frontier)
    }

    /// The rows to remove when the peer is no longer one.
    pub(super) fn removal(&self) -> Vec<Row> {
        let node: NodeId = self.card.node();
        let mut rows = vec![Key::Peer(node).remove(), Key::Lives(node).remove()];
        rows.extend(self.receipted.iter().flat_map(|(space, receipted)| receipt_rows(node, *space, receipted)));
        rows
    }
}

/// What is held of a log now, with the gaps that were known before: nothing was said of them.
fn with_gaps(known: Option<&LogFrontier>, mut log: LogFrontier) -> LogFrontier {
    let Some(known) = known else { return log };
    let later = std::mem::take(&mut log.gaps).into_iter().filter(|(first, _)| *first >= known.next_seq);
    log.gaps = known.gaps.iter().copied().chain(later).collect();
    log
}

/// The gaps that are left when a range of payloads is held.
fn without(gaps: &[(u64, u64)], range: &Payloads) -> Vec<(u64, u64)> {
    let around = |&(first, count): &(u64, u64)| {
        let end = first.saturating_add(count);
        [(first, end.min(range.first)), (first.max(range.end()), end)]
    };
    let left = gaps.iter().flat_map(around).filter(|(first, end)| first < end);
    left.map(|(first, end)| (first, end - first)).collect()
}

/// The removal of the rows of one receipt.
fn receipt_rows(node: NodeId, space: SpaceId, receipted: &Receipted) -> Vec<Row> {
    let held = receipted.frontier.logs().map(|log| Key::Held(node, space, log.log).remove());
    std::iter::once(Key::Receipt(node, space).remove()).chain(held).collect()
}
