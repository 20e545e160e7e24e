//! The columns of a change: which there are, and how many rows they declare.

use portolan_protocol::limits::OPS_PER_CHANGE_MAX;

use super::reader::{Booleans, Deltas, Reader, Runs};
use super::refusal::ChangeRefusal;

/// The columns that records use, by specification (id, type; the deflate bit is in none of them), in their order.
const SPECS: [u64; 12] = [0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73];

/// The bytes of each column; a column that is not there is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Columns<'a> {
    bytes: [&'a [u8]; SPECS.len()],
}

impl<'a> Columns<'a> {
    /// Reads the list of columns and their data; nothing may follow.
    pub(super) fn read(input: &mut Reader<'a>) -> Result<Self, ChangeRefusal> {
        let count = input.unsigned("columns")?;
        let mut lengths = [0usize; SPECS.len()];
        let mut next = 0;
        for _ in 0..count {
            let spec = input.unsigned("columns")?;
            // Each column found moves `next` on, so more than there are ends here, whatever `count` says.
            let index = SPECS.iter().skip(next).position(|known| *known == spec).ok_or(ChangeRefusal::Column(spec))?;
            let length =
                usize::try_from(input.unsigned("columns")?).map_err(|_| ChangeRefusal::Malformed("columns"))?;
            if length == 0 {
                // Automerge leaves empty columns out; see the remark at `Runs::rows`.
                return Err(ChangeRefusal::Column(spec));
            }
            if let Some(slot) = lengths.get_mut(next + index) {
                *slot = length;
            }
            next += index + 1;
        }
        let mut columns = Self::default();
        for (bytes, length) in columns.bytes.iter_mut().zip(lengths) {
            *bytes = input.take(length, "columns")?;
        }
        if input.is_empty() { Ok(columns) } else { Err(ChangeRefusal::Extra("extra bytes")) }
    }

    #[cfg(test)]
    pub(super) fn of(bytes: [&'a [u8]; SPECS.len()]) -> Self {
        Self { bytes }
    }

    /// The number of operations, which all columns must agree about, from the run headers alone.
    pub(super) fn operations(&self) -> Result<u64, ChangeRefusal> {
        let operations = self.action().rows()?;
        if operations > OPS_PER_CHANGE_MAX {
            return Err(ChangeRefusal::TooManyOperations(operations));
        }
        if operations == 0 {
            return Err(ChangeRefusal::Empty);
        }
        for (column, rows, optional) in [
            ("object actor", self.object_actor().rows()?, true),
            ("object counter", self.object_counter().rows()?, true),
            ("key actor", self.key_actor().rows()?, true),
            ("key counter", self.key_counter().rows()?, true),
            ("key", self.key().rows()?, true),
            ("insert", self.insert().rows()?, false),
            ("value kind", self.value_kind().rows()?, false),
            ("predecessor count", self.predecessor_count().rows()?, false),
        ] {
            // A column of nulls alone is left out.
            if rows != operations && !(optional && rows == 0) {
                return Err(ChangeRefusal::Rows { column, actual: rows, expected: operations });
            }
        }
        self.check_predecessors()?;
        Ok(operations)
    }

    fn check_predecessors(&self) -> Result<(), ChangeRefusal> {
        let actors = self.predecessor_actor().rows()?;
        let counters = self.predecessor_counter().rows()?;
        if actors != counters {
            return Err(ChangeRefusal::Rows { column: "predecessor", actual: counters, expected: actors });
        }
        if actors > OPS_PER_CHANGE_MAX {
            return Err(ChangeRefusal::TooManyOperations(actors));
        }
        Ok(())
    }

    fn at(&self, index: usize) -> &'a [u8] {
        self.bytes.get(index).copied().unwrap_or_default()
    }

    pub(super) fn object_actor(&self) -> Runs<'a, u64> {
        Runs::new("object actor", self.at(0))
    }

    pub(super) fn object_counter(&self) -> Runs<'a, u64> {
        Runs::new("object counter", self.at(1))
    }

    pub(super) fn key_actor(&self) -> Runs<'a, u64> {
        Runs::new("key actor", self.at(2))
    }

    pub(super) fn key_counter(&self) -> Deltas<'a> {
        Deltas::new("key counter", self.at(3))
    }

    pub(super) fn key(&self) -> Runs<'a, &'a str> {
        Runs::new("key", self.at(4))
    }

    pub(super) fn insert(&self) -> Booleans<'a> {
        Booleans::new(self.at(5))
    }

    pub(super) fn action(&self) -> Runs<'a, u64> {
        Runs::new("action", self.at(6))
    }

    pub(super) fn value_kind(&self) -> Runs<'a, u64> {
        Runs::new("value kind", self.at(7))
    }

    pub(super) fn value(&self) -> Reader<'a> {
        Reader::new(self.at(8))
    }

    pub(super) fn predecessor_count(&self) -> Runs<'a, u64> {
        Runs::new("predecessor count", self.at(9))
    }

    pub(super) fn predecessor_actor(&self) -> Runs<'a, u64> {
        Runs::new("predecessor actor", self.at(10))
    }

    pub(super) fn predecessor_counter(&self) -> Deltas<'a> {
        Deltas::new("predecessor counter", self.at(11))
    }
}
