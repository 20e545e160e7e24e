//! Which changes of a document are applied: a pure function of the entries held and of membership, whatever the order in
//! which they came.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portolan_protocol::{
    entry::{EntryRef, Heads},
    membership::{DataEntry, DataLog, Membership, Reason, Standing, lifted},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Whether a change is applied, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing", content = "reason")]
pub enum ChangeStanding {
    /// It is.
    Accepted,
    /// It is, though its author was removed before: an entry of a remaining member stands on it.
    Lifted,
    /// It stands on entries that are not held, or not applied.
    Waiting,
    /// It cites control entries that are not held.
    WaitingForMembership,
    /// Held back by membership.
    Quarantined(Reason),
    /// It is no change that records are made of.
    Refused(String),
}

impl ChangeStanding {
    /// Whether the change is applied.
    pub fn is_applied(&self) -> bool {
        matches!(self, ChangeStanding::Accepted | ChangeStanding::Lifted)
    }
}

/// A change of a document, from its row.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) reference: EntryRef,
    pub(super) log: u32,
    pub(super) time: Timestamp,
    pub(super) standing: Standing,
    /// Where in its log the heads that it cites were first cited.
    pub(super) cited: u64,
    /// The hash of the change, or why there is none.
    pub(super) change: Result<[u8; 32], String>,
    pub(super) dependencies: Vec<EntryRef>,
}

impl Fact {
    pub(super) fn is_liftable(&self) -> bool {
        matches!(&self.standing, Standing::Quarantined(reason) if reason.is_liftable())
    }
}

/// What the exception has to know beside the facts: the heads that each cites, and the logs of all their authors.
pub(super) struct Surroundings {
    pub(super) heads: Vec<Arc<Heads>>,
    pub(super) logs: Vec<DataLog>,
}

/// The entries that the exception lifts.
pub(super) fn lifts(membership: &Membership, facts: &[Fact], around: &Surroundings) -> BTreeSet<EntryRef> {
    let entry = |(fact, heads): (&Fact, &Arc<Heads>)| DataEntry {
        reference: fact.reference,
        standing: fact.standing.clone(),
        heads: heads.clone(),
        dependencies: fact.dependencies.clone(),
    };
    // What holds no change vouches for nothing.
    let entries: Vec<DataEntry> =
        facts.iter().zip(&around.heads).filter(|(fact, _)| fact.change.is_ok()).map(entry).collect();
    lifted(membership, &entries, &around.logs)
}

/// The standing of each of `facts`, which are all changes of one document; dependencies come first in the order returned.
pub(super) fn standings(facts: &[Fact], lifted: &BTreeSet<EntryRef>) -> (Vec<ChangeStanding>, Vec<usize>) {
    let mut standings: Vec<ChangeStanding> = facts.iter().map(|fact| by_itself(fact, lifted)).collect();
    let places: BTreeMap<EntryRef, usize> =
        facts.iter().enumerate().map(|(place, fact)| (fact.reference, place)).collect();
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); facts.len()];
    let mut awaited: Vec<usize> = vec![0; facts.len()];
    for (place, fact) in facts.iter().enumerate() {
        for dependency in &fact.dependencies {
            awaited[place] += 1;
            if let Some(dependency) = places.get(dependency) {
                behind[*dependency].push(place);
            }
        }
    }
    let mut ready: Vec<usize> =
        (0..facts.len()).rev().filter(|place| awaited[*place] == 0 && standings[*place].is_applied()).collect();
    let mut order = Vec::new();
    while let Some(place) = ready.pop() {
        order.push(place);
        for next in &behind[place] {
            awaited[*next] -= 1;
            if awaited[*next] == 0 && standings[*next].is_applied() {
                ready.push(*next);
            }
        }
    }
    let applied: BTreeSet<usize> = order.iter().copied().collect();
    for (place, standing) in standings.iter_mut().enumerate() {
        if standing.is_applied() && !applied.contains(&place) {
            *standing = ChangeStanding::Waiting;
        }
    }
    (standings, order)
}

fn by_itself(fact: &Fact, lifted: &BTreeSet<EntryRef>) -> ChangeStanding {
    if let Err(why) = &fact.change {
        return ChangeStanding::Refused(why.clone());
    }
    match &fact.standing {
        Standing::Accepted => ChangeStanding::Accepted,
        Standing::Waiting => ChangeStanding::WaitingForMembership,
        Standing::Quarantined(_) if lifted.contains(&fact.reference) => ChangeStanding::Lifted,
        Standing::Quarantined(reason) => ChangeStanding::Quarantined(reason.clone()),
    }
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        entry::LogKey,
        id::{EntryHash, LogId, NodeId},
    };

    use super::*;

    fn fact(place: u8, standing: Standing, dependencies: &[&Fact]) -> Fact {
        let log = LogKey { author: NodeId([1; 32]), log: LogId([2; 16]) };
        Fact {
            reference: EntryRef { log, seq: u64::from(place), hash: EntryHash([place; 32]) },
            log: 0,
            time: Timestamp(0),
            standing,
            cited: 0,
            change: Ok([place; 32]),
            dependencies: dependencies.iter().map(|fact| fact.reference).collect(),
        }
    }

    #[test]
    fn a_change_waits_for_everything_it_stands_on() {
        let absent = fact(9, Standing::Accepted, &[]);
        let held_back = fact(1, Standing::Quarantined(Reason::Fork), &[]);
        let first = fact(2, Standing::Accepted, &[]);
        let second = fact(3, Standing::Accepted, &[&first]);
        let third = fact(4, Standing::Accepted, &[&second, &held_back]);
        let fourth = fact(5, Standing::Accepted, &[&absent]);
        let fifth = fact(6, Standing::Accepted, &[&fourth]);
        let lifting: BTreeSet<EntryRef> = [held_back.reference].into();
        let facts = [fifth, fourth, third, second, first, held_back];
        let (judged, order) = standings(&facts, &BTreeSet::new());
        let expected = [
            ChangeStanding::Waiting,
            ChangeStanding::Waiting,
            ChangeStanding::Waiting,
            ChangeStanding::Accepted,
            ChangeStanding::Accepted,
            ChangeStanding::Quarantined(Reason::Fork),
        ];
        assert_eq!((&judged[..], &order[..]), (&expected[..], &[4, 3][..]));
        let (judged, order) = standings(&facts, &lifting);
        assert_eq!(judged[5], ChangeStanding::Lifted);
        assert_eq!(judged[2], ChangeStanding::Accepted);
        assert_eq!(order.last(), Some(&2));
    }
}
