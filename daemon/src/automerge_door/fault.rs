//! What comes of applying changes and of editing, and what can go wrong.

use automerge::ChangeHash;
use portolan_protocol::limits::{DEPENDENCIES_MAX, FIELDS_MAX, RECORD_BYTES_MAX};
use portolan_protocol::record::Refusal;
use thiserror::Error;

use crate::causality::{Entangled, Halt, Hash, Unfit};
use crate::guard::guard;
use crate::prevalidate::ChangeRefusal;

/// Operations that one document may hold on this node before it is left unopened: a local limit.
pub(super) const DOCUMENT_OPS_MAX: u64 = 8_000_000;

/// Operations up to which this node itself writes into a document: what others write meanwhile must still open.
pub(super) const EDIT_OPS_MAX: u64 = DOCUMENT_OPS_MAX - DOCUMENT_OPS_MAX / 8;

/// What went wrong here, on this node: a library's fault or a local limit, never a judgement on a change.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Automerge gave up.
    #[error("Automerge failed: {0}")]
    Failed(String),
    /// Automerge panicked; the document is as it was.
    #[error("Automerge panicked: {0}")]
    Panicked(String),
    /// The document would outgrow what this node opens.
    #[error("the document would have {0} operations; this node opens at most {DOCUMENT_OPS_MAX}")]
    TooLarge(u64),
    /// Too much in the document was written at the same time.
    #[error(transparent)]
    Entangled(#[from] Entangled),
}

impl From<Halt> for Fault {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Entangled(entangled) => Fault::Entangled(entangled),
            Halt::TooLarge(operations) => Fault::TooLarge(operations),
            Halt::Lost(hash) => Fault::Failed(format!("change {} is not there as it was", ChangeHash(hash))),
        }
    }
}

/// Why an edit was not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// The draft would break something.
    #[error(transparent)]
    Draft(#[from] Refusal),
    /// The record would become too large.
    #[error(
        "the record would have {bytes} bytes in {fields} fields; at most {RECORD_BYTES_MAX} in {FIELDS_MAX} are allowed"
    )]
    TooLarge {
        /// Bytes it would have.
        bytes: usize,
        /// Fields it would have.
        fields: usize,
    },
    /// The change would be refused by the others.
    #[error("the edit is too large for one save; make it in steps ({0})")]
    Change(#[from] ChangeRefusal),
    /// More unjoined versions than one change may name.
    #[error("{0} versions to join at once; at most {DEPENDENCIES_MAX} are allowed")]
    TooManyHeads(usize),
    /// The document is nearly as large as this node opens.
    #[error("the record has too much history on this node: {0} operations; it is written to up to {EDIT_OPS_MAX}")]
    TooMuchHistory(u64),
    /// A local fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What came of applying changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Changes that are new in the document, in the order they were applied.
    pub applied: Vec<Hash>,
    /// Changes that do not fit what they build on; left out.
    pub unfit: Vec<(Hash, Unfit)>,
    /// Changes that Automerge failed on here; left out, worth another try after an upgrade.
    pub faults: Vec<(Hash, Fault)>,
}

/// Runs `work`, turning a panic into a fault.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What `work` borrows mutably is a clone that is thrown away on a fault.
    guard(work).unwrap_or_else(|words| Err(Fault::Panicked(words)))
}

/// A fault in Automerge's words.
pub(super) fn failed(error: impl std::fmt::Display) -> Fault {
    Fault::Failed(error.to_string())
}
