//! Random worlds from seeds. A failing seed prints itself and the command that repeats it.
//!
//! `PORTOLAN_SEED=x` lives through one world, `PORTOLAN_SEEDS=n` through the first n.

use std::panic::{AssertUnwindSafe, catch_unwind};

use portolan_tests::world::random;

/// As many as half a minute has room for in a debug build.
const SEEDS: u64 = 250;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn random_worlds_keep_every_promise() {
    let one = variable("PORTOLAN_SEED");
    let seeds = one.map_or(0..variable("PORTOLAN_SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1);
    let broken: Vec<u64> =
        seeds.filter(|seed| catch_unwind(AssertUnwindSafe(|| random::live(*seed))).is_err()).collect();
    if let Some(seed) = broken.first() {
        panic!(
            "the worlds of seeds {broken:?} broke a promise; repeat one with: \
             PORTOLAN_SEED={seed} cargo test -p portolan-tests --test simulation random_worlds"
        );
    }
}
