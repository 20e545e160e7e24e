//! What differs between two states of a record, and the way back to an earlier one.

use serde::{Deserialize, Serialize};

use super::Saved;
use crate::{
    id::{DocumentId, SpaceId},
    record::{Value, Warning},
};

/// The query of `GET /v1/spaces/{space}/documents/{document}/diff`. Heads are hashes of changes with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DifferenceQuery {
    /// The state to begin with; the one before the last change of `to` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The state to end with; the present one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// `GET /v1/spaces/{space}/documents/{document}/diff`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// The heads of the earlier state, sorted; none where the record was not there yet.
    pub from: Vec<String>,
    /// The heads of the later state, sorted.
    pub to: Vec<String>,
    /// The fields that differ, by key.
    pub fields: Vec<FieldDifference>,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldDifference {
    /// The flat key.
    pub field: String,
    /// Its values before: none where it was not there, several where they were contested.
    pub before: Vec<Value>,
    /// Its values after, likewise.
    pub after: Vec<Value>,
    /// Of a text that has one value on both sides, how one becomes the other, word by word; else empty.
    pub pieces: Vec<Piece>,
}

/// A stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Piece {
    /// What became of it.
    pub kind: PieceKind,
    /// The words.
    pub text: String,
}

/// What became of a stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PieceKind {
    /// It stands on both sides.
    Same,
    /// It stood before.
    Removed,
    /// It stands after.
    Added,
}

/// `POST /v1/spaces/{space}/documents/{document}/restore`: a new change that says what the record said at earlier heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RestoreDocument {
    /// The heads of the state to bring back.
    pub to: Vec<String>,
    /// The heads of the record as the person saw it, from `difference.from` of a dry run; as it is now where it is left out. What was
    /// written since is merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<Vec<String>>,
    /// Why, in a few words, for the history; where it is empty, that it was restored and to what.
    #[serde(default)]
    pub reason: String,
    /// `true` to be told what would change, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The answer to `restore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Restored {
    /// From the state before to the one that the change makes of it.
    pub difference: Difference,
    /// What is not brought back as it was, and why.
    pub left: Vec<Warning>,
    /// What was saved; null where nothing was, since nothing differs or it was a dry run.
    pub saved: Option<Saved>,
}
