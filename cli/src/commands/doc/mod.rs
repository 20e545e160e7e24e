//! `portolan doc`: records.

mod delete;
mod edit;
mod facets;
mod history;
mod list;
mod new;
mod saved;
mod show;
mod source;

use clap::Subcommand;

use crate::{context::Context, error::Result};

#[derive(Subcommand, Debug)]
pub(super) enum Doc {
    /// Write a new record: in your editor, or from a file and --set
    New(new::New),
    /// The records there are
    List(list::List),
    /// How many records there are of each type, tag, country and so on
    Facets(facets::Count),
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
            Doc::Facets(command) => command.run(context).await,
            Doc::Show(command) => command.run(context).await,
            Doc::Edit(command) => command.run(context).await,
            Doc::History(command) => command.run(context).await,
            Doc::Delete(command) => command.run(context).await,
        }
    }
}
