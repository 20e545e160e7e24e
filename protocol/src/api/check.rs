//! Checking what is stored against signatures, hashes and the derived data; and deriving it again.

use serde::{Deserialize, Serialize};

use super::error::ApiError;

/// `POST /v1/check`. The answer is a stream of [`CheckEvent`]s, one to a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// Derive documents, snapshots and the list from the log anew.
    #[serde(default)]
    pub rebuild: bool,
    /// Read every byte of attachments too.
    #[serde(default)]
    pub read_data: bool,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckStage {
    /// Hash chains, signatures and payloads of every log.
    Logs,
    /// The acknowledged heads that are kept outside the store.
    Heads,
    /// Documents against their logs.
    Documents,
    /// Deriving documents anew.
    Rebuild,
    /// Attachments against their ids.
    Attachments,
    /// A stage that a newer daemon knows.
    #[serde(other)]
    Unknown,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing, nothing is damaged: a fork that someone else signed, parked entries.
    Notice,
    /// Something stored is damaged or missing.
    Damage,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What.
    pub message: String,
    /// What is safe all the same, may be empty.
    #[serde(default)]
    pub safe: String,
    /// What to do, may be empty.
    #[serde(default)]
    pub next: String,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Checked {
    /// Spaces.
    pub spaces: u64,
    /// Logs.
    pub logs: u64,
    /// Entries whose chain and signatures were verified.
    pub entries: u64,
    /// Payloads whose hashes were verified.
    pub payloads: u64,
    /// Documents compared with their logs, or derived anew.
    pub documents: u64,
    /// Attachments of which every byte was read.
    #[serde(default)]
    pub attachments: u64,
    /// Findings of severity `damage`.
    pub damage: u64,
}

/// One line of the answer. The last line is `done` or `failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CheckEvent {
    /// How far a stage is.
    Progress {
        /// Which stage.
        stage: CheckStage,
        /// Entries, documents or attachments done.
        done: u64,
        /// All of them; null while that is not known.
        total: Option<u64>,
    },
    /// Something was found.
    Finding {
        /// What.
        finding: Finding,
    },
    /// Everything was looked at.
    Done {
        /// The counts.
        checked: Checked,
    },
    /// The check itself could not go on.
    Failed {
        /// Why.
        error: ApiError,
    },
}
