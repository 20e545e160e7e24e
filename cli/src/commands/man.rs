//! `portolan man`: the manual's pages, one for each command, from the same definition as the arguments.

use std::{fs, path::PathBuf};

use clap::{Args, Command};
use serde::Serialize;

use crate::{
    context::Context,
    error::{Result, file},
};

#[derive(Args, Debug)]
pub(super) struct Man {
    /// Where the pages go: an existing directory, such as /usr/local/share/man/man1
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Written {
    /// Where the pages are.
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self, context: &Context, command: Command) -> Result<()> {
        fs::read_dir(&self.out).map_err(|error| file("write to", &self.out, &error))?;
        clap_mangen::generate_to(command, &self.out).map_err(|error| file("write to", &self.out, &error))?;
        let text = format!("The pages are in {}; read them with `man {0}/portolan.1`.\n", self.out.display());
        context.output.show(&Written { directory: self.out.clone() }, |_| text)
    }
}
