//! `portolan doc`: records.

mod delete;
mod edit;
mod history;
mod list;
mod new;
mod show;
mod source;

use clap::Subcommand;
use portolan_protocol::api::{Outcome, Saved};

use super::Context;
use crate::{error::Result, text};

#[derive(Subcommand, Debug)]
pub(super) enum Doc {
    /// Write a new record: in your editor, or from a file and --set
    New(new::New),
    /// The records there are
    List(list::List),
    /// One record
    Show(show::Show),
    /// Change a record: in your editor, or from a file and --set
    Edit(edit::Edit),
    /// Every change of a record, and who signed it
    History(history::History),
    /// Hide a record on every node; it is not erased
    Delete(delete::Delete),
}

impl Doc {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Doc::New(command) => command.run(context).await,
            Doc::List(command) => command.run(context).await,
            Doc::Show(command) => command.run(context).await,
            Doc::Edit(command) => command.run(context).await,
            Doc::History(command) => command.run(context).await,
            Doc::Delete(command) => command.run(context).await,
        }
    }
}

/// What a save came to.
fn saved(saved: &Saved) -> String {
    let what = match saved.outcome {
        Outcome::Created => "created",
        Outcome::Updated => "changed",
        Outcome::Unchanged => "unchanged: it says so already",
        Outcome::Deleted => "deleted: it is hidden on every node that hears of it",
    };
    let merged = if saved.merged { ", merged with what others wrote meanwhile" } else { "" };
    let mut out = format!("{} {what}{merged}\n", saved.document);
    for warning in &saved.warnings {
        out.push_str(&format!("  note: {} {}\n", text::shown(&warning.path), text::shown(&warning.message)));
    }
    out
}
