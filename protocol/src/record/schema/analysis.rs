//! What threatens and what is missing: capacity gaps, threat notes, alerts.

use super::field::{Field, Kind, own};
use Kind::{Date, Member, Scalar, Text};

const GAP: &[&str] = &["capacity_gap"];
const THREAT: &[&str] = &["threat_note"];
const ALERT: &[&str] = &["alert"];

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    own(GAP, "area", Scalar, "the priority area, a notation of the vocabulary"),
    own(GAP, "capability/<language>", Text, "what the service should be able to do"),
    own(GAP, "severity", Scalar, "how much is missing").usual(&["low", "medium", "high", "critical"]),
    own(GAP, "urgency", Scalar, "how soon it is needed").usual(&["low", "medium", "high", "immediate"]),
    own(GAP, "addressed_by/<id>", Member, "documents that address it: actions, material, requests"),
    own(THREAT, "kind", Scalar, "what it is").usual(&[
        "assessment",
        "trend",
        "modus-operandi",
        "phenomenon",
        "early-warning",
    ]),
    own(THREAT, "statement/<language>", Text, "what is said of the threat"),
    own(THREAT, "grading/source", Scalar, "how reliable the source is").usual(&["A", "B", "C", "X"]),
    own(THREAT, "grading/information", Scalar, "how sure the information is").usual(&["1", "2", "3", "4"]),
    own(THREAT, "likelihood", Scalar, "how likely it is").usual(&[
        "remote",
        "unlikely",
        "even",
        "likely",
        "almost-certain",
    ]),
    own(ALERT, "severity", Scalar, "how serious it is").usual(&["information", "advisory", "warning", "emergency"]),
    own(ALERT, "valid_until", Date, "when it ends by itself"),
    own(ALERT, "instructions/<language>", Text, "what to do"),
    own(ALERT, "state", Scalar, "whether it holds").usual(&["active", "lifted"]),
    own(ALERT, "acknowledgements/<id>/state", Scalar, "what the node or person `<id>` has done")
        .usual(&["received", "read", "acting", "done"]),
    own(ALERT, "acknowledgements/<id>/at", Date, "when"),
    own(ALERT, "acknowledgements/<id>/by", Scalar, "by whom, where `<id>` is a node"),
    own(ALERT, "acknowledgements/<id>/note/<language>", Text, "what was answered"),
];
