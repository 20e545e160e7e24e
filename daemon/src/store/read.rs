//! Reading entries, and everything that the core is given when it starts.

use std::collections::BTreeMap;

use portolan_protocol::{
    entry::{Entry, LogKind},
    id::PayloadHash,
    image::{Image, LogImage},
    page::{LogContext, PageEntry, PagePayload},
};

use super::{
    Inner, Store, StoreError,
    keys::{self, GAP, STATE},
};

impl Store {
    /// Everything that the core keeps in memory.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] after a failed commit; [`StoreError::Damaged`] when a log cannot be read.
    pub fn image(&self) -> Result<Image, StoreError> {
        let inner = &*self.0;
        let _writer = inner.writer();
        if self.poisoned() {
            return Err(StoreError::Poisoned);
        }
        let logs = inner.logs().into_iter().map(|(number, context)| inner.log_image(number, context));
        Ok(Image {
            incarnation: self.incarnation(),
            trusted: self.trusted(),
            logs: logs.collect::<Result<_, _>>()?,
            state: inner.state()?,
        })
    }

    /// Where a log ends, of what is durable; 0 for a log that is not held.
    pub fn end(&self, context: &LogContext) -> u64 {
        self.0.durable(context).map_or(0, |(_, end)| end)
    }

    /// One entry, with its payload where it is held.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn entry(&self, context: &LogContext, seq: u64) -> Result<Option<Entry>, StoreError> {
        let mut found = None;
        self.for_each(context, seq, seq.saturating_add(1), |entry| {
            let payload = match entry.payload {
                PagePayload::Inline(payload) => Some(payload.to_vec()),
                PagePayload::Gap | PagePayload::Elsewhere => None,
            };
            found = Some(Entry { header: entry.header, signature: entry.signature, payload });
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    }

    /// Hands on the durable entries `from..to` in order. Payloads are inline, or gaps.
    ///
    /// # Errors
    /// What `each` returns, and [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn for_each<E: From<StoreError>>(
        &self,
        context: &LogContext,
        from: u64,
        to: u64,
        mut each: impl FnMut(PageEntry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let inner = &*self.0;
        let Some((number, end)) = inner.durable(context) else { return Ok(()) };
        let to = to.min(end);
        if from >= to {
            return Ok(());
        }
        let pages = inner.pages();
        let first = pages.at(number, from)?.map_or(from, |page| page.first_seq);
        let mut scan = pages.scan(number, first, to)?;
        while let Some(page) = scan.next()? {
            pages.read(number, context, &page, from..to, &mut each)?;
        }
        Ok(())
    }
}

impl Inner {
    fn log_image(&self, number: u32, context: LogContext) -> Result<LogImage, StoreError> {
        let tip = self.pages().tip(number, &context)?;
        let mut pages = Vec::new();
        if context.kind == LogKind::Control {
            let mut scan = self.pages().scan(number, 0, tip.next_seq)?;
            while let Some(page) = scan.next()? {
                pages.push(match page.elsewhere {
                    true => self.pages().cut(number, &context, &page, page.first_seq..page.end(), usize::MAX)?.0,
                    false => page.bytes,
                });
            }
        }
        Ok(LogImage { context, tip, pages, gaps: self.gaps(number)? })
    }

    fn gaps(&self, number: u32) -> Result<Vec<(u64, PayloadHash)>, StoreError> {
        let mut gaps = Vec::new();
        let mut scan = self.cells.scan(&keys::at(GAP, number, 0)..=&keys::at(GAP, number, u64::MAX))?;
        while let Some((key, value)) = scan.next()? {
            let hash = value.try_into().ok().map(PayloadHash);
            let gap = keys::seq(&key).zip(hash);
            gaps.push(gap.ok_or_else(|| StoreError::Damaged(format!("log number {number}: a gap without a hash")))?);
        }
        Ok(gaps)
    }

    fn state(&self) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
        let mut state = BTreeMap::new();
        let mut scan = self.cells.scan(&[STATE]..=&[STATE + 1])?;
        while let Some((key, value)) = scan.next()? {
            state.insert(key[1..].to_vec(), value);
        }
        Ok(state)
    }
}
