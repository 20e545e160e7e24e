//! What is below what.
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

struct Nothing;

impl Held for Nothing {
    fn change(&self, _: &Hash) -> Option<Vec<u8>> {
        None
    }

    fn changes(&self) -> Vec<(Hash, Vec<u8>)> {
        vec![]
    }
}

fn of(known: Vec<Known>) -> Result<Causality<'static>, Halt> {
    static KEPT: Outlines = Outlines::new();
    Causality::of(known, &Nothing, &KEPT, u64::MAX)
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
        let causality = of(changes).unwrap();
        let placed = |number: u64| &causality.placed[causality.by_hash[&hash(number)]];
        for number in 0..60 {
            for other in 0..60 {
                let covers = placed(number).clock.covers(&placed(other).clock);
                assert_eq!(covers, below[number as usize].contains(&other), "{other} below {number}");
            }
        }
    }
}

#[test]
fn a_document_edited_in_turns_is_one_chain() {
    let mut changes: Vec<Known> = (1..1_000).map(|number| change(number, number + 1, &[number - 1])).collect();
    changes.push(change(0, 1, &[]));
    let causality = of(changes).unwrap();
    assert_eq!((causality.tips.len(), causality.places), (1, 0));
    // Two who write at the same time and hear of one another each time need two, and not one more for each time.
    let mut changes = vec![change(0, 1, &[])];
    for round in 0..500 {
        let last = 3 * round;
        changes.push(change(last + 1, 2 * round + 2, &[last]));
        changes.push(change(last + 2, 2 * round + 2, &[last]));
        changes.push(change(last + 3, 2 * round + 3, &[last + 1, last + 2]));
    }
    let causality = of(changes).unwrap();
    assert_eq!(causality.tips.len(), 2);
}

#[test]
fn what_is_too_entangled_ends() {
    // Many beginnings, joined, and as many changes on top: each has a clock of its own of all of them.
    let wide = 1_024;
    let mut changes: Vec<Known> = (0..wide).map(|number| change(number, 1, &[])).collect();
    changes.push(change(wide, 2, &(0..wide).collect::<Vec<_>>()));
    changes.extend((0..20_000).map(|number| change(wide + 1 + number, 3, &[wide])));
    assert_eq!(of(changes).map(drop), Err(Halt::Entangled(Entangled)));
}
