//! What is to go into a pouch: names of entries and the messages beside them, no entries themselves.

use serde::{Deserialize, Serialize};

use super::{files::PouchFile, held::Held};
use crate::{
    entry::LogKey,
    id::{AttachmentId, NodeId},
    message::Message,
    page::LogContext,
};

/// How much a pouch carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// What the recipients have not receipted.
    Missing,
    /// Everything.
    Everything,
    /// Receipts, and no entries.
    Receipts,
}

/// Entries `from..to` of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Which log.
    pub context: LogContext,
    /// The first entry.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
}

/// What is to go into a pouch, in this order. What stands before the data entries stands in every volume. All that it says is
/// durable once it is handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// For whom, in order.
    pub recipients: Vec<NodeId>,
    /// The greeting.
    pub hello: Message,
    /// Control entries.
    pub control: Vec<Span>,
    /// Proofs of forks, frontiers and receipts.
    pub words: Vec<Message>,
    /// What is held of pouches that came from the recipients.
    pub held: Vec<Held>,
    /// Data entries, over as many volumes as they take.
    pub data: Vec<Span>,
    /// Payloads of entries that a recipient holds without them, as log and place.
    pub payloads: Vec<(LogContext, u64)>,
    /// Places in `data` whose payload is not held here either, as first place and count.
    pub gaps: Vec<(LogContext, Vec<(u64, u64)>)>,
    /// Attachments that this node holds, for those who wonder what to send it; in the first volume alone. The core knows of none: the
    /// shell puts them in.
    pub told: Option<Vec<AttachmentId>>,
    /// Attachments, behind everything else. The shell puts them in too.
    pub files: Vec<PouchFile>,
}

impl Plan {
    /// How many entries it names.
    pub fn entries(&self) -> u64 {
        self.control.iter().chain(&self.data).map(|span| span.to.saturating_sub(span.from)).sum()
    }

    /// The places of a log whose payload it does not carry, before `to`.
    pub fn gaps_before(&self, log: &LogKey, to: u64) -> Vec<(u64, u64)> {
        let of_log = self.gaps.iter().filter(|(context, _)| context.log == *log).flat_map(|(_, gaps)| gaps);
        of_log.filter(|(first, _)| *first < to).map(|&(first, count)| (first, count.min(to - first))).collect()
    }
}
