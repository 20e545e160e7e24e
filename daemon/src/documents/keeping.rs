//! What is kept of documents that were opened: summaries for lists, snapshots for the next opening, faults for the operator;
//! and the background that makes them for every document in turn.

use std::thread;

use portolan_protocol::{api::Event, id::SpaceId, record::Summary};

use super::{
    cache::Open,
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
/// Most cores used at once.
const CORES_MAX: usize = 8;

/// Whether an opened document is likely to be asked for again soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Somebody asked for it.
    Open,
    /// Its turn came in the background, and it was not open.
    Close,
}

/// A document by number, and what came of opening it.
pub(super) type Outcome = (u64, Keep, Result<Opened, DocumentError>);

impl Index {
    /// A document as it is accepted now: from the cache, or opened at once and kept.
    pub(super) fn show(&mut self, number: u64) -> Result<Open, DocumentError> {
        let held = self.cache.take(number);
        if let Some(open) = held.as_ref().filter(|open| open.current) {
            self.cache.put(number, open.clone());
            return Ok(open.clone());
        }
        let opened = self.open(number, held)?;
        let open = opened.open.clone();
        self.keep(vec![(number, Keep::Open, Ok(opened))])?;
        Ok(open)
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
                Err(DocumentError::Store(error)) => return Err(error),
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
        let cores = thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).clamp(1, CORES_MAX);
        let views = &self.views;
        let due = self.pending.iter().filter(|(space, _)| views.contains_key(space)).flat_map(|(_, due)| due);
        let numbers: Vec<u64> = due.copied().take(STEP_DOCUMENTS * cores).collect();
        let work: Vec<(u64, Option<Open>)> =
            numbers.into_iter().map(|number| (number, self.cache.take(number))).collect();
        let opened = self.open_all(work, cores);
        self.keep(opened)
    }

    fn open_all(&self, work: Vec<(u64, Option<Open>)>, cores: usize) -> Vec<Outcome> {
        let share = work.len().div_ceil(cores).max(1);
        let mut work = work.into_iter();
        let mut shares: Vec<Vec<_>> = Vec::new();
        loop {
            let part: Vec<_> = work.by_ref().take(share).collect();
            if part.is_empty() {
                break;
            }
            shares.push(part);
        }
        let open = |part: Vec<(u64, Option<Open>)>| -> Vec<_> {
            part.into_iter()
                .map(|(number, held)| {
                    let keep = if held.is_some() { Keep::Open } else { Keep::Close };
                    (number, keep, self.open(number, held))
                })
                .collect()
        };
        if shares.len() <= 1 {
            return shares.into_iter().flat_map(open).collect();
        }
        thread::scope(|scope| {
            let running: Vec<_> = shares.into_iter().map(|part| scope.spawn(|| open(part))).collect();
            // The door lets no panic of the library through; a share that panicked all the same stays pending.
            running.into_iter().filter_map(|share| share.join().ok()).flatten().collect()
        })
    }
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
