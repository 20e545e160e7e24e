//! What comes out of a pouch: the words of a peer that a courier brought, taken as on a connection, except that nothing can be
//! asked back and that they may be old.

use std::collections::BTreeMap;

use super::{
    Node, Turn,
    peers::Mark,
    rows::{Key, VolumesRow},
};
use crate::{
    card::Card,
    effects::Notice,
    entry::LogKind,
    frontier::{Frontier, LogFrontier},
    id::{Incarnation, NodeId, PouchId, SpaceId},
    input::{CommandError, Lacking, Reply, Volume, VolumeReport},
    limits::{FRONTIER_GAPS_MAX, POUCHES_HELD_MAX, SPACES_MAX},
    message::Message,
    page::LogContext,
    pouch::{Contents, Extent, Held, Plan},
    receipt::Receipt,
    session,
    time::Timestamp,
};

/// Extents that are named where something is lacking.
const LACKING_NAMED_MAX: usize = 32;
/// Every bucket of a frontier.
const ALL_BUCKETS: u64 = u64::MAX;

/// What the volume that is being taken has said so far: frontiers, by space, and which of their buckets were listed.
#[derive(Default)]
pub(super) struct Unpacking(BTreeMap<SpaceId, (u64, Frontier)>);

impl Node {
    /// Takes a message out of a volume of a peer's pouch. Returns how many entries and payloads are held since.
    pub(super) fn unpack(
        &mut self,
        id: NodeId,
        said: Timestamp,
        message: Message,
        turn: &mut Turn<'_>,
    ) -> Result<u64, CommandError> {
        let peer = self.peers.get_mut(&id).ok_or(CommandError::UnknownPeer)?;
        if matches!(message, Message::Hello { .. }) {
            peer.heard = Some(turn.now);
            turn.effects.commit.state.push(peer.row());
        }
        if let Err(reason) = self.unpacked(id, said, message, turn) {
            if let Some(peer) = self.peers.get_mut(&id) {
                turn.refuse(peer, reason.clone());
            }
            return Err(CommandError::Unpacking(reason));
        }
        Ok(turn.effects.appended.iter().map(|appended| appended.to - appended.from).sum())
    }

    fn unpacked(&mut self, id: NodeId, said: Timestamp, message: Message, turn: &mut Turn<'_>) -> Result<(), String> {
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
                self.take_run(id, context, pages, is_member, turn);
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
        let Unpacking(frontiers) = self.unpacking.entry(id).or_default();
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
        let told = self.unpacking.get_mut(&id).and_then(|Unpacking(frontiers)| frontiers.remove(&statement.space));
        let Some((ALL_BUCKETS, frontier)) = told else {
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

    /// The volume is at its end, or given up. Signs for it if all of it is held.
    pub(super) fn end_volume(&mut self, id: NodeId, whole: Option<&Volume>, turn: &mut Turn<'_>) -> VolumeReport {
        self.unpacking.remove(&id);
        if self.peers.get(&id).is_some_and(|peer| peer.connection.is_none()) {
            self.invitations.retain(|(by, _), _| *by != id);
        }
        let Some(volume) = whole else { return VolumeReport::default() };
        let extents = volume.contents.spaces.iter();
        let extents = extents.flat_map(|of| of.extents.iter().map(|extent| (of.space, *extent)));
        let mut report = VolumeReport::default();
        for (space, extent) in extents {
            let contradicted = volume.contradicted.contains(&(space, extent));
            let held = self.held(&space, &extent);
            if held >= extent.to && !contradicted {
                continue;
            }
            report.lacking_extents += 1;
            if report.lacking.len() < LACKING_NAMED_MAX {
                let refused = self.refusal(id, &space, &extent, contradicted);
                let suppliers = if refused.is_some() { Vec::new() } else { self.suppliers(&space, &extent, held) };
                report.lacking.push(Lacking { space, extent, held, refused, suppliers });
            }
        }
        if report.lacking_extents == 0 {
            report.held = Some(self.sign_for(id, volume, turn));
        }
        report
    }

    /// How far the log of an extent is held.
    fn held(&self, space: &SpaceId, extent: &Extent) -> u64 {
        let log = self.spaces.get(space).and_then(|space| space.frontier.log(&extent.log));
        log.map_or(0, |log| log.next_seq)
    }

    /// Why an extent is not taken, where waiting does not help.
    fn refusal(&self, sender: NodeId, space: &SpaceId, extent: &Extent, contradicted: bool) -> Option<&'static str> {
        let Some(space) = self.spaces.get(space) else { return Some("this node is no member of the space") };
        if space.membership.role(sender).is_none() {
            return Some("the sender is no longer a member of the space");
        }
        let forked = space.frontier.log(&extent.log).is_some_and(|log| log.forked);
        (contradicted || forked).then_some("the author signed two histories; nothing counts after they part")
    }

    /// Peers that are known to hold the log from `held` to the start of the extent.
    fn suppliers(&self, space: &SpaceId, extent: &Extent, held: u64) -> Vec<NodeId> {
        let needed = extent.from.max(held.saturating_add(1));
        let reaches = |frontier: &Frontier| frontier.log(&extent.log).is_some_and(|log| log.next_seq >= needed);
        let supplies = self.peers.iter().filter(|(_, peer)| {
            let told = peer.connection.as_ref().and_then(|sessions| sessions.get(space)).and_then(|s| s.known());
            peer.receipted.get(space).map(|receipted| &receipted.frontier).is_some_and(reaches)
                || told.is_some_and(reaches)
        });
        supplies.map(|(id, _)| *id).collect()
    }

    /// Signs for all volumes of the pouch that are held, and keeps which they are.
    fn sign_for(&mut self, id: NodeId, volume: &Volume, turn: &mut Turn<'_>) -> Held {
        let key = (id, volume.pouch);
        let mut volumes = self.volumes.get(&key).map(|row| row.volumes.clone()).unwrap_or_default();
        let digest = volume.contents.digest();
        match volumes.binary_search_by_key(&volume.number, |(number, _)| *number) {
            Ok(index) => volumes[index].1 = digest,
            Err(index) => volumes.insert(index, (volume.number, digest)),
        }
        let counter = self.count(turn);
        let held = Held::sign(volume.pouch, &volumes, self.incarnation, counter, &self.identity.signing);
        let row = VolumesRow { volumes, held: held.clone(), taken: turn.now };
        turn.effects.commit.state.push(Key::Volumes(id, volume.pouch).put(&row));
        self.volumes.insert(key, row);
        for old in self.oldest_volumes(&id) {
            self.volumes.remove(&(id, old));
            turn.effects.commit.state.push(Key::Volumes(id, old).remove());
        }
        held
    }

    /// Pouches of a peer that are too many to remember, those taken longest ago.
    fn oldest_volumes(&self, id: &NodeId) -> Vec<PouchId> {
        let of_peer = self.volumes.iter().filter(|((sender, _), _)| sender == id);
        let mut pouches: Vec<_> = of_peer.map(|((_, pouch), row)| (row.taken, row.held.counter, *pouch)).collect();
        pouches.sort_unstable();
        pouches.truncate(pouches.len().saturating_sub(POUCHES_HELD_MAX));
        pouches.into_iter().map(|(_, _, pouch)| pouch).collect()
    }

    /// Takes a peer's word for volumes that this node sent it, and derives how far it holds each log.
    pub(super) fn take_held(
        &mut self,
        recipients: &[NodeId],
        held: &Held,
        kept: &[(u16, Contents)],
        plan: &Plan,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, CommandError> {
        let signed = |id: &&NodeId| self.peers.get(id).is_some_and(|peer| held.verify(&peer.verifier).is_ok());
        let Some(&id) = recipients.iter().find(signed) else {
            return Err(CommandError::NoReceipt("none of those that it was for has signed it"));
        };
        let contents = |volume: u16| kept.iter().find(|(number, _)| *number == volume).map(|(_, contents)| contents);
        if !held.volumes.is_plausible() || !held.fits(|volume| contents(volume).map(Contents::digest)) {
            return Err(CommandError::NoReceipt("it speaks of other volumes than were written"));
        }
        let Some(peer) = self.peers.get_mut(&id) else { return Err(CommandError::UnknownPeer) };
        let mark = Mark { incarnation: held.incarnation, counter: held.counter };
        // It does not say when: it cannot begin another life than the one that is known.
        turn.effects.commit.state.extend(peer.lived_in(mark.incarnation, Timestamp::default()));
        let mut spaces: BTreeMap<SpaceId, BTreeMap<_, LogFrontier>> = BTreeMap::new();
        for of in held.volumes.iter().filter_map(contents).flat_map(|contents| &contents.spaces) {
            let logs = spaces.entry(of.space).or_default();
            for extent in &of.extents {
                let log = logs.entry(extent.log).or_insert_with(|| as_frontier(extent, plan));
                if log.next_seq < extent.to {
                    *log = as_frontier(extent, plan);
                }
            }
        }
        let mut news = false;
        for (space, logs) in spaces {
            let rows = peer.holds(space, mark, logs.into_values());
            if !rows.is_empty() {
                news = true;
                turn.effects.notices.push(Notice::Receipted { peer: id, space });
            }
            turn.effects.commit.state.extend(rows);
        }
        Ok(Reply::Held { peer: id, news })
    }
}

/// What one who holds an extent holds of its log.
fn as_frontier(extent: &Extent, plan: &Plan) -> LogFrontier {
    LogFrontier {
        log: extent.log,
        kind: extent.log.kind(),
        next_seq: extent.to,
        hash: extent.head,
        gaps: plan.gaps_before(&extent.log, extent.to),
        forked: false,
    }
}
