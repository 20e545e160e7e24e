//! Turns runs, fills and small records into a draft of writes. It makes nothing durable.
//!
//! Pages of a good size are kept as they came. Small ones are gathered on the log's last page, which is written again until
//! it is full; large ones are taken apart. A payload that would fill a page gets a key of its own.

use std::collections::BTreeMap;

use portolan_protocol::{
    commit::Fill,
    entry::payload_hash,
    id::EntryHash,
    page::{AuthenticRun, PageEntry, PagePayload, PageReader, PageWriter},
};

use super::{
    cells::{self, CELL_BYTES_MAX, Cells, Draft},
    error::StoreError,
    heads::Head,
    keys::{self, GAP, PAGE, PAYLOAD, STATE},
    pages::{Pages, StoredPage},
};

/// Longest payload that is kept on a page.
const INLINE_BYTES_MAX: usize = 3_000;
/// Longest page that is kept whole: a cell, without what `pages` and `cells` put around it.
const PAGE_BYTES_MAX: usize = CELL_BYTES_MAX - 8;
/// How many logs' last pages are kept in memory.
const TAILS_MAX: usize = 1_024;

/// The end of a log as it is about to be.
struct Tail {
    head: Head,
    elsewhere: bool,
    page: LastPage,
}

enum LastPage {
    None,
    /// As it came, and not read again yet.
    Closed(Vec<u8>),
    Open(PageWriter),
}

/// The ends of the logs written to last.
#[derive(Default)]
pub(super) struct Tails {
    tails: BTreeMap<u32, (u64, Tail)>,
    clock: u64,
}

impl Tails {
    fn take(&mut self, number: u32) -> Option<Tail> {
        self.tails.remove(&number).map(|(_, tail)| tail)
    }

    fn keep(&mut self, number: u32, tail: Tail) {
        self.clock += 1;
        self.tails.insert(number, (self.clock, tail));
        if self.tails.len() > TAILS_MAX {
            let oldest = self.clock.saturating_sub(TAILS_MAX as u64 / 2);
            self.tails.retain(|_, (used, _)| *used > oldest);
        }
    }
}

/// Writes that are being put together.
pub(super) struct Appending<'a> {
    cells: &'a Cells,
    page_bytes_aim: usize,
    tails: &'a mut Tails,
    draft: Draft,
    heads: BTreeMap<u32, Head>,
}

impl<'a> Appending<'a> {
    pub(super) fn new(cells: &'a Cells, page_bytes_aim: usize, tails: &'a mut Tails) -> Appending<'a> {
        let page_bytes_aim = page_bytes_aim.clamp(256, PAGE_BYTES_MAX);
        Appending { cells, page_bytes_aim, tails, draft: Draft::default(), heads: BTreeMap::new() }
    }

    /// What is to be written so far.
    pub(super) fn draft(&mut self) -> &mut Draft {
        &mut self.draft
    }

    /// The logs that grew, with their new heads.
    pub(super) fn into_heads(self) -> BTreeMap<u32, Head> {
        self.heads
    }

    /// Appends a run to log `number`.
    pub(super) fn run(&mut self, number: u32, run: &AuthenticRun) -> Result<(), StoreError> {
        let mut tail = self.tail(number, run)?;
        if (run.first_seq(), run.previous()) != (tail.head.next_seq, tail.head.hash) {
            return Err(StoreError::NotContinuing {
                context: Box::new(*run.context()),
                expected: tail.head.next_seq,
                found: run.first_seq(),
            });
        }
        let firsts =
            run.pages().iter().map(|page| PageReader::new(run.context(), page).map(|reader| reader.next_seq()));
        let firsts =
            firsts.collect::<Result<Vec<u64>, _>>().map_err(|e| StoreError::page(number, run.first_seq(), e))?;
        for (index, page) in run.pages().iter().enumerate() {
            let end = firsts.get(index + 1).copied().unwrap_or(run.tip().next_seq);
            let entries = u16::try_from(end - firsts[index]);
            match entries {
                Ok(entries) if (self.page_bytes_aim / 2..=PAGE_BYTES_MAX).contains(&page.len()) => {
                    let key = keys::at(PAGE, number, firsts[index]).to_vec();
                    self.draft.put_fresh(key, StoredPage::value(page, entries, false));
                    tail.page = LastPage::Closed(page.clone());
                    tail.elsewhere = false;
                }
                _ => self.gather(number, &mut tail, run, page)?,
            }
        }
        for (seq, hash) in run.gaps() {
            self.draft.put_fresh(keys::at(GAP, number, *seq).to_vec(), hash.0.to_vec());
        }
        tail.head = Head { next_seq: run.tip().next_seq, hash: run.tip().hash };
        self.heads.insert(number, tail.head);
        self.tails.keep(number, tail);
        Ok(())
    }

    /// Writes or removes a small record of the core.
    pub(super) fn state(&mut self, key: &[u8], value: Option<&Vec<u8>>) -> Result<(), StoreError> {
        let key = cells::key(STATE, key)?;
        match value {
            Some(value) => self.draft.put(key, value.clone()),
            None => self.draft.remove(key),
        }
        Ok(())
    }

    /// Puts a payload where there was none.
    pub(super) fn fill(&mut self, number: u32, fill: &Fill) -> Result<(), StoreError> {
        let no_gap = || StoreError::NoGap { context: Box::new(fill.context), seq: fill.seq };
        let pages = Pages { cells: self.cells, draft: Some(&self.draft) };
        let page = pages.at(number, fill.seq)?.filter(|page| fill.seq < page.end()).ok_or_else(no_gap)?;
        let grown = page.bytes.len() + fill.payload.len() > self.page_bytes_aim;
        let place = if grown { PagePayload::Elsewhere } else { PagePayload::Inline(&fill.payload) };
        let damaged = |error| StoreError::page(number, page.first_seq, error);
        let mut reader = PageReader::new(&fill.context, &page.bytes).map_err(damaged)?;
        let mut writer = PageWriter::new(page.first_seq, reader.previous());
        while let Some(entry) = reader.next().map_err(damaged)? {
            let filled = entry.header.seq == fill.seq;
            if filled && (entry.payload != PagePayload::Gap || entry.header.payload_hash != payload_hash(&fill.payload))
            {
                return Err(no_gap());
            }
            let payload = if filled { place } else { entry.payload };
            writer.push_parts(&entry.header, &entry.signature, entry.hash, payload);
        }
        let value = StoredPage::value(writer.bytes(), page.entries, page.elsewhere || grown);
        if grown {
            self.draft.put_fresh(keys::at(PAYLOAD, number, fill.seq).to_vec(), fill.payload.clone());
        }
        self.draft.put(keys::at(PAGE, number, page.first_seq).to_vec(), value);
        self.draft.remove(keys::at(GAP, number, fill.seq).to_vec());
        // It may be the last page, of which a copy is in memory.
        self.tails.take(number);
        Ok(())
    }

    fn tail(&mut self, number: u32, run: &AuthenticRun) -> Result<Tail, StoreError> {
        if let Some(tail) = self.tails.take(number) {
            return Ok(tail);
        }
        let pages = Pages { cells: self.cells, draft: Some(&self.draft) };
        let Some(page) = pages.last(number)? else {
            let head = Head { next_seq: 0, hash: EntryHash::default() };
            return Ok(Tail { head, elsewhere: false, page: LastPage::None });
        };
        let damaged = |error| StoreError::page(number, page.first_seq, error);
        let mut reader = PageReader::new(run.context(), &page.bytes).map_err(damaged)?;
        while reader.next().map_err(damaged)?.is_some() {}
        if reader.next_seq() != page.end() {
            return Err(StoreError::Damaged(format!("log number {number}: the page at {} is cut", page.first_seq)));
        }
        let head = Head { next_seq: reader.next_seq(), hash: reader.previous() };
        Ok(Tail { head, elsewhere: page.elsewhere, page: LastPage::Closed(page.bytes) })
    }

    /// Takes a page apart and appends its entries to the log's last page, closing that as often as it is full.
    fn gather(&mut self, number: u32, tail: &mut Tail, run: &AuthenticRun, page: &[u8]) -> Result<(), StoreError> {
        let damaged = |error| StoreError::page(number, run.first_seq(), error);
        let mut reader = PageReader::new(run.context(), page).map_err(damaged)?;
        let mut open = match std::mem::replace(&mut tail.page, LastPage::None) {
            LastPage::Open(open) => open,
            LastPage::Closed(bytes) if bytes.len() < self.page_bytes_aim => {
                PageWriter::resume(run.context(), bytes).map_err(damaged)?
            }
            LastPage::None | LastPage::Closed(_) => {
                tail.elsewhere = false;
                PageWriter::new(reader.next_seq(), reader.previous())
            }
        };
        let mut changed = false;
        loop {
            let previous = reader.previous();
            let Some(entry) = reader.next().map_err(damaged)? else { break };
            let payload = self.place(number, &entry);
            let mut longer = open.clone();
            longer.push_parts(&entry.header, &entry.signature, entry.hash, payload);
            if longer.bytes().len() > self.page_bytes_aim && open.next_seq() > open.first_seq() {
                if changed {
                    self.put(number, &open, tail.elsewhere);
                }
                tail.elsewhere = false;
                longer = PageWriter::new(entry.header.seq, previous);
                longer.push_parts(&entry.header, &entry.signature, entry.hash, payload);
            }
            tail.elsewhere |= payload == PagePayload::Elsewhere;
            open = longer;
            changed = true;
        }
        self.put(number, &open, tail.elsewhere);
        tail.page = LastPage::Open(open);
        Ok(())
    }

    fn place<'p>(&mut self, number: u32, entry: &PageEntry<'p>) -> PagePayload<'p> {
        match entry.payload {
            PagePayload::Inline(payload) if payload.len() > INLINE_BYTES_MAX => {
                self.draft.put_fresh(keys::at(PAYLOAD, number, entry.header.seq).to_vec(), payload.to_vec());
                PagePayload::Elsewhere
            }
            other => other,
        }
    }

    fn put(&mut self, number: u32, page: &PageWriter, elsewhere: bool) {
        // A page is closed long before it holds 65,536 entries of at least 67 bytes.
        let entries = u16::try_from(page.next_seq() - page.first_seq()).unwrap_or(u16::MAX);
        let value = StoredPage::value(page.bytes(), entries, elsewhere);
        self.draft.put_fresh(keys::at(PAGE, number, page.first_seq()).to_vec(), value);
    }
}
