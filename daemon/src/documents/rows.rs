//! The rows that documents are derived into. Forms only: nothing here reads or writes a table.

use portolan_protocol::{
    control::Role,
    entry::{EntryRef, LogKey},
    id::{DocumentId, EntryHash, EpochId, SpaceId},
    membership::{Reason, Standing},
    record::Summary,
    time::Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::store::StoreError;

/// Entries in one strip.
pub(super) const STRIP_ENTRIES: u64 = 32;

/// The version of these rows. A table with others is made anew from the log.
pub(super) const FORMAT: u32 = 3;

/// The first row of a table: in which version it is, and what tells it from every other table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct TableRow {
    pub(super) format: u32,
    pub(super) table: [u8; 16],
}

/// The least number of a log and of a document that were never used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counters {
    pub(super) logs: u32,
    pub(super) documents: u64,
}

/// A log as far as it was taken in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LogRow {
    pub(super) space: SpaceId,
    pub(super) log: LogKey,
    /// The first entry that was not taken in.
    pub(super) next: u64,
    /// As the first entry names it.
    pub(super) predecessor: Option<EntryRef>,
    /// Where the heads that the last entry cites begin, and those of the last one that did not regress.
    pub(super) cited: u64,
    pub(super) previous: Option<u64>,
    pub(super) counts: Counts,
}

/// How many entries of a log are not what they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Payload not held.
    pub(super) gaps: u64,
    /// Key not held.
    pub(super) sealed: u64,
    /// Not a change that records are made of.
    pub(super) refused: u64,
    /// Held back by membership; what the exception lifts is counted in.
    pub(super) quarantined: u64,
    /// For control entries.
    pub(super) waiting: u64,
}

impl Counts {
    /// Counts one row, or counts it out again.
    pub(super) fn count(&mut self, row: &Row, by: Step) {
        let state = match row.state {
            State::Gap => Some(&mut self.gaps),
            State::Sealed => Some(&mut self.sealed),
            State::Refused { .. } => Some(&mut self.refused),
            State::Change(_) => None,
        };
        state.into_iter().for_each(|count| by.go(count));
        match row.standing {
            KeptStanding::Accepted => {}
            KeptStanding::Waiting => by.go(&mut self.waiting),
            _ => by.go(&mut self.quarantined),
        }
    }
}

/// Which way to count.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Up,
    Down,
}

impl Step {
    fn go(self, count: &mut u64) {
        *count = match self {
            Step::Up => count.saturating_add(1),
            Step::Down => count.saturating_sub(1),
        };
    }
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Where in the log the heads that it cites were first cited.
    pub(super) cited: u64,
    pub(super) epoch: Option<EpochId>,
    pub(super) hash: EntryHash,
    pub(super) time: Timestamp,
    pub(super) standing: KeptStanding,
    pub(super) state: State,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// Its payload is not held.
    Gap,
    /// Its key is not held.
    Sealed,
    /// Nothing that could be applied, on any node.
    Refused { document: Option<u64>, why: String },
    /// A change that passed the pre-validator.
    Change(ChangeRow),
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChangeRow {
    pub(super) document: u64,
    pub(super) hash: [u8; 32],
    pub(super) dependencies: Vec<EntryRef>,
}

/// A [`Standing`] in the form in which it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeptStanding {
    Accepted,
    Waiting,
    Role(Option<Role>),
    Regressed,
    Cut(Vec<EntryRef>),
    Fork,
    Epoch,
}

impl From<Standing> for KeptStanding {
    fn from(standing: Standing) -> KeptStanding {
        match standing {
            Standing::Accepted => KeptStanding::Accepted,
            Standing::Waiting => KeptStanding::Waiting,
            Standing::Quarantined(Reason::Role { role }) => KeptStanding::Role(role),
            Standing::Quarantined(Reason::Regressed) => KeptStanding::Regressed,
            Standing::Quarantined(Reason::Cut { by }) => KeptStanding::Cut(by),
            Standing::Quarantined(Reason::Fork) => KeptStanding::Fork,
            Standing::Quarantined(Reason::Epoch) => KeptStanding::Epoch,
        }
    }
}

impl From<KeptStanding> for Standing {
    fn from(kept: KeptStanding) -> Standing {
        match kept {
            KeptStanding::Accepted => Standing::Accepted,
            KeptStanding::Waiting => Standing::Waiting,
            KeptStanding::Role(role) => Standing::Quarantined(Reason::Role { role }),
            KeptStanding::Regressed => Standing::Quarantined(Reason::Regressed),
            KeptStanding::Cut(by) => Standing::Quarantined(Reason::Cut { by }),
            KeptStanding::Fork => Standing::Quarantined(Reason::Fork),
            KeptStanding::Epoch => Standing::Quarantined(Reason::Epoch),
        }
    }
}

impl KeptStanding {
    /// Whether entries that depend on it can lift it.
    pub(super) fn is_liftable(&self) -> bool {
        matches!(self, KeptStanding::Cut(_) | KeptStanding::Fork)
    }
}

/// A document by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NameRow {
    pub(super) space: SpaceId,
    pub(super) id: DocumentId,
    /// Whether its summary has to be made.
    pub(super) is_pending: bool,
    /// The entries with which it was first seen: a log, and places in it.
    pub(super) first: (u32, Vec<u64>),
}

/// A document by id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DocumentRow {
    pub(super) number: u64,
    /// Grows over all documents with each summary that is made; 0 where none was.
    pub(super) revision: u64,
    /// The last revision that says something of others than whoever changed it last; 0 where there is none.
    pub(super) others: u64,
    /// None while nothing of it is applied, or its turn has not come.
    pub(super) summary: Option<Summary>,
}

/// Rows of one strip, as stored: place and epoch only where they change.
type Packed = (Option<(u64, Option<EpochId>)>, EntryHash, Timestamp, KeptStanding, State);

/// The stored form of a strip.
pub(super) fn pack(rows: &[Row]) -> Vec<u8> {
    let mut before = None;
    let packed: Vec<Packed> = rows
        .iter()
        .map(|row| {
            let here = (row.cited, row.epoch);
            let stated = if before == Some(here) { None } else { Some(here) };
            before = Some(here);
            (stated, row.hash, row.time, row.standing.clone(), row.state.clone())
        })
        .collect();
    encode(&packed)
}

/// Reads a strip.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Row>, StoreError> {
    let packed: Vec<Packed> = decode(bytes)?;
    let mut before = (0, None);
    let row = |(stated, hash, time, standing, state): Packed| {
        before = stated.unwrap_or(before);
        Row { cited: before.0, epoch: before.1, hash, time, standing, state }
    };
    Ok(packed.into_iter().map(row).collect())
}

/// The stored form of a row.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Rows are plain data; postcard refuses only what has no length, and none of them is such.
    postcard::to_allocvec(value).unwrap_or_default()
}

/// Reads a row.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|error| StoreError::Damaged(format!("a row of derived data: {error}")))
}
