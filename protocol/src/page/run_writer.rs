//! Writes entries of one's own at the end of a log.

use std::sync::Arc;

use super::{AuthenticRun, LogContext, PageEntry, PagePayload, PageWriter, RunError, Tip};
use crate::{
    crypto::signing::SigningKey,
    entry::{EntryRef, HEADER_BYTES, Header, Heads, entry_hash, payload_hash},
    id::{EpochId, PayloadHash},
    limits::{HEADS_MAX, PAGE_BYTES_AIM, PAYLOAD_BYTES_MAX},
    time::Timestamp,
};

/// Writes entries of one's own at the end of a log.
pub struct RunWriter<'a> {
    key: &'a SigningKey,
    page: PageWriter,
    run: AuthenticRun,
    predecessor: Option<EntryRef>,
}

impl<'a> RunWriter<'a> {
    /// Continues the log of `context` after `tip`; `predecessor` counts only where the log is opened.
    pub fn new(context: LogContext, tip: &Tip, predecessor: Option<EntryRef>, key: &'a SigningKey) -> RunWriter<'a> {
        let run = AuthenticRun::starting(context, tip.next_seq, tip.hash);
        let predecessor = if tip.next_seq == 0 { predecessor } else { None };
        RunWriter { key, page: PageWriter::new(tip.next_seq, tip.hash), run, predecessor }
    }

    /// Appends one entry; `payload` makes the stored payload from the associated data.
    ///
    /// # Errors
    /// [`RunError::Length`] when the run is full, the payload too large, or more heads are cited than may be.
    pub fn push(
        &mut self,
        heads: Arc<Heads>,
        epoch: Option<EpochId>,
        time: Timestamp,
        payload: impl FnOnce(&[u8; HEADER_BYTES]) -> Vec<u8>,
    ) -> Result<EntryRef, RunError> {
        if heads.entries().len() > HEADS_MAX {
            return Err(RunError::Length);
        }
        let tip = &self.run.tip;
        let mut header = Header {
            space: self.run.context.space,
            log: self.run.context.log,
            kind: self.run.context.kind,
            seq: tip.next_seq,
            previous: tip.hash,
            predecessor: self.predecessor.take(),
            heads,
            epoch,
            payload_length: 0,
            payload_hash: PayloadHash::default(),
            time,
        };
        let payload = payload(&header.associated_data());
        header.payload_length = u32::try_from(payload.len()).map_err(|_| RunError::Length)?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(RunError::Length);
        }
        header.payload_hash = payload_hash(&payload);
        let signature = header.sign(self.key);
        let hash = entry_hash(&header.encode(), &signature);
        if self.page.next_seq() > self.page.first_seq() && self.page.bytes().len() + payload.len() > PAGE_BYTES_AIM {
            let next = PageWriter::new(header.seq, header.previous);
            self.run.pages.push(std::mem::replace(&mut self.page, next).into_bytes());
        }
        let entry = PageEntry { hash, signature, payload: PagePayload::Inline(&payload), header };
        self.page.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
        self.run.note(&entry)?;
        Ok(entry.reference())
    }

    /// The run, authentic because this node has just signed every entry. None when nothing was appended.
    pub fn finish(mut self) -> Option<AuthenticRun> {
        if self.run.hashes.is_empty() {
            return None;
        }
        self.run.pages.push(self.page.into_bytes());
        Some(self.run)
    }
}
