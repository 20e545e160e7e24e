//! Translations of a record: what each was made from, and how far it is behind the original language.

use serde::{Deserialize, Serialize};

use crate::id::{DocumentId, SpaceId};

/// `GET /v1/spaces/{space}/documents/{document}/translations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Translations {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// Its title in the best language.
    pub title: String,
    /// The original language; null where the record does not say.
    pub original: Option<String>,
    /// The heads of the record now, sorted.
    pub heads: Vec<String>,
    /// The other languages that something is written in, by tag.
    pub translations: Vec<Translation>,
}

/// One language of a record beside the original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Translation {
    /// The language.
    pub language: String,
    /// How far it is, `machine`, `draft`, `reviewed`; null where nobody said.
    pub state: Option<String>,
    /// The heads that it was made from; none where nobody said.
    pub from: Vec<String>,
    /// Changes since then that touch something written in the original language. Null where it is not known: nobody said what it was
    /// made from, or that is not held here.
    pub behind: Option<u32>,
}
