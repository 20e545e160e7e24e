//! `portolan completions`: a shell's completions.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::{error::Result, output};

#[derive(Args, Debug)]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, command: &mut Command) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "portolan", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
