//! Values of any size over one sled tree: what is longer than a cell takes is split over keys, because sled writes large
//! leaves to files of their own that it never syncs, and keeps them in memory whatever its cache limit.
//!
//! ```text
//! cell = 0, the value                    at key
//!      | 1, bytes of the value (4)       at key; the value in parts at: key with bit 7 of its first byte set, part (4)
//! ```
//!
//! The first byte of a key is below 0x80. Every call into sled is guarded: on damaged files it panics.

use std::{collections::BTreeMap, ops::RangeInclusive};

use sled::{Batch, IVec, Tree};

use super::{KEY_BYTES_MAX, error::StoreError};

/// Longest value that is kept in one cell. A leaf of 17 such cells stays below sled's limit of 128 kB.
pub(super) const CELL_BYTES_MAX: usize = 4_096;
/// Bytes in one part of a longer value.
const PART_BYTES: usize = 4_000;
/// No value is longer than this; a stated length beyond it is damage.
const VALUE_BYTES_MAX: usize = 1 << 30;

/// Runs a call into sled, which panics where its files are damaged.
pub(super) fn guard<T>(what: &'static str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match crate::guard::guard(call) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(StoreError::sled(what, error)),
        // sled unwraps I/O errors in places; a full disk must not look like damage.
        Err(text) if text.contains("StorageFull") || text.contains("No space left") => Err(StoreError::Full { what }),
        Err(text) => Err(StoreError::Damaged(format!("{what}: sled gave up: {text}"))),
    }
}

/// A tree of cells.
#[derive(Clone)]
pub(super) struct Cells(Tree);

impl Cells {
    /// The cells of `tree`.
    pub(super) fn new(tree: Tree) -> Cells {
        Cells(tree)
    }

    /// The value at `key`.
    pub(super) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match guard("reading a value", || self.0.get(key))? {
            None => Ok(None),
            Some(cell) => self.whole(key, &cell).map(Some),
        }
    }

    /// The last cell within `keys`.
    pub(super) fn last(&self, keys: RangeInclusive<&[u8]>) -> Result<Option<(IVec, Vec<u8>)>, StoreError> {
        let found = guard("looking for a value", || self.0.range(keys).next_back().transpose())?;
        found.map(|(key, cell)| self.whole(&key, &cell).map(|value| (key, value))).transpose()
    }

    /// The cells within `keys`, in order.
    pub(super) fn scan(&self, keys: RangeInclusive<&[u8]>) -> Result<Scan<'_>, StoreError> {
        Ok(Scan { cells: self, iter: guard("starting a scan", || Ok(self.0.range(keys)))? })
    }

    /// Carries out a draft, all of it or nothing.
    pub(super) fn apply(&self, draft: Draft) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (key, value) in draft.writes {
            let old = if draft.fresh.contains_key(&key) { None } else { guard("reading", || self.0.get(&key))? };
            let old_parts = old.map_or(Ok(0), |cell| parts_of(&cell))?;
            let parts = match value {
                None => {
                    batch.remove(key.as_slice());
                    0
                }
                Some(value) => write(&mut batch, &key, &value),
            };
            for part in parts..old_parts {
                batch.remove(part_key(&key, part));
            }
        }
        guard("writing", || self.0.apply_batch(batch))
    }

    fn whole(&self, key: &[u8], cell: &[u8]) -> Result<Vec<u8>, StoreError> {
        if let [0, value @ ..] = cell {
            return Ok(value.to_vec());
        }
        let mut value = Vec::new();
        for part in 0..parts_of(cell)? {
            let bytes = guard("reading a part", || self.0.get(part_key(key, part)))?;
            let bytes = bytes.ok_or_else(|| StoreError::Damaged("a part of a long value is missing".into()))?;
            value.extend_from_slice(&bytes);
        }
        if length_of(cell)? != value.len() {
            return Err(StoreError::Damaged("a long value has another length than it states".into()));
        }
        Ok(value)
    }
}

/// A walk over cells.
pub(super) struct Scan<'a> {
    cells: &'a Cells,
    iter: sled::Iter,
}

impl Scan<'_> {
    /// The next key and value.
    #[allow(clippy::should_implement_trait, reason = "every step can fail")]
    pub(super) fn next(&mut self) -> Result<Option<(IVec, Vec<u8>)>, StoreError> {
        let found = guard("scanning", || self.iter.next().transpose())?;
        found.map(|(key, cell)| self.cells.whole(&key, &cell).map(|value| (key, value))).transpose()
    }
}

/// Writes that are to happen together. Reads through it see them already.
#[derive(Default)]
pub(super) struct Draft {
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Keys known to be new, or never to shrink, so that what they held need not be looked at.
    fresh: BTreeMap<Vec<u8>, ()>,
    bytes: usize,
}

impl Draft {
    /// Writes a value.
    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.writes.insert(key, Some(value));
    }

    /// Writes a value where there is none, or only a shorter one.
    pub(super) fn put_fresh(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.fresh.insert(key.clone(), ());
        self.put(key, value);
    }

    /// Removes a value.
    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.fresh.remove(&key);
        self.writes.insert(key, None);
    }

    /// What the draft says about `key`: nothing, that it is removed, or its value.
    pub(super) fn value(&self, key: &[u8]) -> Option<Option<&Vec<u8>>> {
        self.writes.get(key).map(Option::as_ref)
    }

    /// The last value within `keys` that the draft writes.
    pub(super) fn last(&self, keys: RangeInclusive<&[u8]>) -> Option<(&Vec<u8>, &Vec<u8>)> {
        let bounds = (std::ops::Bound::Included(*keys.start()), std::ops::Bound::Included(*keys.end()));
        let mut written = self.writes.range::<[u8], _>(bounds).rev();
        written.find_map(|(key, value)| value.as_ref().map(|value| (key, value)))
    }

    /// About how much would be written.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// A key that a caller chose, behind the byte that says what it is for.
pub(super) fn key(kind: u8, rest: &[u8]) -> Result<Vec<u8>, StoreError> {
    if rest.is_empty() || rest.len() > KEY_BYTES_MAX {
        return Err(StoreError::Key(rest.len()));
    }
    let mut key = Vec::with_capacity(1 + rest.len());
    key.push(kind);
    key.extend_from_slice(rest);
    Ok(key)
}

fn write(batch: &mut Batch, key: &[u8], value: &[u8]) -> u32 {
    if value.len() < CELL_BYTES_MAX {
        let mut cell = Vec::with_capacity(1 + value.len());
        cell.push(0);
        cell.extend_from_slice(value);
        batch.insert(key, cell);
        return 0;
    }
    let mut cell = vec![1];
    cell.extend_from_slice(&(value.len() as u32).to_be_bytes());
    batch.insert(key, cell);
    let mut part = 0;
    for bytes in value.chunks(PART_BYTES) {
        batch.insert(part_key(key, part), bytes);
        part += 1;
    }
    part
}

fn part_key(key: &[u8], part: u32) -> Vec<u8> {
    let mut name = Vec::with_capacity(key.len() + 4);
    name.extend_from_slice(key);
    if let Some(kind) = name.first_mut() {
        *kind |= 0x80;
    }
    name.extend_from_slice(&part.to_be_bytes());
    name
}

fn parts_of(cell: &[u8]) -> Result<u32, StoreError> {
    Ok(length_of(cell)?.div_ceil(PART_BYTES) as u32)
}

/// The length of a split value; 0 for one that is not split.
fn length_of(cell: &[u8]) -> Result<usize, StoreError> {
    match cell {
        [0, ..] => Ok(0),
        [1, length @ ..] => match length.try_into().map(u32::from_be_bytes) {
            Ok(length) if length as usize <= VALUE_BYTES_MAX => Ok(length as usize),
            _ => Err(StoreError::Damaged("a long value states no length".into())),
        },
        _ => Err(StoreError::Damaged("a value of an unknown form".into())),
    }
}
