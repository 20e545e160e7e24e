//! What is kept of documents that were opened: summaries for lists, snapshots for the next opening, faults for the operator;
//! and the background that makes them for every document in turn.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{api::Event, id::SpaceId, record::Summary};
use tracing::warn;

use super::{
    cache::Open,
    cores,
    error::DocumentError,
    index::Index,
    keys,
    opening::Opened,
    rows::{DocumentRow, NameRow, encode},
};
use crate::store::StoreError;

/// Changes that are worth a new snapshot. Below, applying them costs about as much as loading one.
const SNAPSHOT_CHANGES: u32 = 8;
/// Documents that one core opens in one step: short enough for a person who waits behind it.
const STEP_DOCUMENTS: usize = 2;

/// Whether an opened document is likely to be asked for again soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Somebody asked for it.
    Open,
    /// Its turn came in the background, and it was not open.
    Close,
}

/// A document by number, to be opened on what there is of it.
pub(super) type Work = (u64, Keep, Option<Open>);

/// A document by number, and what came of opening it.
pub(super) type Outcome = (u64, Keep, Result<Opened, DocumentError>);

impl Index {
    /// A document as it is accepted now: from the cache, or opened at once and kept.
    pub(super) fn show(&mut self, number: u64) -> Result<Open, DocumentError> {
        self.show_all([number]).remove(&number).unwrap_or_else(|| Err(StoreError::Damaged(lost(number)).into()))
    }

    /// Several documents, see [`Index::show`]; those that have to be opened are opened side by side.
    pub(super) fn show_all(
        &mut self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> BTreeMap<u64, Result<Open, DocumentError>> {
        let (mut shown, mut work) = (BTreeMap::new(), Vec::new());
        for number in numbers.into_iter().collect::<BTreeSet<_>>() {
            match self.cache.take(number) {
                Some(open) if open.current => {
                    self.cache.put(number, open.clone());
                    shown.insert(number, Ok(open));
                }
                held => work.push((number, Keep::Open, held)),
            }
        }
        let mut opened = Vec::new();
        for (number, keep, outcome) in self.open_all(work) {
            match outcome {
                Ok(outcome) => {
                    shown.insert(number, Ok(outcome.open.clone()));
                    opened.push((number, keep, Ok(outcome)));
                }
                Err(error) => drop(shown.insert(number, Err(error))),
            }
        }
        self.keep_if_possible(opened);
        shown
    }

    /// What can be read is shown, also while nothing can be written down.
    fn keep_if_possible(&mut self, opened: Vec<Outcome>) {
        if opened.is_empty() {
            return;
        }
        let numbers: Vec<u64> = opened.iter().map(|(number, ..)| *number).collect();
        if let Err(error) = self.keep(opened) {
            warn!(%error, "what was derived for a reader cannot be written down now");
            numbers.into_iter().for_each(|number| drop(self.cache.take(number)));
        }
    }

    /// Writes down what is worth keeping, for all in one write.
    pub(super) fn keep(&mut self, opened: Vec<Outcome>) -> Result<(), StoreError> {
        let shelf = self.shelf.clone();
        let mut draft = shelf.draft();
        let mut done = Vec::with_capacity(opened.len());
        let mut changed = Vec::new();
        for (number, keep, opened) in opened {
            let name = shelf.name(number)?;
            let (space, fault) = match opened {
                Ok(opened) => {
                    let Opened { ledger, mut open, fault } = opened;
                    let (summary, failed) = summarise(&open);
                    draft.put_document(&ledger.space, &ledger.id, &DocumentRow { number, summary })?;
                    self.refer(&mut draft, number, &open)?;
                    if is_worth_saving(&open)
                        && let Ok(bytes) = open.document.save()
                    {
                        draft.put(&keys::snapshot(number), bytes)?;
                        open.saved = open.document.changes();
                    }
                    if keep == Keep::Open {
                        self.cache.put(number, open);
                    }
                    (ledger.space, fault.or(failed))
                }
                // A damaged entry is a fault of its record alone; what fails otherwise is tried again.
                Err(DocumentError::Store(error)) if !matches!(error, StoreError::Damaged(_)) => return Err(error),
                Err(error) => (name.space, Some(error.to_string())),
            };
            match &fault {
                Some(fault) => draft.put(&keys::fault(number), encode(fault))?,
                None if self.faults.contains_key(&number) => draft.remove(&keys::fault(number))?,
                None => {}
            }
            if name.is_pending {
                changed.push(Event::Document { space, document: name.id });
                draft.put_name(number, &NameRow { is_pending: false, ..name })?;
            }
            done.push((space, number, fault));
        }
        draft.write()?;
        if let Some(feed) = self.feed.get() {
            // Nobody may be listening.
            changed.into_iter().for_each(|event| drop(feed.send(event)));
        }
        for (space, number, fault) in done {
            self.settled(space, number, fault);
        }
        Ok(())
    }

    fn settled(&mut self, space: SpaceId, number: u64, fault: Option<String>) {
        if let Some(pending) = self.pending.get_mut(&space) {
            pending.remove(&number);
        }
        match fault {
            Some(fault) => drop(self.faults.insert(number, fault)),
            None => drop(self.faults.remove(&number)),
        }
    }

    /// Makes some of the summaries that are due.
    pub(super) fn summarise_some(&mut self) -> Result<(), StoreError> {
        let views = &self.views;
        let due = self.pending.iter().filter(|(space, _)| views.contains_key(space)).flat_map(|(_, due)| due);
        let numbers: Vec<u64> = due.copied().take(STEP_DOCUMENTS * cores::count()).collect();
        let work = numbers.into_iter().map(|number| match self.cache.take(number) {
            Some(held) => (number, Keep::Open, Some(held)),
            None => (number, Keep::Close, None),
        });
        let work = work.collect();
        let opened = self.open_all(work);
        self.keep(opened)
    }

    /// Opens documents side by side, in their order.
    pub(super) fn open_all(&self, work: Vec<Work>) -> Vec<Outcome> {
        cores::each(work, |(number, keep, held)| (number, keep, self.open(number, held)))
    }
}

fn lost(number: u64) -> String {
    format!("document {number} was not opened")
}

/// Whether a new snapshot pays. The longer a document is, the less often it is written again.
fn is_worth_saving(open: &Open) -> bool {
    let unsaved = open.document.changes().saturating_sub(open.saved);
    open.whole && unsaved >= SNAPSHOT_CHANGES.max(open.saved / 4)
}

/// The summary of a document, if anything of it is applied, and what went wrong.
fn summarise(open: &Open) -> (Option<Summary>, Option<String>) {
    if open.document.changes() == 0 {
        return (None, None);
    }
    match open.document.summary(open.updated.clone()) {
        Ok(summary) => (Some(summary), None),
        Err(fault) => (None, Some(fault.to_string())),
    }
}
