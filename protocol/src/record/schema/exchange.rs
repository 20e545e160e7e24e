//! What is said: threads, posts, news.

use super::field::{Field, Kind, own};
use Kind::{Date, Scalar, Text};

const THREAD: &[&str] = &["thread"];
const POST: &[&str] = &["post"];
const NEWS: &[&str] = &["news"];

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    own(THREAD, "question/<language>", Text, "what is asked"),
    own(THREAD, "state", Scalar, "how far it is").usual(&["open", "answered", "closed"]),
    own(THREAD, "answer", Scalar, "the post that answers it"),
    own(POST, "thread", Scalar, "the thread it belongs to"),
    own(POST, "replies_to", Scalar, "the post it replies to; its text is the body"),
    own(NEWS, "kind", Scalar, "what it is").usual(&["communique", "announcement", "report", "newsletter"]),
    own(NEWS, "communique/<language>", Text, "the words given to the press"),
    own(NEWS, "published", Date, "when it was published"),
    own(NEWS, "event_date", Date, "when what it tells of took place"),
    own(NEWS, "event", Scalar, "the document of what it tells of"),
    own(NEWS, "publisher", Scalar, "who published it"),
];
