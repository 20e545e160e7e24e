//! By which way entries came to this node: what people see as the provenance of a record. It decides nothing.
//!
//! Beside the log of each author stand ranges of entries, each with its way. Nothing can make them again, so they are kept when
//! derived data is forgotten; what was never noted is not known.

use std::collections::BTreeMap;

use portolan_protocol::{
    codec,
    effects::{Appended, Way},
    entry::{LogKey, LogKind},
    id::{NodeId, PouchId, SpaceId},
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::store::{DerivedBatch, Store, StoreError, Table};

const TABLE: &str = "kept/arrivals";

/// Ranges that are kept of one log; beyond, the oldest are forgotten. Whoever sends by turns cannot make it grow.
const RANGES_MAX: usize = 256;

/// Bytes that the ranges of one log have at most.
const BYTES_MAX: usize = RANGES_MAX * 96;

/// Entries of one log that came by one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Range {
    from: u64,
    to: u64,
    way: KeptWay,
}

/// [`Way`] as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum KeptWay {
    Written,
    Link(NodeId),
    Pouch(NodeId, PouchId),
}

impl From<Way> for KeptWay {
    fn from(way: Way) -> Self {
        match way {
            Way::Written => KeptWay::Written,
            Way::Link(peer) => KeptWay::Link(peer),
            Way::Pouch(peer, pouch) => KeptWay::Pouch(peer, pouch),
        }
    }
}

impl From<KeptWay> for Way {
    fn from(way: KeptWay) -> Self {
        match way {
            KeptWay::Written => Way::Written,
            KeptWay::Link(peer) => Way::Link(peer),
            KeptWay::Pouch(peer, pouch) => Way::Pouch(peer, pouch),
        }
    }
}

/// See the head of the file. Clones share it.
#[derive(Clone)]
pub struct Arrivals(Store);

impl Arrivals {
    /// What is kept in `store`.
    pub fn new(store: Store) -> Arrivals {
        Arrivals(store)
    }

    /// Notes by which way new entries came. A failure costs this knowledge, and nothing else.
    pub fn note(&self, appended: &[Appended]) {
        if let Err(error) = self.write(appended) {
            warn!(%error, "by which way entries came is not noted");
        }
    }

    fn write(&self, appended: &[Appended]) -> Result<(), StoreError> {
        let table = self.table()?;
        let mut logs: BTreeMap<Vec<u8>, Vec<Range>> = BTreeMap::new();
        for Appended { context, from, to, way } in appended {
            let Some(way) = way.filter(|_| context.kind == LogKind::Data && from < to) else { continue };
            let key = key(&context.space, &context.log);
            if !logs.contains_key(&key) {
                logs.insert(key.clone(), ranges(&table, &key)?);
            }
            logs.entry(key).and_modify(|held| extend(held, Range { from: *from, to: *to, way: way.into() }));
        }
        if logs.is_empty() {
            return Ok(());
        }
        let mut batch = DerivedBatch::default();
        for (key, ranges) in &logs {
            batch.put(&table, key, codec::encode(ranges))?;
        }
        self.0.derived().apply(batch)
    }

    /// By which way an entry of a log came; none where that is not known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ways(&self, space: &SpaceId, log: &LogKey) -> Result<Ways, StoreError> {
        Ok(Ways(ranges(&self.table()?, &key(space, log))?))
    }

    fn table(&self) -> Result<Table, StoreError> {
        self.0.derived().open_table(TABLE)
    }
}

/// The ways by which the entries of one log came.
#[derive(Clone, Debug, Default)]
pub struct Ways(Vec<Range>);

impl Ways {
    /// That of one entry; none where it is not known.
    pub fn of(&self, seq: u64) -> Option<Way> {
        // The latest word counts: entries that were lost come again.
        let range = self.0.iter().rev().find(|range| (range.from..range.to).contains(&seq));
        range.map(|range| range.way.into())
    }
}

fn key(space: &SpaceId, log: &LogKey) -> Vec<u8> {
    [space.0.as_slice(), &log.author.0, &log.log.0].concat()
}

/// The ranges of a log. What cannot be read is not known.
fn ranges(table: &Table, key: &[u8]) -> Result<Vec<Range>, StoreError> {
    let bytes = table.value(key)?;
    Ok(bytes.and_then(|bytes| codec::decode(&bytes, BYTES_MAX).ok()).unwrap_or_default())
}

fn extend(ranges: &mut Vec<Range>, new: Range) {
    match ranges.last_mut() {
        Some(last) if last.way == new.way && last.to == new.from => last.to = new.to,
        _ => ranges.push(new),
    }
    let beyond = ranges.len().saturating_sub(RANGES_MAX);
    ranges.drain(..beyond);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::{
        id::{Incarnation, LogId},
        page::LogContext,
    };

    use super::*;
    use crate::store::Options;

    const TUNIS: Way = Way::Link(NodeId([2; 32]));
    const COURIER: Way = Way::Pouch(NodeId([3; 32]), PouchId([4; 16]));

    #[test]
    fn the_way_of_each_entry_is_kept_when_derived_data_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let options = Options { reserve_bytes: 0, ..Options::new(Incarnation([1; 16])) };
        let (store, _) = Store::open(home.path(), &options).unwrap();
        let arrivals = Arrivals::new(store.clone());
        let space = SpaceId([5; 32]);
        let log = LogKey { author: NodeId([2; 32]), log: LogKind::Data.log_id([6; 16]) };
        let context = LogContext { space, log, kind: LogKind::Data };
        let appended = |from, to, way| Appended { context, from, to, way };
        arrivals.note(&[appended(3, 5, Some(TUNIS)), appended(5, 6, Some(TUNIS)), appended(6, 9, Some(COURIER))]);
        arrivals.note(&[appended(4, 5, None), appended(9, 10, Some(Way::Written)), appended(10, 10, Some(TUNIS))]);
        store.derived().clear().unwrap();
        let ways = arrivals.ways(&space, &log).unwrap();
        let expected = [None, Some(TUNIS), Some(TUNIS), Some(TUNIS), Some(COURIER), Some(Way::Written), None];
        assert_eq!([2, 3, 4, 5, 8, 9, 10].map(|seq| ways.of(seq)), expected);
        assert_eq!(ways.0.len(), 3, "what came one behind another by one way is one range");
        let other = LogKey { log: LogId([0; 16]), ..log };
        assert_eq!(arrivals.ways(&space, &other).unwrap().of(3), None);
        // By turns, as nobody honest sends: the latest are kept, and they can be read again.
        for seq in 10..1_000 {
            arrivals.note(&[appended(seq, seq + 1, Some(if seq % 2 == 0 { TUNIS } else { COURIER }))]);
        }
        let ways = arrivals.ways(&space, &log).unwrap();
        assert_eq!((ways.0.len(), ways.of(10), ways.of(999)), (RANGES_MAX, None, Some(COURIER)));
    }
}
