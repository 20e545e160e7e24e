//! Where entries stand: the log of a page, and the end of a log.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    entry::{Heads, LogKey, LogKind},
    id::{EntryHash, EpochId, SpaceId},
};

/// What the place of a page implies about each entry on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogContext {
    /// The space.
    pub space: SpaceId,
    /// The log.
    pub log: LogKey,
    /// What the log holds.
    pub kind: LogKind,
}

/// The end of a log as far as it is held: what the next entry continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// How many entries there are: the next one's place.
    pub next_seq: u64,
    /// The hash of the last entry; zero where there is none.
    pub hash: EntryHash,
    /// The control heads that the last entry cites.
    pub heads: Arc<Heads>,
    /// The epoch of the last entry.
    pub epoch: Option<EpochId>,
}

impl Tip {
    /// The tip of a log without entries.
    pub fn empty() -> Tip {
        Tip { next_seq: 0, hash: EntryHash::default(), heads: Arc::new(Heads::default()), epoch: None }
    }
}
