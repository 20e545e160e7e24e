//! Standing: whether a data entry is applied. It depends on the entry's position and heads and on the control entries,
//! never on when or whence the entry came.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    clock::Clock,
    fold::{at_or_below, cuts, reopened, role_known},
    graph::{Body, Index},
    ledger::Rank,
    roll::Membership,
};
use crate::{
    control::Role,
    entry::{EntryRef, Heads},
    id::{EpochId, NodeId},
};

/// What decides about a data entry.
#[derive(Clone, Copy, Debug)]
pub struct DataPosition<'a> {
    /// Which entry.
    pub reference: EntryRef,
    /// The control heads that it cites.
    pub heads: &'a Arc<Heads>,
    /// The control heads that the first entry of its log cites.
    pub opening_heads: &'a Heads,
    /// The heads that the entry named as predecessor of the log cites; none where the log names none, or it is not held.
    pub predecessor_heads: Option<&'a Heads>,
    /// The heads of the nearest entry before it in its log that did not itself regress; none for the first.
    pub previous_heads: Option<&'a Arc<Heads>>,
    /// The epoch that it is written under.
    pub epoch: Option<EpochId>,
}

/// Whether a data entry is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing", content = "reason")]
pub enum Standing {
    /// It is.
    Accepted,
    /// It cites control entries that are not held.
    Waiting,
    /// It is held and passed on, but not applied.
    Quarantined(Reason),
}

/// Why a data entry is quarantined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Reason {
    /// Its author may not write, at the heads that it cites.
    Role {
        /// What the author may do there; none for one who is no member.
        role: Option<Role>,
    },
    /// It cites less than its author had cited before.
    Regressed,
    /// It lies beyond where a removal of its author, or of the one who made its author a member, cut the log.
    Cut {
        /// The removals that cut it, sorted.
        by: Vec<EntryRef>,
    },
    /// Its author signed two entries at one place, and it lies beyond the last one before them.
    Fork,
    /// It is not written under an epoch that was good for it.
    Epoch,
}

impl Reason {
    /// Whether entries of remaining members that depend on the entry can lift the quarantine (`exception`).
    pub fn is_liftable(&self) -> bool {
        matches!(self, Reason::Cut { .. } | Reason::Fork)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Role { role: None } => f.write_str("its author was not a member"),
            Reason::Role { role: Some(_) } => f.write_str("its author was not allowed to write"),
            Reason::Regressed => f.write_str("it cites less of the membership than its author had cited before"),
            Reason::Cut { .. } => f.write_str("it was written after what a removal left standing"),
            Reason::Fork => f.write_str("its author signed two different entries at one place of the log"),
            Reason::Epoch => f.write_str("it is not encrypted under an epoch that was good at the time"),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Accepted => f.write_str("accepted"),
            Standing::Waiting => f.write_str("waiting for membership entries"),
            Standing::Quarantined(reason) => write!(f, "quarantined: {reason}"),
        }
    }
}

/// What [`Membership::standing`] remembers between entries: one for each membership, kept for as long as it pays.
#[derive(Clone, Debug, Default)]
pub struct StandingCache {
    revision: u64,
    /// The last answer of [`Membership::authority`] and what it was for: most entries ask what the one before asked.
    last: Option<(Question, Verdict)>,
    verdicts: BTreeMap<Question, Verdict>,
}

/// Past this many answers the cache starts anew.
const VERDICTS_MAX: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    author: NodeId,
    heads: [u8; 32],
    epoch: Option<EpochId>,
}

/// What holds for every entry of one author with the same heads and epoch.
#[derive(Clone, Debug)]
struct Verdict {
    /// None when a head is not held.
    clock: Option<Arc<Clock>>,
    authority: Result<(), Reason>,
    epoch: bool,
}

impl Membership {
    /// The standing of a data entry.
    pub fn standing(&self, position: &DataPosition<'_>, cache: &mut StandingCache) -> Standing {
        let verdict = self.verdict(position, cache);
        let Some(clock) = &verdict.clock else { return Standing::Waiting };
        if self.regresses(position, clock) {
            return Standing::Quarantined(Reason::Regressed);
        }
        if let Err(reason @ Reason::Role { .. }) = &verdict.authority {
            return Standing::Quarantined(reason.clone());
        }
        if !verdict.epoch {
            return Standing::Quarantined(Reason::Epoch);
        }
        // What can be lifted comes last: nothing else may stand against an entry that the exception takes up.
        if let Err(reason) = verdict.authority {
            return Standing::Quarantined(reason);
        }
        let by = self.data_cuts(&position.reference, position.opening_heads);
        if !by.is_empty() {
            return Standing::Quarantined(Reason::Cut { by });
        }
        match self.fork(&position.reference.log) {
            Some(count) if position.reference.seq >= count => Standing::Quarantined(Reason::Fork),
            _ => Standing::Accepted,
        }
    }

    /// The removals of its author that cut an entry off, sorted: it lies beyond their cut, and its log was not opened
    /// after a later grant. With the entry that a node would write next, this tells whether it must open a new log.
    pub fn data_cuts(&self, entry: &EntryRef, opening_heads: &Heads) -> Vec<EntryRef> {
        let (graph, accepted, top) = (&*self.graph, &self.fold.accepted, &self.fold.top);
        let author = entry.log.author;
        let mut opening = None;
        let cutting = |removal: &Index| {
            let Body::Remove(remove) = &graph.link(*removal).body else { return false };
            if at_or_below(remove, entry) {
                return false;
            }
            let opening = opening.get_or_insert_with(|| graph.clock(opening_heads).unwrap_or_default());
            !reopened(graph, accepted, author, *removal, opening, Rank::Any, top)
        };
        let mut by: Vec<EntryRef> = accepted
            .removals(author, Rank::Any, top)
            .filter(cutting)
            .map(|removal| graph.link(removal).reference)
            .collect();
        by.sort_unstable();
        by
    }

    fn regresses(&self, position: &DataPosition<'_>, clock: &Clock) -> bool {
        let goes_back = |earlier: &Heads| self.graph.clock(earlier).is_none_or(|earlier| !clock.includes(&earlier));
        match position.previous_heads {
            // What came before did not regress, so it had seen everything that the predecessor had.
            Some(previous) => previous != position.heads && goes_back(previous),
            None => position.predecessor_heads.is_some_and(goes_back),
        }
    }

    fn verdict(&self, position: &DataPosition<'_>, cache: &mut StandingCache) -> Verdict {
        if cache.revision != self.revision() || cache.verdicts.len() >= VERDICTS_MAX {
            *cache = StandingCache { revision: self.revision(), ..StandingCache::default() };
        }
        let author = position.reference.log.author;
        let question = Question { author, heads: *position.heads.hash(), epoch: position.epoch };
        if let Some((_, verdict)) = cache.last.as_ref().filter(|(last, _)| *last == question) {
            return verdict.clone();
        }
        let verdict = match cache.verdicts.get(&question) {
            Some(verdict) => verdict.clone(),
            None => self.judge_heads(author, position.heads, position.epoch),
        };
        cache.verdicts.insert(question.clone(), verdict.clone());
        cache.last = Some((question, verdict.clone()));
        verdict
    }

    fn judge_heads(&self, author: NodeId, heads: &Heads, epoch: Option<EpochId>) -> Verdict {
        let Some(clock) = self.graph.clock(heads) else {
            return Verdict { clock: None, authority: Ok(()), epoch: false };
        };
        let epoch = epoch.is_some_and(|epoch| self.epochs.may_write(&self.graph, &self.proposed, &epoch, &clock));
        Verdict { authority: self.authority(author, &clock), epoch, clock: Some(Arc::new(clock)) }
    }

    /// Whether `author` may write at `clock`. One who might have, as known there, and lost it because a removal cut off
    /// the grant, is treated like one cut by that removal: others have built on its work in good faith.
    fn authority(&self, author: NodeId, clock: &Clock) -> Result<(), Reason> {
        let role = self.fold.role(&self.graph, author, clock).map(|(role, _)| role);
        if role.is_some_and(Role::writes) {
            return Ok(());
        }
        let by = self.lost_by(author, clock);
        if by.is_empty() { Err(Reason::Role { role }) } else { Err(Reason::Cut { by }) }
    }

    /// The removals that cut off the grant by which `author` could write, as known at `clock`.
    fn lost_by(&self, author: NodeId, clock: &Clock) -> Vec<EntryRef> {
        let known = role_known(&self.graph, &self.proposed, author, clock);
        let Some((_, grant)) = known.filter(|(role, _)| role.writes()) else { return Vec::new() };
        let link = self.graph.link(grant);
        let cuts = cuts(&self.graph, &self.fold.accepted, link, Rank::Root, &self.fold.top);
        let mut by: Vec<EntryRef> = cuts.map(|removal| self.graph.link(removal).reference).collect();
        by.sort_unstable();
        by
    }
}
