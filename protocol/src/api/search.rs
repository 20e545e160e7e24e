//! Finding records by their words.

use serde::{Deserialize, Serialize};

use crate::{
    id::{DocumentId, SpaceId},
    record::{Facet, Filters, Summary},
    time::Timestamp,
};

/// Records in one answer where the request does not say.
pub const HITS_DEFAULT: u32 = 20;

/// Most records in one answer.
pub const HITS_MAX: u32 = 200;

/// How far into what was found one may go on; a better question is quicker.
pub const HITS_DEPTH_MAX: u32 = 10_000;

/// Bytes of a question that are looked at; the rest is passed over.
pub const QUESTION_BYTES_MAX: usize = 1_024;

/// The query of `GET /v1/search`. Every word has to be found (`a b`); `"a b"` is a phrase, `-a` leaves out what has the word,
/// `a*` is the beginning of a word. Nothing in `q` is an error: what is no such sign is a word or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// What is looked for.
    pub q: String,
    /// In this space alone; in all that the caller may read where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<SpaceId>,
    /// The language of the question: `ar`, `en`, `es`, `fr` or `pt`. All of them are tried where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Records of this type; this and what follows as in a list.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Records with this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Records with this priority area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Records with this country, in any relation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Records of this programme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<String>,
    /// Records with something written in this language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Records with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Records with this marking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<String>,
    /// Records that come from this organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub originator: Option<String>,
    /// Records that are about this year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// Records last changed at this moment or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<Timestamp>,
    /// Records last changed before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Timestamp>,
    /// Records in the answer: 1 to [`HITS_MAX`], [`HITS_DEFAULT`] where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// What `next` of the answer before said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl SearchQuery {
    /// What the records must be like, beside their words.
    pub fn filters(&self) -> Filters {
        let filters = Filters { since: self.since_ms, until: self.until_ms, ..Filters::default() };
        filters
            .with(Facet::Type, self.kind.clone())
            .with(Facet::Tag, self.tag.clone())
            .with(Facet::Area, self.area.clone())
            .with(Facet::Country, self.country.clone())
            .with(Facet::Programme, self.programme.clone())
            .with(Facet::Language, self.language.clone())
            .with(Facet::Status, self.status.clone())
            .with(Facet::Marking, self.marking.clone())
            .with(Facet::Originator, self.originator.clone())
            .with(Facet::Year, self.year.map(|year| year.to_string()))
    }
}

/// `GET /v1/search`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SearchAnswer {
    /// What was found, the best first; among equals by id.
    pub hits: Vec<Hit>,
    /// Records found in all.
    pub total: u64,
    /// The concepts that the question names: records tagged with them were looked for too.
    pub concepts: Vec<NamedConcept>,
    /// The cursor of what follows; null at the end, and at [`HITS_DEPTH_MAX`].
    pub next: Option<String>,
    /// Data entries and records held that cannot be found by their words yet; 0 when all can.
    pub entries_to_index: u64,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hit {
    /// The space it is in.
    pub space: SpaceId,
    /// Its short form, as it is now.
    pub record: Summary,
    /// A passage with words that were looked for, without marks where they stand beyond what the index keeps of a text; null where none is
    /// at hand.
    pub snippet: Option<Snippet>,
    /// The notations through which it was found: those of `concepts` that it is tagged with, sorted.
    pub through: Vec<String>,
}

/// A passage of a record, on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snippet {
    /// The flat key of the field that it is from.
    pub field: String,
    /// The passage.
    pub text: String,
    /// The words found: from and to, counted in characters (Unicode scalar values) of `text`, in order, never overlapping.
    pub marks: Vec<(u32, u32)>,
}

/// A concept that a question names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedConcept {
    /// The id that records are tagged with.
    pub notation: String,
    /// What the concept is called, in the best language.
    pub label: String,
    /// The space of its record.
    pub space: SpaceId,
    /// Its record.
    pub document: DocumentId,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_question_is_refused_where_it_names_what_is_not_known_and_the_answer_may_grow() {
        let query: SearchQuery = serde_json::from_str(r#"{"q":"port","type":"page","year":2016}"#).unwrap();
        let wanted: Vec<_> = query.filters().wanted.into_iter().collect();
        assert_eq!(wanted, [(Facet::Type, "page".to_owned()), (Facet::Year, "2016".to_owned())]);
        assert!(serde_json::from_str::<SearchQuery>(r#"{"q":"port","kind":"page"}"#).is_err());
        let answer = r#"{"hits":[],"total":0,"concepts":[],"next":null,"entries_to_index":0,"later":1}"#;
        assert_eq!(serde_json::from_str::<SearchAnswer>(answer).unwrap(), SearchAnswer::default());
    }
}
