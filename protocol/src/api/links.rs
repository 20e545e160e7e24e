//! How records are linked with one another, read from both ends.

use serde::{Deserialize, Serialize};

use crate::id::{DocumentId, SpaceId};

/// Links of a record to others, and of others to it, that one answer tells at most, each.
pub const LINKS_MAX: usize = 500;

/// `GET /v1/spaces/{space}/documents/{document}/links`: what a record links to, and what links to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Links {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// Its title in the best language.
    pub title: String,
    /// What it links to, in the order of the links' names.
    pub outgoing: Vec<Outgoing>,
    /// The records that link to it, by space and then in the order in which this node came to know of them.
    pub incoming: Vec<Incoming>,
    /// Whether there are, or may be, more than [`LINKS_MAX`] of one kind.
    pub more: bool,
    /// Data entries held that `incoming` does not reflect yet.
    pub entries_to_index: u64,
}

/// A link that a record holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outgoing {
    /// What the record says of the target; `see` where it does not say.
    pub relation: String,
    /// A record's id or a URI.
    pub target: String,
    /// The record that is meant, where it is held here and the caller may read it.
    pub record: Option<LinkedRecord>,
}

/// A link that another record holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Incoming {
    /// What the other record says of this one; `see` where it does not say.
    pub relation: String,
    /// The same read from this one (`docs/spec/records.md`); null for a relation that this release does not know.
    pub inverse: Option<String>,
    /// The other record.
    pub record: LinkedRecord,
}

/// A record at the other end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkedRecord {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its title in the best language.
    pub title: String,
}
