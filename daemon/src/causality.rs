//! Whether a change fits the changes it builds on: decided from those alone, so every node decides the same, whatever else it
//! holds and in whatever order that came. It knows numbers, references and kinds of operations, no content.
//!
//! What is below a change is told by a clock. The changes of a document are laid in chains, each change of a chain below the
//! next; a clock has for every chain the last change that is below. A document that is edited in turns is one chain, however
//! many actors it has, and there are about as many chains as there were ever people who wrote at the same time.

mod clock;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use portolan_protocol::limits::ACTOR_BYTES;
use thiserror::Error;

use self::clock::Clock;
use crate::prevalidate::{ChangeFacts, Kind, Operation, Outline, Reference, SafeChange, outline};

/// Places in clocks and outlines, of all changes of a document together, before it is left unopened: a local limit.
const PLACES_MAX: usize = 8_000_000;
const PLACE_BYTES: usize = 8;

/// Changes of the document that are asked for one by one, before all of them are asked for at once.
const ONE_BY_ONE_MAX: usize = 16;

/// A hash of a change.
pub type Hash = [u8; 32];

/// The outlines of changes.
pub type Outlines = BTreeMap<Hash, Arc<Outline>>;

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
    /// It names an operation, by this counter, that is not of the kind that belongs there.
    #[error("it refers to the operation with counter {0} as what that is not")]
    Kind(u64),
}

/// The changes of a document have become too entangled for this node: a local limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("more was written at the same time, or piece by piece, than this node can keep apart")]
pub struct Entangled;

/// Why changes were not judged here, which says nothing about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A local limit.
    Entangled(Entangled),
    /// There would be so many operations, and more than are allowed here.
    TooLarge(u64),
    /// The document did not give back this change, or not as it was.
    Lost(Hash),
}

impl From<Entangled> for Halt {
    fn from(entangled: Entangled) -> Self {
        Halt::Entangled(entangled)
    }
}

/// The changes of a document, as the bytes that passed the pre-validator.
pub trait Held {
    /// One of them.
    fn change(&self, hash: &Hash) -> Option<Vec<u8>>;

    /// All of them.
    fn changes(&self) -> Vec<(Hash, Vec<u8>)>;
}

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
pub struct Causality<'a> {
    held: &'a dyn Held,
    placed: Vec<Placed<'a>>,
    by_hash: BTreeMap<Hash, usize>,
    /// The changes of each actor by number, from 1.
    by_actor: BTreeMap<Actor, Vec<usize>>,
    /// The last change of each chain.
    tips: Vec<u32>,
    /// Outlines from before.
    kept: &'a Outlines,
    /// What the operations are of those changes that others named.
    outlines: Outlines,
    /// Changes that were asked for one by one.
    asked: usize,
    places: usize,
    operations: u64,
    operations_max: u64,
}

struct Placed<'a> {
    hash: Hash,
    actor: Actor,
    /// Its number among the changes of its actor.
    seq: u64,
    start_op: u64,
    max_op: u64,
    /// The change itself and everything below.
    clock: Clock,
    /// The change, unless the document holds it.
    given: Option<&'a SafeChange>,
}

/// What was found right last: neighbouring operations mostly name the same.
#[derive(Default)]
struct Seen {
    text: Option<(Actor, u64)>,
    /// Letters of that Text.
    letters: Option<(Actor, Range<u64>)>,
}

impl Seen {
    fn is_text(&self, (actor, counter): Operation<'_>) -> bool {
        self.text.as_ref().is_some_and(|text| text.1 == counter && text.0 == *actor)
    }

    fn is_letter(&self, (actor, counter): Operation<'_>) -> bool {
        self.letters.as_ref().is_some_and(|letters| letters.1.contains(&counter) && letters.0 == *actor)
    }
}

impl<'a> Causality<'a> {
    /// Takes up the changes of a document, which were admitted before. Others are taken in up to `operations_max`.
    ///
    /// # Errors
    /// [`Entangled`].
    pub fn of(
        mut known: Vec<Known>,
        held: &'a dyn Held,
        kept: &'a Outlines,
        operations_max: u64,
    ) -> Result<Self, Halt> {
        // What builds on a change begins after it.
        known.sort_unstable_by_key(|known| known.start_op);
        let mut causality = Self {
            held,
            placed: Vec::with_capacity(known.len()),
            by_hash: BTreeMap::new(),
            by_actor: BTreeMap::new(),
            tips: Vec::new(),
            kept,
            outlines: Outlines::new(),
            asked: 0,
            places: 0,
            operations: 0,
            operations_max,
        };
        for Known { hash, actor, start_op, max_op, dependencies } in known {
            let dependencies: Vec<usize> =
                dependencies.iter().filter_map(|hash| causality.by_hash.get(hash)).copied().collect();
            let below = causality.below(&dependencies)?;
            causality.place(Placed { hash, actor, seq: 0, start_op, max_op, clock: below, given: None })?;
        }
        Ok(causality)
    }

    /// Whether the change is among them.
    pub fn holds(&self, change: &Hash) -> bool {
        self.by_hash.contains_key(change)
    }

    /// Takes a change in if it fits what it builds on.
    ///
    /// # Errors
    /// [`Halt`]. The inner one is [`Unfit`], a judgement; the change is not among them then.
    pub fn admit(&mut self, change: &'a SafeChange) -> Result<Result<(), Unfit>, Halt> {
        let facts = change.facts();
        let dependencies = match self.follows(facts) {
            Ok(dependencies) => dependencies,
            Err(unfit) => return Ok(Err(unfit)),
        };
        let places = self.places;
        let below = self.below(&dependencies)?;
        let joining = self.places - places;
        if let Some(unfit) = self.misnamed(change, &below)? {
            // What is left out takes no room from the others.
            let own = self.outlines.remove(&facts.hash);
            self.places -= joining + own.map_or(0, |outline| outline.size_bytes() / PLACE_BYTES);
            return Ok(Err(unfit));
        }
        let ChangeFacts { hash, actor, start_op, operations, .. } = *facts;
        let all = self.operations.saturating_add(operations);
        if all > self.operations_max {
            return Err(Halt::TooLarge(all));
        }
        let max_op = start_op.saturating_add(operations).saturating_sub(1);
        self.place(Placed { hash, actor, seq: 0, start_op, max_op, clock: below, given: Some(change) })?;
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

    /// What is wrong with an operation that `change` names.
    fn misnamed(&mut self, change: &SafeChange, below: &Clock) -> Result<Option<Unfit>, Halt> {
        let (mut seen, mut outcome) = (Seen::default(), Ok(None));
        let read = change.references(|reference| {
            if outcome == Ok(None) {
                outcome = self.misnames(change, below, reference, &mut seen);
            }
        });
        read.map_err(|_| Halt::Lost(change.facts().hash))?;
        outcome
    }

    fn misnames(
        &mut self,
        change: &SafeChange,
        below: &Clock,
        reference: Reference<'_>,
        seen: &mut Seen,
    ) -> Result<Option<Unfit>, Halt> {
        match reference {
            Reference::Before { key, before } => self.differs(change, below, before, |kind| match kind {
                Kind::Value(of) | Kind::Text(of) => of == key,
                Kind::Letter(..) | Kind::Deletion => false,
            }),
            Reference::Element { text, letter } => {
                if !seen.is_text(text) {
                    let differs = self.differs(change, below, text, |kind| matches!(kind, Kind::Text(_)))?;
                    if differs.is_some() {
                        return Ok(differs);
                    }
                    *seen = Seen { text: Some((*text.0, text.1)), letters: None };
                }
                match letter {
                    Some(letter) if !seen.is_letter(letter) => self.differs(change, below, letter, |kind| match kind {
                        Kind::Letter(of, counters) if of == text => {
                            seen.letters = Some((*letter.0, counters));
                            true
                        }
                        _ => false,
                    }),
                    _ => Ok(None),
                }
            }
        }
    }

    /// Whether an operation that `change` names is not there or not `right`.
    fn differs(
        &mut self,
        change: &SafeChange,
        below: &Clock,
        (actor, counter): Operation<'_>,
        right: impl FnOnce(Kind<'_>) -> bool,
    ) -> Result<Option<Unfit>, Halt> {
        let facts = change.facts();
        let hash = if *actor == facts.actor && counter >= facts.start_op {
            if !self.outlines.contains_key(&facts.hash) {
                self.keep(facts.hash, &facts.actor, change.raw())?;
            }
            facts.hash
        } else {
            let with = self.with(actor, counter).filter(|place| below.covers(&self.placed[*place].clock));
            let Some(place) = with else { return Ok(Some(Unfit::Reference(counter))) };
            self.look_up(place)?
        };
        let outline = self.outlines.get(&hash).or_else(|| self.kept.get(&hash));
        let kind = outline.and_then(|outline| outline.at(counter));
        Ok(if kind.is_some_and(right) { None } else { Some(Unfit::Kind(counter)) })
    }

    /// Sees to it that there is an outline of a change.
    fn look_up(&mut self, place: usize) -> Result<Hash, Halt> {
        let Placed { hash, actor, given, .. } = self.placed[place];
        if self.has_outline(&hash) {
            return Ok(hash);
        }
        if let Some(change) = given {
            self.keep(hash, &actor, change.raw())?;
        } else if self.asked < ONE_BY_ONE_MAX {
            self.asked += 1;
            let raw = self.held.change(&hash).ok_or(Halt::Lost(hash))?;
            self.keep(hash, &actor, &raw)?;
        } else {
            for (hash, raw) in self.held.changes() {
                let place = *self.by_hash.get(&hash).ok_or(Halt::Lost(hash))?;
                if !self.has_outline(&hash) {
                    let actor = self.placed[place].actor;
                    self.keep(hash, &actor, &raw)?;
                }
            }
        }
        if self.has_outline(&hash) { Ok(hash) } else { Err(Halt::Lost(hash)) }
    }

    fn has_outline(&self, change: &Hash) -> bool {
        self.outlines.contains_key(change) || self.kept.contains_key(change)
    }

    fn keep(&mut self, change: Hash, actor: &Actor, raw: &[u8]) -> Result<(), Halt> {
        let outline = outline(raw, actor).map_err(|_| Halt::Lost(change))?;
        self.spend(outline.size_bytes() / PLACE_BYTES)?;
        self.outlines.insert(change, Arc::new(outline));
        Ok(())
    }

    /// The outlines that were made and are worth keeping, since what is written next mostly names the same changes.
    pub fn into_outlines(self) -> Outlines {
        self.outlines
    }

    /// The change with an operation.
    fn with(&self, actor: &Actor, counter: u64) -> Option<usize> {
        // An actor's changes build on one another, so their counters rise.
        let changes = self.by_actor.get(actor)?;
        let after = changes.partition_point(|place| self.placed[*place].start_op <= counter);
        let place = *changes.get(after.checked_sub(1)?)?;
        (counter <= self.placed[place].max_op).then_some(place)
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

    /// Lays a change into a chain. Its clock is that of what is below it until then, and it has no number.
    fn place(&mut self, change: Placed<'a>) -> Result<(), Entangled> {
        let below = change.clock;
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
        let changes = self.by_actor.entry(change.actor).or_default();
        changes.push(place);
        let seq = changes.len() as u64;
        let operations = change.max_op.saturating_add(1).saturating_sub(change.start_op);
        self.operations = self.operations.saturating_add(operations);
        self.by_hash.insert(change.hash, place);
        self.placed.push(Placed { seq, clock: Clock { shared, last: Some((chain, index)) }, ..change });
        Ok(())
    }

    fn spend(&mut self, places: usize) -> Result<(), Entangled> {
        self.places = self.places.saturating_add(places);
        if self.places > PLACES_MAX { Err(Entangled) } else { Ok(()) }
    }
}

/// Sorts changes so that each comes after what it builds on, leaving out what is there or does not fit.
///
/// Among those that could come next it takes the lowest hash, so that a set is gone through alike everywhere.
///
/// # Errors
/// [`Halt`].
pub fn in_order<'a>(
    causality: &mut Causality<'a>,
    changes: &BTreeMap<Hash, &'a SafeChange>,
    unfit: &mut Vec<(Hash, Unfit)>,
) -> Result<Vec<Hash>, Halt> {
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
mod tests;
