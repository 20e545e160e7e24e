//! Volumes of pouches: what is held of those that came, this node's word for them, and what peers' words say of those that were
//! sent.

use std::collections::BTreeMap;

use super::{
    Node, Turn,
    peers::Mark,
    rows::{Key, VolumesRow},
};
use crate::{
    effects::Notice,
    entry::LogKey,
    frontier::{Frontier, LogFrontier},
    id::{NodeId, PouchId, SpaceId},
    input::{CommandError, Lacking, Reply, Volume, VolumeReport},
    limits::{EXTENTS_MAX, POUCHES_HELD_MAX},
    pouch::{Contents, Extent, Held, Payloads, Plan},
    time::Timestamp,
};

/// Ranges that are named where something is lacking.
const LACKING_NAMED_MAX: usize = 32;

/// A range of a volume that is not held.
struct Missing {
    space: SpaceId,
    log: LogKey,
    from: u64,
    to: u64,
    /// Something else is held in its place.
    contradicted: bool,
}

impl Node {
    /// The volume is at its end, or given up. Signs for it if all of it is held.
    pub(super) fn end_volume(&mut self, id: NodeId, whole: Option<&Volume>, turn: &mut Turn<'_>) -> VolumeReport {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.told.clear();
            if peer.connection.is_none() {
                self.invitations.retain(|(by, _), _| *by != id);
            }
        }
        let Some(volume) = whole else { return VolumeReport::default() };
        let mut report = VolumeReport::default();
        for missing in self.missing(volume) {
            report.lacking_ranges += 1;
            if report.lacking.len() < LACKING_NAMED_MAX {
                report.lacking.push(self.lacking(id, missing));
            }
        }
        let mut waiting = self.peers.get_mut(&id).map(|peer| std::mem::take(&mut peer.lacking)).unwrap_or_default();
        waiting.retain(|earlier| (earlier.pouch, earlier.number) != (volume.pouch, volume.number));
        // What this one brought may be what others waited for.
        let is_whole = |earlier: &Volume| self.missing(earlier).is_empty();
        (report.again, waiting) = waiting.into_iter().partition(is_whole);
        if report.lacking_ranges > 0 {
            waiting.push(volume.clone());
        }
        let ranges = |volumes: &[Volume]| volumes.iter().map(|volume| volume.contents.ranges()).sum::<usize>();
        while ranges(&waiting) > EXTENTS_MAX && waiting.len() > 1 {
            waiting.remove(0);
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.lacking = waiting;
        }
        // Of a volume of words alone nobody wants to know whether it arrived.
        if report.lacking_ranges == 0 && volume.contents.ranges() > 0 {
            report.held = Some(self.sign_for(id, volume, turn));
        }
        report
    }

    /// The ranges of a volume that are not held.
    fn missing(&self, volume: &Volume) -> Vec<Missing> {
        let entries = volume.contents.extents().filter_map(|(space, extent)| {
            let contradicted = volume.contradicted.contains(&(space, *extent));
            let is_missing = contradicted || self.reached(&space, &extent.log) < extent.to;
            is_missing.then_some(Missing { space, log: extent.log, from: extent.from, to: extent.to, contradicted })
        });
        let payloads = volume.contents.payloads().filter_map(|(space, range)| {
            let log = self.spaces.get(&space).and_then(|space| space.frontier.log(&range.log));
            let is_known = log.is_some_and(|log| log.next_seq >= range.end());
            let is_missing = !is_known || log.is_some_and(|log| has_gap(log, range));
            // Where the entries are held, what came was the payload of another one.
            let contradicted = is_known;
            is_missing.then_some(Missing { space, log: range.log, from: range.first, to: range.end(), contradicted })
        });
        entries.chain(payloads).collect()
    }

    /// What is told of a range that is not held.
    fn lacking(&self, sender: NodeId, missing: Missing) -> Lacking {
        let Missing { space, log, from, to, .. } = missing;
        let held = self.reached(&space, &log);
        let refused = self.refusal(sender, &missing);
        let suppliers = if refused.is_some() { Vec::new() } else { self.suppliers(&missing, held) };
        Lacking { space, log, from, to, held, refused, suppliers }
    }

    /// How far a log is held.
    fn reached(&self, space: &SpaceId, log: &LogKey) -> u64 {
        let log = self.spaces.get(space).and_then(|space| space.frontier.log(log));
        log.map_or(0, |log| log.next_seq)
    }

    /// Why a range is not taken, where waiting does not help.
    fn refusal(&self, sender: NodeId, missing: &Missing) -> Option<&'static str> {
        let Some(space) = self.spaces.get(&missing.space) else { return Some("this node is no member of the space") };
        if space.membership.role(sender).is_none() {
            return Some("the sender is no longer a member of the space");
        }
        if space.frontier.log(&missing.log).is_some_and(|log| log.forked) {
            return Some("the author signed two histories; nothing counts after they part");
        }
        missing.contradicted.then_some("something else is held in their place")
    }

    /// Peers that are known to hold the log from `held` to the start of the range.
    fn suppliers(&self, missing: &Missing, held: u64) -> Vec<NodeId> {
        let needed = missing.from.max(held.saturating_add(1));
        let space = &missing.space;
        let reaches = |frontier: &Frontier| frontier.log(&missing.log).is_some_and(|log| log.next_seq >= needed);
        let supplies = self.peers.iter().filter(|(_, peer)| {
            let told = peer.connection.as_ref().and_then(|sessions| sessions.get(space)).and_then(|s| s.known());
            peer.receipted.get(space).map(|receipted| &receipted.frontier).is_some_and(reaches)
                || told.is_some_and(reaches)
        });
        supplies.map(|(id, _)| *id).collect()
    }

    /// Signs for all volumes of the pouch that are held, this one among them, and keeps which they are.
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

    /// This node's words for pouches of peers.
    pub(super) fn taken_pouches(&self) -> Vec<(NodeId, Held, Timestamp)> {
        self.volumes.iter().map(|((sender, _), row)| (*sender, row.held.clone(), row.taken)).collect()
    }

    /// Whether a peer has receipted everything of a contents list.
    pub(super) fn arrived(&self, id: &NodeId, contents: &Contents) -> bool {
        let Some(peer) = self.peers.get(id) else { return false };
        let log = |space, log| peer.receipted.get(&space).and_then(|receipted| receipted.frontier.log(log));
        contents.extents().all(|(space, extent)| log(space, &extent.log).is_some_and(|log| log.next_seq >= extent.to))
            && contents.payloads().all(|(space, range)| {
                log(space, &range.log).is_some_and(|log| log.next_seq >= range.end() && !has_gap(log, range))
            })
    }

    /// How many entries and payloads of a contents list are not held here.
    pub(super) fn weigh(&self, contents: &Contents) -> u64 {
        let entries = contents.extents().map(|(space, extent)| {
            let held = self.reached(&space, &extent.log);
            extent.to.saturating_sub(extent.from.max(held))
        });
        let payloads = contents.payloads().map(|(space, range)| {
            let log = self.spaces.get(&space).and_then(|space| space.frontier.log(&range.log));
            log.map_or(0, |log| overlaps(&log.gaps, range))
        });
        entries.chain(payloads).fold(0, u64::saturating_add)
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
        let mut spaces: BTreeMap<SpaceId, Said> = BTreeMap::new();
        for contents in held.volumes.iter().filter_map(contents) {
            for (space, extent) in contents.extents() {
                let logs = &mut spaces.entry(space).or_default().logs;
                let log = logs.entry(extent.log).or_insert_with(|| as_frontier(extent, plan));
                if log.next_seq < extent.to {
                    *log = as_frontier(extent, plan);
                }
            }
            for (space, range) in contents.payloads() {
                spaces.entry(space).or_default().filled.push(*range);
            }
        }
        let mut news = false;
        for (space, Said { logs, filled }) in spaces {
            let rows = peer.holds(space, mark, logs.into_values(), &filled);
            if !rows.is_empty() {
                news = true;
                turn.effects.notices.push(Notice::Receipted { peer: id, space });
            }
            turn.effects.commit.state.extend(rows);
        }
        Ok(Reply::Held { peer: id, news })
    }
}

/// What a word for volumes says of one space.
#[derive(Default)]
struct Said {
    logs: BTreeMap<LogKey, LogFrontier>,
    filled: Vec<Payloads>,
}

/// Whether a payload of a range is not held.
fn has_gap(log: &LogFrontier, range: &Payloads) -> bool {
    overlaps(&log.gaps, range) > 0
}

/// How many places of a range lie in gaps.
fn overlaps(gaps: &[(u64, u64)], range: &Payloads) -> u64 {
    let within = |(first, count): &(u64, u64)| {
        first.saturating_add(*count).min(range.end()).saturating_sub((*first).max(range.first))
    };
    gaps.iter().map(within).sum()
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
