//! What is kept of documents that were opened: summaries for lists, snapshots for the next opening, faults for the operator;
//! and the background that makes them for every document in turn.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{
    api::Event,
    id::{DocumentId, SpaceId},
    record::{Summary, Updated},
    time::Timestamp,
};
use tracing::warn;

use super::{
    cache::Open,
    cores,
    error::DocumentError,
    index::Index,
    keys,
    opening::{Ledger, Opened},
    payload::LastKey,
    refers::{Linked, Referred, linked, referred},
    rows::{DocumentRow, NameRow, encode},
    settings::settings_document,
    visible::Fact,
};
use crate::{search::Entry, store::StoreError};

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

/// What was made of a document, to be remembered once it is written down.
struct Made {
    space: SpaceId,
    id: DocumentId,
    row: DocumentRow,
    entry: Option<Entry>,
}

/// A document in short.
#[derive(Default)]
struct Short {
    summary: Option<Summary>,
    entry: Option<Entry>,
    fault: Option<String>,
    /// What it refers to and links to; none where that cannot be told, and what was told before stays.
    refers: Option<(Referred, Linked)>,
}

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
        let mut made = Vec::new();
        for (number, keep, opened) in opened {
            let name = shelf.name(number)?;
            let (space, fault) = match opened {
                Ok(opened) => {
                    let Opened { ledger, mut open, fault } = opened;
                    let mut short = shorten(&open, &ledger);
                    let failed = short.fault.take();
                    let known = self.catalogue.item(&ledger.space, &ledger.id).map(|item| item.revision);
                    // Whoever only looks at a record changes nothing of it.
                    if known.is_none() || name.is_pending || self.faults.contains_key(&number) {
                        let revision = self.offering.next_revision();
                        let others = self.others(&open, &ledger, revision);
                        let row = DocumentRow { number, revision, others, summary: short.summary };
                        draft.put_document(&ledger.space, &ledger.id, &row)?;
                        if let Some((referred, linked)) = &short.refers {
                            self.refer(&mut draft, number, referred)?;
                            self.link(&mut draft, &ledger.space, number, linked)?;
                        }
                        made.push(Made { space: ledger.space, id: ledger.id, row, entry: short.entry });
                    }
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
        for Made { space, id, row, entry } in made {
            self.catalogue.put(space, id, &row, id == settings_document(&space));
            self.offering.put(space, id, row.number, row.revision, entry);
        }
        if let Some(feed) = self.feed.get() {
            // Nobody may be listening.
            changed.into_iter().for_each(|event| drop(feed.send(event)));
        }
        for (space, number, fault) in done {
            self.settled(space, number, fault);
        }
        Ok(())
    }

    /// [`DocumentRow::others`] of a record that is about to get a revision.
    fn others(&self, open: &Open, ledger: &Ledger, revision: u64) -> u64 {
        let Some(last) = open.updated.as_ref().filter(|_| open.by_one) else { return revision };
        match self.catalogue.item(&ledger.space, &ledger.id).filter(|item| item.revision > 0) {
            Some(item) if self.catalogue.is_by(item, &(last.node, last.person)) => item.others,
            Some(item) => item.revision,
            None if self.is_all_by(ledger, last) => 0,
            None => revision,
        }
    }

    /// Whether one person of this node made all changes of a record. Of other nodes nobody asks.
    fn is_all_by(&self, ledger: &Ledger, person: &Updated) -> bool {
        let Some(view) = self.views.get(&ledger.space).filter(|view| view.own_log.author == person.node) else {
            return false;
        };
        let mut key = LastKey::default();
        let mut made = ledger.order.iter().map(|place| &ledger.facts[*place]);
        let is_theirs = |fact: &Fact| match self.payload(view, fact, &mut key) {
            Ok(Some(payload)) => fact.reference.log.author == person.node && payload.person.id == person.person,
            Ok(None) | Err(_) => false,
        };
        // The only one is the last one.
        ledger.order.len() == 1 || made.all(is_theirs)
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

    /// Hands some documents that are due to the search.
    pub(super) fn offer_some(&mut self) -> Result<(), StoreError> {
        self.offering.take_up(&self.catalogue);
        let views = &self.views;
        let due = self.offering.some(STEP_DOCUMENTS * cores::count(), |space| views.contains_key(space));
        let mut named = BTreeMap::new();
        let mut work = Vec::new();
        for (revision, space, number) in due {
            let id = self.shelf.name(number)?.id;
            if self.catalogue.item(&space, &id).is_none_or(|item| item.revision != revision) {
                self.offering.drop_due(&space, revision);
                continue;
            }
            let held = self.cache.take(number);
            held.iter().for_each(|open| self.cache.put(number, open.clone()));
            named.insert(number, (revision, space, id));
            work.push((number, Keep::Close, held));
        }
        for (number, _, opened) in self.open_all(work) {
            let Some((revision, space, id)) = named.remove(&number) else { continue };
            let entry = match opened {
                Ok(Opened { ledger, open, .. }) => shorten(&open, &ledger).entry,
                Err(DocumentError::Store(error)) if !matches!(error, StoreError::Damaged(_)) => return Err(error),
                // What cannot be opened is not found.
                Err(_) => None,
            };
            self.offering.put_due(space, id, number, revision, entry);
        }
        Ok(())
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

/// A document in short, if anything of it is applied, and what went wrong.
fn shorten(open: &Open, ledger: &Ledger) -> Short {
    if open.document.changes() == 0 {
        return Short { refers: Some(Default::default()), ..Short::default() };
    }
    let view = match open.document.view() {
        Ok(view) => view,
        Err(fault) => return Short { fault: Some(fault.to_string()), ..Short::default() },
    };
    let created: Option<Timestamp> = ledger.order.iter().map(|place| ledger.facts[*place].time).min();
    let summary = Summary::new(&view, open.updated.clone(), created, open.document.changes());
    let is_found = !summary.deleted && ledger.id != settings_document(&ledger.space);
    let entry = is_found.then(|| Entry::new(ledger.space, &view, &summary));
    Short { summary: Some(summary), entry, fault: None, refers: Some((referred(&view), linked(&view))) }
}
