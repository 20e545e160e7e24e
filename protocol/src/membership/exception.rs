//! The dependency exception: which quarantined data entries are applied after all, because entries of remaining members
//! stand on them. A pure function of the entries' standings, dependencies, heads, and logs.
//!
//! An Automerge change cannot be applied without those it depends on. So an entry beyond a cut is lifted when an accepted
//! entry of a remaining member, written before its author knew of the removal, depends on it; directly, or through
//! entries that are applied. Only cuts and forks are lifted, never a lack of rights, and never control entries.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    clock::Clock,
    roll::Membership,
    standing::{Reason, Standing},
};
use crate::{
    control::Role,
    entry::{EntryRef, Heads, LogKey},
    id::NodeId,
};

/// A data entry, as far as the exception has to know it.
#[derive(Clone, Debug)]
pub struct DataEntry {
    /// Which entry.
    pub reference: EntryRef,
    /// What [`Membership::standing`] says of it.
    pub standing: Standing,
    /// The control heads that it cites.
    pub heads: Arc<Heads>,
    /// The entries whose changes its change depends on.
    pub dependencies: Vec<EntryRef>,
}

/// A data log, as far as the exception has to know it.
#[derive(Clone, Debug)]
pub struct DataLog {
    /// Which log.
    pub log: LogKey,
    /// Where the author's preceding data log ended, as the first entry names it.
    pub predecessor: Option<EntryRef>,
    /// The cited heads where they change, in order.
    pub cited: Vec<Arc<Heads>>,
}

/// Finds the entries that the exception lifts.
///
/// `entries` are all entries on which anything accepted may depend, or a part of them that is closed under dependency in
/// both directions; `logs` are all data logs of their authors.
pub fn lifted(membership: &Membership, entries: &[DataEntry], logs: &[DataLog]) -> BTreeSet<EntryRef> {
    let by_reference: BTreeMap<EntryRef, &DataEntry> = entries.iter().map(|entry| (entry.reference, entry)).collect();
    let reasons: BTreeSet<&[EntryRef]> = entries.iter().filter_map(|entry| liftable(&entry.standing)).collect();
    let mut lifted = BTreeSet::new();
    if reasons.is_empty() {
        return lifted;
    }
    let witnesses = Witnesses::new(membership, entries, logs);
    // What one reason lifts may open a way to what another one holds back.
    loop {
        let before = lifted.len();
        for removals in &reasons {
            let vouching = entries.iter().filter(|entry| witnesses.vouches(entry, removals));
            lift(removals, vouching, &by_reference, &mut lifted);
        }
        if lifted.len() == before {
            return lifted;
        }
    }
}

/// The removals that hold an entry back, if it is one that can be lifted; none of them for a fork.
fn liftable(standing: &Standing) -> Option<&[EntryRef]> {
    match standing {
        Standing::Quarantined(Reason::Cut { by }) => Some(by),
        Standing::Quarantined(Reason::Fork) => Some(&[]),
        Standing::Quarantined(_) | Standing::Accepted | Standing::Waiting => None,
    }
}

/// Lifts what is held back by exactly `removals` and lies below `vouching`, going through applied entries only.
fn lift<'a>(
    removals: &[EntryRef],
    vouching: impl Iterator<Item = &'a DataEntry>,
    entries: &BTreeMap<EntryRef, &'a DataEntry>,
    lifted: &mut BTreeSet<EntryRef>,
) {
    let mut seen: BTreeSet<EntryRef> = BTreeSet::new();
    let mut open: Vec<&DataEntry> = vouching.collect();
    while let Some(entry) = open.pop() {
        for dependency in entry.dependencies.iter().filter_map(|dependency| entries.get(dependency)) {
            if liftable(&dependency.standing) == Some(removals) {
                lifted.insert(dependency.reference);
            }
            let applied = dependency.standing == Standing::Accepted || lifted.contains(&dependency.reference);
            if applied && seen.insert(dependency.reference) {
                open.push(dependency);
            }
        }
    }
}

/// What tells whether an entry was written before its author knew of a removal.
struct Witnesses<'a> {
    membership: &'a Membership,
    clocks: BTreeMap<[u8; 32], Clock>,
    logs: BTreeMap<LogKey, &'a DataLog>,
    by_author: BTreeMap<NodeId, Vec<&'a DataLog>>,
}

impl<'a> Witnesses<'a> {
    fn new(membership: &'a Membership, entries: &[DataEntry], logs: &'a [DataLog]) -> Witnesses<'a> {
        let cited = entries.iter().map(|entry| &entry.heads).chain(logs.iter().flat_map(|log| &log.cited));
        let mut clocks = BTreeMap::new();
        for heads in cited {
            if !clocks.contains_key(heads.hash()) {
                clocks.extend(membership.graph.clock(heads).map(|clock| (*heads.hash(), clock)));
            }
        }
        let mut by_author: BTreeMap<NodeId, Vec<&DataLog>> = BTreeMap::new();
        for log in logs {
            by_author.entry(log.log.author).or_default().push(log);
        }
        Witnesses { membership, clocks, logs: logs.iter().map(|log| (log.log, log)).collect(), by_author }
    }

    /// Whether `entry` is an accepted one of a remaining member who, as far as its logs show, knew of none of `removals`.
    fn vouches(&self, entry: &DataEntry, removals: &[EntryRef]) -> bool {
        let author = entry.reference.log.author;
        entry.standing == Standing::Accepted
            && self.membership.role(author).is_some_and(Role::writes)
            && removals.iter().all(|removal| {
                self.has_seen(&entry.heads, removal) == Some(false)
                    && self
                        .others_knowing(author, &entry.reference, removal)
                        .all(|log| self.follows(log, &entry.reference))
            })
    }

    fn has_seen(&self, heads: &Heads, removal: &EntryRef) -> Option<bool> {
        let removal = self.membership.graph.link(self.membership.graph.find(removal)?);
        self.clocks.get(heads.hash()).map(|clock| clock.covers(removal.log, removal.seq()))
    }

    /// The author's other logs that hold an entry that cites the removal.
    fn others_knowing<'b>(
        &'b self,
        author: NodeId,
        entry: &'b EntryRef,
        removal: &'b EntryRef,
    ) -> impl Iterator<Item = &'b DataLog> {
        let logs = self.by_author.get(&author).into_iter().flatten().copied();
        logs.filter(move |log| log.log != entry.log)
            .filter(move |log| log.cited.iter().any(|heads| self.has_seen(heads, removal) == Some(true)))
    }

    /// Whether `log` was opened after `entry` was written: its predecessors lead to the entry's log, at or after it.
    fn follows(&self, log: &DataLog, entry: &EntryRef) -> bool {
        let mut log = log;
        // A chain of predecessors is no longer than there are logs; a longer one goes round in a circle.
        for _ in 0..self.logs.len() {
            match log.predecessor {
                Some(end) if end.log == entry.log => return end.seq >= entry.seq,
                Some(end) if end.log.author == entry.log.author => match self.logs.get(&end.log) {
                    Some(earlier) => log = earlier,
                    None => return false,
                },
                _ => return false,
            }
        }
        false
    }
}
