//! What a file says, whatever its format: the ground on which drafts are made; and the draft that is made of it.

use portolan_protocol::{
    id::DocumentId,
    record::{RecordDraft, Warning},
};

use super::yaml::Yaml;

/// A file, or a line of one, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFile {
    /// Its path below what was named.
    pub path: String,
    /// The document it becomes.
    pub document: DocumentId,
    /// The draft of it.
    pub draft: RecordDraft,
    /// Images it refers to, which are not imported.
    pub images: usize,
    /// What someone may want to look at.
    pub warnings: Vec<Warning>,
}

/// The content of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Front matter, in the order written; empty for HTML.
    pub front_matter: Vec<(String, Yaml)>,
    /// The title that the text itself gives.
    pub title: Option<String>,
    /// The language that the text itself declares, as written.
    pub language: Option<String>,
    /// A summary.
    pub summary: Option<String>,
    /// The address that the page gives as its own.
    pub canonical: Option<String>,
    /// The body, Markdown.
    pub body: String,
    /// Images that the body refers to.
    pub images: usize,
    /// Characters dropped that would have deceived a reader.
    pub dropped: usize,
}
