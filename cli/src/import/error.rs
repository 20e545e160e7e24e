//! Why something is not imported. Each kind concerns one file, save where it says that the walk ends.

use std::io;

use portolan_protocol::record::{Refusal, display_safe};
use thiserror::Error;

use super::html::HtmlError;

/// A file, or a path, that is not imported. Files before and after it are.
#[derive(Debug, Error)]
#[error("{}: {fault}", display_safe(.path))]
pub struct ImportError {
    /// The path, relative to what was named.
    pub path: String,
    /// What is wrong with it.
    #[source]
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum Fault {
    /// The disk, or permissions.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Not a regular file by the time it was opened.
    #[error("is not a regular file")]
    NotAFile,
    /// Larger than files are imported.
    #[error("has more than {0} bytes; attach such a file instead of importing it")]
    TooLarge(u64),
    /// A name that is not UTF-8.
    #[error("has a name that is not UTF-8; rename it")]
    Name,
    /// Directories too deep within each other; what is below is not looked at.
    #[error("lies more than {0} directories deep")]
    TooDeep(usize),
    /// More files than one import takes; the walk ends.
    #[error("holds more than {0} files; import its directories one by one")]
    TooManyFiles(usize),
    /// Neither UTF-8 nor what it declares.
    #[error("is not UTF-8, nor in an encoding that it declares; convert it to UTF-8")]
    Encoding,
    /// No text in it.
    #[error("holds no text")]
    Empty,
    /// Neither the file, its place nor the options name a language.
    #[error("does not say its language; add `language:` to its front matter, or import with --language")]
    NoLanguage,
    /// A language that is none.
    #[error("names the language `{}`, which is not a language tag", display_safe(.0))]
    Language(String),
    /// The front matter.
    #[error("has front matter that cannot be read: {}", display_safe(.0))]
    FrontMatter(String),
    /// A line of a file of records.
    #[error("cannot be read: {}", display_safe(.0))]
    Line(String),
    /// The HTML.
    #[error("cannot be converted: {0}")]
    Html(#[from] HtmlError),
    /// What came out cannot be a record.
    #[error("cannot be a record: {0}")]
    Refused(#[from] Refusal),
    /// A worker ended early; the walk ends.
    #[error("was not read, because reading stopped")]
    Stopped,
}

impl Fault {
    /// The error for `path`.
    pub fn at(self, path: &str) -> ImportError {
        ImportError { path: path.to_owned(), fault: self }
    }
}
