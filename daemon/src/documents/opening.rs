//! The second stage: a document from its entries, when someone asks for it or its turn has come.
//!
//! It builds on the open document or the snapshot there is, where everything in that is still accepted, and applies the rest
//! in one call. What does not fit is found from the beginning, so that the outcome never depends on the order of arrival.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use portolan_protocol::{
    change::{ChangePayload, PersonRef},
    entry::{EntryRef, Header},
    id::{DocumentId, NodeId, SpaceId},
    membership::DataLog,
    record::Updated,
    view::SpaceView,
};

use super::{
    cache::Open,
    error::DocumentError,
    index::Index,
    keys,
    payload::{LastKey, Reading},
    rows::{NameRow, State},
    visible::{ChangeStanding, Fact, Surroundings, lifts, standings},
};
use crate::{
    automerge_door::{Applied, Document, Unfit},
    prevalidate::SafeChange,
    store::StoreError,
};

/// Everything held of a document, judged.
pub(super) struct Ledger {
    pub(super) space: SpaceId,
    pub(super) id: DocumentId,
    pub(super) facts: Vec<Fact>,
    pub(super) standings: Vec<ChangeStanding>,
    /// The changes that are applied, each after those it stands on.
    pub(super) order: Vec<usize>,
}

impl Ledger {
    /// The hashes of the changes that are applied.
    pub(super) fn applied(&self) -> BTreeSet<[u8; 32]> {
        self.order.iter().filter_map(|place| self.facts[*place].change.as_ref().ok()).copied().collect()
    }

    /// The entry that carries an applied change; of several the least.
    pub(super) fn entry(&self, change: &[u8; 32]) -> Option<&Fact> {
        let of = self.order.iter().map(|place| &self.facts[*place]);
        of.filter(|fact| fact.change.as_ref() == Ok(change)).min_by_key(|fact| fact.reference)
    }
}

/// A document that was opened, and what is worth keeping of it.
pub(super) struct Opened {
    pub(super) ledger: Ledger,
    pub(super) open: Open,
    /// What went wrong on this node.
    pub(super) fault: Option<String>,
}

impl Index {
    /// Reads everything held of a document, and judges it.
    pub(super) fn ledger(&self, number: u64) -> Result<Ledger, DocumentError> {
        let name = self.shelf.name(number)?;
        let (space, id) = (name.space, name.id);
        let view = self.views.get(&space).ok_or(DocumentError::UnknownSpace)?;
        let facts = self.facts(number, &name)?;
        let lifted = match facts.iter().any(Fact::is_liftable) {
            true => lifts(&view.membership, &facts, &self.surroundings(space, &facts)?),
            false => BTreeSet::new(),
        };
        let (standings, order) = standings(&facts, &lifted);
        Ok(Ledger { space, id, facts, standings, order })
    }

    fn facts(&self, number: u64, name: &NameRow) -> Result<Vec<Fact>, StoreError> {
        let mut facts = Vec::new();
        for (log, seq) in self.shelf.changes(number, name)? {
            let Some(key) = self.log(log).map(|log| log.row.log) else { continue };
            let Some(row) = self.shelf.row(log, seq)? else { continue };
            let (change, dependencies) = match row.state {
                State::Change(change) => (Ok(change.hash), change.dependencies),
                State::Refused { why, .. } => (Err(why), Vec::new()),
                State::Gap | State::Sealed => continue,
            };
            let reference = EntryRef { log: key, seq, hash: row.hash };
            let (time, standing, cited) = (row.time, row.standing.into(), row.cited);
            facts.push(Fact { reference, log, time, standing, cited, change, dependencies });
        }
        // By reference, not by this node's numbers.
        facts.sort_unstable_by_key(|fact| fact.reference);
        Ok(facts)
    }

    fn surroundings(&self, space: SpaceId, facts: &[Fact]) -> Result<Surroundings, StoreError> {
        let authors: BTreeSet<NodeId> = facts.iter().map(|fact| fact.reference.log.author).collect();
        let mut cited = BTreeMap::new();
        let mut logs = Vec::new();
        for log in self.logs.iter().filter(|log| log.row.space == space && authors.contains(&log.row.log.author)) {
            let heads = self.shelf.cited(log.number)?;
            let in_order = heads.values().cloned().collect();
            logs.push(DataLog { log: log.row.log, predecessor: log.row.predecessor, cited: in_order });
            cited.insert(log.number, heads);
        }
        let heads = |fact: &Fact| cited.get(&fact.log).and_then(|heads| heads.get(&fact.cited)).cloned();
        Ok(Surroundings { heads: facts.iter().map(|fact| heads(fact).unwrap_or_default()).collect(), logs })
    }

    /// Opens a document as it is accepted now. It builds on `held`, the document as it was open before, where it can.
    pub(super) fn open(&self, number: u64, held: Option<Open>) -> Result<Opened, DocumentError> {
        let ledger = self.ledger(number)?;
        let view = self.views.get(&ledger.space).ok_or(DocumentError::UnknownSpace)?.clone();
        let wanted = ledger.applied();
        let held = held.filter(|open| open.whole && is_part(&open.document, &wanted));
        let (before, saved, last) = match held {
            Some(open) => (open.document, open.saved, open.updated.map(|updated| (updated, open.by_one))),
            None => {
                let document = self.snapshot(number, ledger.id, &wanted)?;
                let saved = document.as_ref().map_or(0, Document::changes);
                (document.unwrap_or_else(|| Document::new(ledger.id)), saved, None)
            }
        };
        let mut opening =
            Opening { index: self, view: &view, ledger: &ledger, persons: BTreeMap::new(), key: LastKey::default() };
        let (document, applied) = opening.complete(before)?;
        let whole = applied.unfit.is_empty() && applied.faults.is_empty();
        let current_heads = document.heads();
        let last = opening.updated(&current_heads)?.or(last);
        let (updated, by_one) = last.map_or((None, false), |(updated, by_one)| (Some(updated), by_one));
        let fault = applied.faults.first().map(|(_, fault)| fault.to_string());
        let saved = saved.min(document.changes());
        Ok(Opened { open: Open { document, whole, current: true, updated, by_one, saved }, fault, ledger })
    }

    fn snapshot(
        &self,
        number: u64,
        id: DocumentId,
        wanted: &BTreeSet<[u8; 32]>,
    ) -> Result<Option<Document>, StoreError> {
        let bytes = self.shelf.value(&keys::snapshot(number))?;
        // One that does not load was damaged or comes from another release: the entries say the same.
        let document = bytes.and_then(|bytes| Document::load(id, &bytes).ok());
        Ok(document.filter(|document| is_part(document, wanted)))
    }

    /// Who made the last change of a document with these heads.
    pub(super) fn updated(
        &self,
        view: &Arc<SpaceView>,
        ledger: &Ledger,
        heads: &[[u8; 32]],
    ) -> Result<Option<Updated>, DocumentError> {
        let (persons, key) = (BTreeMap::new(), LastKey::default());
        let last = Opening { index: self, view, ledger, persons, key }.updated(heads)?;
        Ok(last.map(|(updated, _)| updated))
    }

    /// Hands the header and the stored payload of an entry to `read`; none where the payload is not held.
    pub(super) fn stored<T>(
        &self,
        fact: &Fact,
        read: impl FnOnce(&Header, &[u8]) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(log) = self.log(fact.log) else { return Ok(None) };
        let entry = self.store.entry(&log.context(), fact.reference.seq)?;
        Ok(entry.and_then(|entry| read(&entry.header, entry.payload.as_deref()?)))
    }

    /// The change that an entry carries.
    pub(super) fn change(
        &self,
        view: &SpaceView,
        fact: &Fact,
        key: &mut LastKey,
    ) -> Result<Option<Reading>, StoreError> {
        self.stored(fact, |header, payload| key.read(view, header, payload).ok())
    }

    /// What an entry says beside its change, whether that can be applied or not.
    pub(super) fn payload(
        &self,
        view: &SpaceView,
        fact: &Fact,
        key: &mut LastKey,
    ) -> Result<Option<ChangePayload>, StoreError> {
        self.stored(fact, |header, payload| key.open(view, header, payload).ok())
    }
}

/// Whether a document holds nothing but changes of `wanted`.
pub(super) fn is_part(document: &Document, wanted: &BTreeSet<[u8; 32]>) -> bool {
    wanted.iter().filter(|hash| document.holds(hash)).count() == document.changes() as usize
}

/// One opening under way.
struct Opening<'a> {
    index: &'a Index,
    view: &'a Arc<SpaceView>,
    ledger: &'a Ledger,
    /// Who made the changes that were read on the way.
    persons: BTreeMap<[u8; 32], PersonRef>,
    key: LastKey,
}

impl Opening<'_> {
    /// Applies what `before` lacks; from the beginning, if something does not fit.
    fn complete(&mut self, before: Document) -> Result<(Document, Applied), DocumentError> {
        let is_new = before.changes() == 0;
        let mut document = before;
        let applied = self.apply(&mut document)?;
        if applied.unfit.is_empty() || is_new {
            return Ok((document, applied));
        }
        let mut document = Document::new(self.ledger.id);
        let applied = self.apply(&mut document)?;
        Ok((document, applied))
    }

    fn apply(&mut self, document: &mut Document) -> Result<Applied, DocumentError> {
        let mut changes = Numbered::default();
        for place in &self.ledger.order {
            let fact = &self.ledger.facts[*place];
            let Ok(hash) = &fact.change else { continue };
            if document.holds(hash) {
                continue;
            }
            if let Some(Reading { payload, change }) = self.index.change(self.view, fact, &mut self.key)? {
                self.persons.insert(*hash, payload.person);
                changes.insert(fact.reference, change);
            }
        }
        let (changes, forks) = changes.finish();
        let mut applied = match changes.is_empty() {
            true => Applied::default(),
            false => document.apply(&changes)?,
        };
        applied.unfit.extend(forks);
        Ok(applied)
    }

    /// Who made the last change: of the heads, the one with the latest time; and whether they made all of the heads.
    fn updated(&mut self, heads: &[[u8; 32]]) -> Result<Option<(Updated, bool)>, DocumentError> {
        let ledger = self.ledger;
        let mut made: Vec<_> = heads.iter().filter_map(|head| Some((head, ledger.entry(head)?))).collect();
        made.sort_unstable_by_key(|(_, fact)| Reverse((fact.time, fact.reference)));
        let Some(((last, fact), others)) = made.split_first() else { return Ok(None) };
        let node = fact.reference.log.author;
        let Some(person) = self.person(last, fact)? else { return Ok(None) };
        let mut by_one = others.iter().all(|(_, other)| other.reference.log.author == node);
        for (head, other) in others {
            by_one = by_one && self.person(head, other)?.is_some_and(|other| other.id == person.id);
        }
        Ok(Some((Updated { time_ms: fact.time, node, person: person.id, name: person.name }, by_one)))
    }

    /// Who made a change; none where its payload is not held.
    fn person(&mut self, hash: &[u8; 32], fact: &Fact) -> Result<Option<PersonRef>, DocumentError> {
        match self.persons.remove(hash) {
            Some(person) => Ok(Some(person)),
            None => Ok(self.index.payload(self.view, fact, &mut self.key)?.map(|payload| payload.person)),
        }
    }
}

/// Changes by actor and number. An actor belongs to one log, so of two changes with one number the earlier entry's counts:
/// nobody can take back what others already build on by signing another one.
#[derive(Default)]
struct Numbered {
    changes: BTreeMap<([u8; 32], u64), (EntryRef, SafeChange)>,
    forks: Vec<([u8; 32], Unfit)>,
}

impl Numbered {
    fn insert(&mut self, entry: EntryRef, change: SafeChange) {
        let (actor, seq) = (change.facts().actor, change.facts().seq);
        let later = match self.changes.entry((actor, seq)) {
            Entry::Vacant(free) => {
                free.insert((entry, change));
                return;
            }
            Entry::Occupied(mut taken) if entry < taken.get().0 => taken.insert((entry, change)).1,
            Entry::Occupied(_) => change,
        };
        self.forks.push((later.facts().hash, Unfit::Fork(seq)));
    }

    /// The changes, and those whose numbers were taken.
    fn finish(self) -> (Vec<SafeChange>, Vec<([u8; 32], Unfit)>) {
        let changes: Vec<SafeChange> = self.changes.into_values().map(|(_, change)| change).collect();
        // The same change may stand in two entries.
        let held: BTreeSet<[u8; 32]> = changes.iter().map(|change| change.facts().hash).collect();
        let forks = self.forks.into_iter().filter(|(hash, _)| !held.contains(hash)).collect();
        (changes, forks)
    }
}
