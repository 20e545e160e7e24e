//! Stored pages: finding them, and reading entries off them. It writes nothing.
//!
//! ```text
//! stored page = page (docs/spec/entry.md), entries on it (2), 1 when a payload of it is elsewhere (1)
//! ```

use std::ops::Range;

use portolan_protocol::{
    id::EntryHash,
    page::{LogContext, PageEntry, PagePayload, PageReader, PageWriter, Tip},
};

use super::{
    cells::{Cells, Draft, Scan},
    error::StoreError,
    keys::{self, PAGE, PAYLOAD},
};

/// A page as it is stored.
#[derive(Clone, Debug)]
pub(super) struct StoredPage {
    /// Place of the first entry.
    pub first_seq: u64,
    /// How many there are.
    pub entries: u16,
    /// Whether a payload has a key of its own.
    pub elsewhere: bool,
    /// The page.
    pub bytes: Vec<u8>,
}

impl StoredPage {
    /// The value that stands for it.
    pub(super) fn value(page: &[u8], entries: u16, elsewhere: bool) -> Vec<u8> {
        let mut value = Vec::with_capacity(page.len() + 3);
        value.extend_from_slice(page);
        value.extend_from_slice(&entries.to_be_bytes());
        value.push(u8::from(elsewhere));
        value
    }

    /// Reads what stands at `key`.
    pub(super) fn read(key: &[u8], mut value: Vec<u8>) -> Result<StoredPage, StoreError> {
        let damaged = || StoreError::Damaged("a stored page states no number of entries".into());
        let first_seq = keys::seq(key).ok_or_else(damaged)?;
        let (&[high, low, elsewhere], length) = match value.split_last_chunk::<3>() {
            Some((page, end)) => (end, page.len()),
            None => return Err(damaged()),
        };
        value.truncate(length);
        let entries = u16::from_be_bytes([high, low]);
        if entries == 0 || elsewhere > 1 || first_seq.checked_add(u64::from(entries)).is_none() {
            return Err(damaged());
        }
        Ok(StoredPage { first_seq, entries, elsewhere: elsewhere == 1, bytes: value })
    }

    /// The place after its last entry.
    pub(super) fn end(&self) -> u64 {
        self.first_seq + u64::from(self.entries)
    }
}

/// The pages of the store, or of the store as it will be after a draft.
#[derive(Clone, Copy)]
pub(super) struct Pages<'a> {
    /// The main tree.
    pub cells: &'a Cells,
    /// What is about to be written to it.
    pub draft: Option<&'a Draft>,
}

impl<'a> Pages<'a> {
    /// The page that holds `seq`, or the last one before it.
    pub(super) fn at(self, number: u32, seq: u64) -> Result<Option<StoredPage>, StoreError> {
        let (low, high) = (keys::at(PAGE, number, 0), keys::at(PAGE, number, seq));
        let drafted = self.draft.and_then(|draft| draft.last(&low..=&high));
        let stored = self.cells.last(&low..=&high)?;
        match (drafted, stored) {
            (Some((key, value)), stored) if stored.as_ref().is_none_or(|(other, _)| **other <= **key) => {
                StoredPage::read(key, value.clone()).map(Some)
            }
            (_, Some((key, value))) => StoredPage::read(&key, value).map(Some),
            (_, None) => Ok(None),
        }
    }

    /// The last page of a log.
    pub(super) fn last(self, number: u32) -> Result<Option<StoredPage>, StoreError> {
        self.at(number, u64::MAX)
    }

    /// The pages of a log from the one that starts at `from` to the one that holds the entry before `to`.
    pub(super) fn scan(self, number: u32, from: u64, to: u64) -> Result<PageScan<'a>, StoreError> {
        let (low, high) = (keys::at(PAGE, number, from), keys::at(PAGE, number, to.saturating_sub(1)));
        Ok(PageScan { scan: self.cells.scan(&low..=&high)? })
    }

    /// A payload that has a key of its own.
    pub(super) fn payload(self, number: u32, seq: u64) -> Result<Vec<u8>, StoreError> {
        let key = keys::at(PAYLOAD, number, seq);
        let found = match self.draft.and_then(|draft| draft.value(&key)) {
            Some(drafted) => drafted.cloned(),
            None => self.cells.value(&key)?,
        };
        found.ok_or_else(|| StoreError::Damaged(format!("log number {number} lacks the payload of {seq}")))
    }

    /// Hands on the entries of a page that are `within`, with their payloads, wherever these are. Returns the hash of the
    /// page's last entry.
    pub(super) fn read<E: From<StoreError>>(
        self,
        number: u32,
        context: &LogContext,
        page: &StoredPage,
        within: Range<u64>,
        each: &mut impl FnMut(PageEntry<'_>) -> Result<(), E>,
    ) -> Result<EntryHash, E> {
        let damaged = |error| StoreError::page(number, page.first_seq, error);
        let mut reader = PageReader::new(context, &page.bytes).map_err(damaged)?;
        if reader.next_seq() != page.first_seq {
            return Err(StoreError::Damaged(format!(
                "log number {number}: the page at {} belongs elsewhere",
                page.first_seq
            ))
            .into());
        }
        while let Some(entry) = reader.next().map_err(damaged)? {
            if !within.contains(&entry.header.seq) {
                continue;
            }
            if entry.payload == PagePayload::Elsewhere {
                let payload = self.payload(number, entry.header.seq)?;
                each(PageEntry { payload: PagePayload::Inline(&payload), ..entry })?;
            } else {
                each(entry)?;
            }
        }
        if reader.next_seq() != page.end() {
            return Err(
                StoreError::Damaged(format!("log number {number}: the page at {} is cut", page.first_seq)).into()
            );
        }
        Ok(reader.previous())
    }

    /// Writes the entries `from..to` of a page anew, payloads inline, until `bytes_max` is passed. Also says which entry is
    /// the first that is not on it.
    pub(super) fn cut(
        self,
        number: u32,
        context: &LogContext,
        page: &StoredPage,
        within: Range<u64>,
        bytes_max: usize,
    ) -> Result<(Vec<u8>, u64), StoreError> {
        let damaged = |error| StoreError::page(number, page.first_seq, error);
        let mut reader = PageReader::new(context, &page.bytes).map_err(damaged)?;
        let mut writer: Option<PageWriter> = None;
        loop {
            let previous = reader.previous();
            let Some(entry) = reader.next().map_err(damaged)? else { break };
            let seq = entry.header.seq;
            if seq < within.start {
                continue;
            }
            if seq >= within.end || writer.as_ref().is_some_and(|writer| writer.bytes().len() >= bytes_max) {
                break;
            }
            let writer = writer.get_or_insert_with(|| PageWriter::new(seq, previous));
            if entry.payload == PagePayload::Elsewhere {
                // Stop before a payload that would not fit, unless it is the first.
                if seq > writer.first_seq() && writer.bytes().len() + entry.header.payload_length as usize > bytes_max {
                    break;
                }
                let payload = PagePayload::Inline(&self.payload(number, seq)?);
                writer.push_parts(&entry.header, &entry.signature, entry.hash, payload);
            } else {
                writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
            }
        }
        let writer =
            writer.ok_or_else(|| StoreError::Damaged(format!("log number {number} lacks {}", within.start)))?;
        let reached = writer.next_seq();
        Ok((writer.into_bytes(), reached))
    }

    /// Where a log ends.
    pub(super) fn tip(self, number: u32, context: &LogContext) -> Result<Tip, StoreError> {
        let mut tip = Tip::empty();
        let Some(page) = self.last(number)? else { return Ok(tip) };
        let damaged = |error| StoreError::page(number, page.first_seq, error);
        let mut reader = PageReader::new(context, &page.bytes).map_err(damaged)?;
        while let Some(entry) = reader.next().map_err(damaged)? {
            let header = entry.header;
            tip = Tip { next_seq: header.seq + 1, hash: entry.hash, heads: header.heads, epoch: header.epoch };
        }
        if tip.next_seq != page.end() {
            return Err(StoreError::Damaged(format!("log number {number}: the page at {} is cut", page.first_seq)));
        }
        Ok(tip)
    }

    /// The hash of one entry, if it is there.
    pub(super) fn hash(self, number: u32, context: &LogContext, seq: u64) -> Result<Option<EntryHash>, StoreError> {
        let Some(page) = self.at(number, seq)? else { return Ok(None) };
        let damaged = |error| StoreError::page(number, page.first_seq, error);
        let mut reader = PageReader::new(context, &page.bytes).map_err(damaged)?;
        while let Some(entry) = reader.next().map_err(damaged)? {
            if entry.header.seq == seq {
                return Ok(Some(entry.hash));
            }
        }
        Ok(None)
    }
}

/// A walk over pages.
pub(super) struct PageScan<'a> {
    scan: Scan<'a>,
}

impl PageScan<'_> {
    /// The next page.
    #[allow(clippy::should_implement_trait, reason = "every step can fail")]
    pub(super) fn next(&mut self) -> Result<Option<StoredPage>, StoreError> {
        self.scan.next()?.map(|(key, value)| StoredPage::read(&key, value)).transpose()
    }
}
