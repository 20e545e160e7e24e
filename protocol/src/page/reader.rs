//! Reads a page entry by entry.

use std::sync::Arc;

use super::{
    LogContext, PageEntry, PagePayload, RunError,
    bytes::{ELSEWHERE, EPOCH, GAP, HEADS, PREDECESSOR, read_varint, take, take_slice, unzigzag},
};
use crate::{
    crypto::signing::Signature,
    entry::{EntryRef, Header, Heads, REF_BYTES, entry_hash, payload_hash},
    id::{EntryHash, EpochId, PayloadHash},
    limits::{HEADS_MAX, PAYLOAD_BYTES_MAX, SUITE},
    time::Timestamp,
};

/// Reads a page entry by entry.
pub struct PageReader<'a> {
    context: LogContext,
    rest: &'a [u8],
    pub(super) next_seq: u64,
    pub(super) hash: EntryHash,
    pub(super) time: Timestamp,
    pub(super) heads: Option<Arc<Heads>>,
    pub(super) epoch: Option<Option<EpochId>>,
}

impl<'a> PageReader<'a> {
    /// Opens a page.
    ///
    /// # Errors
    /// [`RunError`] when the start of the page is malformed.
    pub fn new(context: &LogContext, page: &'a [u8]) -> Result<PageReader<'a>, RunError> {
        let mut rest = page;
        match take::<1>(&mut rest)?[0] {
            SUITE => {}
            suite => return Err(RunError::Suite(suite)),
        }
        let next_seq = read_varint(&mut rest)?;
        let hash = EntryHash(*take(&mut rest)?);
        if (next_seq == 0) != (hash == EntryHash::default()) {
            return Err(RunError::Malformed);
        }
        Ok(PageReader { context: *context, rest, next_seq, hash, time: Timestamp(0), heads: None, epoch: None })
    }

    /// Place of the entry that comes next.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Hash of the entry before the one that comes next.
    pub fn previous(&self) -> EntryHash {
        self.hash
    }

    /// The next entry, or none at the end of the page.
    ///
    /// # Errors
    /// [`RunError`] when the bytes are no page.
    #[allow(clippy::should_implement_trait, reason = "it lends from the page and can fail")]
    pub fn next(&mut self) -> Result<Option<PageEntry<'a>>, RunError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let flags = take::<1>(&mut self.rest)?[0];
        if flags & !(HEADS | EPOCH | PREDECESSOR | GAP | ELSEWHERE) != 0 || flags & (GAP | ELSEWHERE) == GAP | ELSEWHERE
        {
            return Err(RunError::Malformed);
        }
        let time = self.time.0.wrapping_add(unzigzag(read_varint(&mut self.rest)?) as u64);
        let payload_length = u32::try_from(read_varint(&mut self.rest)?).map_err(|_| RunError::Malformed)?;
        if payload_length as usize > PAYLOAD_BYTES_MAX {
            return Err(RunError::Malformed);
        }
        let stated_hash = match flags & (GAP | ELSEWHERE) {
            0 => None,
            _ => Some(PayloadHash(*take(&mut self.rest)?)),
        };
        self.read_heads(flags & HEADS != 0)?;
        self.read_epoch(flags & EPOCH != 0)?;
        let predecessor = match flags & PREDECESSOR {
            0 => None,
            _ if self.next_seq > 0 => return Err(RunError::Malformed),
            _ => Some(EntryRef::read(take(&mut self.rest)?)),
        };
        let signature = Signature(*take(&mut self.rest)?);
        let (payload, payload_hash) = match stated_hash {
            Some(hash) if flags & GAP != 0 => (PagePayload::Gap, hash),
            Some(hash) => (PagePayload::Elsewhere, hash),
            None => {
                let payload = take_slice(&mut self.rest, payload_length as usize)?;
                (PagePayload::Inline(payload), payload_hash(payload))
            }
        };
        let (Some(heads), Some(epoch)) = (self.heads.clone(), self.epoch) else { return Err(RunError::Malformed) };
        let header = Header {
            space: self.context.space,
            log: self.context.log,
            kind: self.context.kind,
            seq: self.next_seq,
            previous: self.hash,
            predecessor,
            heads,
            epoch,
            payload_length,
            payload_hash,
            time: Timestamp(time),
        };
        let hash = entry_hash(&header.encode(), &signature);
        self.time = header.time;
        self.hash = hash;
        self.next_seq = self.next_seq.checked_add(1).ok_or(RunError::Malformed)?;
        Ok(Some(PageEntry { header, signature, hash, payload }))
    }

    fn read_heads(&mut self, stated: bool) -> Result<(), RunError> {
        if !stated {
            return Ok(());
        }
        let count = read_varint(&mut self.rest)? as usize;
        if count > HEADS_MAX {
            return Err(RunError::Malformed);
        }
        let bytes = take_slice(&mut self.rest, count * REF_BYTES)?;
        let entries: Vec<EntryRef> =
            bytes.chunks_exact(REF_BYTES).filter_map(|chunk| chunk.first_chunk().map(EntryRef::read)).collect();
        let sorted = entries.windows(2).all(|pair| pair[0] < pair[1]);
        let heads = Arc::new(Heads::new(entries));
        if !sorted || self.heads.as_ref() == Some(&heads) {
            return Err(RunError::NotCanonical);
        }
        self.heads = Some(heads);
        Ok(())
    }

    fn read_epoch(&mut self, stated: bool) -> Result<(), RunError> {
        if !stated {
            return Ok(());
        }
        let epoch = match take::<1>(&mut self.rest)?[0] {
            0 => None,
            1 => Some(EpochId(*take(&mut self.rest)?)),
            _ => return Err(RunError::Malformed),
        };
        if self.epoch == Some(epoch) {
            return Err(RunError::NotCanonical);
        }
        self.epoch = Some(epoch);
        Ok(())
    }
}
