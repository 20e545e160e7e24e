//! Derived data: what can be made again from the logs at any time. It shares sled's log with the entries, so after a loss
//! it is never ahead of them, but nothing is synced for it and the heads journal does not know it.

use std::{ops::Range, sync::PoisonError};

use super::{
    Store, StoreError,
    cells::{self, Cells, Draft, guard},
};

const PREFIX: &str = "derived/";
/// Tables whose names begin so are not forgotten with the others: nothing makes them again.
const KEPT: &[u8] = b"derived/kept/";
const KIND: u8 = 1;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The derived data of a store.
#[derive(Clone)]
pub struct Derived(Store);

/// One named table.
#[derive(Clone)]
pub struct Table {
    name: String,
    cells: Cells,
}

/// Writes to several tables. Each table's are kept whole or not at all, the tables in the order in which they were first
/// named: put a watermark into the last one.
#[derive(Default)]
pub struct DerivedBatch {
    tables: Vec<(Table, Draft)>,
}

impl Store {
    /// The derived data.
    pub fn derived(&self) -> Derived {
        Derived(self.clone())
    }
}

impl Derived {
    /// Opens a table, making it when there is none.
    ///
    /// # Errors
    /// [`StoreError::Key`] for a name that is empty or too long; [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn open_table(&self, name: &str) -> Result<Table, StoreError> {
        if name.is_empty() || name.len() > super::KEY_BYTES_MAX {
            return Err(StoreError::Key(name.len()));
        }
        let mut tables = self.0.0.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(cells) = tables.get(name) {
            return Ok(Table { name: name.into(), cells: cells.clone() });
        }
        let tree = guard("opening a table", || self.0.0.db.open_tree(format!("{PREFIX}{name}")))?;
        let cells = Cells::new(tree);
        tables.insert(name.into(), cells.clone());
        Ok(Table { name: name.into(), cells })
    }

    /// Writes a batch.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Io`], [`StoreError::Damaged`]; a part of the tables may have been written.
    pub fn apply(&self, batch: DerivedBatch) -> Result<(), StoreError> {
        if !self.0.0.reserve.allows(super::room_for(batch.bytes())) {
            return Err(StoreError::Full { what: "before writing derived data" });
        }
        batch.tables.into_iter().try_for_each(|(table, draft)| table.cells.apply(draft))
    }

    /// Forgets all tables but those named `kept/...`. Tables that are open must be opened again.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn clear(&self) -> Result<(), StoreError> {
        self.0.0.tables.write().unwrap_or_else(PoisonError::into_inner).clear();
        for name in guard("listing tables", || Ok(self.0.0.db.tree_names()))? {
            if name.starts_with(PREFIX.as_bytes()) && !name.starts_with(KEPT) {
                guard("dropping a table", || self.0.0.db.drop_tree(&name))?;
            }
        }
        Ok(())
    }
}

impl Table {
    /// The value at `key`.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`], [`StoreError::Key`].
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.cells.value(&cells::key(KIND, key)?)
    }

    /// At most `limit` keys and values with `keys.start <= key < keys.end`, in order.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn range(&self, keys: Range<&[u8]>, limit: usize) -> Result<Vec<Pair>, StoreError> {
        let (low, high) = ([&[KIND], keys.start].concat(), [&[KIND], keys.end].concat());
        if low >= high {
            return Ok(Vec::new());
        }
        self.collect(&low, &high, limit, |key| key < keys.end)
    }

    /// At most `limit` keys and values that start with `prefix`, in order, after the key `after` if one is given.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn prefix(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, StoreError> {
        let mut low = [&[KIND], prefix].concat();
        if let Some(after) = after.filter(|after| *after >= prefix) {
            low = [&[KIND], after, &[0]].concat();
        }
        self.collect(&low, &[KIND + 1], limit, |key| key.starts_with(prefix))
    }

    fn collect(
        &self,
        low: &[u8],
        high: &[u8],
        limit: usize,
        within: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Pair>, StoreError> {
        let mut found = Vec::new();
        let mut scan = self.cells.scan(low..=high)?;
        while found.len() < limit {
            let Some((key, value)) = scan.next()? else { break };
            match key.get(1..) {
                Some(key) if within(key) => found.push((key.to_vec(), value)),
                _ => break,
            }
        }
        Ok(found)
    }
}

impl DerivedBatch {
    /// Writes a value of any size.
    ///
    /// # Errors
    /// [`StoreError::Key`].
    pub fn put(&mut self, table: &Table, key: &[u8], value: Vec<u8>) -> Result<(), StoreError> {
        let key = cells::key(KIND, key)?;
        self.draft(table).put(key, value);
        Ok(())
    }

    /// Removes a value.
    ///
    /// # Errors
    /// [`StoreError::Key`].
    pub fn remove(&mut self, table: &Table, key: &[u8]) -> Result<(), StoreError> {
        let key = cells::key(KIND, key)?;
        self.draft(table).remove(key);
        Ok(())
    }

    /// About how much would be written.
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(|(_, draft)| draft.bytes()).sum()
    }

    fn draft(&mut self, table: &Table) -> &mut Draft {
        let index = self.tables.iter().position(|(other, _)| other.name == table.name).unwrap_or_else(|| {
            self.tables.push((table.clone(), Draft::default()));
            self.tables.len() - 1
        });
        &mut self.tables[index].1
    }
}
