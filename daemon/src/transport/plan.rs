//! When to call which peer: back-off, wake-ups and changed addresses, as a value without clock or tasks.

use std::{collections::BTreeMap, time::Duration};

use portolan_protocol::id::NodeId;
use rand_core::CryptoRng;
use tokio::time::Instant;

use super::{TransportError, TransportKey};
use crate::clock;

/// The first wait, doubled by each failure.
pub(super) const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest wait: a peer that comes back is called within five minutes, and it calls us as well.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(300);
/// A connection that lasted this long makes earlier failures forgotten; a shorter one counts as a failure.
pub(super) const STABLE: Duration = Duration::from_secs(60);
/// Calls under way at once.
pub(super) const CALLS_MAX: usize = 16;

/// How a peer is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The key it must prove.
    pub key: TransportKey,
    /// Its addresses (`host:port`), best first. Without any it is never called, only waited for.
    pub addresses: Vec<String>,
}

/// What is being done about a peer.
#[derive(Clone, Debug)]
pub enum PeerState {
    /// It has no address; it must call us.
    Awaited,
    /// Called again at `until`.
    Waiting {
        /// When.
        until: Instant,
        /// Calls in a row that failed.
        failures: u32,
        /// How the last one failed.
        error: Option<TransportError>,
    },
    /// A call is under way.
    Calling,
    /// Connected, by its call or ours.
    Connected {
        /// Since when.
        since: Instant,
    },
}

#[derive(Debug)]
enum Step {
    Waiting(Instant),
    Calling,
    Connected(Instant),
}

#[derive(Debug)]
struct Entry {
    target: Target,
    step: Step,
    failures: u32,
    called: Option<Instant>,
    error: Option<TransportError>,
}

/// All peers to be called.
#[derive(Debug, Default)]
pub(super) struct Plan(BTreeMap<NodeId, Entry>);

/// The wait after `failures` calls in a row have failed, before jitter.
pub(super) fn wait(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (WAIT_MIN * (1 << doublings)).min(WAIT_MAX)
}

impl Plan {
    /// Adds a peer, or changes how it is called. What is new is tried at once.
    pub fn set(&mut self, peer: NodeId, target: Target, now: Instant) {
        match self.0.get_mut(&peer) {
            Some(entry) if entry.target == target => {}
            Some(entry) => {
                entry.target = target;
                entry.failures = 0;
                if let Step::Waiting(until) = &mut entry.step {
                    *until = now;
                }
            }
            None => {
                let entry = Entry { target, step: Step::Waiting(now), failures: 0, called: None, error: None };
                self.0.insert(peer, entry);
            }
        }
    }

    /// Forgets a peer.
    pub fn remove(&mut self, peer: NodeId) {
        self.0.remove(&peer);
    }

    /// Somebody wants this peer now: calls it at once, but not sooner than the shortest wait after the last call.
    pub fn nudge(&mut self, peer: NodeId, now: Instant) {
        if let Some(Entry { step: Step::Waiting(until), called, .. }) = self.0.get_mut(&peer) {
            let soonest = called.map_or(now, |called| now.max(called + WAIT_MIN));
            *until = soonest.min(*until);
        }
    }

    /// The peers to call now; they count as being called from here on.
    pub fn due(&mut self, now: Instant) -> Vec<(NodeId, Target)> {
        let calling = self.0.values().filter(|entry| matches!(entry.step, Step::Calling)).count();
        let mut due: Vec<_> = self.0.iter_mut().filter_map(|(peer, e)| Some((e.waits()?, *peer, e))).collect();
        due.retain(|(until, ..)| *until <= now);
        due.sort_by_key(|(until, peer, _)| (*until, *peer));
        let mut calls = Vec::new();
        for (_, peer, entry) in due.into_iter().take(CALLS_MAX.saturating_sub(calling)) {
            entry.step = Step::Calling;
            entry.called = Some(now);
            calls.push((peer, entry.target.clone()));
        }
        calls
    }

    /// When `due` next has something to say, if nothing else happens.
    pub fn next(&self) -> Option<Instant> {
        let calling = self.0.values().filter(|entry| matches!(entry.step, Step::Calling)).count();
        if calling >= CALLS_MAX { None } else { self.0.values().filter_map(Entry::waits).min() }
    }

    /// A call has failed.
    pub fn failed(&mut self, peer: NodeId, error: TransportError, now: Instant, rng: &mut impl CryptoRng) {
        if let Some(entry) = self.0.get_mut(&peer) {
            entry.error = Some(error);
            // A call that failed while the peer called us changes nothing.
            if matches!(entry.step, Step::Calling) {
                entry.back_off(now, rng);
            }
        }
    }

    /// There is a connection, whoever called.
    pub fn connected(&mut self, peer: NodeId, now: Instant) {
        if let Some(entry) = self.0.get_mut(&peer)
            && !matches!(entry.step, Step::Connected(_))
        {
            entry.step = Step::Connected(now);
        }
    }

    /// The last connection has ended.
    pub fn disconnected(&mut self, peer: NodeId, now: Instant, rng: &mut impl CryptoRng) {
        if let Some(entry) = self.0.get_mut(&peer)
            && let Step::Connected(since) = entry.step
        {
            if now - since >= STABLE {
                entry.failures = 0;
                entry.error = None;
            }
            entry.back_off(now, rng);
        }
    }

    /// What is being done about a peer.
    pub fn state(&self, peer: NodeId) -> Option<PeerState> {
        let entry = self.0.get(&peer)?;
        Some(match entry.step {
            Step::Waiting(_) if entry.target.addresses.is_empty() => PeerState::Awaited,
            Step::Waiting(until) => PeerState::Waiting { until, failures: entry.failures, error: entry.error.clone() },
            Step::Calling => PeerState::Calling,
            Step::Connected(since) => PeerState::Connected { since },
        })
    }
}

impl Entry {
    fn waits(&self) -> Option<Instant> {
        match self.step {
            Step::Waiting(until) if !self.target.addresses.is_empty() => Some(until),
            _ => None,
        }
    }

    fn back_off(&mut self, now: Instant, rng: &mut impl CryptoRng) {
        self.failures = self.failures.saturating_add(1);
        self.step = Step::Waiting(now + clock::jitter(wait(self.failures), rng));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    const PEER: NodeId = NodeId([1; 32]);

    fn target(addresses: &[&str]) -> Target {
        Target { key: TransportKey([1; 32]), addresses: addresses.iter().map(|a| (*a).into()).collect() }
    }

    fn plan() -> (Plan, Instant, ChaCha20Rng) {
        let (mut plan, now) = (Plan::default(), clock::monotonic());
        plan.set(PEER, target(&["a:1"]), now);
        (plan, now, ChaCha20Rng::from_seed([7; 32]))
    }

    fn fail(plan: &mut Plan, now: Instant, rng: &mut ChaCha20Rng) {
        assert_eq!(plan.due(now).len(), 1);
        plan.failed(PEER, TransportError::TimedOut, now, rng);
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let seconds: Vec<_> = (1..=11).map(|n| wait(n).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(wait(u32::MAX), WAIT_MAX);
    }

    #[test]
    fn each_failure_waits_within_its_jitter() {
        let (mut plan, mut now, mut rng) = plan();
        for n in 1..12 {
            fail(&mut plan, now, &mut rng);
            assert!(plan.due(now).is_empty());
            let next = plan.next().unwrap();
            assert!((wait(n) / 2..=wait(n)).contains(&(next - now)), "{n}: {:?}", next - now);
            now = next;
        }
    }

    #[test]
    fn only_a_stable_connection_makes_failures_forgotten() {
        let (mut plan, mut now, mut rng) = plan();
        for _ in 0..5 {
            fail(&mut plan, now, &mut rng);
            now = plan.next().unwrap();
        }
        plan.connected(PEER, now);
        assert_eq!(plan.next(), None);
        now += STABLE - Duration::from_secs(1);
        plan.disconnected(PEER, now, &mut rng);
        assert!(plan.next().unwrap() - now >= wait(6) / 2);
        plan.connected(PEER, now);
        now += STABLE;
        plan.disconnected(PEER, now, &mut rng);
        assert!(plan.next().unwrap() - now <= WAIT_MIN);
        assert!(matches!(plan.state(PEER), Some(PeerState::Waiting { failures: 1, error: None, .. })));
    }

    #[test]
    fn a_nudge_wakes_but_does_not_hammer() {
        let (mut plan, mut now, mut rng) = plan();
        for _ in 0..8 {
            fail(&mut plan, now, &mut rng);
            now = plan.next().unwrap();
        }
        fail(&mut plan, now, &mut rng);
        plan.nudge(PEER, now);
        assert_eq!(plan.next(), Some(now + WAIT_MIN));
        now += Duration::from_secs(20);
        plan.nudge(PEER, now);
        assert_eq!(plan.due(now).len(), 1);
        plan.nudge(PEER, now);
        assert!(plan.due(now).is_empty(), "a call under way is not doubled");
    }

    #[test]
    fn new_addresses_are_tried_at_once_and_the_same_ones_are_not() {
        let (mut plan, now, mut rng) = plan();
        fail(&mut plan, now, &mut rng);
        plan.set(PEER, target(&["a:1"]), now);
        assert!(plan.due(now).is_empty());
        plan.set(PEER, target(&["b:1"]), now);
        assert_eq!(plan.due(now), [(PEER, target(&["b:1"]))]);
    }

    #[test]
    fn without_addresses_a_peer_is_awaited() {
        let (mut plan, now, _) = plan();
        plan.set(PEER, target(&[]), now);
        assert!(plan.due(now).is_empty() && plan.next().is_none());
        assert!(matches!(plan.state(PEER), Some(PeerState::Awaited)));
        plan.remove(PEER);
        assert!(plan.state(PEER).is_none());
    }

    #[test]
    fn a_late_failure_does_not_undo_a_connection() {
        let (mut plan, now, mut rng) = plan();
        plan.due(now);
        plan.connected(PEER, now);
        plan.failed(PEER, TransportError::TimedOut, now, &mut rng);
        assert!(matches!(plan.state(PEER), Some(PeerState::Connected { .. })));
    }

    #[test]
    fn a_thousand_peers_are_not_called_all_at_once() {
        let (mut plan, now, mut rng) = plan();
        for n in 0..1000u32 {
            let mut id = [2; 32];
            id[..4].copy_from_slice(&n.to_be_bytes());
            plan.set(NodeId(id), target(&["a:1"]), now);
        }
        let first = plan.due(now);
        assert_eq!(first.len(), CALLS_MAX);
        assert!(plan.due(now).is_empty() && plan.next().is_none());
        plan.failed(first[0].0, TransportError::TimedOut, now, &mut rng);
        assert_eq!(plan.due(now).len(), 1);
    }
}
