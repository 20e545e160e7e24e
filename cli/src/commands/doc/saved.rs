//! What a save came to, for people.

use portolan_protocol::api::{Outcome, Saved};

use crate::{messages, text};

/// What a save came to.
pub(super) fn saved(saved: &Saved) -> String {
    let what = match saved.outcome {
        Outcome::Created => tr!("created"),
        Outcome::Updated => tr!("changed"),
        Outcome::Unchanged => tr!("unchanged: it says so already"),
        Outcome::Deleted => tr!("deleted: it is hidden on every node that hears of it"),
    };
    let merged = if saved.merged { tr!(", merged with what others wrote meanwhile") } else { String::new() };
    let mut out = format!("{} {what}{merged}\n", saved.document);
    for warning in &saved.warnings {
        out.push_str(&tr!(
            "  note: {} {}\n",
            text::shown(&warning.path),
            text::shown(&messages::found(&warning.message))
        ));
    }
    out
}
