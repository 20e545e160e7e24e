//! Walking over everything to see whether it is what was written. It repairs nothing.

use std::sync::PoisonError;

use portolan_protocol::{
    entry::payload_hash,
    id::EntryHash,
    page::{LogContext, PagePayload},
};

use super::{Inner, Store, StoreError};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Logs read.
    pub logs: u64,
    /// Entries that are as they were written.
    pub entries: u64,
    /// Payloads that are not held, as gaps.
    pub gaps: u64,
    /// Damaged logs, the place up to which all is well, and why it is not from there on.
    pub damaged: Vec<(LogContext, u64, String)>,
}

impl Store {
    /// Reads every page: that pages follow one another, that the hashes chain up to the acknowledged head, that payloads are
    /// what their entries say. Signatures were checked before entries came here. Damage is in the report, not an error.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] after a failed commit.
    pub fn check(&self) -> Result<CheckReport, StoreError> {
        // A commit under way is marked as failed until it ends, so that a panic leaves it so: wait for its end.
        let ended = self.0.writer();
        let failed = self.poisoned();
        drop(ended);
        if failed {
            return Err(StoreError::Poisoned);
        }
        let mut report = CheckReport::default();
        for (number, context) in self.0.logs() {
            report.logs += 1;
            let start = || Walk { sound: 0, next_seq: 0, hash: EntryHash::default(), gaps: 0 };
            let mut walk = start();
            let mut walked = self.0.walk(number, &context, &mut walk);
            if walked.is_err() {
                // A log that grew meanwhile looks damaged: look once more while nothing is written.
                let _ended = self.0.writer();
                walk = start();
                walked = self.0.walk(number, &context, &mut walk);
            }
            if let Err(error) = walked {
                report.damaged.push((context, walk.sound, error.to_string()));
            }
            report.entries += walk.sound;
            report.gaps += walk.gaps;
        }
        Ok(report)
    }
}

struct Walk {
    /// The place up to which all is well: a page is once the next one continues it.
    sound: u64,
    next_seq: u64,
    hash: EntryHash,
    gaps: u64,
}

impl Inner {
    fn walk(&self, number: u32, context: &LogContext, walk: &mut Walk) -> Result<(), StoreError> {
        let head = self.heads.read().unwrap_or_else(PoisonError::into_inner).get(&number).copied();
        let head = head.ok_or_else(|| StoreError::Damaged(format!("the end of log number {number} cannot be read")))?;
        let pages = self.pages();
        let mut scan = pages.scan(number, 0, head.next_seq)?;
        while let Some(page) = scan.next()? {
            let mut gaps = 0;
            if page.first_seq != walk.next_seq {
                return Err(StoreError::Damaged(format!("log number {number} lacks {}", walk.next_seq)));
            }
            let mut expected = Some(walk.hash);
            let end = pages.read(number, context, &page, 0..u64::MAX, &mut |entry| {
                if let Some(expected) = expected.take() {
                    if expected != entry.header.previous {
                        return Err(StoreError::Damaged("a page does not continue the one before".into()));
                    }
                    walk.sound = entry.header.seq;
                }
                match entry.payload {
                    PagePayload::Gap => gaps += 1,
                    PagePayload::Inline(payload)
                        if payload.len() != entry.header.payload_length as usize
                            || payload_hash(payload) != entry.header.payload_hash =>
                    {
                        return Err(StoreError::Damaged(format!("the payload of {} is another", entry.header.seq)));
                    }
                    PagePayload::Inline(_) | PagePayload::Elsewhere => {}
                }
                Ok(())
            })?;
            *walk = Walk { sound: walk.sound, next_seq: page.end(), hash: end, gaps: walk.gaps + gaps };
        }
        if (walk.next_seq, walk.hash) != (head.next_seq, head.hash) {
            return Err(StoreError::Damaged(format!("log number {number} does not end as acknowledged")));
        }
        walk.sound = walk.next_seq;
        Ok(())
    }
}
