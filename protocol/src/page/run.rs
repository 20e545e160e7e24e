//! Consecutive entries of one log that a valid signature vouches for.

use std::sync::Arc;

use super::{LogContext, PageEntry, PagePayload, PageReader, PageWriter, RunError, Tip};
use crate::{
    crypto::signing::{Purpose, Signature, Verifier},
    entry::{EntryRef, HEADER_BYTES, Heads},
    id::{EntryHash, PayloadHash},
    limits::RUN_ENTRIES_MAX,
};

/// Consecutive entries of one log that a valid signature of the author vouches for. Only [`AuthenticRun::verify`] and
/// [`RunWriter`](super::RunWriter) make one.
#[derive(Clone, Debug)]
pub struct AuthenticRun {
    pub(super) context: LogContext,
    pub(super) pages: Vec<Vec<u8>>,
    first_seq: u64,
    previous: EntryHash,
    predecessor: Option<EntryRef>,
    pub(super) hashes: Vec<EntryHash>,
    cited: Vec<(u64, Arc<Heads>)>,
    gaps: Vec<(u64, PayloadHash)>,
    pub(super) tip: Tip,
}

impl AuthenticRun {
    /// Reads `pages`, checks that they chain, and checks the one signature that vouches for all of them.
    ///
    /// # Errors
    /// [`RunError`], which says what is wrong; [`RunError::Signature`] leaves open that a longer run would be authentic.
    pub fn verify(context: LogContext, pages: Vec<Vec<u8>>, key: &Verifier) -> Result<AuthenticRun, RunError> {
        let first = PageReader::new(&context, pages.first().ok_or(RunError::Length)?)?;
        let mut run = AuthenticRun::starting(context, first.next_seq(), first.previous());
        let mut last: Option<([u8; HEADER_BYTES], Signature)> = None;
        for page in &pages {
            let mut reader = PageReader::new(&context, page)?;
            if (reader.next_seq(), reader.previous()) != (run.tip.next_seq, run.tip.hash) {
                return Err(RunError::Broken);
            }
            while let Some(entry) = reader.next()? {
                run.note(&entry)?;
                last = Some((entry.header.encode(), entry.signature));
            }
        }
        let (header, signature) = last.ok_or(RunError::Length)?;
        key.verify(Purpose::ENTRY, &header, &signature).map_err(|_| RunError::Signature)?;
        run.pages = pages;
        Ok(run)
    }

    /// A run of no entry yet, whose first will stand at `first_seq` after the entry with hash `previous`.
    pub(super) fn starting(context: LogContext, first_seq: u64, previous: EntryHash) -> AuthenticRun {
        AuthenticRun {
            context,
            pages: Vec::new(),
            first_seq,
            previous,
            predecessor: None,
            hashes: Vec::new(),
            cited: Vec::new(),
            gaps: Vec::new(),
            tip: Tip { next_seq: first_seq, hash: previous, ..Tip::empty() },
        }
    }

    /// Takes an entry in at the end. The caller knows that it follows, and adds the page on which it stands.
    pub(super) fn note(&mut self, entry: &PageEntry<'_>) -> Result<(), RunError> {
        let header = &entry.header;
        if self.hashes.len() == RUN_ENTRIES_MAX {
            return Err(RunError::Length);
        }
        if entry.payload == PagePayload::Elsewhere {
            return Err(RunError::Malformed);
        }
        if entry.payload == PagePayload::Gap {
            self.gaps.push((header.seq, header.payload_hash));
        }
        if self.hashes.is_empty() {
            self.predecessor = header.predecessor;
        }
        if self.hashes.is_empty() || self.tip.heads != header.heads {
            self.cited.push((header.seq, header.heads.clone()));
        }
        self.hashes.push(entry.hash);
        self.tip = Tip { next_seq: header.seq + 1, hash: entry.hash, heads: header.heads.clone(), epoch: header.epoch };
        Ok(())
    }

    /// Space, log and kind.
    pub fn context(&self) -> &LogContext {
        &self.context
    }

    /// The pages as they came: canonical, so they may be stored and sent on as they are.
    pub fn pages(&self) -> &[Vec<u8>] {
        &self.pages
    }

    /// Place of the first entry.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Hash of the entry before the first.
    pub fn previous(&self) -> EntryHash {
        self.previous
    }

    /// Where the author's preceding log ended, when the run opens a log and says so.
    pub fn predecessor(&self) -> Option<EntryRef> {
        self.predecessor
    }

    /// The hash of each entry, in order.
    pub fn hashes(&self) -> &[EntryHash] {
        &self.hashes
    }

    /// The places where the cited control heads change, the first entry included.
    pub fn cited(&self) -> &[(u64, Arc<Heads>)] {
        &self.cited
    }

    /// Places whose payload is missing, with its hash.
    pub fn gaps(&self) -> &[(u64, PayloadHash)] {
        &self.gaps
    }

    /// The tip of the log after this run.
    pub fn tip(&self) -> &Tip {
        &self.tip
    }

    /// Reads the entries one by one.
    ///
    /// # Errors
    /// What `each` returns. The pages themselves were read before and cannot fail.
    pub fn try_for_each<E: From<RunError>>(
        &self,
        mut each: impl FnMut(PageEntry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for page in &self.pages {
            let mut reader = PageReader::new(&self.context, page)?;
            while let Some(entry) = reader.next()? {
                each(entry)?;
            }
        }
        Ok(())
    }

    /// How many entries the run holds.
    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    /// The part from `seq` on; the same signature vouches for it. None when nothing is left.
    pub fn after(self, seq: u64) -> Option<AuthenticRun> {
        if seq <= self.first_seq {
            return Some(self);
        }
        if seq >= self.tip.next_seq {
            return None;
        }
        let skipped = usize::try_from(seq - self.first_seq).ok()?;
        let previous = *self.hashes.get(skipped - 1)?;
        let mut writer = PageWriter::new(seq, previous);
        let mut kept = AuthenticRun::starting(self.context, seq, previous);
        let copied: Result<(), RunError> = self.try_for_each(|entry| {
            if entry.header.seq >= seq {
                writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
                kept.note(&entry)?;
            }
            Ok(())
        });
        copied.ok()?;
        kept.pages = vec![writer.into_bytes()];
        Some(kept)
    }
}
