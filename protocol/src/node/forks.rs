//! Forks: finding where two branches of a log part, keeping the proof, and telling it to others.
//!
//! A run that contradicts the end of a log shows that its author signed two histories. The node asks the peer for the entries
//! before it, and the store for its own, until it finds the first place at which they differ. Both entries there, each with a
//! signature that vouches for it, are the proof; every node that sees it comes to the same cut.

use super::{
    Node, Turn,
    rows::{ForkRow, Key},
};
use crate::{
    crypto::signing::Verifier,
    effects::Notice,
    id::{NodeId, SpaceId},
    input::Fetch,
    limits::RUN_ENTRIES_MAX,
    message::Message,
    page::{AuthenticRun, LogContext, split, without_payloads},
};

/// Logs looked into at a time.
const SUSPECTS_MAX: usize = 64;

impl Node {
    /// An authentic run contradicts what is held.
    pub(super) fn suspect(&mut self, peer: NodeId, branch: AuthenticRun, turn: &mut Turn<'_>) {
        let context = *branch.context();
        let Some(space) = self.spaces.get_mut(&context.space) else { return };
        let Some(log) = space.logs.get(&context.log) else { return };
        if log.fork.as_ref().is_some_and(|fork| fork.seq <= branch.first_seq()) {
            return;
        }
        let to = log.tip.next_seq.min(branch.tip().next_seq);
        space.suspected.insert(context.log);
        if branch.first_seq() >= to {
            let from = to.saturating_sub(RUN_ENTRIES_MAX as u64);
            turn.say(peer, want(&context, from, to));
        } else if self.suspects.len() < SUSPECTS_MAX {
            let from = branch.first_seq();
            self.suspects.insert((context.space, context.log, from), branch);
            turn.effects.fetch.push(Fetch { context, from, to, peer });
        }
    }

    /// The node's own entries came, to be compared with the other branch.
    pub(super) fn fetched(&mut self, fetch: Fetch, pages: Option<Vec<Vec<u8>>>, turn: &mut Turn<'_>) {
        let context = fetch.context;
        let Some(theirs) = self.suspects.remove(&(context.space, context.log, fetch.from)) else { return };
        let Some(space) = self.spaces.get(&context.space) else { return };
        let Some(key) = space.membership.author_key(context.log.author) else { return };
        let Some(ours) = pages.and_then(|pages| AuthenticRun::verify(context, pages, key).ok()) else { return };
        if ours.first_seq() != theirs.first_seq() {
            return;
        }
        if ours.previous() != theirs.previous() {
            let from = ours.first_seq().saturating_sub(RUN_ENTRIES_MAX as u64 - 1);
            turn.say(fetch.peer, want(&context, from, ours.first_seq()));
            return;
        }
        let parts = ours.hashes().iter().zip(theirs.hashes()).position(|(our, their)| our != their);
        let Some(seq) = parts.and_then(|index| ours.first_seq().checked_add(index as u64)) else { return };
        let (Some(ours), Some(theirs)) = (ours.after(seq), theirs.after(seq)) else { return };
        self.note_fork(&ours, &theirs, turn);
    }

    /// A peer tells of a fork, with the proof.
    pub(super) fn fork_told(
        &mut self,
        context: LogContext,
        one: Vec<Vec<u8>>,
        other: Vec<Vec<u8>>,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        if context.kind != context.log.kind() {
            return Err("a fork of a log whose id is that of the other kind".into());
        }
        let Some(space) = self.spaces.get(&context.space) else { return Ok(()) };
        // The author may become known later; the proof is then offered again with the next frontier.
        let Some(key) = space.membership.author_key(context.log.author) else { return Ok(()) };
        if !space.has_room(&context.log) {
            return Ok(());
        }
        let verify = |pages| AuthenticRun::verify(context, pages, key).map_err(|error| format!("a fork: {error}"));
        let (one, other) = (verify(one)?, verify(other)?);
        let start = |run: &AuthenticRun| (run.first_seq(), run.previous());
        if start(&one) != start(&other) || one.hashes().first() == other.hashes().first() {
            return Err("a fork whose branches do not part at their first entry".into());
        }
        self.note_fork(&one, &other, turn);
        Ok(())
    }

    /// Keeps the proof that `one` and `other` part at their first entry, and acts on it.
    fn note_fork(&mut self, one: &AuthenticRun, other: &AuthenticRun, turn: &mut Turn<'_>) {
        let (context, seq) = (*one.context(), one.first_seq());
        let own = self.id();
        let Some(space) = self.spaces.get_mut(&context.space) else { return };
        let Some(key) = space.membership.author_key(context.log.author).cloned() else { return };
        let (Some(one_pages), Some(other_pages)) = (evidence(one, &key), evidence(other, &key)) else { return };
        let row = ForkRow { kind: context.kind, seq, common: one.previous(), one: one_pages, other: other_pages };
        let kept = Key::Fork(context.space, context.log).put(&row);
        if !space.note_fork(context, row) {
            return;
        }
        turn.effects.commit.state.push(kept);
        if context.log.author == own && space.retire_log(&context.log) {
            self.begin_life(&context.space, turn);
        }
        turn.effects.notices.push(Notice::Fork { context, seq });
        self.membership_changed(&context.space, turn);
        self.advance(&context.space, &[context.log], turn);
        let peers: Vec<NodeId> = self.peers.keys().copied().collect();
        for id in peers {
            self.offer_forks(&context.space, &id, turn);
        }
    }

    /// Tells a peer of the forks that its frontier does not show.
    pub(super) fn offer_forks(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
        let (Some(state), Some(peer)) = (self.spaces.get(space), self.peers.get_mut(id)) else { return };
        let Some(known) = peer.session(space).and_then(|session| session.known()) else { return };
        for log in state.logs.values() {
            let Some(fork) = &log.fork else { continue };
            if known.log(&log.context.log).is_some_and(|known| known.forked && known.next_seq <= fork.seq) {
                continue;
            }
            let LogContext { space, log, kind } = log.context;
            turn.say(*id, Message::Fork { space, log, kind, one: fork.one.clone(), other: fork.other.clone() });
        }
    }
}

/// The shortest pages that prove the first entry of a run: the entry alone where its own signature verifies.
fn evidence(run: &AuthenticRun, key: &Verifier) -> Option<Vec<Vec<u8>>> {
    let context = run.context();
    let [first, _] = split(context, run.pages(), run.first_seq() + 1).ok()?;
    let pages = if AuthenticRun::verify(*context, first.clone(), key).is_ok() { first } else { run.pages().to_vec() };
    without_payloads(context, &pages).ok()
}

fn want(context: &LogContext, from: u64, to: u64) -> Message {
    Message::Want { space: context.space, log: context.log, kind: context.kind, from, to }
}
