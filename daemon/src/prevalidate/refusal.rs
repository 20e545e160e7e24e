//! Why the bytes of a change may not come near Automerge. What is looked for is in the files beside this one.

use portolan_protocol::limits::{OPS_PER_CHANGE_MAX, PAYLOAD_BYTES_MAX};
use thiserror::Error;

/// Why the bytes must not be given to Automerge. The same on every node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeRefusal {
    /// More bytes than a payload may have.
    #[error("{0} bytes; a change has at most {PAYLOAD_BYTES_MAX}")]
    TooLong(usize),
    /// The bytes end early, or a number is not in its shortest form, or too large.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// Not an Automerge chunk.
    #[error("not an Automerge chunk")]
    Magic,
    /// A compressed chunk: it could inflate to anything.
    #[error("a compressed chunk")]
    Compressed,
    /// A document, a bundle, or a chunk of an unknown type.
    #[error("a chunk of type {0} where a change is expected")]
    ChunkType(u8),
    /// Bytes before the end of the input that belong to no part of the change.
    #[error("bytes after the change")]
    Trailing,
    /// The checksum is not that of the content.
    #[error("the checksum does not match")]
    Checksum,
    /// Written in the name of an actor that is not bound to the log that carries it.
    #[error("the change names an actor that is not its author's")]
    Actor,
    /// The list of dependencies or of other actors is too long, unsorted, or holds something twice.
    #[error("the list of {0} is too long, unsorted, or repeats itself")]
    List(&'static str),
    /// A message, a time or extra bytes: the signed entry tells who, when and why.
    #[error("the change carries {0}")]
    Extra(&'static str),
    /// The operation counters leave the plausible range.
    #[error("operations from {start_op} on, {operations} of them, leave the plausible range")]
    Counter {
        /// Where they would begin.
        start_op: u64,
        /// How many there would be.
        operations: u64,
    },
    /// More operations, or more references to earlier ones, than a change may hold.
    #[error("{0} operations; a change has at most {OPS_PER_CHANGE_MAX}")]
    TooManyOperations(u64),
    /// No operation at all.
    #[error("a change without operations")]
    Empty,
    /// A column that records do not use, an empty or compressed one, one twice, or out of order.
    #[error("column {0} is unknown, empty, compressed, or out of order")]
    Column(u64),
    /// A column declares another number of rows than there are operations.
    #[error("the {column} column has {actual} rows for {expected} operations")]
    Rows {
        /// Which column.
        column: &'static str,
        /// Rows it declares.
        actual: u64,
        /// Rows it should have.
        expected: u64,
    },
    /// An operation that records do not use, or one that refers to what cannot be.
    #[error("operation {row}: {what}")]
    Operation {
        /// Which operation, from 0.
        row: u64,
        /// What about it.
        what: &'static str,
    },
}
