//! What is asked about records: one record, its history, lists, ids by their beginning, and how far the derived data is.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use portolan_protocol::{
    api::{DocumentQuery, Facets},
    change::PersonRef,
    entry::EntryRef,
    id::{DocumentId, NodeId, SpaceId},
    membership::Standing,
    record::{RecordView, Summary, Updated},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{
    cache::Open,
    cores,
    cursor::Cursor,
    error::DocumentError,
    index::Index,
    opening::Ledger,
    payload::LastKey,
    rows::{Counts, STRIP_ENTRIES, State},
    visible::ChangeStanding,
};

/// A record as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The record.
    pub record: RecordView,
    /// The last change.
    pub updated: Option<Updated>,
    /// Changes applied.
    pub changes: u32,
}

/// A record that somebody asks for.
pub(super) struct Asked {
    pub(super) space: SpaceId,
    pub(super) document: DocumentId,
    pub(super) when: When,
    pub(super) answer: oneshot::Sender<Result<Option<Shown>, DocumentError>>,
}

/// When a record is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Not while entries of its space are not looked at.
    Level,
    /// As it is known now.
    Now,
}

/// One signed change of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryItem {
    /// The entry that carries it.
    pub entry: EntryRef,
    /// The node that signed it.
    pub node: NodeId,
    /// When, by the author's clock.
    pub time_ms: Timestamp,
    /// The person the node vouches for; none where the content is not readable as a change.
    pub person: Option<PersonRef>,
    /// Why, may be empty.
    pub reason: String,
    /// Whether it is applied, and if not, why.
    pub standing: ChangeStanding,
    /// The hash of the change; none where it is no change.
    pub change: Option<[u8; 32]>,
    /// The flat keys that it touches, sorted; none where it is not applied.
    pub fields: Vec<String>,
    /// The entries it was made on.
    pub after: Vec<EntryRef>,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The records, in the order that was asked for.
    pub documents: Vec<Summary>,
    /// Where the next part begins: after this place. None at the end.
    pub next: Option<Cursor>,
}

/// Records in short.
#[derive(Default)]
pub(super) struct Summaries {
    pub(super) records: Vec<Summary>,
    /// How long they are as JSON.
    pub(super) bytes: usize,
    pub(super) looked_at: usize,
}

/// How far the derived data of a space is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Documents whose summary is made, of all that are known.
    pub indexed: u64,
    /// Documents known.
    pub total: u64,
    /// Entries that were not looked at, or are to be looked at again.
    pub entries_to_index: u64,
    /// Entries whose payload is not held.
    pub gaps: u64,
    /// Entries whose key is not held.
    pub sealed: u64,
    /// Entries that are no change in the language of records.
    pub refused: u64,
    /// Entries held back by membership.
    pub quarantined: u64,
    /// Entries that wait for control entries.
    pub waiting: u64,
    /// Records that cannot be found by their words yet, though their summaries are made.
    pub to_search: u64,
    /// Documents that this node fails on.
    pub faults: u64,
    /// Logs that are set aside, since something of them is damaged.
    pub damaged_logs: u64,
    /// Memory that open documents take, by estimate, those of other spaces included.
    pub cache_bytes: u64,
}

/// An entry that is not applied, whatever document it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// Which.
    pub entry: EntryRef,
    /// Why, in words.
    pub why: String,
}

impl Index {
    /// The number of a document.
    pub(super) fn document_number(&self, space: SpaceId, id: DocumentId) -> Result<u64, DocumentError> {
        if !self.views.contains_key(&space) {
            return Err(DocumentError::UnknownSpace);
        }
        let row = self.shelf.document(&space, &id)?;
        row.map(|row| row.number).ok_or(DocumentError::NotFound(id))
    }

    /// Answers those who ask, each for another record.
    pub(super) fn answer(&mut self, asked: Vec<Asked>) {
        let is_early = |asked: &Asked| asked.when == When::Level && !self.is_level(asked.space);
        let (early, asked): (Vec<_>, Vec<_>) = asked.into_iter().partition(is_early);
        // Who asked may have gone, here and below.
        early.into_iter().for_each(|asked| drop(asked.answer.send(Ok(None))));
        let numbers: Vec<_> = asked.iter().map(|asked| self.document_number(asked.space, asked.document)).collect();
        let mut shown = self.show_all(numbers.iter().flatten().copied());
        let open = |(asked, number): (Asked, Result<u64, DocumentError>)| {
            let open = number.and_then(|number| {
                shown.remove(&number).unwrap_or_else(|| Err(DocumentError::NotFound(asked.document)))
            });
            (asked, open)
        };
        let work: Vec<_> = asked.into_iter().zip(numbers).map(open).collect();
        cores::each(work, |(asked, open)| {
            let _ = asked.answer.send(open.and_then(|open| record(asked.document, &open).map(Some)));
        });
    }

    /// A record as it was at `heads`.
    pub(super) fn record_at(
        &mut self,
        space: SpaceId,
        id: DocumentId,
        heads: &[String],
    ) -> Result<Shown, DocumentError> {
        let ledger = self.ledger(self.document_number(space, id)?)?;
        let view = self.views.get(&space).cloned().ok_or(DocumentError::UnknownSpace)?;
        let document = self.at(&view, &ledger, heads)?.document;
        let updated = self.updated(&view, &ledger, &document.heads())?;
        Ok(Shown { record: document.view()?, updated, changes: document.changes() })
    }

    /// All entries of a record: each after those it was made on, among others by time, then by hash.
    pub(super) fn history(&mut self, space: SpaceId, id: DocumentId) -> Result<Vec<HistoryItem>, DocumentError> {
        let number = self.document_number(space, id)?;
        let document = self.show(number)?.document;
        let ledger = self.ledger(number)?;
        let view = self.views.get(&space).ok_or(DocumentError::UnknownSpace)?;
        let mut touched = document.touched()?;
        let mut key = LastKey::default();
        let mut items = Vec::new();
        for place in chronological(&ledger) {
            let fact = &ledger.facts[place];
            let payload = self.payload(view, fact, &mut key)?;
            let (person, reason) = payload.map_or((None, String::new()), |p| (Some(p.person), p.reason));
            let mut standing = ledger.standings[place].clone();
            let change = fact.change.clone().ok();
            if standing.is_applied() && !change.is_some_and(|hash| document.holds(&hash)) {
                standing = ChangeStanding::Refused("it does not fit what it builds on".to_owned());
            }
            items.push(HistoryItem {
                entry: fact.reference,
                node: fact.reference.log.author,
                time_ms: fact.time,
                person,
                reason,
                standing,
                fields: change.and_then(|hash| touched.remove(&hash)).unwrap_or_default(),
                change,
                after: fact.dependencies.clone(),
            });
        }
        Ok(items)
    }

    /// Where the records of a list stand, in its order: at most `limit` behind `after`, and whether there are more.
    pub(super) fn places(
        &self,
        space: SpaceId,
        query: &DocumentQuery,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<(Vec<Cursor>, bool), DocumentError> {
        if !self.views.contains_key(&space) {
            return Err(DocumentError::UnknownSpace);
        }
        let prefix = query.prefix.as_deref().unwrap_or_default().to_lowercase();
        if !prefix.is_empty() && format!("{prefix:a<26}").parse::<DocumentId>().is_err() {
            return Err(DocumentError::BadPrefix(prefix));
        }
        Ok(self.catalogue.list(&space, query, after, limit))
    }

    /// How many records pass the filters, by the values that they have.
    pub(super) fn facets(&self, space: SpaceId, query: &DocumentQuery) -> Result<Facets, DocumentError> {
        if !self.views.contains_key(&space) {
            return Err(DocumentError::UnknownSpace);
        }
        Ok(self.catalogue.facets(&space, query))
    }

    /// The short forms of records, in the order of `ids`; those that have none are left out. It ends when they have `bytes_aim`
    /// bytes; how many of `ids` were looked at comes with them.
    pub(super) fn summaries(
        &self,
        space: SpaceId,
        ids: &[DocumentId],
        bytes_aim: usize,
    ) -> Result<Summaries, DocumentError> {
        let mut found = Summaries::default();
        for id in ids {
            found.looked_at += 1;
            let Some(summary) = self.shelf.document(&space, id)?.and_then(|row| row.summary) else { continue };
            found.bytes += serde_json::to_vec(&summary).map_or(0, |json| json.len());
            found.records.push(summary);
            if found.bytes >= bytes_aim {
                break;
            }
        }
        Ok(found)
    }

    /// How far the derived data of a space is.
    pub(super) fn progress(&self, space: SpaceId) -> Progress {
        let total = self.totals.get(&space).copied().unwrap_or_default();
        let mut sum = Counts::default();
        for log in self.logs.iter().filter(|log| log.row.space == space) {
            let counts = &log.row.counts;
            sum.gaps += counts.gaps;
            sum.sealed += counts.sealed;
            sum.refused += counts.refused;
            sum.quarantined += counts.quarantined;
            sum.waiting += counts.waiting;
        }
        let faults =
            self.faults.keys().filter(|number| self.shelf.name(**number).is_ok_and(|name| name.space == space));
        Progress {
            indexed: total.saturating_sub(self.pending_count(&space)),
            total,
            entries_to_index: self.entries_to_index(space),
            gaps: sum.gaps,
            sealed: sum.sealed,
            refused: sum.refused,
            quarantined: sum.quarantined,
            waiting: sum.waiting,
            to_search: self.offering.behind(&space),
            faults: faults.count() as u64,
            damaged_logs: self.aside.keys().filter(|(of, _)| *of == space).count() as u64,
            cache_bytes: self.cache.bytes() as u64,
        }
    }

    /// Entries of a space that hold no change, for the operator: at most `limit`.
    pub(super) fn held_back(&self, space: SpaceId, limit: usize) -> Result<Vec<HeldBack>, DocumentError> {
        let mut found = Vec::new();
        let troubled = |counts: &Counts| *counts != Counts::default();
        for log in self.logs.iter().filter(|log| log.row.space == space && troubled(&log.row.counts)) {
            for strip in 0..log.row.next.div_ceil(STRIP_ENTRIES) {
                let rows = self.shelf.strip(log.number, strip)?;
                for (seq, row) in (strip * STRIP_ENTRIES..).zip(rows) {
                    let standing = Standing::from(row.standing);
                    let why = match row.state {
                        State::Gap => "its content is not held".to_owned(),
                        State::Sealed => "its key is not held".to_owned(),
                        State::Refused { why, .. } => why,
                        State::Change(_) if standing == Standing::Accepted => continue,
                        State::Change(_) => standing.to_string(),
                    };
                    found.push(HeldBack { entry: EntryRef { log: log.row.log, seq, hash: row.hash }, why });
                    if found.len() == limit {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }
}

/// An open document as a record.
fn record(id: DocumentId, open: &Open) -> Result<Shown, DocumentError> {
    match open.document.changes() {
        0 => Err(DocumentError::NotFound(id)),
        changes => Ok(Shown { record: open.document.view()?, updated: open.updated.clone(), changes }),
    }
}

/// The places of the facts in an order to read: each after those it stands on, else the earliest first.
pub(super) fn chronological(ledger: &Ledger) -> Vec<usize> {
    let facts = &ledger.facts;
    let places: BTreeMap<EntryRef, usize> =
        facts.iter().enumerate().map(|(place, fact)| (fact.reference, place)).collect();
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); facts.len()];
    let mut awaited = vec![0_usize; facts.len()];
    for (place, fact) in facts.iter().enumerate() {
        for dependency in fact.dependencies.iter().filter_map(|dependency| places.get(dependency)) {
            behind[*dependency].push(place);
            awaited[place] += 1;
        }
    }
    let key = |place: usize| Reverse((facts[place].time, facts[place].reference.hash, place));
    let mut ready: BinaryHeap<_> = (0..facts.len()).filter(|place| awaited[*place] == 0).map(key).collect();
    let mut order = Vec::with_capacity(facts.len());
    while let Some(Reverse((.., place))) = ready.pop() {
        order.push(place);
        for next in &behind[place] {
            awaited[*next] -= 1;
            if awaited[*next] == 0 {
                ready.push(key(*next));
            }
        }
    }
    order
}
