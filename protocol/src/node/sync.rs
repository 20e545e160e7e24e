//! What the node says to peers and hears from them.

use std::collections::BTreeMap;

use super::{
    Node, Turn,
    parking::Parked,
    rows::{Key, LifeRow},
    space::Progress,
};
use crate::{
    card::Card,
    commit::Fill,
    effects::{Appended, Notice, Send},
    entry::{LogKey, LogKind, payload_hash},
    frontier::{BucketDigest, LogFrontier},
    id::{Incarnation, NodeId, SpaceId},
    limits::{PARKED_BYTES_PER_PEER_MAX, PAYLOAD_BYTES_MAX, PAYLOADS_OFFERED_MAX, RUN_ENTRIES_MAX},
    membership::Status,
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
    fn open_session(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) -> bool {
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

    fn summarise(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
        let (Some(state), Some(peer)) = (self.spaces.get(space), self.peers.get_mut(id)) else { return };
        let Some(session) = peer.session(space) else { return };
        if session.summarise(&state.frontier) {
            let (digest, buckets) = (state.frontier.digest(), state.frontier.buckets());
            turn.say(*id, Message::Summary { space: *space, digest, buckets });
        }
    }

    pub(super) fn received(&mut self, id: NodeId, frame: &[u8], turn: &mut Turn<'_>) {
        let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.connection.is_some()) else { return };
        peer.heard = Some(turn.now);
        let result = match Message::decode(frame) {
            Err(error) => Err(error.to_string()),
            Ok(message) => self.message(id, message, turn),
        };
        if let Err(reason) = result
            && let Some(peer) = self.peers.get_mut(&id)
        {
            turn.refuse(peer, reason.clone());
            turn.effects.send.push(Send::Close { peer: id, reason });
        }
    }

    /// An error ends the connection: the peer does not keep to the protocol.
    fn message(&mut self, id: NodeId, message: Message, turn: &mut Turn<'_>) -> Result<(), String> {
        match message {
            Message::Hello { card, incarnation } => self.hello(id, &card, incarnation, turn),
            Message::Summary { space, digest: _, buckets } => self.summary(id, space, &buckets, turn),
            Message::Frontier { space, mask, logs } => self.frontier(id, space, mask, logs, turn),
            Message::Run { space, log, kind, pages } => {
                self.run(id, LogContext { space, log, kind }, pages, turn);
                Ok(())
            }
            Message::Payload { space, log, seq, payload } => {
                self.payload(space, log, seq, payload, turn);
                Ok(())
            }
            Message::Receipt { receipt, logs } => self.receipt(id, receipt, logs, turn),
            Message::NotMember { space } => {
                self.not_member(id, space, turn);
                Ok(())
            }
            Message::Again { space } => {
                if let Some(session) = self.peers.get_mut(&id).and_then(|peer| peer.session(&space)) {
                    session.forget_sent();
                    self.push(&space, &id, turn);
                }
                Ok(())
            }
            Message::Want { space, log, kind, from, to } => {
                self.want(id, LogContext { space, log, kind }, from, to, turn);
                Ok(())
            }
            Message::Fork { space, log, kind, one, other } => {
                self.fork_told(LogContext { space, log, kind }, one, other, turn)
            }
        }
    }

    fn hello(&mut self, id: NodeId, card: &[u8], incarnation: Incarnation, turn: &mut Turn<'_>) -> Result<(), String> {
        let card = Card::decode(card).map_err(|error| error.to_string())?;
        let Some(peer) = self.peers.get_mut(&id) else { return Ok(()) };
        if card.node() != id {
            return Err("the card in the greeting is another node's".into());
        }
        turn.effects.commit.state.extend(peer.void_receipts(incarnation));
        if card.version() > peer.card.version() {
            peer.card = card.clone();
            turn.effects.commit.state.push(peer.row());
            turn.effects.notices.push(Notice::PeerCard { card: Box::new(card) });
        }
        Ok(())
    }

    fn summary(
        &mut self,
        id: NodeId,
        space: SpaceId,
        buckets: &[BucketDigest],
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let Some(state) = self.spaces.get(&space) else { return self.invited(id, space, buckets, turn) };
        if state.membership.role(id).is_none() {
            self.farewell(&space, &id, turn);
            return Ok(());
        }
        self.open_session(&space, &id, turn);
        let (Some(state), Some(peer)) = (self.spaces.get(&space), self.peers.get_mut(&id)) else { return Ok(()) };
        peer.not_member.remove(&space);
        let Some(session) = peer.session(&space) else { return Ok(()) };
        let (mask, logs) = session.answer(&state.frontier, buckets).map_err(|error| error.to_string())?;
        turn.say(id, Message::Frontier { space, mask, logs });
        self.send_receipt(&space, &[id], turn);
        Ok(())
    }

    fn frontier(
        &mut self,
        id: NodeId,
        space: SpaceId,
        mask: u64,
        logs: Vec<LogFrontier>,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let Some(session) = self.peers.get_mut(&id).and_then(|peer| peer.session(&space)) else { return Ok(()) };
        let again = session.learn(mask, logs).map_err(|error| error.to_string())?;
        self.push(&space, &id, turn);
        self.offer_forks(&space, &id, turn);
        self.offer_payloads(&space, &id, turn);
        if again {
            self.summarise(&space, &id, turn);
        }
        Ok(())
    }

    /// Sends a peer what it lacks, membership first.
    fn push(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
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
    fn offer_payloads(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
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

    fn run(&mut self, id: NodeId, context: LogContext, pages: Vec<Vec<u8>>, turn: &mut Turn<'_>) {
        if self.invitations.contains_key(&(id, context.space)) {
            return self.run_of_invitation(id, context, pages, turn);
        }
        // Membership is taken from every verified peer: one that is not known as a member may have become one.
        let in_session = self.peers.get_mut(&id).is_some_and(|peer| peer.session(&context.space).is_some());
        if !in_session && context.kind == LogKind::Data {
            return;
        }
        let Some(space) = self.spaces.get_mut(&context.space) else { return };
        let mut progress = Progress::default();
        space.offer(Parked { peer: id, context, pages }, &mut progress);
        // The bound is for all spaces together; what this one keeps of the peer is let go.
        if self.spaces.values().map(|space| space.parking.bytes_of(&id)).sum::<usize>() > PARKED_BYTES_PER_PEER_MAX
            && let Some(space) = self.spaces.get_mut(&context.space)
        {
            space.parking.take(|parked| parked.peer == id);
            progress.overflowed.push(id);
        }
        self.settle(&context.space, progress, turn);
    }

    fn payload(&mut self, space: SpaceId, log: LogKey, seq: u64, payload: Vec<u8>, turn: &mut Turn<'_>) {
        let Some(state) = self.spaces.get_mut(&space) else { return };
        if payload.len() > PAYLOAD_BYTES_MAX {
            return;
        }
        let Some(context) = state.fill(&log, seq, payload_hash(&payload)) else { return };
        turn.effects.commit.fills.push(Fill { context, seq, payload });
        turn.effects.appended.push(Appended { context, from: seq, to: seq + 1 });
        self.advance(&space, &[log], turn);
    }

    fn receipt(
        &mut self,
        id: NodeId,
        receipt: Receipt,
        logs: Vec<LogFrontier>,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let space = receipt.statement.space;
        let Some(peer) = self.peers.get_mut(&id) else { return Ok(()) };
        if receipt.statement.issuer != id {
            return Err("a receipt of another node".into());
        }
        receipt.verify(&peer.verifier).map_err(|error| format!("a receipt: {error}"))?;
        let Some(session) = peer.session(&space) else { return Ok(()) };
        let Some(frontier) = session.update(logs).map_err(|error| error.to_string())?.cloned() else {
            return Ok(());
        };
        if frontier.digest() == receipt.statement.digest {
            let rows = peer.receipt(receipt, &frontier);
            if !rows.is_empty() {
                turn.effects.notices.push(Notice::Receipted { peer: id, space });
            }
            turn.effects.commit.state.extend(rows);
        } else {
            self.summarise(&space, &id, turn);
        }
        Ok(())
    }

    /// The peer finds that this node is no member. It may lag behind: once for each connection it is shown the membership
    /// entries, if it is a member itself.
    fn not_member(&mut self, id: NodeId, space: SpaceId, turn: &mut Turn<'_>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if let Some(sessions) = &mut peer.connection {
            sessions.remove(&space);
        }
        if !peer.not_member.insert(space) {
            return;
        }
        let Some(state) = self.spaces.get(&space) else { return };
        let both = [id, self.identity.card.node()];
        if both.iter().all(|node| state.membership.role(*node).is_some()) {
            for log in state.frontier.logs().filter(|log| log.kind == LogKind::Control) {
                let context = LogContext { space, log: log.log, kind: log.kind };
                turn.effects.send.push(Send::Range { peer: id, context, from: 0, to: log.next_seq });
            }
        }
    }

    fn want(&mut self, id: NodeId, context: LogContext, from: u64, to: u64, turn: &mut Turn<'_>) {
        let Some(log) = self.spaces.get(&context.space).and_then(|space| space.logs.get(&context.log)) else { return };
        let in_session = self.peers.get_mut(&id).is_some_and(|peer| peer.session(&context.space).is_some());
        let to = to.min(log.tip.next_seq).min(from.saturating_add(RUN_ENTRIES_MAX as u64));
        if in_session && from < to {
            turn.effects.send.push(Send::Range { peer: id, context: log.context, from, to });
        }
    }

    /// Ends the session with a peer that was removed, and lets it see why: the control entries up to its removal.
    fn farewell(&mut self, space: &SpaceId, id: &NodeId, turn: &mut Turn<'_>) {
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

    /// What follows from having taken entries in: they are made durable, shown, passed on and receipted.
    pub(super) fn settle(&mut self, space: &SpaceId, mut progress: Progress, turn: &mut Turn<'_>) {
        self.blame(&mut progress, turn);
        self.overflowed.extend(progress.overflowed.drain(..).map(|peer| (*space, peer)));
        for (peer, author) in progress.crowded {
            let peers = self.crowded.entry((*space, author)).or_default();
            if peers.is_empty() {
                turn.effects.notices.push(Notice::TooManyLogs { space: *space, author });
            }
            peers.insert(peer);
        }
        for (peer, branch) in progress.branches {
            self.suspect(peer, branch, turn);
        }
        if progress.runs.is_empty() {
            return;
        }
        let own = self.id();
        let mut logs = Vec::new();
        let mut view_changed = progress.control;
        let mut rolled_back = false;
        for (source, run) in progress.runs {
            let (context, tip) = (*run.context(), run.tip().next_seq);
            turn.effects.appended.push(Appended { context, from: run.first_seq(), to: tip });
            let of_own = context.log.author == own;
            // The row of an own log says what its first entry cites, so it is kept with that entry.
            view_changed |= of_own && (source.is_some() || run.first_seq() == 0);
            if of_own
                && source.is_some()
                && let Some(state) = self.spaces.get_mut(space)
            {
                rolled_back |= state.retire_log(&context.log) || run.first_seq() == 0;
            }
            // Only the peer that brought a run is known to hold it: what waited may have come from another one.
            if let Some(session) = source.and_then(|id| self.peers.get_mut(&id)).and_then(|peer| peer.session(space)) {
                session.came(context.log, tip);
            }
            logs.push(context.log);
            turn.effects.commit.runs.push(run);
        }
        if rolled_back {
            self.begin_life(space, turn);
        }
        if view_changed {
            self.membership_changed(space, turn);
        }
        self.advance(space, &logs, turn);
        self.ask_again(space, turn);
    }

    /// The store was put back to an earlier state without knowing it: what was receipted after that may be lost, and the
    /// receipt counters of that time come again. So a new incarnation begins, which voids all receipts so far. Those of
    /// `space` follow when its logs are told; all others are given anew here.
    pub(super) fn begin_life(&mut self, space: &SpaceId, turn: &mut Turn<'_>) {
        turn.rng.fill_bytes(&mut self.incarnation.0);
        let life = LifeRow { store: self.store, drawn: self.incarnation };
        turn.effects.commit.state.push(Key::Life.put(&life));
        let connected = self.peers.iter().filter(|(_, peer)| peer.connection.is_some());
        let connected: Vec<NodeId> = connected.map(|(id, _)| *id).collect();
        for id in &connected {
            self.greet(*id, turn);
        }
        let others: Vec<SpaceId> = self.spaces.keys().filter(|other| *other != space).copied().collect();
        for other in others {
            self.send_receipt(&other, &connected, turn);
        }
    }

    fn greet(&self, id: NodeId, turn: &mut Turn<'_>) {
        let hello = Message::Hello { card: self.identity.card.encode(), incarnation: self.incarnation };
        turn.say(id, hello);
    }

    pub(super) fn blame(&mut self, progress: &mut Progress, turn: &mut Turn<'_>) {
        for (id, reason) in progress.refused.drain(..) {
            if let Some(peer) = self.peers.get_mut(&id) {
                turn.refuse(peer, reason);
            }
        }
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

    /// Sessions follow membership: they open for new members and end for those who are none any more.
    pub(super) fn membership_changed(&mut self, space: &SpaceId, turn: &mut Turn<'_>) {
        self.refresh_keys(space, turn.rng);
        turn.effects.views.extend(self.view(space));
        let Some(state) = self.spaces.get(space) else { return };
        turn.effects.commit.state.push(Key::Own(*space).put(&state.own));
        if matches!(state.membership.status(), Status::Stopped { .. }) {
            turn.effects.notices.push(Notice::UpgradeNeeded { space: *space });
        }
        if state.membership.role(self.identity.card.node()).is_none() {
            turn.effects.notices.push(Notice::Removed { space: *space });
        }
        let freed = |(of, author): &(SpaceId, NodeId)| of == space && state.membership.role(*author).is_none();
        let freed: Vec<(SpaceId, NodeId)> = self.crowded.keys().copied().filter(freed).collect();
        for key in freed {
            let peers = self.crowded.remove(&key).into_iter().flatten();
            self.overflowed.extend(peers.map(|peer| (*space, peer)));
        }
        let connected = self.peers.iter().filter(|(_, peer)| peer.connection.is_some());
        let (members, others): (Vec<NodeId>, Vec<NodeId>) =
            connected.map(|(id, _)| *id).partition(|id| state.membership.role(*id).is_some());
        for id in members {
            self.open_session(space, &id, turn);
        }
        for id in others {
            if self.peers.get_mut(&id).is_some_and(|peer| peer.session(space).is_some()) {
                self.farewell(space, &id, turn);
            }
        }
    }

    /// What did not fit while it waited is asked for again of a peer once nothing of that peer waits any more.
    fn ask_again(&mut self, space: &SpaceId, turn: &mut Turn<'_>) {
        let Some(state) = self.spaces.get(space) else { return };
        let emptied = |(overflowed, peer): &&(SpaceId, NodeId)| overflowed == space && !state.parking.holds_of(peer);
        let again: Vec<NodeId> = self.overflowed.iter().filter(emptied).map(|(_, peer)| *peer).collect();
        for peer in again {
            self.overflowed.remove(&(*space, peer));
            turn.say(peer, Message::Again { space: *space });
        }
    }

    /// Signs one receipt for what will be durable when it is sent, and gives it to `peers` with what changed for each.
    pub(super) fn send_receipt(&mut self, space: &SpaceId, peers: &[NodeId], turn: &mut Turn<'_>) {
        let Some(state) = self.spaces.get(space) else { return };
        let mut receipt: Option<Receipt> = None;
        for id in peers {
            let Some(session) = self.peers.get_mut(id).and_then(|peer| peer.session(space)) else { continue };
            let Some(logs) = session.tell(&state.frontier) else { continue };
            let receipt = *receipt.get_or_insert_with(|| {
                self.counter += 1;
                if self.counter >= self.counter_end {
                    self.counter_end = self.counter + COUNTER_BLOCK;
                    turn.effects.commit.state.push(Key::Counter.put(&self.counter_end));
                }
                let statement = Statement {
                    issuer: self.identity.card.node(),
                    space: *space,
                    incarnation: self.incarnation,
                    counter: self.counter,
                    digest: state.frontier.digest(),
                    time: turn.now,
                };
                Receipt::sign(statement, &self.identity.signing)
            });
            turn.say(*id, Message::Receipt { receipt, logs });
        }
    }
}

impl Turn<'_> {
    /// Sends a message once the commit is durable.
    pub(super) fn say(&mut self, peer: NodeId, message: Message) {
        self.effects.send.push(Send::Message { peer, message });
    }
}
