//! What a store holds, as the core is given it when it starts.

use std::collections::BTreeMap;

use crate::{
    id::{Incarnation, PayloadHash},
    page::{LogContext, Tip},
};

/// One log of the store.
#[derive(Clone, Debug)]
pub struct LogImage {
    /// Space, log and kind.
    pub context: LogContext,
    /// Where it ends.
    pub tip: Tip,
    /// All pages of a control log; empty for a data log, whose payloads the core never reads.
    pub pages: Vec<Vec<u8>>,
    /// Payloads that are not held.
    pub gaps: Vec<(u64, PayloadHash)>,
}

/// Everything that the core keeps in memory, as the store has it.
#[derive(Clone, Debug)]
pub struct Image {
    /// The life of the store, drawn at random when it was created or restored.
    pub incarnation: Incarnation,
    /// Whether the heads journal and the store agree. Where they do not, something was lost, and the node opens new logs:
    /// they are named in the commit of its first input, and only when that is durable may the shell trust the store again.
    pub trusted: bool,
    /// All logs of all spaces.
    pub logs: Vec<LogImage>,
    /// The core's own small records (peers, receipts, forks), under keys that only the core reads.
    pub state: BTreeMap<Vec<u8>, Vec<u8>>,
}
