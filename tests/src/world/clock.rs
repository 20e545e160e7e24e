//! The clock of one machine: wrong by years, and it may leap. It never decides anything; the tests see that it does not.

use portolan_protocol::time::Timestamp;

const YEAR_MS: i64 = 365 * 24 * 3_600 * 1_000;
/// The year in which the world starts, in milliseconds since 1970.
const START_MS: i64 = 1_800_000_000_000;

/// See the head of the file.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    offset_ms: i64,
}

impl Clock {
    /// A clock that is wrong by up to five years, as `dice` says.
    pub fn new(dice: u64) -> Clock {
        let span = 10 * YEAR_MS as u64;
        Clock { offset_ms: (dice % span) as i64 - 5 * YEAR_MS }
    }

    /// What it shows at a moment of the world.
    pub fn read(&self, now_ms: u64) -> Timestamp {
        Timestamp(START_MS.saturating_add(self.offset_ms).saturating_add_unsigned(now_ms).unsigned_abs())
    }
}
