//! What the node hears from peers: each message, and what it sets in motion.

use super::{Node, Turn, parking::Parked, space::Progress};
use crate::{
    card::Card,
    commit::Fill,
    effects::{Appended, Send},
    entry::{LogKey, LogKind, payload_hash},
    frontier::{BucketDigest, LogFrontier},
    id::{Incarnation, NodeId, PouchId, SpaceId},
    limits::{PARKED_BYTES_PER_PEER_MAX, PAYLOAD_BYTES_MAX, RUN_ENTRIES_MAX},
    message::Message,
    page::LogContext,
    receipt::Receipt,
};

impl Node {
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
        turn.effects.commit.state.extend(peer.lives_in(incarnation));
        turn.renew_card(peer, card);
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

    fn run(&mut self, id: NodeId, context: LogContext, pages: Vec<Vec<u8>>, turn: &mut Turn<'_>) {
        let in_session = self.peers.get_mut(&id).is_some_and(|peer| peer.session(&context.space).is_some());
        self.take_run((id, None), context, pages, in_session, turn);
    }

    /// Takes entries of a peer, out of its pouch where one is named, that may bring data of the space, or may not.
    pub(super) fn take_run(
        &mut self,
        (id, pouch): (NodeId, Option<PouchId>),
        context: LogContext,
        pages: Vec<Vec<u8>>,
        data: bool,
        turn: &mut Turn<'_>,
    ) {
        // Before anything of it is kept to wait: a page without bytes costs nothing to send, and memory to keep.
        if pages.len() > RUN_ENTRIES_MAX || pages.iter().any(Vec::is_empty) {
            if let Some(peer) = self.peers.get_mut(&id) {
                turn.refuse(peer, "a run with more pages than entries, or with an empty one");
            }
            return;
        }
        if self.invitations.contains_key(&(id, context.space)) {
            return self.run_of_invitation((id, pouch), context, pages, turn);
        }
        // Membership is taken from every verified peer: one that is not known as a member may have become one.
        if !data && context.kind == LogKind::Data {
            return;
        }
        let Some(space) = self.spaces.get_mut(&context.space) else { return };
        let mut progress = Progress::default();
        let run = Parked { peer: id, pouch, context, pages };
        space.mend(&run, &mut progress);
        space.offer(run, &mut progress);
        // The bound is for all spaces together; what this one keeps of the peer is let go.
        if self.spaces.values().map(|space| space.parking.bytes_of(&id)).sum::<usize>() > PARKED_BYTES_PER_PEER_MAX
            && let Some(space) = self.spaces.get_mut(&context.space)
        {
            space.parking.take(|parked| parked.peer == id);
            progress.overflowed.push(id);
        }
        self.settle(&context.space, progress, turn);
    }

    pub(super) fn payload(&mut self, space: SpaceId, log: LogKey, seq: u64, payload: Vec<u8>, turn: &mut Turn<'_>) {
        let Some(state) = self.spaces.get_mut(&space) else { return };
        if payload.len() > PAYLOAD_BYTES_MAX {
            return;
        }
        let Some(context) = state.fill(&log, seq, payload_hash(&payload)) else { return };
        turn.effects.commit.fills.push(Fill { context, seq, payload });
        turn.effects.appended.push(Appended { context, from: seq, to: seq + 1, way: None });
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
            turn.effects.commit.state.extend(peer.lives_in(receipt.statement.incarnation));
            turn.receipted(peer, &receipt.statement, frontier);
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
}
