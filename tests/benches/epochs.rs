//! What an epoch costs the one who opens it and the one who reads it, at 100 and at 800 readers.
//!
//! `cargo bench -p portolan-tests --bench epochs [-- ROUNDS]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{
    env,
    time::{Duration, Instant},
};

use portolan_tests::crowd::Crowd;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn main() {
    let rounds = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(11);
    println!("medians of {rounds} rounds");
    println!("readers   payload bytes   seal one   plan   judge what came   open one's own   (microseconds)");
    for readers in [100, 800] {
        measure(readers, rounds);
    }
}

fn measure(readers: usize, rounds: usize) {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let (mut seal, mut plan, mut judge, mut open) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..rounds {
        let mut crowd = Crowd::new(readers, &mut rng);
        let public = crowd.readers[1].sealing.public();
        seal.push(timed(|| public.seal(b"info", &[7; 64], &mut rng)).1);
        let keyring = crowd.keyring(0);
        let (planned, took) = timed(|| crowd.membership.plan_epoch(crowd.log(), &keyring, &mut rng).unwrap().0);
        plan.push(took);
        bytes = planned.payload.encode().len();
        // The last reader looks at what it holds already, so that only the epoch is left.
        let mut own = crowd.keyring(readers - 1);
        assert!(own.absorb(&crowd.membership).is_empty());
        let entry = crowd.sign(planned.payload);
        let epoch = portolan_protocol::id::EpochId(entry.reference.hash.0);
        judge.push(timed(|| crowd.membership.insert(entry).unwrap()).1);
        open.push(timed(|| own.absorb(&crowd.membership)).1);
        assert!(own.content_key(&epoch).is_some());
    }
    let [seal, plan, judge, open] = [seal, plan, judge, open].map(median);
    println!("{readers:>7}{bytes:>16}{seal:>11}{plan:>7}{judge:>18}{open:>17}");
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

fn median(mut times: Vec<Duration>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2].as_micros()
}
