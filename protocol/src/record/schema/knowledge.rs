//! What is learned and taught: experiences, training material, practices, pages.

use super::field::{Field, Kind, own};
use Kind::{Date, Member, Position, Scalar, Text};

const EXPERIENCE: &[&str] = &["experience"];
const TRAINING: &[&str] = &["training_material"];
const PRACTICE: &[&str] = &["practice"];
const PAGE: &[&str] = &["page"];

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    own(EXPERIENCE, "events/<language>", Text, "what happened"),
    own(EXPERIENCE, "lesson/<language>", Text, "what was learned"),
    own(EXPERIENCE, "recommendation/<language>", Text, "what others should do"),
    own(EXPERIENCE, "occurred", Date, "when it happened"),
    own(EXPERIENCE, "outcome", Scalar, "how it ended").usual(&["success", "failure", "near-miss"]),
    own(TRAINING, "kind", Scalar, "what it is: course, handbook, slides, film, ..."),
    own(TRAINING, "level", Scalar, "how much it expects of those who learn"),
    own(TRAINING, "prerequisites/<language>", Text, "what they must know before"),
    own(TRAINING, "delivery", Scalar, "how it is given: classroom, online, ..."),
    own(TRAINING, "licence", Scalar, "licence"),
    own(TRAINING, "package", Scalar, "the attachment that a learning platform takes, by its hash"),
    own(TRAINING, "package_format", Scalar, "format of the package").usual(&[
        "scorm-1.2",
        "scorm-2004",
        "ims-cp",
        "ims-cc",
        "cmi5",
        "h5p",
    ]),
    own(PRACTICE, "kind", Scalar, "what it is").usual(&["good-practice", "doctrine", "procedure", "guideline"]),
    own(PRACTICE, "steps/<id>/text/<language>", Scalar, "a step"),
    own(PRACTICE, "steps/<id>/position", Position, "its place among them"),
    own(PRACTICE, "supersedes/<id>", Member, "documents that it takes the place of"),
    own(PRACTICE, "maturity", Scalar, "how far it is proven").usual(&[
        "proposed",
        "piloted",
        "established",
        "recommended",
        "retired",
    ]),
    own(PAGE, "template_for", Scalar, "the type of record that the page is a template for"),
];
