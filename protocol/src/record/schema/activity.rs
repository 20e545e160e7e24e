//! What is done together: actions and exercises.

use super::field::{Field, Kind, own};
use Kind::{Member, Position, Scalar, Text};

const ACTION: &[&str] = &["action"];
const EXERCISE: &[&str] = &["exercise"];

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    own(ACTION, "kind", Scalar, "what it is").usual(&[
        "training",
        "exchange",
        "exercise",
        "meeting",
        "workshop",
        "steering",
        "kick-off",
        "high-level-meeting",
        "dialogue",
        "mission",
        "pilot",
    ]),
    own(ACTION, "series", Scalar, "the series it belongs to"),
    own(ACTION, "session", Scalar, "which one of the series: 1, 2, ..."),
    own(ACTION, "component", Scalar, "the component of the programme it belongs to"),
    own(ACTION, "agenda/<id>/starts", Scalar, "when the item starts: a time, or a date and time"),
    own(ACTION, "agenda/<id>/text/<language>", Scalar, "an item of the agenda"),
    own(ACTION, "agenda/<id>/speaker", Scalar, "who speaks"),
    own(ACTION, "agenda/<id>/position", Position, "its place among them"),
    own(ACTION, "attendance", Scalar, "how many took part"),
    own(ACTION, "findings/<language>", Text, "what was found"),
    own(ACTION, "decisions/<id>/text/<language>", Scalar, "something that was decided"),
    own(ACTION, "decisions/<id>/position", Position, "its place among them"),
    own(ACTION, "outcomes/<id>", Member, "documents that came of it"),
    own(ACTION, "follow_up/<language>", Text, "what is to follow"),
    own(EXERCISE, "kind", Scalar, "what it is").usual(&["tabletop", "command-post", "simulation", "field"]),
    own(EXERCISE, "scenario/<language>", Text, "the situation that is played"),
    own(EXERCISE, "injects/<id>/time", Scalar, "when it is given: minutes from the start, or a time"),
    own(EXERCISE, "injects/<id>/phase", Scalar, "in which phase"),
    own(EXERCISE, "injects/<id>/text/<language>", Text, "what those who play are told"),
    own(EXERCISE, "injects/<id>/position", Position, "its place among them"),
    own(EXERCISE, "evaluation/<language>", Text, "how it went, and why"),
];
