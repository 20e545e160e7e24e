//! Builds a page entry by entry, and takes it up again where it ends.

use std::sync::Arc;

use super::{
    LogContext, PagePayload, PageReader, RunError,
    bytes::{ELSEWHERE, EPOCH, GAP, HEADS, PREDECESSOR, write_varint, zigzag},
};
use crate::{
    crypto::signing::Signature,
    entry::{Entry, Header, Heads},
    id::{EntryHash, EpochId},
    limits::SUITE,
    time::Timestamp,
};

/// Builds a page entry by entry.
#[derive(Clone, Debug)]
pub struct PageWriter {
    bytes: Vec<u8>,
    first_seq: u64,
    next_seq: u64,
    hash: EntryHash,
    time: Timestamp,
    heads: Option<Arc<Heads>>,
    epoch: Option<Option<EpochId>>,
}

impl PageWriter {
    /// An empty page that continues a log at `first_seq` after the entry with hash `previous`.
    pub fn new(first_seq: u64, previous: EntryHash) -> PageWriter {
        let mut bytes = vec![SUITE];
        write_varint(&mut bytes, first_seq);
        bytes.extend_from_slice(&previous.0);
        PageWriter {
            bytes,
            first_seq,
            next_seq: first_seq,
            hash: previous,
            time: Timestamp(0),
            heads: None,
            epoch: None,
        }
    }

    /// Takes up a page again where it ends.
    ///
    /// # Errors
    /// [`RunError`] when `page` is no page of this log.
    pub fn resume(context: &LogContext, page: Vec<u8>) -> Result<PageWriter, RunError> {
        let mut reader = PageReader::new(context, &page)?;
        let first_seq = reader.next_seq;
        while reader.next()?.is_some() {}
        let (next_seq, hash, time) = (reader.next_seq, reader.hash, reader.time);
        let (heads, epoch) = (reader.heads, reader.epoch);
        Ok(PageWriter { first_seq, next_seq, hash, time, heads, epoch, bytes: page })
    }

    /// Appends an entry. Its position must follow; the caller built it from the tip.
    pub fn push(&mut self, entry: &Entry) {
        let payload = match &entry.payload {
            Some(payload) => PagePayload::Inline(payload),
            None => PagePayload::Gap,
        };
        self.push_parts(&entry.header, &entry.signature, entry.hash(), payload);
    }

    /// Appends an entry whose hash is known, saying where its payload is.
    pub fn push_parts(&mut self, header: &Header, signature: &Signature, hash: EntryHash, payload: PagePayload<'_>) {
        let heads = self.heads.as_ref() != Some(&header.heads);
        let epoch = self.epoch != Some(header.epoch);
        let mut flags = 0;
        flags |= if heads { HEADS } else { 0 };
        flags |= if epoch { EPOCH } else { 0 };
        flags |= if header.predecessor.is_some() { PREDECESSOR } else { 0 };
        flags |= match payload {
            PagePayload::Inline(_) => 0,
            PagePayload::Gap => GAP,
            PagePayload::Elsewhere => ELSEWHERE,
        };
        self.bytes.push(flags);
        write_varint(&mut self.bytes, zigzag(header.time.0.wrapping_sub(self.time.0) as i64));
        write_varint(&mut self.bytes, u64::from(header.payload_length));
        if !matches!(payload, PagePayload::Inline(_)) {
            self.bytes.extend_from_slice(&header.payload_hash.0);
        }
        if heads {
            write_varint(&mut self.bytes, header.heads.entries().len() as u64);
            for entry in header.heads.entries() {
                entry.write(&mut self.bytes);
            }
        }
        if epoch {
            match &header.epoch {
                None => self.bytes.push(0),
                Some(id) => {
                    self.bytes.push(1);
                    self.bytes.extend_from_slice(&id.0);
                }
            }
        }
        if let Some(predecessor) = &header.predecessor {
            predecessor.write(&mut self.bytes);
        }
        self.bytes.extend_from_slice(&signature.0);
        if let PagePayload::Inline(payload) = payload {
            self.bytes.extend_from_slice(payload);
        }
        self.heads = Some(header.heads.clone());
        self.epoch = Some(header.epoch);
        self.time = header.time;
        self.hash = hash;
        self.next_seq += 1;
    }

    /// Place of the first entry.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Place of the entry that would come next.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The bytes so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The finished page.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
