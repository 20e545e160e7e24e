//! What the worker knows of logs and documents: the state that every step works on, and how it is taken up from the table.
//!
//! Derived alone: losing all of it costs time. After a failed write the whole state is taken up again from the table.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use portolan_protocol::{
    api::Event,
    entry::{EntryRef, Heads, LogKey, LogKind},
    id::{LogId, NodeId, SpaceId},
    membership::StandingCache,
    page::LogContext,
    view::SpaceView,
};

use tokio::sync::broadcast;
use tracing::error;

use super::{
    aside::{Aside, Part, SetAside},
    cache::Cache,
    catalogue::Catalogue,
    keys,
    offering::Offering,
    payload::LastKey,
    rows::{Counters, Counts, DocumentRow, LogRow, NameRow, decode},
    settings::settings_document,
    shelf::Shelf,
};
use crate::store::{Store, StoreError};

/// The least key of a log.
pub(super) const FIRST: LogKey = LogKey { author: NodeId([0; 32]), log: LogId([0; 16]) };

/// A log as far as it was taken in.
pub(super) struct Log {
    pub(super) number: u32,
    pub(super) row: LogRow,
    /// The heads that its first entry cites, its last one, and the last one that did not regress.
    pub(super) opening: Option<Arc<Heads>>,
    pub(super) heads: Option<Arc<Heads>>,
    pub(super) previous: Option<Arc<Heads>>,
    /// The heads that the entry named as predecessor cites, once that is held.
    pub(super) predecessor: Option<Arc<Heads>>,
    pub(super) key: LastKey,
}

impl Log {
    /// A log of which nothing was taken in.
    pub(super) fn new(number: u32, space: SpaceId, log: LogKey) -> Log {
        let counts = Counts::default();
        let row = LogRow { space, log, next: 0, predecessor: None, cited: 0, previous: None, counts };
        Log::with(number, row)
    }

    fn with(number: u32, row: LogRow) -> Log {
        let key = LastKey::default();
        Log { number, row, opening: None, heads: None, previous: None, predecessor: None, key }
    }

    pub(super) fn context(&self) -> LogContext {
        LogContext { space: self.row.space, log: self.row.log, kind: LogKind::Data }
    }
}

/// How far a log was gone through again.
#[derive(Default)]
pub(super) struct Review {
    /// The first strip that was not.
    pub(super) strip: u64,
    /// Before it, the heads that the last entry that did not regress cites, and where in the log they begin.
    pub(super) previous: Option<Arc<Heads>>,
    pub(super) cited: Option<u64>,
}

/// See the head of the file.
pub(super) struct Index {
    pub(super) store: Store,
    pub(super) shelf: Shelf,
    pub(super) views: BTreeMap<SpaceId, Arc<SpaceView>>,
    pub(super) standings: BTreeMap<SpaceId, StandingCache>,
    /// Where the data logs end that are held.
    pub(super) ends: BTreeMap<(SpaceId, LogKey), u64>,
    pub(super) logs: Vec<Log>,
    pub(super) by_key: BTreeMap<(SpaceId, LogKey), u32>,
    pub(super) counters: Counters,
    /// How many documents each space has.
    pub(super) totals: BTreeMap<SpaceId, u64>,
    /// Logs with entries to take in; logs to go through again since membership, keys or payloads came.
    pub(super) behind: BTreeSet<(SpaceId, LogKey)>,
    pub(super) review: BTreeMap<u32, Review>,
    /// Logs that are gone on with no more, since something of them is damaged.
    pub(super) aside: BTreeMap<(SpaceId, LogKey), Aside>,
    /// Logs whose predecessor is not held.
    pub(super) orphans: BTreeSet<u32>,
    /// Documents whose summary has to be made.
    pub(super) pending: BTreeMap<SpaceId, BTreeSet<u64>>,
    /// Documents with entries that the dependency exception may lift.
    pub(super) liftable: BTreeMap<SpaceId, BTreeSet<u64>>,
    pub(super) faults: BTreeMap<u64, String>,
    pub(super) cache: Cache,
    /// All records in short.
    pub(super) catalogue: Catalogue,
    /// What is handed to the search.
    pub(super) offering: Offering,
    /// Where changes of records are told, once somebody wants to hear of them.
    pub(super) feed: Arc<OnceLock<broadcast::Sender<Event>>>,
}

impl Index {
    /// Takes up what the table holds.
    pub(super) fn load(store: &Store, cache_bytes: usize, offering: Offering) -> Result<Index, StoreError> {
        let mut index = Index {
            store: store.clone(),
            shelf: Shelf::open(store)?,
            views: BTreeMap::new(),
            standings: BTreeMap::new(),
            ends: BTreeMap::new(),
            logs: Vec::new(),
            by_key: BTreeMap::new(),
            counters: Counters::default(),
            totals: BTreeMap::new(),
            behind: BTreeSet::new(),
            review: BTreeMap::new(),
            aside: BTreeMap::new(),
            orphans: BTreeSet::new(),
            pending: BTreeMap::new(),
            liftable: BTreeMap::new(),
            faults: BTreeMap::new(),
            cache: Cache::new(cache_bytes),
            catalogue: Catalogue::default(),
            offering,
            feed: Arc::default(),
        };
        index.reload()?;
        Ok(index)
    }

    /// Forgets what is in memory and takes it up from the table again. Views, ends and what is set aside stay.
    pub(super) fn reload(&mut self) -> Result<(), StoreError> {
        let table = self.shelf.table()?;
        let shelf = self.shelf.clone();
        self.counters = shelf.value(keys::COUNTERS)?.map_or(Ok(Counters::default()), |bytes| decode(&bytes))?;
        (self.logs, self.by_key) = (Vec::new(), BTreeMap::new());
        (self.totals, self.pending, self.faults) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        (self.orphans, self.liftable, self.review) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        self.cache.clear();
        shelf.scan(keys::LOGS, |_, value| self.load_log(decode(&value)?))?;
        for number in 0..self.logs.len() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            // Membership may have moved on since the standings were kept.
            self.review.insert(number, Review::default());
            self.adopt(number)?;
        }
        shelf.scan(keys::TOTALS, |key, value| {
            let space = key.get(1..).and_then(|id| id.try_into().ok()).map(SpaceId);
            self.totals.extend(space.zip(Some(decode::<u64>(&value)?)));
            Ok(())
        })?;
        shelf.scan(keys::FAULTS, |key, value| {
            // A fault may be one that this release no longer has.
            if let Some(number) = keys::number(key) {
                self.faults.insert(number, decode(&value)?);
                self.pending.entry(shelf.name(number)?.space).or_default().insert(number);
            }
            Ok(())
        })?;
        shelf.scan(keys::NAMES, |key, value| {
            let name: NameRow = decode(&value)?;
            let number = keys::number(key).filter(|_| name.is_pending);
            self.pending.entry(name.space).or_default().extend(number);
            Ok(())
        })?;
        self.catalogue = Catalogue::default();
        let mut last = 0;
        shelf.scan(keys::DOCUMENTS, |key, value| {
            let (Some((space, id)), row) = (keys::named(key), decode::<DocumentRow>(&value)?) else { return Ok(()) };
            last = last.max(row.revision);
            self.catalogue.put(space, id, &row, id == settings_document(&space));
            Ok(())
        })?;
        self.offering.begin(table, last);
        let behind = self.ends.iter().filter(|(key, end)| self.next(key) < **end);
        self.behind = behind.map(|(key, _)| *key).collect();
        Ok(())
    }

    /// Forgets everything derived and begins anew.
    pub(super) fn rebuild(&mut self) -> Result<(), StoreError> {
        self.shelf.clear()?;
        self.standings.clear();
        self.aside.clear();
        self.reload()
    }

    fn load_log(&mut self, row: LogRow) -> Result<(), StoreError> {
        let number = u32::try_from(self.logs.len()).unwrap_or(u32::MAX);
        let heads = |seq: u64| -> Result<Option<Arc<Heads>>, StoreError> {
            let bytes = self.shelf.value(&keys::cited(number, seq))?;
            bytes.map(|bytes| Ok(Arc::new(Heads::new(decode(&bytes)?)))).transpose()
        };
        let (opening, last) = (heads(0)?, heads(row.cited)?);
        let previous = row.previous.map_or(Ok(None), heads)?;
        self.by_key.insert((row.space, row.log), number);
        self.logs.push(Log { opening, heads: last, previous, ..Log::with(number, row) });
        Ok(())
    }

    /// How far a log was taken in.
    pub(super) fn next(&self, key: &(SpaceId, LogKey)) -> u64 {
        self.by_key.get(key).and_then(|number| self.log(*number)).map_or(0, |log| log.row.next)
    }

    pub(super) fn log(&self, number: u32) -> Option<&Log> {
        self.logs.get(number as usize)
    }

    /// Looks for the entry that a log names as its predecessor. Says whether it was found now.
    pub(super) fn adopt(&mut self, number: u32) -> Result<bool, StoreError> {
        let Some(log) = self.log(number) else { return Ok(false) };
        let Some(predecessor) = log.row.predecessor.filter(|_| log.predecessor.is_none()) else { return Ok(false) };
        let found = self.heads_of(log.row.space, &predecessor)?;
        if found.is_none() {
            self.orphans.insert(number);
            return Ok(false);
        }
        self.orphans.remove(&number);
        if let Some(log) = self.logs.get_mut(number as usize) {
            log.predecessor = found;
        }
        Ok(true)
    }

    /// The heads that an entry cites, if exactly that one was taken in.
    fn heads_of(&self, space: SpaceId, entry: &EntryRef) -> Result<Option<Arc<Heads>>, StoreError> {
        let Some(&number) = self.by_key.get(&(space, entry.log)) else { return Ok(None) };
        let Some(row) = self.shelf.row(number, entry.seq)?.filter(|row| row.hash == entry.hash) else {
            return Ok(None);
        };
        let bytes = self.shelf.value(&keys::cited(number, row.cited))?;
        bytes.map(|bytes| Ok(Arc::new(Heads::new(decode(&bytes)?)))).transpose()
    }

    /// New entries are durable up to `end`, or payloads came for earlier ones.
    pub(super) fn appended(&mut self, context: &LogContext, from: u64, end: u64) {
        if context.kind != LogKind::Data {
            return;
        }
        let key = (context.space, context.log);
        let next = self.next(&key);
        let held = self.ends.entry(key).or_default();
        *held = (*held).max(end);
        if *held > next {
            self.behind.insert(key);
        }
        if from < next {
            self.review.extend(self.by_key.get(&key).map(|number| (*number, Review::default())));
        }
    }

    /// A space as it is now: everything in it is judged again.
    pub(super) fn view(&mut self, view: Arc<SpaceView>) {
        let space = view.space;
        let stale = self.views.insert(space, view.clone()).is_none_or(|before| {
            before.membership.revision() != view.membership.revision() || !Arc::ptr_eq(&before.keyring, &view.keyring)
        });
        if stale {
            let logs = self.by_key.range((space, FIRST)..).take_while(|((of, _), _)| *of == space);
            self.review.extend(logs.map(|(_, number)| (*number, Review::default())));
        }
    }

    /// Takes up the derived state after a failure. A log of which something is damaged is set aside; any other failure is
    /// handed back.
    pub(super) fn recover(
        &mut self,
        key: (SpaceId, LogKey),
        part: Part,
        outcome: Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Err(failure) = outcome else { return Ok(()) };
        let failure = match failure {
            StoreError::Damaged(why) => {
                self.set_aside(key, part, why);
                None
            }
            other => Some(other),
        };
        self.reload()?;
        failure.map_or(Ok(()), Err)
    }

    /// Leaves a log alone from now on.
    pub(super) fn set_aside(&mut self, key: (SpaceId, LogKey), part: Part, why: String) {
        let (space, LogKey { author, log }) = key;
        error!(%space, %author, %log, why, "a log is damaged; records are derived from all others");
        let aside = self.aside.entry(key).or_insert(Aside { part, why });
        if part == Part::Rows {
            aside.part = part;
        }
    }

    /// Whether rows of a log can be judged.
    pub(super) fn is_judged(&self, key: &(SpaceId, LogKey)) -> bool {
        self.aside.get(key).is_none_or(|aside| aside.part == Part::Entries)
    }

    /// The logs of a space that are set aside.
    pub(super) fn all_aside(&self, space: SpaceId) -> Vec<SetAside> {
        let of = self.aside.iter().filter(|((of, _), _)| *of == space);
        of.map(|(key, aside)| SetAside { log: key.1, next: self.next(key), why: aside.why.clone() }).collect()
    }

    /// The documents of a space that can be worked on: those with a view.
    pub(super) fn pending_count(&self, space: &SpaceId) -> u64 {
        self.pending.get(space).map_or(0, |pending| pending.len() as u64)
    }
}
