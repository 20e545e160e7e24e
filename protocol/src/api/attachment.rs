//! Attachments: adding one, what a record has and who holds it, fetching, verifying, and what nothing refers to any more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{document::Saved, error::ApiError};
use crate::{
    id::{AttachmentId, NodeId},
    time::Timestamp,
};

/// The query of `POST /v1/spaces/{space}/documents/{document}/attachments`, whose body is the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddAttachment {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The language of name and alternative text; the record's own where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Its media type; told from its first bytes where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// What it shows, for those who do not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternative_text: Option<String>,
    /// Its bytes, where they are known: whether there is room is then known at once, and a file that is cut is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Why, in a few words, for the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A file that is durable, and so is the record that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AddedAttachment {
    /// Which it is.
    pub attachment: AttachmentId,
    /// Its bytes.
    pub size: u64,
    /// The media type that the record now says.
    pub media_type: String,
    /// Whether the file was here already, in this space.
    pub reused: bool,
    /// What someone may want to look at.
    pub warnings: Vec<String>,
    /// What saving the record came to.
    pub saved: Saved,
}

/// One line of the answer. The last is `done` or `failed`; with neither it was cut, and nothing was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AddEvent {
    /// How much was taken.
    Progress {
        /// Bytes of the file.
        bytes: u64,
    },
    /// It is durable.
    Done {
        /// What.
        added: Box<AddedAttachment>,
    },
    /// It was not added.
    Failed {
        /// Why.
        error: ApiError,
    },
}

/// Whether a file is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttachmentState {
    /// All of it.
    Held,
    /// Some of it: fetching goes on from there.
    Partial,
    /// Nothing of it.
    Missing,
    /// A state that a newer daemon knows.
    #[serde(other)]
    Unknown,
}

/// A peer that was asked for a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holder {
    /// Which.
    pub node: NodeId,
    /// Its name, empty where its card is not held.
    pub name: String,
    /// Whether it said that it holds the file.
    pub held: bool,
    /// When it said so.
    pub told_ms: Timestamp,
}

/// An attachment of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachment {
    /// Which.
    pub id: AttachmentId,
    /// Its name in the record's language, or any; empty where it has none.
    pub name: String,
    /// All its names, by language.
    pub names: BTreeMap<String, String>,
    /// What it shows, by language.
    pub alternative_texts: BTreeMap<String, String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// Its bytes, as the record says.
    pub size: Option<u64>,
    /// Its licence.
    pub licence: Option<String>,
    /// Whether it is here.
    pub state: AttachmentState,
    /// Of its ciphertext, the part that is here, in hundredths.
    pub percent: u8,
    /// Peers that were asked, by node.
    pub holders: Vec<Holder>,
    /// What stands in the way of fetching or opening it; empty where nothing does.
    #[serde(default)]
    pub trouble: String,
}

/// `GET /v1/spaces/{space}/documents/{document}/attachments`. Connected peers are asked who holds what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachments {
    /// By id.
    pub attachments: Vec<Attachment>,
}

/// One line of the answer to `POST .../attachments/{id}/fetch`. The last is `done` or `failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum FetchEvent {
    /// How much is here.
    Progress {
        /// Bytes of the ciphertext that are here and verified.
        bytes: u64,
        /// All of them.
        total: u64,
    },
    /// All of it is here, durably.
    Done {
        /// Bytes of the ciphertext that were here before.
        resumed_at: u64,
        /// Bytes that came now.
        fetched: u64,
    },
    /// It is not.
    Failed {
        /// Why.
        error: ApiError,
    },
}

/// What reading a file from the first byte to the last came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckedAttachment {
    /// Which.
    pub id: AttachmentId,
    /// Bytes of its ciphertext.
    pub bytes: u64,
    /// Whether it is what its name says, to the last byte.
    pub sound: bool,
}

/// One line of the answer to `POST /v1/attachments/check` and `POST .../attachments/{id}/verify`. The last is `done` or `failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum VerifyEvent {
    /// One was read.
    Checked {
        /// Which, and how it was found.
        checked: CheckedAttachment,
    },
    /// All were.
    Done {
        /// How many.
        attachments: u64,
        /// How many are damaged. Each was set aside, and counts as missing.
        damaged: u64,
    },
    /// It could not go on.
    Failed {
        /// Why.
        error: ApiError,
    },
}

/// The query of `GET /v1/attachments`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HeldQuery {
    /// Only those that no record refers to, and that have been here for a day.
    #[serde(default)]
    pub unreferenced: bool,
}

/// A file on this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldAttachment {
    /// Which.
    pub id: AttachmentId,
    /// Bytes of its ciphertext.
    pub bytes: u64,
    /// Whether a record of some space refers to it.
    pub referenced: bool,
}

/// `GET /v1/attachments`, and `DELETE /v1/attachments/unreferenced`: what was there, or what was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldAttachments {
    /// By id.
    pub attachments: Vec<HeldAttachment>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_json_form_is_stable_and_a_misspelt_field_is_refused() {
        let event = FetchEvent::Done { resumed_at: 3, fetched: 4 };
        assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"event":"done","resumed_at":3,"fetched":4}"#);
        let query = AddAttachment { size: Some(7), ..AddAttachment::default() };
        assert_eq!(serde_json::to_string(&query).unwrap(), r#"{"size":7}"#);
        assert!(serde_json::from_str::<AddAttachment>(r#"{"sise":7}"#).is_err());
        assert_eq!(serde_json::from_str::<AttachmentState>("\"elsewhere\"").unwrap(), AttachmentState::Unknown);
    }
}
