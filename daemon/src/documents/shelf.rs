//! The table of derived rows with its types: one read or one draft of a write for each kind of row.

use std::{collections::BTreeMap, sync::Arc};

use portolan_protocol::{
    entry::{EntryRef, Heads},
    id::{DocumentId, SpaceId},
};
use rand_core::Rng as _;

use super::{
    keys,
    rows::{DocumentRow, FORMAT, NameRow, Row, STRIP_ENTRIES, TableRow, decode, encode, pack, unpack},
};
use crate::{
    clock,
    store::{Derived, DerivedBatch, Store, StoreError, Table},
};

const TABLE: &str = "documents";
/// Rows read at once where all of a kind are wanted.
const SCAN_ROWS: usize = 1_024;

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// See the head of the file.
#[derive(Clone)]
pub(super) struct Shelf {
    derived: Derived,
    table: Table,
}

/// Rows to be written together. All of one table, so they are kept whole or not at all.
pub(super) struct Draft<'a> {
    shelf: &'a Shelf,
    batch: DerivedBatch,
}

impl Shelf {
    pub(super) fn open(store: &Store) -> Result<Shelf, StoreError> {
        let derived = store.derived();
        let table = derived.open_table(TABLE)?;
        Ok(Shelf { derived, table })
    }

    /// Forgets everything that was derived.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        self.derived.clear()?;
        self.table = self.derived.open_table(TABLE)?;
        Ok(())
    }

    /// What tells this table from every other. One in another format is forgotten: it is made anew from the log.
    pub(super) fn table(&mut self) -> Result<[u8; 16], StoreError> {
        let row: Option<TableRow> = self.value(keys::TABLE)?.and_then(|bytes| decode(&bytes).ok());
        if let Some(row) = row.filter(|row| row.format == FORMAT) {
            return Ok(row.table);
        }
        self.clear()?;
        let mut table = [0; 16];
        clock::rng().fill_bytes(&mut table);
        let mut draft = self.draft();
        draft.put(keys::TABLE, encode(&TableRow { format: FORMAT, table }))?;
        draft.write()?;
        Ok(table)
    }

    pub(super) fn draft(&self) -> Draft<'_> {
        Draft { shelf: self, batch: DerivedBatch::default() }
    }

    pub(super) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.table.value(key)
    }

    /// At most `limit` rows whose keys start with `prefix`, after the key `after`.
    pub(super) fn page(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, StoreError> {
        self.table.prefix(prefix, after, limit)
    }

    /// Hands on every row whose key starts with `prefix`.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let rows = self.page(prefix, after.as_deref(), SCAN_ROWS)?;
            let last = rows.len() < SCAN_ROWS;
            after = rows.last().map(|(key, _)| key.clone());
            for (key, value) in rows {
                each(&key, value)?;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// The entries of a strip; none where it was not written.
    pub(super) fn strip(&self, log: u32, strip: u64) -> Result<Vec<Row>, StoreError> {
        self.value(&keys::strip(log, strip))?.map_or(Ok(Vec::new()), |bytes| unpack(&bytes))
    }

    /// One entry.
    pub(super) fn row(&self, log: u32, seq: u64) -> Result<Option<Row>, StoreError> {
        let place = usize::try_from(seq % STRIP_ENTRIES).unwrap_or_default();
        Ok(self.strip(log, seq / STRIP_ENTRIES)?.into_iter().nth(place))
    }

    /// The control heads that a log cites, by the place from which on it cites them.
    pub(super) fn cited(&self, log: u32) -> Result<BTreeMap<u64, Arc<Heads>>, StoreError> {
        let mut cited = BTreeMap::new();
        self.scan(&keys::all_cited(log), |key, value| {
            let entries: Vec<EntryRef> = decode(&value)?;
            cited.extend(keys::number(key).map(|seq| (seq, Arc::new(Heads::new(entries)))));
            Ok(())
        })?;
        Ok(cited)
    }

    pub(super) fn document(&self, space: &SpaceId, id: &DocumentId) -> Result<Option<DocumentRow>, StoreError> {
        self.value(&keys::document(space, id))?.map(|bytes| decode(&bytes)).transpose()
    }

    pub(super) fn name(&self, document: u64) -> Result<NameRow, StoreError> {
        let bytes = self.value(&keys::name(document))?;
        bytes.map_or_else(|| Err(StoreError::Damaged(format!("document {document} has no name"))), |b| decode(&b))
    }

    /// The places of all entries of a document, in log order.
    pub(super) fn changes(&self, document: u64, name: &NameRow) -> Result<Vec<(u32, u64)>, StoreError> {
        let (log, seqs) = &name.first;
        let mut places: Vec<(u32, u64)> = seqs.iter().map(|seq| (*log, *seq)).collect();
        self.scan(&keys::all_changes(document), |key, value| {
            let log = key.get(9..13).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes));
            let seqs: Vec<u64> = decode(&value)?;
            if let Some(log) = log {
                places.extend(seqs.into_iter().map(|seq| (log, seq)));
            }
            Ok(())
        })?;
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }
}

impl Draft<'_> {
    pub(super) fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), StoreError> {
        self.batch.put(&self.shelf.table, key, value)
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.batch.remove(&self.shelf.table, key)
    }

    pub(super) fn put_strip(&mut self, log: u32, strip: u64, rows: &[Row]) -> Result<(), StoreError> {
        self.put(&keys::strip(log, strip), pack(rows))
    }

    pub(super) fn put_cited(&mut self, log: u32, seq: u64, heads: &Heads) -> Result<(), StoreError> {
        self.put(&keys::cited(log, seq), encode(&heads.entries()))
    }

    pub(super) fn put_document(
        &mut self,
        space: &SpaceId,
        id: &DocumentId,
        row: &DocumentRow,
    ) -> Result<(), StoreError> {
        self.put(&keys::document(space, id), encode(row))
    }

    pub(super) fn put_name(&mut self, document: u64, name: &NameRow) -> Result<(), StoreError> {
        self.put(&keys::name(document), encode(name))
    }

    pub(super) fn bytes(&self) -> usize {
        self.batch.bytes()
    }

    pub(super) fn write(self) -> Result<(), StoreError> {
        self.shelf.derived.apply(self.batch)
    }
}
