//! Logs that are set aside, since what is stored of them is damaged: nobody goes on with them until a restart or a rebuild, and
//! all others go on. It repairs nothing.

use portolan_protocol::entry::LogKey;

/// What of a log cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Entries. What was taken in before them is judged like everything else.
    Entries,
    /// Rows: what was derived of it cannot be judged either.
    Rows,
}

/// A log that was set aside.
#[derive(Clone, Debug)]
pub(super) struct Aside {
    pub(super) part: Part,
    pub(super) why: String,
}

/// A log of which records are not derived any further, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Which.
    pub log: LogKey,
    /// The first entry that was not taken in.
    pub next: u64,
    /// Why, in words.
    pub why: String,
}
