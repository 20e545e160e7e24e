//! Changes under trial: which of them Automerge can take, found without trying each by itself.

use std::collections::BTreeSet;

use automerge::Change;

use super::fault::{Applied, Fault};
use crate::{causality::Hash, prevalidate::ChangeFacts};

/// Changes that fail tried by themselves, in one call, before the rest is left for another time: each costs several copies of
/// the document.
const FAULTS_MAX: usize = 32;

/// A change that fits, as Automerge has it.
pub(super) struct Parsed<'a> {
    pub(super) facts: &'a ChangeFacts,
    pub(super) change: Change,
}

/// Changes under trial: all at once, and by halves where that fails, so that a bad one does not hold up the others.
#[derive(Default)]
pub(super) struct Trial {
    pub(super) outcome: Applied,
    /// What failed, and what builds on it.
    failed: BTreeSet<Hash>,
    /// How many failed tried by themselves.
    faults: usize,
}

impl Trial {
    /// With what is known before.
    pub(super) fn of(outcome: Applied) -> Self {
        Self { outcome, ..Self::default() }
    }

    /// Each of `changes` comes after those it builds on. `attempt` takes all it is given, or none.
    pub(super) fn run(
        &mut self,
        changes: &[&Parsed<'_>],
        attempt: &mut impl FnMut(&[&Parsed<'_>]) -> Result<(), Fault>,
    ) {
        let ready: Vec<&Parsed<'_>> = changes.iter().copied().filter(|parsed| self.is_ready(parsed.facts)).collect();
        match &ready[..] {
            [] => {}
            changes => match (attempt(changes), changes) {
                (Ok(()), _) => self.outcome.applied.extend(changes.iter().map(|parsed| parsed.facts.hash)),
                (Err(fault), [only]) => {
                    self.faults += 1;
                    self.fail(only.facts, fault);
                }
                (Err(_), _) => {
                    let (first, second) = changes.split_at(changes.len() / 2);
                    self.run(first, attempt);
                    self.run(second, attempt);
                }
            },
        }
    }

    /// Whether a change is worth trying; one that is not is told as a fault.
    fn is_ready(&mut self, facts: &ChangeFacts) -> bool {
        let why = if facts.dependencies.iter().any(|hash| self.failed.contains(hash)) {
            "not tried, since it builds on a change that failed"
        } else if self.faults >= FAULTS_MAX {
            "not tried, since too many others had failed"
        } else {
            return true;
        };
        self.fail(facts, Fault::Failed(why.to_owned()));
        false
    }

    pub(super) fn fail(&mut self, facts: &ChangeFacts, fault: Fault) {
        self.failed.insert(facts.hash);
        self.outcome.faults.push((facts.hash, fault));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use automerge::transaction::Transactable as _;

    use super::*;

    const ROME: [u8; 32] = [4; 32];

    /// What becomes of 1,000 changes of which those that `fails` names fail, and how often something was tried.
    fn trial(fails: impl Fn(u64) -> bool, below: impl Fn(u64) -> Vec<Hash>) -> (Applied, usize) {
        let name = |number: u64| prevalidated(number, below(number));
        let facts: Vec<ChangeFacts> = (0..1_000).map(name).collect();
        let mut document = automerge::Automerge::new();
        document.transact(|writing| writing.put(automerge::ROOT, "status", "draft")).unwrap();
        let change = document.get_last_local_change().unwrap();
        let parsed: Vec<Parsed<'_>> = facts.iter().map(|facts| Parsed { facts, change: change.clone() }).collect();
        let (mut trial, mut tries) = (Trial::default(), 0);
        trial.run(&parsed.iter().collect::<Vec<_>>(), &mut |changes| {
            tries += 1;
            match changes.iter().any(|parsed| fails(parsed.facts.seq)) {
                true => Err(Fault::Failed("bad".to_owned())),
                false => Ok(()),
            }
        });
        (trial.outcome, tries)
    }

    fn hash(number: u64) -> Hash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    fn prevalidated(number: u64, dependencies: Vec<Hash>) -> ChangeFacts {
        let (hash, actor) = (hash(number), ROME);
        ChangeFacts { hash, actor, dependencies, seq: number, start_op: 1, operations: 1, self_contained: true }
    }

    #[test]
    fn bad_changes_are_found_by_halves_and_too_many_of_them_end_the_search() {
        let (found, tries) = trial(|number| number % 400 == 7, |_| vec![]);
        assert_eq!((found.applied.len(), found.faults.len()), (997, 3));
        assert!(tries < 64, "{tries}");
        let (all, tries) = trial(|_| true, |_| vec![]);
        assert_eq!((all.applied.len(), all.faults.len()), (0, 1_000));
        assert!(tries < 128, "{tries}");
        assert_eq!(all.faults.iter().filter(|(_, why)| *why == Fault::Failed("bad".to_owned())).count(), FAULTS_MAX);
    }

    #[test]
    fn what_builds_on_a_bad_change_is_not_tried_and_not_taken() {
        let below = |number: u64| if number % 2 == 1 { vec![hash(number - 1)] } else { vec![] };
        let (found, _) = trial(|number| number == 6, below);
        let names: Vec<Hash> = found.faults.iter().map(|(hash, _)| *hash).collect();
        assert_eq!(names, [hash(6), hash(7)]);
        assert_eq!(found.applied.len(), 998);
    }
}
