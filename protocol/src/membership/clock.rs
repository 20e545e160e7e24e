//! Clocks: which control entries somebody had seen, as the number of entries of each log. Nothing here knows what they say.
//!
//! The held entries of a log are one chain, so a count names a set, and "does this descend from that" is one comparison.

/// Entries seen, by the number that the graph gave to each log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock(Vec<u64>);

impl Clock {
    /// How many entries of `log` are seen.
    pub(super) fn count(&self, log: usize) -> u64 {
        self.0.get(log).copied().unwrap_or(0)
    }

    /// Whether the entry at `seq` of `log` is seen.
    pub(super) fn covers(&self, log: usize, seq: u64) -> bool {
        seq < self.count(log)
    }

    /// Adds the first `count` entries of `log`.
    pub(super) fn raise(&mut self, log: usize, count: u64) {
        if self.0.len() <= log {
            self.0.resize(log + 1, 0);
        }
        self.0[log] = self.0[log].max(count);
    }

    /// Forgets all but the first `count` entries of `log`.
    pub(super) fn limit(&mut self, log: usize, count: u64) {
        if let Some(seen) = self.0.get_mut(log) {
            *seen = (*seen).min(count);
        }
    }

    /// Adds everything that `other` has seen.
    pub(super) fn join(&mut self, other: &Clock) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// What both have seen.
    pub(super) fn meet(&self, other: &Clock) -> Clock {
        Clock(self.0.iter().zip(&other.0).map(|(mine, theirs)| (*mine).min(*theirs)).collect())
    }

    /// Whether everything that `other` has seen is seen here.
    pub(super) fn includes(&self, other: &Clock) -> bool {
        other.0.iter().enumerate().all(|(log, count)| *count <= self.count(log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(counts: &[u64]) -> Clock {
        Clock(counts.to_vec())
    }

    #[test]
    fn join_and_meet_are_by_log() {
        let (one, two) = (clock(&[3, 0, 2]), clock(&[1, 4]));
        let mut joined = one.clone();
        joined.join(&two);
        assert_eq!(joined, clock(&[3, 4, 2]));
        assert_eq!(one.meet(&two), clock(&[1, 0]));
        assert!(joined.includes(&one) && joined.includes(&two) && !one.includes(&two));
        assert!(joined.covers(0, 2) && !joined.covers(0, 3) && !joined.covers(9, 0));
    }
}
