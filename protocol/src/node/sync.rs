//! Sessions with peers: they are opened, fed and ended, and what this node holds is said in them.

use std::collections::BTreeMap;

use super::{Node, Turn, rows::Key};
use crate::{
    effects::Send,
    entry::{LogKey, LogKind},
    id::{FrontierDigest, NodeId, SpaceId},
    limits::PAYLOADS_OFFERED_MAX,
    message::Message,
    page::LogContext,
    receipt::{Receipt, Statement},
    session::Session,
};

/// Receipt counters set aside at a time, so that not every receipt costs a write.
const COUNTER_BLOCK: u64 = 1 << 16;

impl Node {
    pub(super) fn connected(&mut self, id: NodeId, turn: &mut Turn<'_>) {
        let Some(peer) = self.peers.get_mut(&id) else {
            turn.effects.send.push(Send::Close { peer: id, reason: "not a peer of this node".into() });
            return;
        };
        peer.connection = Some(BTreeMap::new());
        peer.not_member.clear();
        peer.told_nothing.clear();
        peer.heard = Some(turn.now);
        self.greet(id, turn);
        let spaces: Vec<SpaceId> = self.spaces.keys().copied().collect();
        for space in spaces {
            self.open_session(&space, &id, turn);
        }
    }

    pub(super) fn disconnected(&mut self, id: NodeId, turn: &mut Turn<'_>) {
        self.invitations.retain(|(by, _), _| *by != id);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.connection = None;
            turn.effects.commit.state.push(peer.row());
        }
    }

    /// Compares frontiers again: with one peer or with all.
    pub(super) fn summarise_all(&mut self, only: Option<NodeId>, turn: &mut Turn<'_>) {
        let peers: Vec<NodeId> = self.peers.keys().copied().filter(|id| only.is_none_or(|only| only == *id)).collect();
        let spaces: Vec<SpaceId> = self.spaces.keys().copied().collect();
        for peer in peers {
            for space in &spaces {
                if !self.open_session(space, &peer, turn) {
                    self.summarise(space, &peer, turn);
                }
            }
        }
    }

    /// Opens the session of a space with a connected peer that is a member. Tells whether it was not open yet.
    pub(super) fn open_session(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) -> bool {
        if self.spaces.get(space).is_none_or(|state| state.membership.role(*id).is_none()) {
            return false;
        }
        let Some(peer) = self.peers.get_mut(id) else { return false };
        let Some(sessions) = peer.connection.as_mut().filter(|sessions| !sessions.contains_key(space)) else {
            return false;
        };
        let told_nothing = peer.told_nothing.remove(space);
        sessions.insert(*space, if told_nothing { Session::told_nothing() } else { Session::default() });
        self.summarise(space, id, turn);
        true
    }

    pub(super) fn summarise(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
        let (Some(state), Some(peer)) = (self.spaces.get(space), self.peers.get_mut(id)) else { return };
        let Some(session) = peer.session(space) else { return };
        if session.summarise(&state.frontier) {
            let (digest, buckets) = (state.frontier.digest(), state.frontier.buckets());
            turn.say(*id, Message::Summary { space: *space, digest, buckets });
        }
    }

    /// Sends a peer what it lacks, membership first.
    pub(super) fn push(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
        let (Some(state), Some(peer)) = (self.spaces.get(space), self.peers.get_mut(id)) else { return };
        let Some(session) = peer.session(space) else { return };
        for kind in [LogKind::Control, LogKind::Data] {
            for missing in session.missing(state.frontier.logs().filter(|log| log.kind == kind)) {
                let context = LogContext { space: *space, log: missing.log, kind };
                turn.effects.send.push(Send::Range { peer: *id, context, from: missing.from, to: missing.to });
            }
        }
    }

    /// Sends payloads that a peer says it lacks and this node holds.
    pub(super) fn offer_payloads(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
        let (Some(state), Some(peer)) = (self.spaces.get(space), self.peers.get_mut(id)) else { return };
        let Some(known) = peer.session(space).and_then(|session| session.known()) else { return };
        let mut room = PAYLOADS_OFFERED_MAX;
        for log in known.logs() {
            let Some(ours) = state.logs.get(&log.log) else { continue };
            let places = log.gaps.iter().flat_map(|&(first, count)| first..first.saturating_add(count));
            let held = places.take_while(|seq| *seq < ours.tip.next_seq).filter(|seq| !ours.gaps.contains_key(seq));
            for seq in held.take(room) {
                room -= 1;
                turn.effects.send.push(Send::Payload { peer: *id, context: ours.context, seq });
            }
        }
    }

    /// Ends the session with a peer that was removed, and lets it see why: the control entries up to its removal.
    pub(super) fn farewell(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
        let Some(state) = self.spaces.get(space) else { return };
        for (log, to) in state.membership.removal_proof(*id) {
            let context = LogContext { space: *space, log, kind: LogKind::Control };
            turn.effects.send.push(Send::Range { peer: *id, context, from: 0, to });
        }
        turn.say(*id, Message::NotMember { space: *space });
        if let Some(sessions) = self.peers.get_mut(id).and_then(|peer| peer.connection.as_mut()) {
            sessions.remove(space);
        }
    }

    pub(super) fn greet(&self, id: NodeId, turn: &mut Turn<'_>) {
        let hello = Message::Hello { card: self.identity.card.encode(), incarnation: self.incarnation };
        turn.say(id, hello);
    }

    /// Logs advanced: every session passes them on and tells the new frontier.
    pub(super) fn advance(&mut self, space: &SpaceId, logs: &[LogKey], turn: &mut Turn<'_>) {
        let mut sessions = Vec::new();
        for (id, peer) in &mut self.peers {
            if let Some(session) = peer.session(space) {
                logs.iter().for_each(|log| session.advanced(*log));
                sessions.push(*id);
            }
        }
        for id in &sessions {
            self.push(space, id, turn);
        }
        self.send_receipt(space, &sessions, turn);
    }

    /// Signs one receipt for what will be durable when it is sent, and gives it to `peers` with what changed for each.
    pub(super) fn send_receipt(&mut self, space: &SpaceId, peers: &[NodeId], turn: &mut Turn<'_>) {
        let mut signed: Option<Receipt> = None;
        for id in peers {
            let Some(state) = self.spaces.get(space) else { return };
            let Some(session) = self.peers.get_mut(id).and_then(|peer| peer.session(space)) else { continue };
            let Some(logs) = session.tell(&state.frontier) else { continue };
            let digest = state.frontier.digest();
            let receipt = *signed.get_or_insert_with(|| self.sign_receipt(space, digest, turn));
            turn.say(*id, Message::Receipt { receipt, logs });
        }
    }

    /// Signs that this node holds what the digest of a frontier stands for.
    pub(super) fn sign_receipt(&mut self, space: &SpaceId, digest: FrontierDigest, turn: &mut Turn<'_>) -> Receipt {
        let statement = Statement {
            issuer: self.identity.card.node(),
            space: *space,
            incarnation: self.incarnation,
            counter: self.count(turn),
            digest,
            time: turn.now,
        };
        Receipt::sign(statement, &self.identity.signing)
    }

    /// The next counter of what this node signs for.
    pub(super) fn count(&mut self, turn: &mut Turn<'_>) -> u64 {
        self.counter += 1;
        if self.counter >= self.counter_end {
            self.counter_end = self.counter + COUNTER_BLOCK;
            turn.effects.commit.state.push(Key::Counter.put(&self.counter_end));
        }
        self.counter
    }
}

impl Turn<'_> {
    /// Sends a message once the commit is durable.
    pub(super) fn say(&mut self, peer: NodeId, message: Message) {
        self.effects.send.push(Send::Message { peer, message });
    }
}
