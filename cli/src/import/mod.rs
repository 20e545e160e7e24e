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
mod images;

mod content;
mod fields;
mod markdown;
mod table;

mod html;
mod vocabulary;

mod error;

mod exported;
mod lines;
mod mapping;

mod csv_rows;
mod front_matter;
mod json_lines;

mod walk;

mod file;

mod files;
mod rows;

pub use content::ImportedFile;
pub use error::{Fault, ImportError};
pub use exported::{Origin, is_attachment_key};
pub use file::{DEFAULT_TYPE, Options};
pub use files::{Files, read, source_name};
pub use front_matter::{write as write_markdown, write_from as write_exported};
pub use images::{Image, address_of, attachment_called, readdressed};
pub use json_lines::{JsonLines, is_json_lines, line as json_line};
pub use mapping::Mapping;
pub use rows::Rows;
pub use vocabulary::{Term, read as read_vocabulary};
