//! `portolan doc`: records.

pub(super) mod conflicts;
mod delete;
mod diff;
mod edit;
mod facets;
mod history;
mod links;
pub(super) mod list;
mod new;
mod provenance;
mod restore;
mod saved;
mod settle;
mod show;
mod source;
mod translate;
pub(super) mod translations;
mod who_has;
mod words;

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
    /// What changed in a record, word by word
    Diff(diff::Diff),
    /// Fields that say several things at once, and who wrote each
    Conflicts(conflicts::Conflicts),
    /// Leave one value of a field that says several things at once
    Settle(settle::Settle),
    /// Bring an earlier state of a record back, as a new change
    Restore(restore::Restore),
    /// How each change of a record came here, and which partners have signed for it
    Provenance(provenance::Provenance),
    /// What a record links to, and what links to it
    Links(links::Links),
    /// Which partners have signed for a record
    WhoHas(who_has::WhoHas),
    /// Write a record in another language, and say what that was made from
    Translate(translate::Translate),
    /// Which translations are behind the original language
    Translations(translations::Translations),
    /// Hide a record on every node; it is not erased
    Delete(delete::Delete),
}

impl Doc {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Doc::New(command) => command.run(context).await,
            Doc::Links(command) => command.run(context).await,
            Doc::List(command) => command.run(context).await,
            Doc::Facets(command) => command.run(context).await,
            Doc::Show(command) => command.run(context).await,
            Doc::Edit(command) => command.run(context).await,
            Doc::History(command) => command.run(context).await,
            Doc::Diff(command) => command.run(context).await,
            Doc::Conflicts(command) => command.run(context).await,
            Doc::Settle(command) => command.run(context).await,
            Doc::Restore(command) => command.run(context).await,
            Doc::Provenance(command) => command.run(context).await,
            Doc::WhoHas(command) => command.run(context).await,
            Doc::Translate(command) => command.run(context).await,
            Doc::Translations(command) => command.run(context).await,
            Doc::Delete(command) => command.run(context).await,
        }
    }
}
