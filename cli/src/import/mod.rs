//! Files made into drafts of records: Markdown with YAML front matter, and HTML.
//!
//! It reads files and nothing else: no network, no clock, no daemon. What comes out is the same for the same files,
//! in the order of their paths, so that importing twice changes nothing. Everything in a file is taken for hostile.

mod elements;
mod language;
mod scan;
mod shape;
mod text;
mod yaml;

mod clean;
mod content;
mod fields;
mod markdown;
mod table;

mod front_matter;
mod html;
mod vocabulary;

mod error;

mod walk;

mod file;

mod files;

pub use error::{Fault, ImportError};
pub use file::{DEFAULT_TYPE, ImportedFile, Options};
pub use files::{Files, read, source_name};
pub use front_matter::write as write_markdown;
pub use vocabulary::{Term, read as read_vocabulary};
