//! What a file says, whatever its format: the ground on which drafts are made.

use super::yaml::Yaml;

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
