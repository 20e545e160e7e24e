//! What comes out of a pouch: the words of a peer that a courier brought, taken as on a connection, except that nothing can be
//! asked back and that they may be old.

use super::{Node, Turn, rows::Key};
use crate::{
    card::Card,
    entry::LogKind,
    frontier::LogFrontier,
    id::{Incarnation, NodeId, PouchId, SpaceId},
    input::CommandError,
    limits::{FRONTIER_GAPS_MAX, SPACES_MAX},
    message::Message,
    page::LogContext,
    receipt::Receipt,
    session,
    time::Timestamp,
};

/// Every bucket of a frontier.
const ALL_BUCKETS: u64 = u64::MAX;

impl Node {
    /// Takes a message out of a volume of a peer's pouch. Returns how many entries and payloads are held since.
    pub(super) fn unpack(
        &mut self,
        (id, pouch): (NodeId, PouchId),
        said: Timestamp,
        message: Message,
        turn: &mut Turn<'_>,
    ) -> Result<u64, CommandError> {
        let peer = self.peers.get_mut(&id).ok_or(CommandError::UnknownPeer)?;
        if matches!(message, Message::Hello { .. }) {
            peer.lives.pouch = Some(turn.now);
            turn.effects.commit.state.push(Key::Lives(id).put(&peer.lives));
        }
        if let Err(reason) = self.unpacked((id, pouch), said, message, turn) {
            if let Some(peer) = self.peers.get_mut(&id) {
                turn.refuse(peer, reason.clone());
            }
            return Err(CommandError::Unpacking(reason));
        }
        Ok(turn.effects.appended.iter().map(|appended| appended.to - appended.from).sum())
    }

    fn unpacked(
        &mut self,
        (id, pouch): (NodeId, PouchId),
        said: Timestamp,
        message: Message,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        match message {
            Message::Hello { card, incarnation } => self.hello_of_old(id, &card, (incarnation, said), turn),
            Message::Frontier { space, mask, logs } => self.frontier_of_old(id, space, mask, logs),
            Message::Receipt { receipt, .. } => self.receipt_of_old(id, &receipt, turn),
            Message::Run { space, log, kind, pages } => {
                let context = LogContext { space, log, kind };
                if kind == LogKind::Control && !self.spaces.contains_key(&space) {
                    self.invite(id, space);
                }
                // As on a connection, where there would be a session with a member.
                let is_member = self.spaces.get(&space).is_some_and(|state| state.membership.role(id).is_some());
                self.take_run((id, Some(pouch)), context, pages, is_member, turn);
                Ok(())
            }
            Message::Payload { space, log, seq, payload } => {
                self.payload(space, log, seq, payload, turn);
                Ok(())
            }
            Message::Fork { space, log, kind, one, other } => {
                self.fork_told(LogContext { space, log, kind }, one, other, turn)
            }
            Message::Summary { .. } | Message::NotMember { .. } | Message::Want { .. } | Message::Again { .. } => {
                Err("a message that asks for an answer".into())
            }
        }
    }

    fn hello_of_old(
        &mut self,
        id: NodeId,
        card: &[u8],
        (incarnation, said): (Incarnation, Timestamp),
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let card = Card::decode(card).map_err(|error| error.to_string())?;
        if card.node() != id {
            return Err("the card in the greeting is another node's".into());
        }
        let Some(peer) = self.peers.get_mut(&id) else { return Ok(()) };
        turn.effects.commit.state.extend(peer.lived_in(incarnation, said));
        turn.renew_card(peer, card);
        Ok(())
    }

    fn frontier_of_old(&mut self, id: NodeId, space: SpaceId, mask: u64, logs: Vec<LogFrontier>) -> Result<(), String> {
        let Some(frontiers) = self.peers.get_mut(&id).map(|peer| &mut peer.told) else { return Ok(()) };
        if frontiers.len() >= SPACES_MAX && !frontiers.contains_key(&space) {
            return Err("frontiers of too many spaces".into());
        }
        let told: usize = frontiers.values().map(|(_, frontier)| frontier.len()).sum();
        session::check(&logs, told + logs.len()).map_err(|error| error.to_string())?;
        let (listed, frontier) = frontiers.entry(space).or_default();
        let gaps: usize = frontier.logs().chain(&logs).map(|log| log.gaps.len()).sum();
        if *listed & mask != 0 || gaps > FRONTIER_GAPS_MAX {
            return Err("a frontier that lists something twice, or too much".into());
        }
        *listed |= mask;
        let before = frontier.len();
        let count = logs.len();
        frontier.extend(logs);
        // Each log once, and in a bucket that the message lists.
        let in_place = frontier.in_buckets(mask).len() == count && frontier.len() == before + count;
        if in_place { Ok(()) } else { Err("a frontier with a log out of its place".into()) }
    }

    fn receipt_of_old(&mut self, id: NodeId, receipt: &Receipt, turn: &mut Turn<'_>) -> Result<(), String> {
        let statement = receipt.statement;
        let Some(peer) = self.peers.get_mut(&id) else { return Ok(()) };
        if statement.issuer != id {
            return Err("a receipt of another node".into());
        }
        receipt.verify(&peer.verifier).map_err(|error| format!("a receipt: {error}"))?;
        let Some((ALL_BUCKETS, frontier)) = peer.told.remove(&statement.space) else {
            return Err("a receipt without the whole frontier that it speaks of".into());
        };
        if frontier.digest() != statement.digest {
            return Err("a receipt that speaks of another frontier".into());
        }
        // What one who is no member says counts as little as on a connection.
        let is_member = self.spaces.get(&statement.space).is_some_and(|state| state.membership.role(id).is_some());
        if is_member {
            turn.effects.commit.state.extend(peer.lived_in(statement.incarnation, statement.time));
            turn.receipted(peer, &statement, frontier);
        }
        Ok(())
    }
}
