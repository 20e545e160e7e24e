//! Imports: a stream of records in, a stream of what became of them out. Both are one JSON value to a line.

use serde::{Deserialize, Serialize};

use super::{error::ApiError, wire::REQUEST_BYTES_MAX};
use crate::{
    id::DocumentId,
    record::{RecordDraft, Warning},
};

/// Longest line of the stream, in bytes, its line break not counted.
pub const LINE_BYTES_MAX: usize = REQUEST_BYTES_MAX;

/// The query of `POST /v1/spaces/{space}/import`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// Say what would happen and write nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// One line of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportItem {
    /// The record's id, derived from the source, so that importing again meets the same record.
    pub document: DocumentId,
    /// What the source says. Fields that it does not name stay as they are.
    pub draft: RecordDraft,
    /// Where it comes from, for messages: a path relative to what was imported.
    pub source: String,
    /// The heads of the record that the source was written out from: what it says otherwise was changed in it, and is merged with what
    /// others wrote since. Compared with the present record where it is left out, or where no such state is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Vec<String>>,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ImportOutcome {
    /// A new record.
    Created,
    /// A record that was there and now says what the source says.
    Updated,
    /// A record that said it already.
    Unchanged,
    /// Not taken.
    Refused {
        /// Why.
        reason: String,
    },
}

/// One item and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Imported {
    /// The record.
    pub document: DocumentId,
    /// The item's source.
    pub source: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: ImportOutcome,
    /// What was kept as it is and someone may want to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Counts of what became of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportTotals {
    /// New records.
    pub created: u64,
    /// Changed records.
    pub updated: u64,
    /// Records that were as the source says.
    pub unchanged: u64,
    /// Items not taken.
    pub refused: u64,
}

impl ImportTotals {
    /// Counts one more item.
    pub fn add(&mut self, outcome: &ImportOutcome) {
        match outcome {
            ImportOutcome::Created => self.created += 1,
            ImportOutcome::Updated => self.updated += 1,
            ImportOutcome::Unchanged => self.unchanged += 1,
            ImportOutcome::Refused { .. } => self.refused += 1,
        }
    }
}

/// One line of the answer. The last line is `done` or `failed`; a stream that ends without either was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ImportEvent {
    /// A batch is durable (in a dry run: was looked at), in the order of the request.
    Batch {
        /// The items of the batch.
        items: Vec<Imported>,
        /// Counts from the beginning.
        totals: ImportTotals,
    },
    /// Everything is durable.
    Done {
        /// Counts of the whole.
        totals: ImportTotals,
    },
    /// The import stopped. The batches reported before are durable.
    Failed {
        /// Why.
        error: ApiError,
        /// Counts up to there.
        totals: ImportTotals,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_json_form_is_stable() {
        let refused = Imported {
            document: DocumentId([0; 16]),
            source: "a.md".into(),
            outcome: ImportOutcome::Refused { reason: "too large".into() },
            warnings: vec![],
        };
        let mut totals = ImportTotals::default();
        totals.add(&refused.outcome);
        let event = ImportEvent::Batch { items: vec![refused], totals };
        let json = concat!(
            r#"{"event":"batch","items":[{"document":"aaaaaaaaaaaaaaaaaaaaaaaaaa","source":"a.md","outcome":"refused","#,
            r#""reason":"too large"}],"totals":{"created":0,"updated":0,"unchanged":0,"refused":1}}"#
        );
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
        assert_eq!(serde_json::from_str::<ImportEvent>(json).unwrap(), event);
    }

    #[test]
    fn a_misspelt_field_of_a_request_is_refused() {
        assert!(serde_json::from_str::<ImportQuery>(r#"{"dryrun":true}"#).is_err());
    }
}
