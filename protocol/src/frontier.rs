//! Frontiers: how far each log of a space is held, and their digests (`docs/spec/sync.md`).
//!
//! Logs fall into 64 buckets by the first byte of their random id. Two nodes compare one digest; where it differs, the
//! digests of the buckets; and list only the logs of buckets that differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    codec::encode_part,
    crypto::hash::Context,
    entry::{LogKey, LogKind},
    id::{EntryHash, FrontierDigest, LogId, NodeId},
    limits::GAPS_MAX,
};

/// Number of buckets.
pub const BUCKETS: usize = 64;

/// The digest of one bucket, shortened for the wire.
pub type BucketDigest = [u8; 16];

/// How far one log is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFrontier {
    /// Which log.
    pub log: LogKey,
    /// What it holds.
    pub kind: LogKind,
    /// How many entries are held: the place of the next one.
    pub next_seq: u64,
    /// The hash of the last entry held.
    pub hash: EntryHash,
    /// Places whose payload is not held, as first place and count, in order.
    pub gaps: Vec<(u64, u64)>,
    /// Whether the log is known to be forked; then it is held up to the last common entry as far as frontiers go.
    pub forked: bool,
}

impl LogFrontier {
    /// Checks what a stranger says: something is held, of the kind that the id says, and the gaps are ordered, apart and
    /// within the log.
    pub fn is_plausible(&self) -> bool {
        let mut end = 0;
        let ordered = self.gaps.iter().enumerate().all(|(index, &(first, count))| {
            let apart = index == 0 || first > end;
            end = first.saturating_add(count);
            apart && count > 0 && end <= self.next_seq
        });
        ordered && self.kind == self.log.kind() && self.gaps.len() <= GAPS_MAX && (self.next_seq > 0 || self.forked)
    }
}

/// How far all logs of a space are held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    logs: BTreeMap<(usize, LogKey), LogFrontier>,
    digests: BTreeMap<usize, [u8; 32]>,
}

/// The bucket of a log.
pub fn bucket(log: &LogKey) -> usize {
    usize::from(log.log.0[0]) % BUCKETS
}

impl Frontier {
    /// The logs, in order.
    pub fn logs(&self) -> impl Iterator<Item = &LogFrontier> {
        self.logs.values()
    }

    /// One log.
    pub fn log(&self, log: &LogKey) -> Option<&LogFrontier> {
        self.logs.get(&(bucket(log), *log))
    }

    /// How many logs there are.
    pub fn len(&self) -> usize {
        self.logs.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// Entries held over all logs.
    pub fn entries(&self) -> u64 {
        self.logs.values().map(|log| log.next_seq).sum()
    }

    /// Replaces what is said of one log.
    pub fn set(&mut self, log: LogFrontier) {
        let bucket = bucket(&log.log);
        self.logs.insert((bucket, log.log), log);
        self.refresh(bucket);
    }

    /// Replaces what is said of several logs at once.
    pub fn extend(&mut self, logs: impl IntoIterator<Item = LogFrontier>) {
        let mut touched = BTreeSet::new();
        for log in logs {
            touched.insert(bucket(&log.log));
            self.logs.insert((bucket(&log.log), log.log), log);
        }
        touched.into_iter().for_each(|bucket| self.refresh(bucket));
    }

    /// Replaces the buckets of `mask` (bit n for bucket n) by `logs`.
    pub fn replace_buckets(&mut self, mask: u64, logs: Vec<LogFrontier>) {
        let covered = |log: &LogKey| mask & (1 << bucket(log)) != 0;
        self.logs.retain(|(_, key), _| !covered(key));
        self.digests.retain(|bucket, _| mask & (1 << bucket) == 0);
        self.extend(logs.into_iter().filter(|log| covered(&log.log)));
    }

    fn in_bucket(&self, bucket: usize) -> impl Iterator<Item = &LogFrontier> {
        let last = LogKey { author: NodeId([u8::MAX; 32]), log: LogId([u8::MAX; 16]) };
        let first = LogKey { author: NodeId::default(), log: LogId::default() };
        self.logs.range((bucket, first)..=(bucket, last)).map(|(_, log)| log)
    }

    fn refresh(&mut self, bucket: usize) {
        let mut hasher = Context::FRONTIER.hasher();
        for log in self.in_bucket(bucket) {
            hasher.update(&encode_part(log));
        }
        self.digests.insert(bucket, *hasher.finalize().as_bytes());
    }

    /// The digest over all buckets that hold a log.
    pub fn digest(&self) -> FrontierDigest {
        let mut hasher = Context::FRONTIER.hasher();
        for (bucket, digest) in &self.digests {
            hasher.update(&[u8::try_from(*bucket).unwrap_or(u8::MAX)]);
            hasher.update(digest);
        }
        FrontierDigest(*hasher.finalize().as_bytes())
    }

    /// The shortened digests of all buckets, zero where a bucket is empty.
    pub fn buckets(&self) -> Vec<BucketDigest> {
        (0..BUCKETS)
            .map(|bucket| {
                let mut short = BucketDigest::default();
                if let Some(digest) = self.digests.get(&bucket) {
                    short.copy_from_slice(&digest[..16]);
                }
                short
            })
            .collect()
    }

    /// The buckets that differ from `theirs`, as a mask. None when `theirs` are not digests of all buckets.
    pub fn differing(&self, theirs: &[BucketDigest]) -> Option<u64> {
        if theirs.len() != BUCKETS {
            return None;
        }
        let differs =
            |(bucket, (mine, their)): (usize, (BucketDigest, &BucketDigest))| u64::from(mine != *their) << bucket;
        Some(self.buckets().into_iter().zip(theirs).enumerate().map(differs).sum())
    }

    /// The logs of the buckets of `mask`.
    pub fn in_buckets(&self, mask: u64) -> Vec<LogFrontier> {
        (0..BUCKETS)
            .filter(|bucket| mask & (1 << bucket) != 0)
            .flat_map(|bucket| self.in_bucket(bucket))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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

    #[test]
    fn only_differing_buckets_are_listed_and_bring_equality() {
        let (mut one, mut two) = (Frontier::default(), Frontier::default());
        one.extend((0..100).map(|id| log(id, 5)));
        two.extend((0..100).map(|id| log(id, if id == 7 { 6 } else { 5 })));
        let mask = one.differing(&two.buckets()).unwrap();
        assert_eq!(mask, 1 << 7);
        assert_ne!(one.digest(), two.digest());
        one.replace_buckets(mask, two.in_buckets(mask));
        assert_eq!(one.digest(), two.digest());
        assert_eq!(one, two);
    }

    #[test]
    fn an_emptied_bucket_leaves_no_trace() {
        let mut one = Frontier::default();
        one.set(log(3, 1));
        one.replace_buckets(1 << 3, vec![]);
        assert_eq!(one.digest(), Frontier::default().digest());
    }

    #[test]
    fn gaps_out_of_order_are_implausible() {
        let gaps = |gaps: Vec<(u64, u64)>| LogFrontier { gaps, ..log(1, 10) }.is_plausible();
        assert!(gaps(vec![(1, 2), (5, 5)]));
        assert!(
            !gaps(vec![(5, 1), (1, 1)]) && !gaps(vec![(9, 2)]) && !gaps(vec![(1, 0)]) && !gaps(vec![(1, u64::MAX)])
        );
    }
}
