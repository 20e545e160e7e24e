//! Whether a change fits the changes it builds on: decided from its dependencies alone, so every node decides the same,
//! whatever else it holds and in whatever order that came. It knows numbers and references, no content.
//!
//! What is below a change is told by a clock. The changes of a document are laid in chains, each change of a chain below the
//! next; a clock has for every chain the last change that is below. A document that is edited in turns is one chain, however
//! many actors it has, and there are about as many chains as there were ever people who wrote at the same time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portolan_protocol::limits::ACTOR_BYTES;
use thiserror::Error;

use crate::prevalidate::{ChangeFacts, SafeChange};

/// Places in clocks, of all changes of a document together, before it is left unopened: a local limit.
const CLOCK_PLACES_MAX: usize = 8_000_000;

/// A hash of a change.
pub type Hash = [u8; 32];

type Actor = [u8; ACTOR_BYTES];

/// Why a change does not fit what it builds on. The same on every node that holds what the change names.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// It builds on a change that is not there.
    #[error("it builds on a change that is not there")]
    MissingDependency(Hash),
    /// Its operations do not begin right after those it builds on.
    #[error("its operations begin at {actual}; after what it builds on they begin at {expected}")]
    Counter {
        /// Where they should begin.
        expected: u64,
        /// Where they begin.
        actual: u64,
    },
    /// Its number is not the next one of its actor, or it does not build on the one before.
    #[error("its number {0} does not follow that of a change of the same actor that it builds on")]
    Sequence(u64),
    /// Another change of the same actor with the same number is there already.
    #[error("another change of the same actor has its number {0}")]
    Fork(u64),
    /// It names an operation, by this counter, that is in no change it builds on.
    #[error("it refers to an operation with counter {0} that is not among those it builds on")]
    Reference(u64),
}

/// The changes of a document have become too entangled for this node: a local limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("more versions were written at the same time than this node can keep apart")]
pub struct Entangled;

/// A change that is in the document.
#[derive(Clone, Debug)]
pub struct Known {
    /// Which.
    pub hash: Hash,
    /// Whose.
    pub actor: [u8; ACTOR_BYTES],
    /// The counter of its first operation.
    pub start_op: u64,
    /// The counter of its last operation.
    pub max_op: u64,
    /// What it builds on.
    pub dependencies: Vec<Hash>,
}

/// Changes that fit one another, and what is below each.
#[derive(Debug, Default)]
pub struct Causality {
    placed: Vec<Placed>,
    by_hash: BTreeMap<Hash, usize>,
    /// The changes of each actor by number, from 1.
    by_actor: BTreeMap<Actor, Vec<usize>>,
    /// The last change of each chain.
    tips: Vec<u32>,
    places: usize,
    operations: u64,
}

#[derive(Debug)]
struct Placed {
    actor: Actor,
    /// Its number among the changes of its actor.
    seq: u64,
    start_op: u64,
    max_op: u64,
    /// The change itself and everything below.
    clock: Clock,
}

/// For every chain the last change in it. Those of a chain of changes share all but the last place.
#[derive(Clone, Debug, Default)]
struct Clock {
    /// By chain. Of the chain of `last` it may know an earlier change.
    shared: Arc<[(u32, u32)]>,
    last: Option<(u32, u32)>,
}

impl Clock {
    fn len(&self) -> usize {
        self.shared.len() + usize::from(self.last.is_some())
    }

    fn places(&self) -> impl Iterator<Item = (u32, u32)> {
        self.shared.iter().copied().chain(self.last)
    }

    fn at(&self, chain: u32) -> Option<u32> {
        match self.last {
            Some((last, index)) if last == chain => Some(index),
            _ => {
                let place = self.shared.binary_search_by_key(&chain, |(chain, _)| *chain).ok()?;
                self.shared.get(place).map(|(_, index)| *index)
            }
        }
    }

    /// Whether `placed` is below.
    fn covers(&self, placed: &Placed) -> bool {
        placed.clock.last.is_some_and(|(chain, index)| self.at(chain) >= Some(index))
    }

    /// The places in one list: of each chain the last change that any of `clocks` has.
    fn joined(clocks: &[&Clock]) -> Vec<(u32, u32)> {
        let mut places: Vec<(u32, u32)> = clocks.iter().flat_map(|clock| clock.places()).collect();
        // Each is sorted but for its end, which this sort makes use of.
        places.sort_by_key(|(chain, index)| (*chain, u32::MAX - index));
        places.dedup_by_key(|(chain, _)| *chain);
        places
    }
}

impl Causality {
    /// Takes up the changes of a document, which were admitted before.
    ///
    /// # Errors
    /// [`Entangled`].
    pub fn of(mut known: Vec<Known>) -> Result<Self, Entangled> {
        // What builds on a change begins after it.
        known.sort_unstable_by_key(|known| known.start_op);
        let mut causality = Self::default();
        for Known { hash, actor, start_op, max_op, dependencies } in known {
            let dependencies: Vec<usize> =
                dependencies.iter().filter_map(|hash| causality.by_hash.get(hash)).copied().collect();
            let below = causality.below(&dependencies)?;
            causality.place(hash, actor, (start_op, max_op), below)?;
        }
        Ok(causality)
    }

    /// Whether the change is among them.
    pub fn holds(&self, change: &Hash) -> bool {
        self.by_hash.contains_key(change)
    }

    /// The operations of all of them, deletions too.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Takes a change in if it fits what it builds on.
    ///
    /// # Errors
    /// [`Entangled`]. The inner one is [`Unfit`], a judgement; the change is not among them then.
    pub fn admit(&mut self, change: &SafeChange) -> Result<Result<(), Unfit>, Entangled> {
        let facts = change.facts();
        let dependencies = match self.follows(facts) {
            Ok(dependencies) => dependencies,
            Err(unfit) => return Ok(Err(unfit)),
        };
        let below = self.below(&dependencies)?;
        if let Some(counter) = self.outside(change, &below) {
            return Ok(Err(Unfit::Reference(counter)));
        }
        let max_op = facts.start_op.saturating_add(facts.operations).saturating_sub(1);
        self.place(facts.hash, facts.actor, (facts.start_op, max_op), below)?;
        Ok(Ok(()))
    }

    /// Automerge's own changes name all heads and the actor's change before, and count on from the highest of them.
    fn follows(&self, facts: &ChangeFacts) -> Result<Vec<usize>, Unfit> {
        let (mut highest, mut previous) = (0, 0);
        let mut places = Vec::with_capacity(facts.dependencies.len());
        for hash in &facts.dependencies {
            let place = *self.by_hash.get(hash).ok_or(Unfit::MissingDependency(*hash))?;
            let dependency = &self.placed[place];
            highest = highest.max(dependency.max_op);
            if dependency.actor == facts.actor {
                previous = previous.max(dependency.seq);
            }
            places.push(place);
        }
        let (expected, actual) = (highest + 1, facts.start_op);
        if actual != expected {
            return Err(Unfit::Counter { expected, actual });
        }
        if facts.seq != previous + 1 {
            return Err(Unfit::Sequence(facts.seq));
        }
        if self.by_actor.get(&facts.actor).is_some_and(|changes| changes.len() as u64 >= facts.seq) {
            return Err(Unfit::Fork(facts.seq));
        }
        Ok(places)
    }

    /// The counter of an operation that `change` names and that is in no change below it.
    fn outside(&self, change: &SafeChange, below: &Clock) -> Option<u64> {
        let mut outside = None;
        // Neighbouring operations mostly name the same change, which was found to be below then.
        let mut last: Option<&Placed> = None;
        let read = change.references(|actor, counter| {
            let is_in =
                |placed: &Placed| (placed.start_op..=placed.max_op).contains(&counter) && placed.actor == *actor;
            if outside.is_some() || last.is_some_and(is_in) {
                return;
            }
            match self.with(actor, counter).filter(|placed| below.covers(placed)) {
                Some(placed) => last = Some(placed),
                None => outside = Some(counter),
            }
        });
        outside.or_else(|| read.is_err().then_some(0))
    }

    /// The change with an operation.
    fn with(&self, actor: &Actor, counter: u64) -> Option<&Placed> {
        // An actor's changes build on one another, so their counters rise.
        let changes = self.by_actor.get(actor)?;
        let after = changes.partition_point(|place| self.placed[*place].start_op <= counter);
        let placed = &self.placed[*changes.get(after.checked_sub(1)?)?];
        (counter <= placed.max_op).then_some(placed)
    }

    /// The clock of everything that a change with these dependencies builds on.
    fn below(&mut self, dependencies: &[usize]) -> Result<Clock, Entangled> {
        let clocks: Vec<&Clock> = dependencies.iter().map(|place| &self.placed[*place].clock).collect();
        match &clocks[..] {
            [] => Ok(Clock::default()),
            [only] => Ok((*only).clone()),
            _ => {
                let spent = clocks.iter().map(|clock| clock.len()).sum();
                let joined = Clock::joined(&clocks);
                self.spend(spent)?;
                Ok(Clock { shared: joined.into(), last: None })
            }
        }
    }

    /// Lays a change into a chain.
    fn place(&mut self, hash: Hash, actor: Actor, ops: (u64, u64), below: Clock) -> Result<(), Entangled> {
        let is_tip = |(chain, index): &(u32, u32)| self.tips.get(*chain as usize) == Some(index);
        let (shared, tip) = match below.last {
            Some(last) if is_tip(&last) => (below.shared, Some(last)),
            None => {
                let tip = below.shared.iter().copied().find(is_tip);
                (below.shared, tip)
            }
            Some(_) => {
                let places = Clock::joined(&[&below]);
                let tip = places.iter().copied().find(is_tip);
                self.spend(places.len())?;
                (places.into(), tip)
            }
        };
        let (chain, index) = match tip {
            Some((chain, index)) => (chain, index.saturating_add(1)),
            None => (u32::try_from(self.tips.len()).map_err(|_| Entangled)?, 0),
        };
        match self.tips.get_mut(chain as usize) {
            Some(tip) => *tip = index,
            None => self.tips.push(index),
        }
        let place = self.placed.len();
        let changes = self.by_actor.entry(actor).or_default();
        changes.push(place);
        let seq = changes.len() as u64;
        let (start_op, max_op) = ops;
        self.operations = self.operations.saturating_add(max_op.saturating_add(1).saturating_sub(start_op));
        self.by_hash.insert(hash, place);
        self.placed.push(Placed { actor, seq, start_op, max_op, clock: Clock { shared, last: Some((chain, index)) } });
        Ok(())
    }

    fn spend(&mut self, places: usize) -> Result<(), Entangled> {
        self.places = self.places.saturating_add(places);
        if self.places > CLOCK_PLACES_MAX { Err(Entangled) } else { Ok(()) }
    }
}

/// Sorts changes so that each comes after what it builds on, leaving out what is there or does not fit.
///
/// Among those that could come next it takes the lowest hash, so that a set is gone through alike everywhere.
///
/// # Errors
/// [`Entangled`].
pub fn in_order(
    causality: &mut Causality,
    changes: &BTreeMap<Hash, &SafeChange>,
    unfit: &mut Vec<(Hash, Unfit)>,
) -> Result<Vec<Hash>, Entangled> {
    let mut behind: BTreeMap<Hash, Vec<Hash>> = BTreeMap::new();
    let mut awaited: BTreeMap<Hash, usize> = BTreeMap::new();
    let is_new = |hash: &Hash| !causality.holds(hash);
    for (hash, change) in changes.iter().filter(|(hash, _)| is_new(hash)) {
        let inside = change.facts().dependencies.iter().filter(|dep| is_new(dep) && changes.contains_key(*dep));
        let mut count = 0;
        for dep in inside {
            behind.entry(*dep).or_default().push(*hash);
            count += 1;
        }
        awaited.insert(*hash, count);
    }
    let mut ready: BTreeSet<Hash> = awaited.iter().filter(|&(_, &left)| left == 0).map(|(hash, _)| *hash).collect();
    let mut sorted = Vec::new();
    while let Some(hash) = ready.pop_first() {
        let Some(change) = changes.get(&hash) else { continue };
        match causality.admit(change)? {
            Ok(()) => sorted.push(hash),
            Err(why) => unfit.push((hash, why)),
        }
        for next in behind.remove(&hash).unwrap_or_default() {
            if let Some(left) = awaited.get_mut(&next) {
                *left -= 1;
                if *left == 0 {
                    ready.insert(next);
                }
            }
        }
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Numbers from 0 to `most`, the same in every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % most
        }
    }

    fn hash(number: u64) -> Hash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    /// A change by an actor of its own, as after a start.
    fn change(number: u64, height: u64, on: &[u64]) -> Known {
        let dependencies = on.iter().map(|number| hash(*number)).collect();
        Known { hash: hash(number), actor: hash(number), start_op: height, max_op: height, dependencies }
    }

    #[test]
    fn a_clock_covers_exactly_what_is_below() {
        let mut dice = Dice(7);
        for spread in [1, 2, 3, 8, 60] {
            let (mut changes, mut below, mut heights) = (Vec::new(), Vec::<BTreeSet<u64>>::new(), Vec::new());
            for number in 0..60_u64 {
                let count = if number == 0 { 0 } else { dice.below(4) };
                let on: BTreeSet<u64> = (0..count).map(|_| number - 1 - dice.below(spread.min(number))).collect();
                let mut covered: BTreeSet<u64> = on.iter().flat_map(|on| below[*on as usize].clone()).collect();
                covered.insert(number);
                let height = 1 + on.iter().map(|on| heights[*on as usize]).max().unwrap_or(0);
                changes.push(change(number, height, &on.into_iter().collect::<Vec<_>>()));
                below.push(covered);
                heights.push(height);
            }
            changes.reverse();
            let causality = Causality::of(changes).unwrap();
            let placed = |number: u64| &causality.placed[causality.by_hash[&hash(number)]];
            for number in 0..60 {
                for other in 0..60 {
                    let covers = placed(number).clock.covers(placed(other));
                    assert_eq!(covers, below[number as usize].contains(&other), "{other} below {number}");
                }
            }
        }
    }

    #[test]
    fn a_document_edited_in_turns_is_one_chain() {
        let mut changes: Vec<Known> = (1..1_000).map(|number| change(number, number + 1, &[number - 1])).collect();
        changes.push(change(0, 1, &[]));
        let causality = Causality::of(changes).unwrap();
        assert_eq!((causality.tips.len(), causality.places), (1, 0));
        // Two who write at the same time and hear of one another each time need two, and not one more for each time.
        let mut changes = vec![change(0, 1, &[])];
        for round in 0..500 {
            let last = 3 * round;
            changes.push(change(last + 1, 2 * round + 2, &[last]));
            changes.push(change(last + 2, 2 * round + 2, &[last]));
            changes.push(change(last + 3, 2 * round + 3, &[last + 1, last + 2]));
        }
        let causality = Causality::of(changes).unwrap();
        assert_eq!(causality.tips.len(), 2);
    }

    #[test]
    fn what_is_too_entangled_ends() {
        // Many beginnings, joined, and as many changes on top: each has a clock of its own of all of them.
        let wide = 1_024;
        let mut changes: Vec<Known> = (0..wide).map(|number| change(number, 1, &[])).collect();
        changes.push(change(wide, 2, &(0..wide).collect::<Vec<_>>()));
        changes.extend((0..20_000).map(|number| change(wide + 1 + number, 3, &[wide])));
        assert_eq!(Causality::of(changes).map(drop), Err(Entangled));
    }
}
