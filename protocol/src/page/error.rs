//! Why a page or a run is refused.

use thiserror::Error;

use crate::limits::RUN_ENTRIES_MAX;

/// Why a page or a run is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RunError {
    /// The first byte names a format suite that this release does not know.
    #[error("format suite {0} is not known to this release; it may need an upgrade")]
    Suite(u8),
    /// The bytes end early or break a bound.
    #[error("malformed page")]
    Malformed,
    /// Not the one encoding of these entries.
    #[error("not the canonical encoding of a page")]
    NotCanonical,
    /// The pages of a run do not follow one another.
    #[error("the pages of a run do not follow one another")]
    Broken,
    /// No entry, or more than one signature may vouch for.
    #[error("a run holds 1 to {RUN_ENTRIES_MAX} entries")]
    Length,
    /// The last entry's signature does not verify, so nothing vouches for the run.
    #[error("the signature at the end of the run does not verify")]
    Signature,
}
