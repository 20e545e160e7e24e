//! What came to be known since somebody last looked: `GET /v1/new`, and `POST /v1/new` to say that it was seen.
//!
//! In the order in which records became known on this node, not by the authors' clocks: what a courier brings after weeks is new
//! when it comes.

use serde::{Deserialize, Serialize};

use crate::{id::SpaceId, record::Summary, time::Timestamp};

/// Records that an answer lists where the request does not say.
pub const NEWS_DEFAULT: u32 = 50;

/// The query of `GET /v1/new`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewsQuery {
    /// The place from which is looked; each login has its own, the unnamed one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// In this space alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<SpaceId>,
    /// Records to list: 0 to [`super::PAGE_MAX`], [`NEWS_DEFAULT`] where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The answer to `GET /v1/new`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct News {
    /// When it was looked last from there; null where it never was, and everything is new.
    pub since_ms: Option<Timestamp>,
    /// False where all records were derived anew since: then the authors' clocks tell what is new, and what was written before
    /// and came since may be missing.
    pub exact: bool,
    /// Names this answer: what to post once it was seen.
    pub until: String,
    /// The spaces in which something is new, in the order of their ids.
    pub spaces: Vec<SpaceNews>,
    /// What became known last, first. Records that nobody but the caller changed since are counted alone.
    pub documents: Vec<NewDocument>,
    /// Data entries held that the answer does not reflect yet; they are in the next.
    pub entries_to_index: u64,
}

/// How much is new in a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpaceNews {
    /// Which.
    pub space: SpaceId,
    /// Records that were not known before.
    pub created: u64,
    /// Records that were changed.
    pub changed: u64,
    /// Records that were deleted.
    pub deleted: u64,
    /// Records that nobody but the caller changed since, on this node; they count nowhere else.
    pub own: u64,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Novelty {
    /// It was not known before.
    Created,
    /// It was changed.
    Changed,
    /// It was deleted.
    Deleted,
    /// A name that this release does not know.
    #[serde(other)]
    Unknown,
}

/// A record that is new, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewDocument {
    /// The space it is in.
    pub space: SpaceId,
    /// What became of it.
    pub news: Novelty,
    /// The record in short.
    pub record: Summary,
}

/// `POST /v1/new`: an answer was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// As in the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What the answer said.
    pub until: String,
}

/// The answer to `POST /v1/new`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Looked {
    /// When that was, by the node's clock.
    pub time_ms: Timestamp,
}
