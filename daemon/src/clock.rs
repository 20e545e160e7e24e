//! The one door of the daemon to clocks and randomness. Nothing here decides anything.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use getrandom::SysRng;
use portolan_protocol::time::Timestamp;
use rand_core::{CryptoRng, UnwrapErr};
use tokio::time::Instant;

/// The wall clock. A clock set before 1970 reads as zero: times are shown to people and decide nothing.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The moment of the wall clock that is so far ahead.
pub fn after(ahead: Duration) -> Timestamp {
    Timestamp(now().0.saturating_add(u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX)))
}

/// The clock that never goes back, for waiting and for measuring. Tests can pause it.
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Randomness for keys, ids and nonces, straight from the kernel at each call, so that a cloned machine, which copies
/// every buffered generator, does not repeat itself.
///
/// # Panics
/// When the kernel has no randomness to give: nothing that the daemon does would be safe then.
pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A duration drawn evenly between half of `most` and `most`, so that nodes cut off together do not return together.
pub fn jitter(most: Duration, rng: &mut impl CryptoRng) -> Duration {
    let half = most / 2;
    let share = f64::from(rng.next_u32()) / f64::from(u32::MAX);
    (half + half.mul_f64(share)).min(most)
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::*;

    #[test]
    fn the_wall_clock_is_past_2024() {
        assert!(now() > Timestamp(1_704_067_200_000));
    }

    #[test]
    fn randomness_differs_from_call_to_call() {
        assert_ne!(rng().next_u64(), rng().next_u64());
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let most = Duration::from_secs(10);
        let drawn: Vec<_> = (0..100).map(|_| jitter(most, &mut rng())).collect();
        assert!(drawn.iter().all(|d| (most / 2..=most).contains(d)));
        assert!(drawn.iter().any(|d| *d != drawn[0]));
    }
}
