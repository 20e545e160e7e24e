//! What has to be durable before anything else is done.

use crate::page::{AuthenticRun, LogContext};

/// What a store is given to make durable, all of it or nothing.
#[derive(Debug, Default)]
pub struct Commit {
    /// Entries to append, log by log; each run continues the log's tip.
    pub runs: Vec<AuthenticRun>,
    /// Payloads that fill gaps.
    pub fills: Vec<Fill>,
    /// Small records to write, or to remove where there is no value.
    pub state: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Commit {
    /// Whether there is nothing to make durable.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.fills.is_empty() && self.state.is_empty()
    }
}

/// A payload for an entry that is held without it. Its hash was checked.
#[derive(Clone, Debug)]
pub struct Fill {
    /// The entry's log.
    pub context: LogContext,
    /// Its place.
    pub seq: u64,
    /// The payload as stored.
    pub payload: Vec<u8>,
}
