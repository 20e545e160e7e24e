//! `portolan pouch`: sealed volumes that a courier carries, for when there is no link.

pub(super) mod export;
pub(super) mod import;
mod list;
pub(super) mod look;
mod receipt;
mod words;

use std::path::PathBuf;

use clap::Subcommand;

use crate::{context::Context, error::Result};

#[derive(Subcommand, Debug)]
pub(super) enum Pouch {
    /// Write what partners lack to a medium, sealed to them
    Export(export::Export),
    /// Go on with a pouch that was not written to its end, on the same medium or another
    Resume(export::Resume),
    /// Take what partners sent, and write the receipt for them
    Import(import::Import),
    /// What is on a medium, by its outside; needs no node and no key
    Inspect {
        /// The medium, the directory of a pouch, or one volume
        path: PathBuf,
    },
    /// Read every byte of a medium and say whether it is as it was written; needs no node and no key
    Verify {
        /// The medium, the directory of a pouch, or one volume
        path: PathBuf,
    },
    /// Pouches that were sent and taken, and what has arrived
    List,
    /// Take a partner's receipt: a volume, a file with a code, or the code itself
    Receipt(receipt::Receipt),
}

impl Pouch {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Pouch::Export(export) => export.run(context).await,
            Pouch::Resume(resume) => resume.run(context).await,
            Pouch::Import(import) => import.run(context).await,
            Pouch::Inspect { path } => look::inspect(context, &path),
            Pouch::Verify { path } => look::verify(context, &path),
            Pouch::List => list::run(context).await,
            Pouch::Receipt(receipt) => receipt.run(context).await,
        }
    }
}
