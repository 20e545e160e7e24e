//! Making things durable, in the one right order: entries, `flush`, `sync_data`; then the heads journal, synced; then
//! `Ok`. What the caller sends or answers after that cannot be lost.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, atomic::Ordering},
};

use portolan_protocol::{commit::Commit, page::LogContext};

use super::{
    Inner, Store, StoreError, Writer,
    append::Appending,
    cells::{Cells, Draft},
    heads::{Head, Journal},
    keys,
};

/// How much is handed to sled at once, give or take a commit.
const DRAFT_BYTES_AIM: usize = 1 << 20;
/// Room that commits leave to derived data: on a full disk what was taken can still be shown, and is derived again where a
/// kill lost what was not synced of it. The index of words takes its room from the same disk.
const DERIVING_BYTES: u64 = 8 << 20;

impl Store {
    /// Makes a batch durable. Each [`Commit`] is kept whole or not at all, in the order of the batch.
    ///
    /// # Errors
    /// [`StoreError::Full`] with nothing written while there is no room for the batch and the reserve: try again later. After
    /// every other error memory may be ahead of the disk: the store is [poisoned](Store::poisoned), further commits are
    /// refused as [`StoreError::Poisoned`], and it must be opened again. After a write that failed inside sled reading is
    /// refused too.
    pub fn commit(&self, batch: &[Commit]) -> Result<(), StoreError> {
        let inner = &*self.0;
        let mut writer = inner.writer();
        if self.poisoned() {
            return Err(StoreError::Poisoned);
        }
        if batch.iter().all(Commit::is_empty) {
            return Ok(());
        }
        if !inner.reserve.allows(bytes_needed(batch)) {
            return Err(StoreError::Full { what: "before a commit" });
        }
        // Set first, so that a panic leaves it set.
        inner.poisoned.store(true, Ordering::Release);
        inner.write(&mut writer, batch)?;
        inner.poisoned.store(false, Ordering::Release);
        Ok(())
    }

    /// Forgets that something was lost, once the caller has durably noted to write to none of its old logs: the journal
    /// now says what the store holds.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Full`], [`StoreError::Poisoned`].
    pub fn settle(&self) -> Result<(), StoreError> {
        let inner = &*self.0;
        let mut writer = inner.writer();
        if self.poisoned() {
            return Err(StoreError::Poisoned);
        }
        inner.rewrite_journal(&mut writer, None)?;
        inner.trusted.store(true, Ordering::Release);
        Ok(())
    }
}

impl Inner {
    pub(super) fn write(&self, writer: &mut Writer, batch: &[Commit]) -> Result<(), StoreError> {
        let mut opened = BTreeMap::new();
        let next_number = &mut writer.next_number;
        let mut appending = Appending::new(&self.cells, self.page_bytes_aim, &mut writer.tails);
        for commit in batch {
            for run in &commit.runs {
                let number = self.number(run.context(), &mut opened, next_number, appending.draft())?;
                appending.run(number, run)?;
            }
            for fill in &commit.fills {
                let number = self
                    .known(&fill.context, &opened)
                    .ok_or_else(|| StoreError::NoGap { context: Box::new(fill.context), seq: fill.seq })?;
                appending.fill(number, fill)?;
            }
            for (key, value) in &commit.state {
                appending.state(key, value.as_ref())?;
            }
            if appending.draft().bytes() > DRAFT_BYTES_AIM {
                apply(&self.cells, appending.draft())?;
            }
        }
        apply(&self.cells, appending.draft())?;
        let heads = appending.into_heads();
        self.sync_sled()?;
        writer.journal.append(&*self.disk, &heads)?;
        self.show(opened, heads);
        self.tidy_journal(writer)
    }

    /// Lets readers see what is durable.
    fn show(&self, opened: BTreeMap<keys::Name, u32>, heads: BTreeMap<u32, Head>) {
        self.heads.write().unwrap_or_else(PoisonError::into_inner).extend(heads);
        self.numbers.write().unwrap_or_else(PoisonError::into_inner).extend(opened);
    }

    fn known(&self, context: &LogContext, opened: &BTreeMap<keys::Name, u32>) -> Option<u32> {
        let name = keys::name(context);
        let known = self.numbers.read().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        known.or_else(|| opened.get(&name).copied())
    }

    fn number(
        &self,
        context: &LogContext,
        opened: &mut BTreeMap<keys::Name, u32>,
        next: &mut u32,
        draft: &mut Draft,
    ) -> Result<u32, StoreError> {
        if let Some(number) = self.known(context, opened) {
            return Ok(number);
        }
        let number = *next;
        // The last number is the journal's mark.
        *next = number
            .checked_add(1)
            .filter(|next| *next < u32::MAX)
            .ok_or_else(|| StoreError::Damaged("all log numbers are used".into()))?;
        draft.put_fresh(keys::log(number).to_vec(), keys::name(context).to_vec());
        opened.insert(keys::name(context), number);
        Ok(number)
    }

    fn tidy_journal(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let logs = self.heads.read().unwrap_or_else(PoisonError::into_inner).len();
        if !writer.journal.bloated(logs) {
            return Ok(());
        }
        let distrust = (!self.trusted.load(Ordering::Acquire)).then_some(writer.next_number);
        self.rewrite_journal(writer, distrust)
    }

    fn rewrite_journal(&self, writer: &mut Writer, distrust: Option<u32>) -> Result<(), StoreError> {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner).clone();
        writer.journal = Journal::write(self.home.path(), &*self.disk, self.incarnation, &heads, distrust)?;
        Ok(())
    }
}

/// What a batch may take on the disk at most, with room for sled's own bookkeeping and for what is derived of it.
fn bytes_needed(batch: &[Commit]) -> u64 {
    let runs = batch.iter().flat_map(|commit| &commit.runs).flat_map(|run| run.pages()).map(Vec::len);
    let fills = batch.iter().flat_map(|commit| &commit.fills).map(|fill| fill.payload.len());
    let state = batch.iter().flat_map(|commit| &commit.state).map(|(_, value)| value.as_ref().map_or(0, Vec::len));
    super::room_for(runs.chain(fills).chain(state).sum()).saturating_add(DERIVING_BYTES)
}

fn apply(cells: &Cells, draft: &mut Draft) -> Result<(), StoreError> {
    if draft.is_empty() {
        return Ok(());
    }
    cells.apply(std::mem::take(draft))
}
