//! Who holds a record, as far as partners have signed for it.

use serde::{Deserialize, Serialize};

use crate::{
    control::Role,
    id::{DocumentId, NodeId, SpaceId},
    time::Timestamp,
};

/// `GET /v1/spaces/{space}/documents/{document}/holders`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holders {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// Its title in the best language.
    pub title: String,
    /// Changes that are applied here.
    pub changes: u32,
    /// The other members of the space, and partners that were members, by name and then by node.
    pub holders: Vec<RecordHolder>,
}

/// What one partner has signed for of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordHolder {
    /// The node.
    pub node: NodeId,
    /// Its name where this node holds its card, else null.
    pub name: Option<String>,
    /// Its role in the space; null where it is no member any more.
    pub role: Option<Role>,
    /// How much of the record it has confirmed.
    pub holds: Holds,
    /// Changes that it has confirmed.
    pub changes: u32,
    /// When something last came from it, by link or by courier, by this node's clock; null where nothing did.
    pub last_heard_ms: Option<Timestamp>,
    /// When it signed its last receipt for the space, by its own clock; null where there is none, or it does not say.
    pub receipt_ms: Option<Timestamp>,
}

/// How much of a record a partner has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// All of its changes.
    All,
    /// Some of its changes.
    Part,
    /// None: it has not heard of the record, or has not said so yet.
    Nothing,
    /// Nobody here knows: it is no peer of this node, which therefore has no receipt of it.
    Unknown,
}
