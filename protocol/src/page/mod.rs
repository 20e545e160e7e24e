//! Pages: consecutive entries of one log, compactly encoded; the unit of storage and of transfer (`docs/spec/entry.md`).
//!
//! A page leaves out what its place implies (space, author, log, kind, every `previous` but the first, hashes of payloads
//! that are there) and repeats control heads and epoch only where they change. Any page can be read without another one.
//!
//! ```text
//! page   = suite (1), first seq (varint), previous (32), entry...
//! entry  = flags (1), time - time of the entry before (zigzag varint), payload length (varint),
//!          [payload hash (32): only when the payload is not inline], [heads: count (varint), count x 88],
//!          [epoch: 0, or 1 and 32], [predecessor (88)], signature (64), [payload: only when inline]
//! flags  = 1 heads, 2 epoch, 4 predecessor, 8 gap, 16 payload stored elsewhere (never sent)
//! ```

mod bytes;
mod entry;
mod error;
mod place;
mod reader;
mod run;
mod run_writer;
mod split;
mod writer;

pub use entry::{PageEntry, PagePayload};
pub use error::RunError;
pub use place::{LogContext, Tip};
pub use reader::PageReader;
pub use run::AuthenticRun;
pub use run_writer::RunWriter;
pub use split::{split, without_payloads};
pub use writer::PageWriter;

#[cfg(test)]
mod tests;
