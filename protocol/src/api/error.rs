//! The one shape of errors, and what each kind means for HTTP and for a shell.

use serde::{Deserialize, Serialize};

/// What kind of error it is. The exit code of `portolan` follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request makes no sense as it stands: a wrong argument, a malformed card, a record that breaks a bound.
    Usage,
    /// What was named is not there.
    NotFound,
    /// This login, node or member may not do this.
    Forbidden,
    /// What is there stands against it: the name is taken, the home is in use, the space needs an upgrade first.
    Conflict,
    /// The daemon does not run, or is starting or stopping.
    Unavailable,
    /// It did not come to its end in the time given; what was done stays done.
    Incomplete,
    /// Stored data is damaged.
    Damaged,
    /// No room is left on the disk.
    DiskFull,
    /// A file, directory or terminal on the side of the command line could not be read or written.
    Io,
    /// A pouch is damaged or cut short, or the file is none: another copy is needed.
    PouchDamaged,
    /// A pouch that is whole and not for this node, not from a partner, or not as its sender made it.
    PouchRefused,
    /// A fault of the program.
    Internal,
    /// A kind that a newer daemon knows.
    #[serde(other)]
    Unknown,
}

impl ErrorKind {
    /// Every kind that this release knows.
    pub const ALL: [ErrorKind; 12] = [
        ErrorKind::Usage,
        ErrorKind::NotFound,
        ErrorKind::Forbidden,
        ErrorKind::Conflict,
        ErrorKind::Unavailable,
        ErrorKind::Incomplete,
        ErrorKind::Damaged,
        ErrorKind::DiskFull,
        ErrorKind::Io,
        ErrorKind::PouchDamaged,
        ErrorKind::PouchRefused,
        ErrorKind::Internal,
    ];

    /// The HTTP status that an answer of this kind has.
    pub fn http_status(self) -> u16 {
        match self {
            ErrorKind::Usage => 400,
            ErrorKind::NotFound => 404,
            ErrorKind::Forbidden => 403,
            ErrorKind::Conflict => 409,
            ErrorKind::Unavailable => 503,
            ErrorKind::Incomplete => 504,
            ErrorKind::DiskFull => 507,
            ErrorKind::PouchDamaged | ErrorKind::PouchRefused => 422,
            ErrorKind::Damaged | ErrorKind::Io | ErrorKind::Internal | ErrorKind::Unknown => 500,
        }
    }

    /// The exit code of `portolan` and `portoland`.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Usage => 2,
            ErrorKind::NotFound => 3,
            ErrorKind::Forbidden => 4,
            ErrorKind::Conflict => 5,
            ErrorKind::Unavailable => 6,
            ErrorKind::Incomplete => 7,
            ErrorKind::Damaged => 8,
            ErrorKind::DiskFull => 9,
            ErrorKind::Io => 10,
            ErrorKind::PouchDamaged => 11,
            ErrorKind::PouchRefused => 12,
            ErrorKind::Internal | ErrorKind::Unknown => 70,
        }
    }
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiError {
    /// What kind.
    pub kind: ErrorKind,
    /// What happened, in a sentence without a full stop.
    pub message: String,
    /// What is safe all the same, empty where that goes without saying.
    #[serde(default)]
    pub safe: String,
    /// What to do next, empty where there is nothing to be done.
    #[serde(default)]
    pub next: String,
}

impl ApiError {
    /// An error that says only what happened.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), safe: String::new(), next: String::new() }
    }

    /// The same error, saying what is safe.
    #[must_use]
    pub fn safe(mut self, safe: impl Into<String>) -> Self {
        self.safe = safe.into();
        self
    }

    /// The same error, saying what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_exit_code_and_comes_back() {
        let codes: BTreeSet<u8> = ErrorKind::ALL.iter().map(|kind| kind.exit_code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert!(!codes.contains(&0) && !codes.contains(&1));
        for kind in ErrorKind::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<ErrorKind>(&json).unwrap(), kind);
        }
    }

    #[test]
    fn a_kind_from_the_future_and_missing_advice_are_no_obstacle() {
        let error: ApiError = serde_json::from_str(r#"{"kind":"eclipse","message":"dark"}"#).unwrap();
        assert_eq!((error.kind, error.kind.exit_code(), &*error.next), (ErrorKind::Unknown, 70, ""));
    }
}
