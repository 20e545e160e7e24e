//! `portolan completions`: a shell's completions.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use crate::{error::Result, output};

#[derive(Args, Debug)]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "portolan", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
