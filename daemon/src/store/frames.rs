//! Runs of entries, ready to be sent. Pages that need no change are handed on as they are stored.

use portolan_protocol::{limits::RUN_ENTRIES_MAX, page::LogContext};

use super::{Store, StoreError, pages::StoredPage};

/// Groups of pages, each fit to be one message. Ends after an error.
pub struct Frames {
    store: Store,
    context: LogContext,
    number: u32,
    next: u64,
    to: u64,
    bytes_max: usize,
}

impl Store {
    /// The durable entries `from..to` in groups of pages of at most [`RUN_ENTRIES_MAX`] entries and about `bytes_max`;
    /// one payload may exceed that.
    pub fn run_frames(&self, context: &LogContext, from: u64, to: u64, bytes_max: usize) -> Frames {
        let (number, end) = self.0.durable(context).unwrap_or((0, 0));
        Frames { store: self.clone(), context: *context, number, next: from, to: to.min(end), bytes_max }
    }
}

impl Iterator for Frames {
    type Item = Result<Vec<Vec<u8>>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.to {
            return None;
        }
        let frame = self.frame();
        if frame.is_err() {
            self.next = self.to;
        }
        Some(frame)
    }
}

impl Frames {
    /// Place of the first entry that the next group would hold.
    pub fn reached(&self) -> u64 {
        self.next
    }

    fn frame(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let pages = self.store.0.pages();
        let lacking = |seq| StoreError::Damaged(format!("log number {} lacks {seq}", self.number));
        let first = pages.at(self.number, self.next)?.ok_or_else(|| lacking(self.next))?.first_seq;
        let mut scan = pages.scan(self.number, first, self.to)?;
        let limit = self.to.min(self.next.saturating_add(RUN_ENTRIES_MAX as u64));
        let (mut frame, mut bytes) = (Vec::new(), 0);
        while self.next < limit {
            let page = scan.next()?.ok_or_else(|| lacking(self.next))?;
            if page.first_seq > self.next || page.end() <= self.next {
                return Err(lacking(self.next));
            }
            let left = self.bytes_max.saturating_sub(bytes);
            let end = page.end().min(limit);
            if !frame.is_empty() && page.bytes.len() > left {
                break;
            }
            let (page, reached) = self.part(page, end, left)?;
            bytes += page.len();
            frame.push(page);
            self.next = reached;
            if reached < end {
                break;
            }
        }
        Ok(frame)
    }

    /// The entries of a page from the next one to `end`, and where they really end.
    fn part(&self, page: StoredPage, end: u64, bytes_max: usize) -> Result<(Vec<u8>, u64), StoreError> {
        if (page.first_seq, page.end(), page.elsewhere) == (self.next, end, false) {
            return Ok((page.bytes, end));
        }
        self.store.0.pages().cut(self.number, &self.context, &page, self.next..end, bytes_max)
    }
}
