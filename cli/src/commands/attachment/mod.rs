//! `portolan attachment`: files of records. The daemon opens no path: what is read and written here goes over the socket as bytes.

pub(super) mod add;
pub(super) mod get;
mod list;
mod named;
mod prune;
pub(super) mod verify;

pub(super) use add::{AddedFile, send};
pub(super) use named::harmless_name;

use clap::Subcommand;

use crate::{context::Context, error::Result};

#[derive(Subcommand, Debug)]
pub(super) enum Attachment {
    /// Add a file to a record
    Add(add::Add),
    /// Write a file of a record, fetching it from partners where it is not here
    Get(get::Get),
    /// The files of a record, and who holds them; or with --unreferenced those on this node that no record names
    List(list::List),
    /// Read every byte of files on this node, and say whether they are what their names say
    Verify(verify::Verify),
    /// Remove the files from this node that no record names any more
    Prune(prune::Prune),
}

impl Attachment {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Attachment::Add(command) => command.run(context).await,
            Attachment::Get(command) => command.run(context).await,
            Attachment::List(command) => command.run(context).await,
            Attachment::Verify(command) => command.run(context).await,
            Attachment::Prune(command) => command.run(context).await,
        }
    }
}
