//! The sync of one space with one peer over one connection (`docs/spec/sync.md`).
//!
//! Both sides open with a summary; each summary is answered by exactly one frontier, in order. From then on each side knows
//! what the other holds, sends what is missing, and keeps the other's picture of itself current through receipts. What was
//! sent is remembered for this connection only: what a peer holds is what it says it holds.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::{
    entry::LogKey,
    frontier::{BucketDigest, Frontier, LogFrontier},
    limits::{FRONTIER_GAPS_MAX, FRONTIER_LOGS_MAX},
};

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SessionError {
    /// Not the digests of all buckets.
    #[error("a summary without the digests of all buckets")]
    Summary,
    /// A frontier that nothing asked for.
    #[error("a frontier that answers no summary")]
    Unasked,
    /// Gaps out of order, empty logs, or more logs than a frontier may list.
    #[error("an implausible frontier")]
    Implausible,
}

/// Entries of one log that the peer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which log.
    pub log: LogKey,
    /// The first entry.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Session {
    /// Our frontier as the unanswered summary had it.
    summarised: Option<Frontier>,
    /// A summary is wanted as soon as the last one is answered.
    again: bool,
    /// What the peer holds, as it said on this connection.
    known: Option<Frontier>,
    /// How far each log was sent on this connection, or came from the peer.
    sent: BTreeMap<LogKey, u64>,
    /// Our logs that changed since the peer was told our frontier; none before it was told.
    untold: Option<BTreeSet<LogKey>>,
}

impl Session {
    /// A session with a peer that was told that nothing is held here.
    pub fn told_nothing() -> Session {
        Session { untold: Some(BTreeSet::new()), ..Session::default() }
    }

    /// Our frontier is to be compared with the peer's: tells whether a summary must be sent now.
    pub fn summarise(&mut self, ours: &Frontier) -> bool {
        if self.summarised.is_some() {
            self.again = true;
            return false;
        }
        self.summarised = Some(ours.clone());
        true
    }

    /// The peer's summary came: which buckets to list, and their logs.
    ///
    /// # Errors
    /// [`SessionError::Summary`].
    pub fn answer(
        &mut self,
        ours: &Frontier,
        theirs: &[BucketDigest],
    ) -> Result<(u64, Vec<LogFrontier>), SessionError> {
        let mask = ours.differing(theirs).ok_or(SessionError::Summary)?;
        self.untold = Some(BTreeSet::new());
        Ok((mask, ours.in_buckets(mask)))
    }

    /// The peer's frontier came, in answer to our summary. Tells whether another summary is wanted.
    ///
    /// # Errors
    /// [`SessionError`] when it answers nothing, or is not plausible.
    pub fn learn(&mut self, mask: u64, logs: Vec<LogFrontier>) -> Result<bool, SessionError> {
        let mut known = self.summarised.take().ok_or(SessionError::Unasked)?;
        check(&logs, logs.len())?;
        known.replace_buckets(mask, logs);
        self.known = Some(known);
        Ok(std::mem::take(&mut self.again))
    }

    /// The peer let go of what it was sent: everything that it does not hold is to be sent again.
    pub fn forget_sent(&mut self) {
        self.sent.clear();
    }

    /// The peer told changes of its frontier with a receipt. Returns the frontier that the receipt speaks of.
    ///
    /// # Errors
    /// [`SessionError::Implausible`].
    pub fn update(&mut self, logs: Vec<LogFrontier>) -> Result<Option<&Frontier>, SessionError> {
        let Some(known) = &mut self.known else { return Ok(None) };
        let new = logs.iter().filter(|log| known.log(&log.log).is_none()).count();
        check(&logs, known.len() + new)?;
        // What a stranger makes us remember stays bounded: places without payload count like logs.
        if logs.iter().any(|log| !log.gaps.is_empty()) {
            let told: usize = known.logs().chain(&logs).map(|log| log.gaps.len()).sum();
            if told > FRONTIER_GAPS_MAX {
                return Err(SessionError::Implausible);
            }
        }
        known.extend(logs);
        Ok(Some(known))
    }

    /// What the peer holds, once it has said so.
    pub fn known(&self) -> Option<&Frontier> {
        self.known.as_ref()
    }

    /// Whether the peer has said what it holds, and no comparison is under way.
    pub fn compared(&self) -> bool {
        self.known.is_some() && self.summarised.is_none()
    }

    /// One of our logs advanced.
    pub fn advanced(&mut self, log: LogKey) {
        if let Some(untold) = &mut self.untold {
            untold.insert(log);
        }
    }

    /// The peer itself sent entries of `log` before `next_seq`, so it needs none of them.
    pub fn came(&mut self, log: LogKey, next_seq: u64) {
        let sent = self.sent.entry(log).or_default();
        *sent = next_seq.max(*sent);
    }

    /// What the peer lacks of `ours` and was not sent yet; it counts as sent from now on.
    pub fn missing<'a>(&mut self, ours: impl Iterator<Item = &'a LogFrontier>) -> Vec<Missing> {
        let Some(known) = &self.known else { return Vec::new() };
        let mut missing = Vec::new();
        for log in ours {
            let theirs = known.log(&log.log);
            let held = match theirs {
                // Another entry at the same place: the last one is sent, so that the peer sees that the log is forked.
                Some(their) if their.next_seq == log.next_seq && their.hash != log.hash => {
                    log.next_seq.saturating_sub(1)
                }
                Some(their) => their.next_seq,
                None => 0,
            };
            let from = held.max(self.sent.get(&log.log).copied().unwrap_or(0));
            if from < log.next_seq {
                self.sent.insert(log.log, log.next_seq);
                missing.push(Missing { log: log.log, from, to: log.next_seq });
            }
        }
        missing
    }

    /// The changes of our frontier to tell with the next receipt; none when the peer does not know our frontier yet.
    pub fn tell(&mut self, ours: &Frontier) -> Option<Vec<LogFrontier>> {
        let untold = self.untold.as_mut()?;
        Some(std::mem::take(untold).iter().filter_map(|log| ours.log(log).cloned()).collect())
    }

    /// Whether there are changes to tell.
    pub fn has_untold(&self) -> bool {
        self.untold.as_ref().is_some_and(|untold| !untold.is_empty())
    }
}

/// Checks what a stranger says of `count` logs, `logs` among them.
///
/// # Errors
/// [`SessionError::Implausible`].
pub fn check(logs: &[LogFrontier], count: usize) -> Result<(), SessionError> {
    if count > FRONTIER_LOGS_MAX || !logs.iter().all(LogFrontier::is_plausible) {
        return Err(SessionError::Implausible);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        entry::LogKind,
        id::{EntryHash, NodeId},
    };

    fn log(id: u8, next_seq: u64) -> LogFrontier {
        LogFrontier {
            log: LogKey { author: NodeId([1; 32]), log: LogKind::Data.log_id([id; 16]) },
            kind: LogKind::Data,
            next_seq,
            hash: EntryHash([id; 32]),
            gaps: vec![],
            forked: false,
        }
    }

    fn frontier(logs: &[(u8, u64)]) -> Frontier {
        let mut frontier = Frontier::default();
        frontier.extend(logs.iter().map(|&(id, next)| log(id, next)));
        frontier
    }

    #[test]
    fn each_side_learns_exactly_what_the_other_holds() {
        let (ours, theirs) = (frontier(&[(1, 5), (2, 9)]), frontier(&[(1, 7), (2, 9), (3, 1)]));
        let (mut here, mut there) = (Session::default(), Session::default());
        assert!(here.summarise(&ours));
        let (mask, logs) = there.answer(&theirs, &ours.buckets()).unwrap();
        assert_eq!(logs.len(), 2);
        here.learn(mask, logs).unwrap();
        assert_eq!(here.known(), Some(&theirs));
        assert!(here.missing(ours.logs()).is_empty());
    }

    #[test]
    fn what_is_missing_is_sent_once() {
        let ours = frontier(&[(1, 5)]);
        let mut here = Session::default();
        here.summarise(&ours);
        here.learn(u64::MAX, vec![log(1, 2)]).unwrap();
        assert_eq!(here.missing(ours.logs()), vec![Missing { log: log(1, 0).log, from: 2, to: 5 }]);
        assert!(here.missing(ours.logs()).is_empty());
        here.came(log(1, 0).log, 8);
        assert!(here.missing(frontier(&[(1, 8)]).logs()).is_empty());
    }

    #[test]
    fn a_second_summary_waits_for_the_answer_to_the_first() {
        let ours = frontier(&[(1, 5)]);
        let mut here = Session::default();
        assert!(here.summarise(&ours));
        assert!(!here.summarise(&ours));
        assert_eq!(here.learn(0, vec![]), Ok(true));
        assert_eq!(here.learn(0, vec![]), Err(SessionError::Unasked));
    }
}
