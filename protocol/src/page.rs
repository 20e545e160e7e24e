//! Pages: consecutive entries of one log, compactly encoded; the unit of storage and of transfer (`docs/spec/entry.md`).
//!
//! A page leaves out what its place implies (space, author, log, kind, every `previous` but the first, hashes of payloads
//! that are there) and repeats control heads and epoch only where they change. Any page can be read without another one.
//!
//! ```text
//! page   = suite (1), first seq (varint), previous (32), entry...
//! entry  = flags (1), time - time of the entry before (zigzag varint), payload length (varint),
//!          [payload hash (32): only when the payload is not inline], [heads: count (varint), count x 88],
//!          [epoch: 0, or 1 and 32], [predecessor (88)], signature (64), [payload: only when inline]
//! flags  = 1 heads, 2 epoch, 4 predecessor, 8 gap, 16 payload stored elsewhere (never sent)
//! ```

use std::sync::Arc;

use thiserror::Error;

use crate::{
    crypto::signing::{Purpose, Signature, SigningKey, Verifier},
    entry::{Entry, EntryRef, HEADER_BYTES, Header, Heads, LogKey, LogKind, REF_BYTES, entry_hash, payload_hash},
    id::{EntryHash, EpochId, PayloadHash, SpaceId},
    limits::{HEADS_MAX, PAGE_BYTES_AIM, PAYLOAD_BYTES_MAX, RUN_ENTRIES_MAX, SUITE},
    time::Timestamp,
};

const HEADS: u8 = 1;
const EPOCH: u8 = 2;
const PREDECESSOR: u8 = 4;
const GAP: u8 = 8;
const ELSEWHERE: u8 = 16;

/// Why a page or a run is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RunError {
    /// The first byte names a format suite that this release does not know.
    #[error("format suite {0} is not known to this release; it may need an upgrade")]
    Suite(u8),
    /// The bytes end early or break a bound.
    #[error("malformed page")]
    Malformed,
    /// Not the one encoding of these entries.
    #[error("not the canonical encoding of a page")]
    NotCanonical,
    /// The pages of a run do not follow one another.
    #[error("the pages of a run do not follow one another")]
    Broken,
    /// No entry, or more than one signature may vouch for.
    #[error("a run holds 1 to {RUN_ENTRIES_MAX} entries")]
    Length,
    /// The last entry's signature does not verify, so nothing vouches for the run.
    #[error("the signature at the end of the run does not verify")]
    Signature,
}

/// What the place of a page implies about each entry on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogContext {
    /// The space.
    pub space: SpaceId,
    /// The log.
    pub log: LogKey,
    /// What the log holds.
    pub kind: LogKind,
}

/// The end of a log as far as it is held: what the next entry continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// How many entries there are: the next one's place.
    pub next_seq: u64,
    /// The hash of the last entry; zero where there is none.
    pub hash: EntryHash,
    /// The control heads that the last entry cites.
    pub heads: Arc<Heads>,
    /// The epoch of the last entry.
    pub epoch: Option<EpochId>,
}

impl Tip {
    /// The tip of a log without entries.
    pub fn empty() -> Tip {
        Tip { next_seq: 0, hash: EntryHash::default(), heads: Arc::new(Heads::default()), epoch: None }
    }
}

/// Where the payload of an entry on a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagePayload<'a> {
    /// On the page.
    Inline(&'a [u8]),
    /// Not held.
    Gap,
    /// Held by the store under a key of its own.
    Elsewhere,
}

/// One entry as read from a page.
#[derive(Clone, Debug)]
pub struct PageEntry<'a> {
    /// The whole header, with what position implies filled in.
    pub header: Header,
    /// The signature as stated; unchecked.
    pub signature: Signature,
    /// The entry's hash.
    pub hash: EntryHash,
    /// The payload.
    pub payload: PagePayload<'a>,
}

impl PageEntry<'_> {
    /// The reference to the entry.
    pub fn reference(&self) -> EntryRef {
        EntryRef { log: self.header.log, seq: self.header.seq, hash: self.hash }
    }
}

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

/// Reads a page entry by entry.
pub struct PageReader<'a> {
    context: LogContext,
    rest: &'a [u8],
    next_seq: u64,
    hash: EntryHash,
    time: Timestamp,
    heads: Option<Arc<Heads>>,
    epoch: Option<Option<EpochId>>,
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

/// Consecutive entries of one log that a valid signature of the author vouches for. Only [`AuthenticRun::verify`] and
/// [`RunWriter`] make one.
#[derive(Clone, Debug)]
pub struct AuthenticRun {
    context: LogContext,
    pages: Vec<Vec<u8>>,
    first_seq: u64,
    previous: EntryHash,
    predecessor: Option<EntryRef>,
    hashes: Vec<EntryHash>,
    cited: Vec<(u64, Arc<Heads>)>,
    gaps: Vec<(u64, PayloadHash)>,
    tip: Tip,
}

impl AuthenticRun {
    /// Reads `pages`, checks that they chain, and checks the one signature that vouches for all of them.
    ///
    /// # Errors
    /// [`RunError`], which says what is wrong; [`RunError::Signature`] leaves open that a longer run would be authentic.
    pub fn verify(context: LogContext, pages: Vec<Vec<u8>>, key: &Verifier) -> Result<AuthenticRun, RunError> {
        let mut run = AuthenticRun {
            context,
            pages: Vec::new(),
            first_seq: 0,
            previous: EntryHash::default(),
            predecessor: None,
            hashes: Vec::new(),
            cited: Vec::new(),
            gaps: Vec::new(),
            tip: Tip::empty(),
        };
        let mut last: Option<([u8; HEADER_BYTES], Signature)> = None;
        for (index, page) in pages.iter().enumerate() {
            let mut reader = PageReader::new(&context, page)?;
            if index == 0 {
                run.first_seq = reader.next_seq();
                run.previous = reader.previous();
            } else if (reader.next_seq(), reader.previous()) != (run.tip.next_seq, run.tip.hash) {
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

    fn note(&mut self, entry: &PageEntry<'_>) -> Result<(), RunError> {
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
        let mut kept = AuthenticRun {
            pages: Vec::new(),
            first_seq: seq,
            previous,
            predecessor: None,
            hashes: Vec::new(),
            cited: Vec::new(),
            gaps: Vec::new(),
            tip: Tip::empty(),
            context: self.context,
        };
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

/// The same entries without their payloads.
///
/// # Errors
/// [`RunError`] when the pages cannot be read.
pub fn without_payloads(context: &LogContext, pages: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, RunError> {
    let mut writer: Option<PageWriter> = None;
    for page in pages {
        let mut reader = PageReader::new(context, page)?;
        let mut previous = reader.previous();
        while let Some(entry) = reader.next()? {
            let writer = writer.get_or_insert_with(|| PageWriter::new(entry.header.seq, previous));
            writer.push_parts(&entry.header, &entry.signature, entry.hash, PagePayload::Gap);
            previous = entry.hash;
        }
    }
    Ok(writer.map(PageWriter::into_bytes).into_iter().collect())
}

/// Splits pages into those with the entries before `seq` and those from it on. Nothing vouches for either part yet.
///
/// # Errors
/// [`RunError`] when the pages cannot be read.
pub fn split(context: &LogContext, pages: &[Vec<u8>], seq: u64) -> Result<[Vec<Vec<u8>>; 2], RunError> {
    let mut parts: [Option<PageWriter>; 2] = [None, None];
    for page in pages {
        let mut reader = PageReader::new(context, page)?;
        let mut previous = reader.previous();
        while let Some(entry) = reader.next()? {
            let part = &mut parts[usize::from(entry.header.seq >= seq)];
            let writer = part.get_or_insert_with(|| PageWriter::new(entry.header.seq, previous));
            writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
            previous = entry.hash;
        }
    }
    Ok(parts.map(|part| part.map(PageWriter::into_bytes).into_iter().collect()))
}

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
        let run = AuthenticRun {
            context,
            pages: Vec::new(),
            first_seq: tip.next_seq,
            previous: tip.hash,
            predecessor: None,
            hashes: Vec::new(),
            cited: Vec::new(),
            gaps: Vec::new(),
            tip: tip.clone(),
        };
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

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// LEB128, shortest form only.
fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(rest: &mut &[u8]) -> Result<u64, RunError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take::<1>(rest)?[0];
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Err(RunError::Malformed);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return if byte == 0 && shift > 0 { Err(RunError::NotCanonical) } else { Ok(value) };
        }
    }
    Err(RunError::Malformed)
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], RunError> {
    let (head, tail) = rest.split_first_chunk().ok_or(RunError::Malformed)?;
    *rest = tail;
    Ok(head)
}

fn take_slice<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], RunError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(RunError::Malformed)?;
    *rest = tail;
    Ok(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::id::NodeId;

    fn context() -> LogContext {
        LogContext {
            space: SpaceId([1; 32]),
            log: LogKey { author: NodeId([2; 32]), log: LogKind::Data.log_id([3; 16]) },
            kind: LogKind::Data,
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    fn run(count: u64) -> AuthenticRun {
        let key = key();
        let mut writer = RunWriter::new(context(), &Tip::empty(), None, &key);
        for n in 0..count {
            let epoch = Some(EpochId([(n / 100) as u8; 32]));
            writer.push(Arc::new(Heads::default()), epoch, Timestamp(1_000 + n), |_| vec![n as u8; 300]).unwrap();
        }
        writer.finish().unwrap()
    }

    fn verify(pages: Vec<Vec<u8>>) -> Result<AuthenticRun, RunError> {
        AuthenticRun::verify(context(), pages, &key().public().verifier().unwrap())
    }

    #[test]
    fn a_run_that_was_written_verifies() {
        let run = run(250);
        let read = verify(run.pages().to_vec()).unwrap();
        assert_eq!((read.hashes(), read.tip(), read.count()), (run.hashes(), run.tip(), 250));
        assert!(run.pages().iter().all(|page| page.len() < 5_000));
    }

    #[test]
    fn every_flipped_byte_of_a_run_is_refused() {
        let pages = run(3).pages().to_vec();
        assert!(verify(pages.clone()).is_ok());
        for index in 0..pages[0].len() {
            let mut forged = pages.clone();
            forged[0][index] ^= 0x10;
            assert!(verify(forged).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_run_cut_short_by_one_page_still_ends_at_a_signed_entry() {
        let mut pages = run(50).pages().to_vec();
        pages.pop();
        assert!(verify(pages).unwrap().count() < 50);
    }

    #[test]
    fn both_parts_of_a_split_verify_and_join() {
        let run = run(50);
        let [before, after] = split(&context(), run.pages(), 20).unwrap();
        assert_eq!(verify(before.clone()).unwrap().tip().next_seq, 20);
        assert_eq!(verify(after.clone()).unwrap().hashes(), &run.hashes()[20..]);
        assert_eq!(verify([before, after].concat()).unwrap().hashes(), run.hashes());
        assert_eq!(run.clone().after(20).unwrap().hashes(), &run.hashes()[20..]);
        assert!(run.after(50).is_none());
    }

    #[test]
    fn pages_that_do_not_follow_one_another_are_refused() {
        let mut pages = run(50).pages().to_vec();
        pages.remove(1);
        assert_eq!(verify(pages).map(|_| ()), Err(RunError::Broken));
    }

    #[test]
    fn a_page_is_taken_up_where_it_ended() {
        let run = run(5);
        let mut reader = PageReader::new(&context(), &run.pages()[0]).unwrap();
        let mut entries = Vec::new();
        while let Some(entry) = reader.next().unwrap() {
            entries.push(entry);
        }
        let mut writer = PageWriter::new(0, EntryHash::default());
        for entry in &entries[..3] {
            writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
        }
        let mut writer = PageWriter::resume(&context(), writer.into_bytes()).unwrap();
        for entry in &entries[3..] {
            writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
        }
        assert_eq!(writer.bytes(), run.pages()[0]);
    }

    #[test]
    fn an_entry_cannot_claim_that_its_payload_is_elsewhere() {
        let run = run(1);
        let mut reader = PageReader::new(&context(), &run.pages()[0]).unwrap();
        let entry = reader.next().unwrap().unwrap();
        let mut writer = PageWriter::new(0, EntryHash::default());
        writer.push_parts(&entry.header, &entry.signature, entry.hash, PagePayload::Elsewhere);
        assert_eq!(verify(vec![writer.into_bytes()]).map(|_| ()), Err(RunError::Malformed));
    }
}
