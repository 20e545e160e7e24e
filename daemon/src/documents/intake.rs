//! The first stage: entries in log order become rows. It opens payloads, judges entries, and says which documents have to
//! be looked at again; it opens no document.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};

use portolan_protocol::{
    entry::{EntryRef, Header, Heads, LogKey},
    id::{DocumentId, EpochId, SpaceId},
    membership::{DataPosition, StandingCache},
    page::{PageEntry, PagePayload},
    view::SpaceView,
};

use super::{
    aside::Part,
    index::{Index, Log, Review},
    keys,
    payload::{Reading, Unread},
    rows::{ChangeRow, Counters, DocumentRow, KeptStanding, NameRow, Row, STRIP_ENTRIES, State, Step, encode},
    shelf::{Draft, Shelf},
};
use crate::store::StoreError;

/// Entries taken in at once: short enough for a person who waits behind them.
const BATCH_ENTRIES: u64 = 256;

/// Rows of one log in the making.
pub(super) struct Intake<'a> {
    shelf: &'a Shelf,
    view: &'a SpaceView,
    pub(super) log: Log,
    /// The log's row as it is stored, where nothing has to be written if that and all else stays as it is.
    pub(super) stored: Option<Vec<u8>>,
    standings: StandingCache,
    counters: Counters,
    /// Documents first seen in this batch, and how many the space has.
    fresh: BTreeMap<DocumentId, u64>,
    total: u64,
    /// New entries by document.
    entries: BTreeMap<u64, Vec<u64>>,
    /// Documents to be looked at again, and those that the exception may concern.
    touched: BTreeSet<u64>,
    liftable: BTreeSet<u64>,
    /// Those of them that are written down as pending.
    marked: BTreeSet<u64>,
    /// Whether the log began to cite other heads: the exception may decide otherwise now, in every document.
    cites_anew: bool,
    pub(super) draft: Draft<'a>,
}

impl Index {
    /// Takes in the next entries of a log that is behind. After a failure nothing of them is remembered; a damaged log is set
    /// aside.
    pub(super) fn take_in(&mut self, key: (SpaceId, LogKey)) -> Result<(), StoreError> {
        let outcome = self.take_in_batch(key);
        self.recover(key, Part::Entries, outcome)
    }

    /// Takes in entries of a log up to and with `seq`.
    pub(super) fn take_in_until(&mut self, key: (SpaceId, LogKey), seq: u64) -> Result<(), StoreError> {
        while self.next(&key) <= seq {
            let before = self.next(&key);
            self.take_in(key)?;
            if self.next(&key) == before {
                return Err(StoreError::Damaged("an entry that was appended cannot be read".to_owned()));
            }
        }
        Ok(())
    }

    fn take_in_batch(&mut self, key: (SpaceId, LogKey)) -> Result<(), StoreError> {
        let Some(view) = self.views.get(&key.0).cloned() else { return Ok(()) };
        let number = self.number(key);
        let from = self.next(&key);
        let end = self.ends.get(&key).copied().unwrap_or_default().min(from + BATCH_ENTRIES);
        let store = self.store.clone();
        let shelf = self.shelf.clone();
        let mut intake = self.intake(number, &view, &shelf);
        let context = intake.log.context();
        let first = from / STRIP_ENTRIES;
        let mut rows = shelf.strip(number, first)?;
        rows.truncate(usize::try_from(from % STRIP_ENTRIES).unwrap_or_default());
        match store.for_each(&context, from, end, |entry| intake.take(&entry, &mut rows)) {
            // What stands before the damage is taken in; the next step meets it at once.
            Err(StoreError::Damaged(_)) if intake.log.row.next > from => {}
            outcome => outcome?,
        }
        for (index, strip) in (first..).zip(rows.chunks(STRIP_ENTRIES as usize)) {
            intake.draft.put_strip(number, index, strip)?;
        }
        let reached = intake.log.row.next;
        self.finish(intake)?;
        if reached == from || reached >= self.ends.get(&key).copied().unwrap_or_default() {
            // What is not durable after all is announced again when it is.
            self.behind.remove(&key);
        }
        for orphan in self.orphans.clone() {
            let follows = self.log(orphan).and_then(|log| log.row.predecessor).is_some_and(|entry| entry.log == key.1);
            if (follows || orphan == number) && self.adopt(orphan)? {
                self.review.insert(orphan, Review::default());
            }
        }
        Ok(())
    }

    /// The number of a log, which begins to have one now if it had none.
    fn number(&mut self, key: (SpaceId, LogKey)) -> u32 {
        if let Some(number) = self.by_key.get(&key) {
            return *number;
        }
        let number = self.counters.logs;
        self.counters.logs += 1;
        self.by_key.insert(key, number);
        self.logs.push(Log::new(number, key.0, key.1));
        number
    }

    pub(super) fn intake<'a>(&mut self, number: u32, view: &'a SpaceView, shelf: &'a Shelf) -> Intake<'a> {
        let held = &mut self.logs[number as usize];
        let placeholder = Log::new(number, held.row.space, held.row.log);
        Intake {
            shelf,
            view,
            log: mem::replace(held, placeholder),
            stored: None,
            standings: self.standings.remove(&view.space).unwrap_or_default(),
            counters: self.counters,
            fresh: BTreeMap::new(),
            total: self.totals.get(&view.space).copied().unwrap_or_default(),
            entries: BTreeMap::new(),
            touched: BTreeSet::new(),
            liftable: BTreeSet::new(),
            marked: BTreeSet::new(),
            cites_anew: false,
            draft: shelf.draft(),
        }
    }

    /// Writes what was found, and remembers it.
    pub(super) fn finish(&mut self, mut intake: Intake<'_>) -> Result<(), StoreError> {
        let space = intake.view.space;
        let lifting = self.liftable.entry(space).or_default();
        lifting.extend(&intake.liftable);
        if intake.cites_anew {
            intake.touched.extend(lifting.iter());
        }
        intake.write()?;
        let Intake { log, standings, counters, total, marked, .. } = intake;
        marked.iter().for_each(|document| self.cache.outdate(*document));
        self.pending.entry(space).or_default().extend(marked);
        self.totals.insert(space, total);
        self.standings.insert(space, standings);
        self.counters = counters;
        let number = log.number;
        if log.row.predecessor.is_some() && log.predecessor.is_none() {
            self.orphans.insert(number);
        }
        self.logs[number as usize] = log;
        Ok(())
    }
}

impl Intake<'_> {
    /// The row of the next entry.
    fn take(&mut self, entry: &PageEntry<'_>, rows: &mut Vec<Row>) -> Result<(), StoreError> {
        let header = &entry.header;
        if header.seq == 0 {
            self.log.row.predecessor = header.predecessor;
        }
        if self.log.heads.as_ref() != Some(&header.heads) {
            self.draft.put_cited(self.log.number, header.seq, &header.heads)?;
            self.log.heads = Some(header.heads.clone());
            self.log.row.cited = header.seq;
            self.cites_anew = true;
        }
        let standing = self.judge(entry.reference(), &header.heads, header.epoch, self.log.row.cited);
        let payload = match entry.payload {
            PagePayload::Inline(payload) => Some(payload),
            PagePayload::Gap | PagePayload::Elsewhere => None,
        };
        let state = self.read(header, payload)?;
        let cited = self.log.row.cited;
        let row = Row { cited, epoch: header.epoch, hash: entry.hash, time: header.time, standing, state };
        self.note(header.seq, &row);
        self.log.row.counts.count(&row, Step::Up);
        self.log.row.next = header.seq + 1;
        rows.push(row);
        Ok(())
    }

    /// Judges an entry; every entry counts for those after it, whether its payload can be read or not.
    fn judge(&mut self, reference: EntryRef, heads: &Arc<Heads>, epoch: Option<EpochId>, cited: u64) -> KeptStanding {
        let log = &mut self.log;
        let opening = log.opening.get_or_insert_with(|| heads.clone());
        let position = DataPosition {
            reference,
            heads,
            opening_heads: opening,
            predecessor_heads: log.predecessor.as_deref(),
            previous_heads: log.previous.as_ref(),
            epoch,
        };
        let standing = KeptStanding::from(self.view.membership.standing(&position, &mut self.standings));
        if !matches!(standing, KeptStanding::Waiting | KeptStanding::Regressed) && log.row.previous != Some(cited) {
            log.previous = Some(heads.clone());
            log.row.previous = Some(cited);
        }
        standing
    }

    /// Judges an entry by its row, those before it in the log having been judged. Says whether the row is another.
    pub(super) fn judge_again(&mut self, seq: u64, row: &mut Row, heads: &Arc<Heads>) -> bool {
        let reference = EntryRef { log: self.log.row.log, seq, hash: row.hash };
        let standing = self.judge(reference, heads, row.epoch, row.cited);
        let changed = standing != row.standing;
        if changed {
            self.log.row.counts.count(row, Step::Down);
            row.standing = standing;
            self.log.row.counts.count(row, Step::Up);
        }
        if let State::Change(change) = &row.state {
            if changed {
                self.touched.insert(change.document);
            }
            if row.standing.is_liftable() {
                self.liftable.insert(change.document);
            }
        }
        changed
    }

    /// Reads an entry that could not be read. Says whether it can be now.
    pub(super) fn read_again(
        &mut self,
        header: &Header,
        payload: Option<&[u8]>,
        row: &mut Row,
    ) -> Result<bool, StoreError> {
        let state = self.read(header, payload)?;
        let changed = state != row.state;
        if changed {
            self.log.row.counts.count(row, Step::Down);
            row.state = state;
            self.log.row.counts.count(row, Step::Up);
            self.note(header.seq, row);
        }
        Ok(changed)
    }

    fn read(&mut self, header: &Header, payload: Option<&[u8]>) -> Result<State, StoreError> {
        let Some(payload) = payload else { return Ok(State::Gap) };
        Ok(match self.log.key.read(self.view, header, payload) {
            Ok(Reading { payload, change }) => State::Change(ChangeRow {
                document: self.document(&payload.document)?,
                hash: change.facts().hash,
                dependencies: payload.dependencies,
            }),
            Err(Unread::Sealed) => State::Sealed,
            Err(Unread::Refused { document, why }) => {
                let document = document.map(|document| self.document(&document)).transpose()?;
                State::Refused { document, why }
            }
        })
    }

    /// Writes everything drafted so far, whole: rows never stand without the marks that follow from them.
    fn write(&mut self) -> Result<(), StoreError> {
        if self.is_stored() {
            return Ok(());
        }
        let mut draft = mem::replace(&mut self.draft, self.shelf.draft());
        self.touched.append(&mut self.liftable.clone());
        let mut entries = mem::take(&mut self.entries);
        for (id, number) in mem::take(&mut self.fresh) {
            let first = (self.log.number, entries.remove(&number).unwrap_or_default());
            draft.put_name(number, &NameRow { space: self.view.space, id, is_pending: true, first })?;
            self.marked.insert(number);
        }
        for (document, seqs) in entries {
            let first = seqs.first().copied().unwrap_or_default();
            draft.put(&keys::changes(document, self.log.number, first), encode(&seqs))?;
            self.touched.insert(document);
        }
        for document in mem::take(&mut self.touched) {
            if self.marked.insert(document) {
                let name = self.shelf.name(document)?;
                if !name.is_pending {
                    draft.put_name(document, &NameRow { is_pending: true, ..name })?;
                }
            }
        }
        draft.put(&keys::total(&self.view.space), encode(&self.total))?;
        draft.put(keys::COUNTERS, encode(&self.counters))?;
        draft.put(&keys::log(self.log.number), encode(&self.log.row))?;
        draft.write()
    }

    fn is_stored(&self) -> bool {
        let marks_nothing = self.touched.is_empty() && self.liftable.is_empty() && self.entries.is_empty();
        marks_nothing && self.draft.bytes() == 0 && self.stored.as_ref() == Some(&encode(&self.log.row))
    }

    fn note(&mut self, seq: u64, row: &Row) {
        let document = match &row.state {
            State::Change(change) => Some(change.document),
            State::Refused { document, .. } => *document,
            State::Gap | State::Sealed => None,
        };
        let Some(document) = document else { return };
        self.entries.entry(document).or_default().push(seq);
        if row.standing.is_liftable() {
            self.liftable.insert(document);
        }
    }

    /// The number of a document, which begins to have one now if it had none.
    fn document(&mut self, id: &DocumentId) -> Result<u64, StoreError> {
        if let Some(number) = self.fresh.get(id) {
            return Ok(*number);
        }
        let space = self.view.space;
        if let Some(row) = self.shelf.document(&space, id)? {
            return Ok(row.number);
        }
        let number = self.counters.documents;
        self.counters.documents += 1;
        self.total += 1;
        self.fresh.insert(*id, number);
        self.draft.put_document(&space, id, &DocumentRow { number, revision: 0, others: 0, summary: None })?;
        Ok(number)
    }
}
