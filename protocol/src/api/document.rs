//! Records: lists, single ones, changes and who signed them.

use serde::{Deserialize, Serialize};

use crate::{
    entry::EntryRef,
    id::{DocumentId, NodeId, PersonId, SpaceId},
    record::{Facet, Filters, RecordDraft, RecordView, Summary, Updated, Warning},
    time::Timestamp,
};

/// Records on a page of a list where the request does not say.
pub const PAGE_DEFAULT: u32 = 200;

/// Most records on a page of a list.
pub const PAGE_MAX: u32 = 2_000;

/// The query of `GET /v1/spaces/{space}/documents`. A filter that is left out lets everything pass; several must all hold.
/// A page goes on after the last record of the page before, wherever that stands by now: records that do not change meanwhile
/// are listed once each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DocumentQuery {
    /// Records of this type.
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
    /// Records that are about this year, see [`Summary::years`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// Records last changed at this moment or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<Timestamp>,
    /// Records last changed before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Timestamp>,
    /// `true` for records with fields that say several things at once, `false` for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<bool>,
    /// `true` for deleted records alone; others alone where it is left out or `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// Records whose id begins with this, deleted ones included whatever `deleted` says; at least one character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The order of the list; by document id where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<SortBy>,
    /// `true` for the order turned round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<bool>,
    /// Records on the page: 1 to [`PAGE_MAX`], [`PAGE_DEFAULT`] where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// What `next` of the page before said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl DocumentQuery {
    /// What the records must be like.
    pub fn filters(&self) -> Filters {
        let (since, until, contested) = (self.since_ms, self.until_ms, self.contested);
        let filters = Filters { since, until, contested, ..Filters::default() };
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

/// The order of a list. Among equals the one with the lower id is first, or last where the order is turned round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// By document id.
    #[default]
    Id,
    /// The one that was changed last first, by the authors' clocks.
    Updated,
    /// By the beginning of the title, without regard to case and accents.
    Title,
    /// By type.
    Type,
    /// The newest first, by the authors' clocks.
    Created,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocumentPage {
    /// The records, in the order that was asked for.
    pub documents: Vec<Summary>,
    /// The cursor of the next page; null on the last.
    pub next: Option<String>,
    /// Data entries held that the list does not reflect yet; 0 when it is complete.
    pub entries_to_index: u64,
}

/// Values that are counted for one facet, at most; what is beyond is only counted together.
pub const FACET_VALUES_MAX: usize = 200;

/// `GET /v1/spaces/{space}/facets`: how many records there are with each value of each facet. The query is that of a list; only
/// its filters count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Facets {
    /// Records that pass the filters.
    pub total: u64,
    /// Every facet.
    pub facets: Vec<FacetCounts>,
    /// Data entries held that the counts do not reflect yet; 0 when they are complete.
    pub entries_to_index: u64,
}

/// One facet of the records that pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FacetCounts {
    /// Which.
    pub facet: Facet,
    /// Its values, the most frequent first, among equals by value; at most [`FACET_VALUES_MAX`].
    pub values: Vec<FacetValue>,
    /// Values left out.
    pub more: u64,
}

/// How many records have a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// Records that have it.
    pub count: u64,
}

/// The query of `GET /v1/spaces/{space}/documents/{document}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DocumentAt {
    /// Hashes of changes, with commas between them: the record as it was at these heads. As it is now where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// `GET /v1/spaces/{space}/documents/{document}`. Opens the record from its entries even where the list is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocumentView {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub record: RecordView,
    /// The last change, where one is known.
    pub updated: Option<Updated>,
    /// Changes made to it.
    pub changes: u32,
}

/// `POST /v1/spaces/{space}/documents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateDocument {
    /// The record; the type is required.
    pub draft: RecordDraft,
    /// Why, in a few words, for the history.
    #[serde(default)]
    pub reason: String,
}

/// `PATCH /v1/spaces/{space}/documents/{document}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EditDocument {
    /// What to change; fields that are not named stay, `null` removes one.
    pub draft: RecordDraft,
    /// The heads of the record as the person saw it when the edit began. The change is made there and merged with what came
    /// since, so nothing that others wrote meanwhile is undone. Left out, the change is made at the present heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Vec<String>>,
    /// Why, in a few words, for the history.
    #[serde(default)]
    pub reason: String,
}

/// `DELETE /v1/spaces/{space}/documents/{document}`: the query. The record is hidden on every node, not erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeleteDocument {
    /// Why, in a few words, for the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What a save came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The record is new.
    Created,
    /// The record was changed.
    Updated,
    /// Everything was as the draft says; nothing was written.
    Unchanged,
    /// The record was deleted.
    Deleted,
}

/// The answer to a save. It is sent when the change is durable on this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Saved {
    /// The space.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// What happened.
    pub outcome: Outcome,
    /// The heads of the record now, sorted.
    pub heads: Vec<String>,
    /// Whether the change was merged with others made since the heads it names.
    pub merged: bool,
    /// What was kept as it is and someone may want to look at.
    pub warnings: Vec<Warning>,
}

/// One change of a record, from its signed entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// The hash of the change in the record, as `heads` names it.
    pub hash: String,
    /// The signed entry that carries it.
    pub entry: EntryRef,
    /// When, by the author's clock.
    pub time_ms: Timestamp,
    /// The node that signed it.
    pub node: NodeId,
    /// The node's name where this node holds its card, else null.
    pub node_name: Option<String>,
    /// The person that the node vouches for.
    pub person: PersonId,
    /// The person's name at the time.
    pub name: String,
    /// Why, may be empty.
    pub reason: String,
    /// The flat keys it touches, sorted.
    pub fields: Vec<String>,
    /// The changes it was made on, as hashes, sorted.
    pub after: Vec<String>,
}

/// `GET /v1/spaces/{space}/documents/{document}/history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct History {
    /// The record.
    pub document: DocumentId,
    /// Every change comes after those it was made on; among others by time, then by hash. The oldest is first.
    pub changes: Vec<Change>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn requests_refuse_what_they_do_not_know_and_answers_pass_it_over() {
        let edit = r#"{"draft":{"fields":{"status":null}},"base":["ab"],"reason":"why"}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<EditDocument>(edit).unwrap()).unwrap(), edit);
        assert!(serde_json::from_str::<EditDocument>(&edit.replace("base", "bases")).is_err());
        let page = r#"{"documents":[],"next":null,"entries_to_index":0,"later":1}"#;
        assert_eq!(serde_json::from_str::<DocumentPage>(page).unwrap(), DocumentPage::default());
    }
}
