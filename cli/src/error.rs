//! Errors as the command line tells them: what happened, what is safe, what to do next.
//!
//! The shape and the kinds are the local API's, so that an error of the daemon and one found here look and exit alike.

use std::{fmt::Write as _, io, path::Path};

pub use portolan_protocol::api::{ApiError, ErrorKind};

use crate::{messages, text};

/// What commands return.
pub type Result<T> = std::result::Result<T, ApiError>;

/// Something that was asked for in the wrong way.
pub fn usage(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::Usage, message)
}

/// Something that is not there.
pub fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::NotFound, message)
}

/// A fault of the program.
pub fn internal(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::Internal, message)
        .safe("What the daemon has acknowledged is kept.")
        .next("Run the command again; if it fails the same way, report it with this message.")
}

/// A file or directory that could not be read or written.
pub fn file(doing: &str, path: &Path, error: &io::Error) -> ApiError {
    ApiError::new(file_kind(error), format!("cannot {doing} {}: {error}", path.display()))
}

/// What kind of error a failure of the file system is.
pub fn file_kind(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
        _ => ErrorKind::Io,
    }
}

/// Writes an error to standard error, for people or as one line of JSON.
pub fn print(error: &ApiError, json: bool) {
    if json {
        let json = serde_json::to_string(error).unwrap_or_default();
        eprintln!("{}", text::escaped_json(&json));
    } else {
        eprint!("{}", render(error));
    }
}

/// An error for people. What came from elsewhere is made safe to print.
pub fn render(error: &ApiError) -> String {
    let mut out = String::new();
    let labels = [tr!("error:"), tr!("safe:"), tr!("next:")];
    let width = labels.iter().map(|label| text::width(label)).max().unwrap_or(0);
    for (label, words) in labels.iter().zip([&error.message, &error.safe, &error.next]) {
        for (number, line) in messages::found(words).lines().enumerate() {
            let label = if number == 0 { label } else { "" };
            let space = " ".repeat(width - text::width(label));
            let _ = writeln!(out, "{label}{space} {}", text::shown(line));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_three_things_and_leaves_out_what_is_empty() {
        let error = usage("no such\nrole").safe("Nothing was changed.").next("Choose another.");
        assert_eq!(
            render(&error),
            "error: no such\n       role\nsafe:  Nothing was changed.\nnext:  Choose another.\n"
        );
        assert_eq!(render(&usage("x")), "error: x\n");
    }

    #[test]
    fn what_a_stranger_wrote_cannot_move_the_cursor() {
        assert_eq!(render(&usage("a\x1b[2Jb")), "error: a\\u{1b}[2Jb\n");
    }

    #[test]
    fn files_fail_by_kind() {
        let kind = |kind: io::ErrorKind| file("read", Path::new("x"), &io::Error::from(kind)).kind;
        assert_eq!(kind(io::ErrorKind::NotFound), ErrorKind::NotFound);
        assert_eq!(kind(io::ErrorKind::StorageFull), ErrorKind::DiskFull);
        assert_eq!(kind(io::ErrorKind::Interrupted), ErrorKind::Io);
    }
}
