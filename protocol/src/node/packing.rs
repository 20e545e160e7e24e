//! What goes into a pouch: all that a connection to its recipients would carry, named before it is read.

use std::collections::BTreeMap;

use super::{Node, Turn, peers::Peer, space::Space};
use crate::{
    codec::encode_part,
    entry::LogKind,
    frontier::{BUCKETS, Frontier, LogFrontier},
    id::{NodeId, SpaceId},
    input::CommandError,
    limits::{FRAME_BYTES_MAX, PAYLOADS_OFFERED_MAX, POUCH_SLOTS},
    message::Message,
    page::LogContext,
    pouch::{Load, Plan, Span},
};

/// Bytes that stand beside the logs in a frame, at most.
const FRAME_REST_BYTES: usize = 256;

impl Node {
    /// Names what is to go into a pouch for `recipients`: of spaces that all of them share, from the least that they have
    /// receipted. Nothing counts as sent by it.
    pub(super) fn pack(
        &mut self,
        mut recipients: Vec<NodeId>,
        only: Option<SpaceId>,
        load: Load,
        turn: &mut Turn<'_>,
    ) -> Result<Plan, CommandError> {
        recipients.sort_unstable();
        recipients.dedup();
        if recipients.is_empty() || recipients.len() > POUCH_SLOTS {
            return Err(CommandError::Limit(format!("a pouch is for 1 to {POUCH_SLOTS} partners")));
        }
        if recipients.iter().any(|id| !self.peers.contains_key(id)) {
            return Err(CommandError::UnknownPeer);
        }
        let spaces = self.shared_by(&recipients, only)?;
        if spaces.is_empty() && load != Load::Receipts {
            return Err(CommandError::NothingShared);
        }
        let hello = Message::Hello { card: self.identity.card.encode(), incarnation: self.incarnation };
        let held = self.volumes.iter().filter(|((sender, _), _)| recipients.binary_search(sender).is_ok());
        let mut plan = Plan {
            hello,
            control: Vec::new(),
            words: Vec::new(),
            held: held.map(|(_, row)| row.held.clone()).collect(),
            data: Vec::new(),
            payloads: Vec::new(),
            gaps: Vec::new(),
            told: None,
            files: Vec::new(),
            recipients,
        };
        for space in spaces {
            if load != Load::Receipts {
                self.pack_entries(&space, load, &mut plan);
            }
            self.pack_receipt(&space, &mut plan, turn);
        }
        Ok(plan)
    }

    /// The spaces that this node and all recipients are members of: all of them, or the one that is asked for.
    fn shared_by(&self, recipients: &[NodeId], only: Option<SpaceId>) -> Result<Vec<SpaceId>, CommandError> {
        let everyone: Vec<NodeId> = recipients.iter().copied().chain([self.id()]).collect();
        let shares = |space: &Space| everyone.iter().all(|node| space.membership.role(*node).is_some());
        match only {
            None => Ok(self.spaces.values().filter(|space| shares(space)).map(|space| space.id).collect()),
            Some(id) => {
                let space = self.spaces.get(&id).ok_or(CommandError::UnknownSpace)?;
                if !shares(space) {
                    return Err(CommandError::NotAllowed("not all of these are members of the space".into()));
                }
                Ok(vec![id])
            }
        }
    }

    fn pack_receipt(&mut self, id: &SpaceId, plan: &mut Plan, turn: &mut Turn<'_>) {
        let Some(frontier) = self.spaces.get(id).map(|space| &space.frontier) else { return };
        if let Some(frontiers) = frontier_messages(id, frontier) {
            let digest = frontier.digest();
            plan.words.extend(frontiers);
            plan.words.push(Message::Receipt { receipt: self.sign_receipt(id, digest, turn), logs: Vec::new() });
        }
    }

    fn pack_entries(&self, id: &SpaceId, load: Load, plan: &mut Plan) {
        let Some(space) = self.spaces.get(id) else { return };
        let receipted = plan.recipients.iter().filter_map(|node| self.peers.get(node));
        let receipted: Vec<Option<&Frontier>> = receipted.map(|peer| receipted_by(peer, id, load)).collect();
        for log in space.frontier.logs() {
            let from = receipted.iter().map(|held| start(*held, log)).min().unwrap_or(0);
            if from >= log.next_seq {
                continue;
            }
            let context = LogContext { space: *id, log: log.log, kind: log.kind };
            let span = Span { context, from, to: log.next_seq };
            match log.kind {
                LogKind::Control => plan.control.push(span),
                LogKind::Data => {
                    let within = |(first, count): &(u64, u64)| first.saturating_add(*count) > from;
                    let gaps: Vec<(u64, u64)> = log.gaps.iter().copied().filter(within).collect();
                    plan.data.push(span);
                    plan.gaps.extend((!gaps.is_empty()).then_some((context, gaps)));
                }
            }
        }
        for log in space.logs.values() {
            let Some(fork) = &log.fork else { continue };
            let shows =
                |held: &&Frontier| held.log(&log.context.log).is_some_and(|log| log.forked && log.next_seq <= fork.seq);
            if !receipted.iter().all(|held| held.as_ref().is_some_and(shows)) {
                let LogContext { space, log, kind } = log.context;
                plan.words.push(Message::Fork { space, log, kind, one: fork.one.clone(), other: fork.other.clone() });
            }
        }
        plan.payloads.extend(lacked_payloads(space, &receipted, PAYLOADS_OFFERED_MAX - plan.payloads.len()));
    }
}

/// What a recipient has receipted, as far as the load asks for that.
fn receipted_by<'a>(peer: &'a Peer, space: &SpaceId, load: Load) -> Option<&'a Frontier> {
    peer.receipted.get(space).map(|receipted| &receipted.frontier).filter(|_| load == Load::Missing)
}

/// The first entry of `log` to send to one that holds `held`.
fn start(held: Option<&Frontier>, log: &LogFrontier) -> u64 {
    match held.and_then(|held| held.log(&log.log)) {
        // Another entry at the same place: the last one is sent, so that the fork shows.
        Some(theirs) if theirs.next_seq == log.next_seq && theirs.hash != log.hash => log.next_seq.saturating_sub(1),
        Some(theirs) => theirs.next_seq,
        None => 0,
    }
}

/// Payloads that some recipient lists as gaps and this node holds, `most` of them.
fn lacked_payloads(space: &Space, receipted: &[Option<&Frontier>], most: usize) -> Vec<(LogContext, u64)> {
    let mut lacked = BTreeMap::new();
    for log in receipted.iter().copied().flatten().flat_map(Frontier::logs) {
        let Some(ours) = space.logs.get(&log.log) else { continue };
        let places = log.gaps.iter().flat_map(|&(first, count)| first..first.saturating_add(count));
        let held = places.take_while(|seq| *seq < ours.tip.next_seq).filter(|seq| !ours.gaps.contains_key(seq));
        for seq in held.take(most.saturating_sub(lacked.len())) {
            lacked.insert((log.log, seq), ours.context);
        }
    }
    lacked.into_iter().map(|((_, seq), context)| (context, seq)).collect()
}

/// A frontier as messages that list all buckets between them, each no longer than a frame; none when a bucket alone is longer.
fn frontier_messages(space: &SpaceId, frontier: &Frontier) -> Option<Vec<Message>> {
    let mut messages = Vec::new();
    let (mut mask, mut logs, mut bytes) = (0_u64, Vec::new(), 0);
    for bucket in 0..BUCKETS {
        let listed = frontier.in_buckets(1 << bucket);
        let length: usize = listed.iter().map(|log| encode_part(log).len()).sum();
        if length > FRAME_BYTES_MAX - FRAME_REST_BYTES {
            return None;
        }
        if bytes + length > FRAME_BYTES_MAX - FRAME_REST_BYTES {
            messages.push(Message::Frontier { space: *space, mask, logs: std::mem::take(&mut logs) });
            (mask, bytes) = (0, 0);
        }
        mask |= 1 << bucket;
        bytes += length;
        logs.extend(listed);
    }
    messages.push(Message::Frontier { space: *space, mask, logs });
    Some(messages)
}
