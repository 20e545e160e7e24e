//! What a file says, whatever its format: the ground on which drafts are made; and the draft that is made of it.

use portolan_protocol::{
    id::DocumentId,
    record::{RecordDraft, Warning},
};

use super::{images::Image, yaml::Yaml};

/// A file, or a line of one, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFile {
    /// The heads that it was written out from, where it says them and comes back to its space.
    pub base: Option<Vec<String>>,
    /// Its path below what was named.
    pub path: String,
    /// The document it becomes.
    pub document: DocumentId,
    /// The draft of it.
    pub draft: RecordDraft,
    /// Images it refers to that become files of the record.
    pub images: Vec<Image>,
    /// Images it refers to that are not imported.
    pub images_left: usize,
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
    /// Images that stood in the page itself, and do not stand in the body.
    pub images_lost: usize,
    /// Characters dropped that would have deceived a reader.
    pub dropped: usize,
}
