//! One space as the core holds it: membership, keys, the end of every log, what waits, and the taking in of runs.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    parking::{Parked, Parking},
    rows::{ForkRow, OwnRow},
};
use crate::{
    commit::Fill,
    control::{Control, Remove},
    crypto::signing::Verifier,
    effects::Way,
    entry::{EntryRef, Heads, LogKey, LogKind, payload_hash},
    frontier::{Frontier, LogFrontier},
    id::{NodeId, PayloadHash, SpaceId},
    image::LogImage,
    limits::{GAPS_MAX, LOGS_PER_MEMBER_MAX, RUN_ENTRIES_MAX},
    membership::{ControlEntry, Keyring, Membership},
    page::{AuthenticRun, LogContext, PagePayload, PageReader, RunError, Tip, split},
};

/// The end of one log, and what is missing of it.
#[derive(Clone, Debug)]
pub(super) struct LogState {
    pub(super) context: LogContext,
    pub(super) tip: Tip,
    pub(super) gaps: BTreeMap<u64, PayloadHash>,
    /// The proof that the author forked it; what counts ends where the branches part.
    pub(super) fork: Option<ForkRow>,
}

/// What taking runs in led to.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// What was taken, in order, with the way by which it came.
    pub(super) runs: Vec<(Way, AuthenticRun)>,
    /// Control entries were among it.
    pub(super) control: bool,
    /// Whose bytes were refused, and why.
    pub(super) refused: Vec<(NodeId, String)>,
    /// Authentic runs that contradict what is held.
    pub(super) branches: Vec<(NodeId, AuthenticRun)>,
    /// Peers that parked more than fits, so that some was let go.
    pub(super) overflowed: Vec<NodeId>,
    /// Payloads that were missing and came with runs of entries that are held.
    pub(super) fills: Vec<Fill>,
    /// Peers that brought a log which its author has no room for, and these authors.
    pub(super) crowded: Vec<(NodeId, NodeId)>,
}

/// What becomes of one run.
enum Fate {
    Take(AuthenticRun),
    /// The first part is taken, the rest waits.
    Split(AuthenticRun, Vec<Vec<u8>>),
    Wait,
    Known,
    Branch(AuthenticRun),
    /// The author has as many logs as a member may have.
    Crowded,
}

/// See the head of the file.
pub(super) struct Space {
    pub(super) id: SpaceId,
    pub(super) membership: Membership,
    pub(super) keyring: Keyring,
    pub(super) logs: BTreeMap<LogKey, LogState>,
    pub(super) frontier: Frontier,
    pub(super) parking: Parking,
    pub(super) own: OwnRow,
    /// Logs of which another branch may exist: older runs are looked at too.
    pub(super) suspected: BTreeSet<LogKey>,
}

impl Space {
    pub(super) fn new(id: SpaceId, keyring: Keyring) -> Space {
        Space {
            id,
            membership: Membership::new(id),
            keyring,
            logs: BTreeMap::new(),
            frontier: Frontier::default(),
            parking: Parking::default(),
            own: OwnRow::default(),
            suspected: BTreeSet::new(),
        }
    }

    /// Takes up a space as the store holds it. Control logs are taken in again, in whatever order their citations ask for;
    /// what no longer fits together (a damaged store) is left out, and comes again from peers.
    pub(super) fn load(
        id: SpaceId,
        keyring: Keyring,
        logs: Vec<LogImage>,
        mut forks: BTreeMap<LogKey, ForkRow>,
    ) -> Space {
        let mut space = Space::new(id, keyring);
        let (control, data): (Vec<_>, Vec<_>) = logs.into_iter().partition(|log| log.context.kind == LogKind::Control);
        let mut queue: VecDeque<Vec<ControlEntry>> =
            control.iter().map(|log| control_entries(&log.context, &log.pages)).collect();
        // Logs cite one another in turns; it is over once none of those that are left gets any further.
        let mut stuck = 0;
        while stuck < queue.len() {
            let Some(entries) = queue.pop_front() else { break };
            let count = entries.len();
            let rest = space.insert_held(entries);
            stuck = if rest.len() < count { 0 } else { stuck + 1 };
            if !rest.is_empty() {
                queue.push_back(rest);
            }
        }
        for (log, fork) in &forks {
            space.membership.set_fork(*log, fork.seq.checked_sub(1));
        }
        for log in control.into_iter().chain(data) {
            let state = LogState {
                context: log.context,
                tip: log.tip,
                gaps: log.gaps.into_iter().collect(),
                fork: forks.remove(&log.context.log),
            };
            space.logs.insert(log.context.log, state);
        }
        for (log, fork) in forks {
            let context = LogContext { space: id, log, kind: fork.kind };
            space.logs.insert(log, LogState { fork: Some(fork), ..LogState::empty(context) });
        }
        let frontiers: Vec<LogFrontier> = space.logs.values().map(LogState::frontier).collect();
        space.frontier.extend(frontiers);
        space
    }

    fn insert_held(&mut self, entries: Vec<ControlEntry>) -> Vec<ControlEntry> {
        // Entries are only ever left out from one on: each needs the one before it.
        let taken = self.membership.extend(entries.iter().cloned());
        let held = taken.iter().take_while(|taken| taken.is_ok()).count();
        entries.into_iter().skip(held).collect()
    }

    /// Takes a run in if it can be, and with it all that waited for it.
    pub(super) fn offer(&mut self, run: Parked, progress: &mut Progress) {
        let mut queue = VecDeque::from([run]);
        while let Some(run) = queue.pop_front() {
            match self.fate(&run) {
                Err(reason) => progress.refused.push((run.peer, reason)),
                Ok(Fate::Known) => {}
                Ok(Fate::Branch(branch)) => progress.branches.push((run.peer, branch)),
                Ok(Fate::Crowded) => progress.crowded.push((run.peer, run.context.log.author)),
                Ok(Fate::Wait) => self.park(run, progress),
                Ok(Fate::Take(authentic)) => queue.extend(self.take(run.way(), authentic, progress)),
                Ok(Fate::Split(authentic, rest)) => {
                    queue.extend(self.take(run.way(), authentic, progress));
                    self.park(Parked { pages: rest, ..run }, progress);
                }
            }
        }
    }

    /// Fills gaps with what a run brings: whoever withheld a payload, the next one who has it mends that. Only the hash that the
    /// author signed decides, so the run need not be verified for this.
    pub(super) fn mend(&mut self, run: &Parked, progress: &mut Progress) {
        let log = run.context.log;
        if self.logs.get(&log).is_none_or(|held| held.gaps.is_empty()) {
            return;
        }
        for page in &run.pages {
            let Ok(mut reader) = PageReader::new(&run.context, page) else { return };
            while let Ok(Some(entry)) = reader.next() {
                let seq = entry.header.seq;
                let lacks = self.logs.get(&log).is_some_and(|held| held.gaps.contains_key(&seq));
                if let PagePayload::Inline(payload) = entry.payload
                    && lacks
                    && let Some(context) = self.fill(&log, seq, payload_hash(payload))
                {
                    progress.fills.push(Fill { context, seq, payload: payload.to_vec() });
                }
            }
        }
    }

    fn park(&mut self, run: Parked, progress: &mut Progress) {
        let peer = run.peer;
        if !self.parking.keep(run) {
            progress.overflowed.push(peer);
        }
    }

    fn take(&mut self, way: Way, run: AuthenticRun, progress: &mut Progress) -> Vec<Parked> {
        if let Err(reason) = self.absorb(&run) {
            progress.refused.extend(way.peer().map(|peer| (peer, reason)));
            return Vec::new();
        }
        let context = *run.context();
        progress.control |= context.kind == LogKind::Control;
        progress.runs.push((way, run));
        match context.kind {
            LogKind::Control => self.parking.take(|_| true),
            LogKind::Data => self.parking.take(|parked| parked.context.log.author == context.log.author),
        }
    }

    /// Adds a run that continues its log and whose references are held.
    pub(super) fn absorb(&mut self, run: &AuthenticRun) -> Result<(), String> {
        let context = *run.context();
        if context.kind == LogKind::Control {
            let taken = self.membership.extend(control_entries(&context, run.pages()));
            taken.into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        }
        let log = self.logs.entry(context.log).or_insert_with(|| LogState::empty(context));
        log.tip = run.tip().clone();
        log.gaps.extend(run.gaps().iter().copied());
        self.frontier.set(log.frontier());
        Ok(())
    }

    /// Notes a proven fork. Tells whether that is news.
    pub(super) fn note_fork(&mut self, context: LogContext, fork: ForkRow) -> bool {
        let log = self.logs.entry(context.log).or_insert_with(|| LogState::empty(context));
        if log.fork.as_ref().is_some_and(|known| known.seq <= fork.seq) {
            return false;
        }
        self.membership.set_fork(context.log, fork.seq.checked_sub(1));
        self.suspected.remove(&context.log);
        log.fork = Some(fork);
        self.frontier.set(log.frontier());
        true
    }

    /// Fills a gap if the payload is the one that the entry was signed over.
    pub(super) fn fill(&mut self, log: &LogKey, seq: u64, hash: PayloadHash) -> Option<LogContext> {
        let log = self.logs.get_mut(log)?;
        if log.gaps.get(&seq) != Some(&hash) {
            return None;
        }
        log.gaps.remove(&seq);
        self.frontier.set(log.frontier());
        Some(log.context)
    }

    fn fate(&self, run: &Parked) -> Result<Fate, String> {
        let context = &run.context;
        if context.kind != context.log.kind() {
            return Err("the id of the log is that of the other kind".into());
        }
        let Some(key) = self.key_for(context, &run.pages)? else { return Ok(Fate::Wait) };
        let held = self.logs.get(&context.log);
        if !self.has_room(&context.log) {
            // It is not kept to wait: only the removal of its author makes room, and it is asked for again then.
            let is_genuine = AuthenticRun::verify(*context, run.pages.clone(), &key).is_ok();
            return Ok(if is_genuine { Fate::Crowded } else { Fate::Known });
        }
        let end = held.map_or(0, |held| held.tip.next_seq);
        if first_place(context, &run.pages)? > end && !self.waits_before(context, end) {
            return Ok(Fate::Wait);
        }
        let authentic = match AuthenticRun::verify(*context, run.pages.clone(), &key) {
            Ok(authentic) => authentic,
            Err(RunError::Signature) => return Ok(Fate::Wait),
            Err(error) => return Err(error.to_string()),
        };
        if context.kind == LogKind::Control && !authentic.gaps().is_empty() {
            return Err("a control payload was withheld".into());
        }
        let empty = Tip::empty();
        let tip = held.map_or(&empty, |held| &held.tip);
        let authentic = match self.place(tip, authentic, &key) {
            Ok(authentic) => authentic,
            Err(fate) => return Ok(*fate),
        };
        let authentic = match held.and_then(|held| held.fork.as_ref()).map(|fork| fork.seq) {
            Some(fork) if authentic.first_seq() >= fork => return Ok(Fate::Known),
            Some(fork) if authentic.tip().next_seq > fork => match self.part(&authentic, fork, &key) {
                Some((before, _)) => before,
                None => return Ok(Fate::Wait),
            },
            _ => authentic,
        };
        match self.first_unheld(&authentic) {
            None => Ok(Fate::Take(authentic)),
            Some(seq) if seq == authentic.first_seq() => Ok(Fate::Wait),
            Some(seq) => {
                Ok(self.part(&authentic, seq, &key).map_or(Fate::Wait, |(before, rest)| Fate::Split(before, rest)))
            }
        }
    }

    /// Where the run stands against the tip: the part that continues it, or what else becomes of the run.
    fn place(&self, tip: &Tip, run: AuthenticRun, key: &Verifier) -> Result<AuthenticRun, Box<Fate>> {
        if run.first_seq() > tip.next_seq {
            return self.join_parked(tip, &run, key).ok_or(Box::new(Fate::Wait));
        }
        let hash_at_tip = match tip.next_seq {
            next if next == run.first_seq() => Some(run.previous()),
            next => usize::try_from(next - run.first_seq() - 1).ok().and_then(|index| run.hashes().get(index).copied()),
        };
        match hash_at_tip {
            Some(hash) if hash != tip.hash => Err(Box::new(Fate::Branch(run))),
            Some(_) => run.after(tip.next_seq).ok_or(Box::new(Fate::Known)),
            None if self.suspected.contains(&run.context().log) => Err(Box::new(Fate::Branch(run))),
            None => Err(Box::new(Fate::Known)),
        }
    }

    /// Only an author that signs wrongly on purpose makes this needed: the signature at the end of this run vouches for an
    /// earlier one too.
    fn join_parked(&self, tip: &Tip, run: &AuthenticRun, key: &Verifier) -> Option<AuthenticRun> {
        let continues = |run: &AuthenticRun| run.first_seq() == tip.next_seq && run.previous() == tip.hash;
        self.parking
            .pages_of(run.context())
            .filter(|pages| first_place(run.context(), pages).is_ok_and(|first| first <= tip.next_seq))
            .filter_map(|pages| {
                AuthenticRun::verify(*run.context(), [pages.as_slice(), run.pages()].concat(), key).ok()
            })
            .find(continues)
            .filter(|joined| joined.count() <= RUN_ENTRIES_MAX)
    }

    /// Whether pages wait that start no later than where the log ends: a run that follows them may vouch for them.
    fn waits_before(&self, context: &LogContext, end: u64) -> bool {
        self.parking.pages_of(context).any(|pages| first_place(context, pages).is_ok_and(|first| first <= end))
    }

    /// The entries before `seq`, if a signature of their own vouches for them, and the pages of the rest.
    fn part(&self, run: &AuthenticRun, seq: u64, key: &Verifier) -> Option<(AuthenticRun, Vec<Vec<u8>>)> {
        let [before, rest] = split(run.context(), run.pages(), seq).ok()?;
        Some((AuthenticRun::verify(*run.context(), before, key).ok()?, rest))
    }

    /// The first place of the run that refers to something not held.
    fn first_unheld(&self, run: &AuthenticRun) -> Option<u64> {
        let held = |entry: &EntryRef| {
            self.membership.holds(entry)
                || (entry.log == run.context().log
                    && entry
                        .seq
                        .checked_sub(run.first_seq())
                        .and_then(|index| run.hashes().get(usize::try_from(index).ok()?))
                        .is_some_and(|hash| *hash == entry.hash))
        };
        let predecessor_held = |predecessor: EntryRef| {
            self.logs.get(&predecessor.log).is_some_and(|log| log.tip.next_seq > predecessor.seq)
        };
        if run.predecessor().is_some_and(|predecessor| !predecessor_held(predecessor)) {
            return Some(run.first_seq());
        }
        run.cited().iter().find(|(_, heads)| !heads.entries().iter().all(held)).map(|(seq, _)| *seq)
    }

    /// The author's key. The first entry of a space brings its author's card along.
    fn key_for(&self, context: &LogContext, pages: &[Vec<u8>]) -> Result<Option<Verifier>, String> {
        if let Some(key) = self.membership.author_key(context.log.author) {
            return Ok(Some(key.clone()));
        }
        if context.kind == LogKind::Data || self.membership.creator().is_some() {
            return Ok(None);
        }
        let Some(page) = pages.first() else { return Ok(None) };
        let first = PageReader::new(context, page).and_then(|mut reader| reader.next()).map_err(|e| e.to_string())?;
        let Some(entry) = first.filter(|entry| entry.header.seq == 0) else { return Ok(None) };
        let PagePayload::Inline(payload) = entry.payload else { return Ok(None) };
        match Control::decode(payload) {
            Ok(Control::Genesis(genesis)) if genesis.space() == self.id => {
                genesis.creator.verifier().map(Some).map_err(|error| error.to_string())
            }
            _ => Ok(None),
        }
    }

    /// Whether a log may be held: its author has room for it, or a removal of the author names it, so that all nodes come to
    /// hold what still counts of one who opened too many.
    pub(super) fn has_room(&self, log: &LogKey) -> bool {
        let names = |remove: &Remove| remove.cuts.binary_search_by_key(&log.log, |cut| cut.log).is_ok();
        self.logs.contains_key(log)
            || self.logs.keys().filter(|held| held.author == log.author).count() < LOGS_PER_MEMBER_MAX
            || self.membership.removals(log.author).iter().any(|(_, remove)| names(remove))
    }

    /// The heads to cite now.
    pub(super) fn heads(&self) -> Arc<Heads> {
        self.membership.heads()
    }
}

impl LogState {
    fn empty(context: LogContext) -> LogState {
        LogState { context, tip: Tip::empty(), gaps: BTreeMap::new(), fork: None }
    }

    /// What the frontier says of the log: a forked one is held as far as its branches agree.
    pub(super) fn frontier(&self) -> LogFrontier {
        // Beyond a fork nodes may hold either branch; what they say they hold must not depend on which.
        let fork = self.fork.as_ref().filter(|fork| fork.seq <= self.tip.next_seq);
        let (next_seq, hash) = fork.map_or((self.tip.next_seq, self.tip.hash), |fork| (fork.seq, fork.common));
        LogFrontier {
            log: self.context.log,
            kind: self.context.kind,
            next_seq,
            hash,
            gaps: ranges(self.gaps.keys().copied().filter(|seq| *seq < next_seq), next_seq),
            forked: self.fork.is_some(),
        }
    }
}

/// The place of the first entry on pages, without reading them.
fn first_place(context: &LogContext, pages: &[Vec<u8>]) -> Result<u64, String> {
    let first = pages.first().ok_or(RunError::Length).and_then(|page| PageReader::new(context, page));
    first.map(|reader| reader.next_seq()).map_err(|error| error.to_string())
}

/// Places before `end` as ranges. Where they are too many, the last range goes on to the end: a node may say that it lacks
/// what it holds, never the other way round.
fn ranges(places: impl Iterator<Item = u64>, end: u64) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for place in places {
        let full = ranges.len() == GAPS_MAX;
        match ranges.last_mut() {
            Some((first, count)) if *first + *count == place => *count += 1,
            Some((first, count)) if full => {
                *count = end - *first;
                break;
            }
            _ => ranges.push((place, 1)),
        }
    }
    ranges
}

/// The control entries on pages that were verified before; a page that cannot be read ends them.
fn control_entries(context: &LogContext, pages: &[Vec<u8>]) -> Vec<ControlEntry> {
    let mut entries = Vec::new();
    for page in pages {
        let Ok(mut reader) = PageReader::new(context, page) else { break };
        while let Ok(Some(entry)) = reader.next() {
            let PagePayload::Inline(payload) = entry.payload else { break };
            entries.push(ControlEntry {
                reference: entry.reference(),
                heads: entry.header.heads.clone(),
                predecessor: entry.header.predecessor,
                payload: payload.to_vec(),
            });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_ranges() {
        assert_eq!(ranges([1, 2, 3, 7, 9, 10].into_iter(), 20), vec![(1, 3), (7, 1), (9, 2)]);
    }

    #[test]
    fn what_cannot_be_listed_counts_as_lacking() {
        let most = GAPS_MAX as u64;
        let every_second = |count: u64| (0..count).map(|place| 2 * place);
        let all = ranges(every_second(most), 10_000);
        assert_eq!((all.len(), all.last()), (GAPS_MAX, Some(&(2 * most - 2, 1))));
        let too_many = ranges(every_second(most + 1), 10_000);
        assert_eq!((too_many.len(), too_many.last()), (GAPS_MAX, Some(&(2 * most - 2, 10_000 - (2 * most - 2)))));
    }
}
