//! `portolan`: reads its arguments, runs one command, and exits with the code of what became of it.

use std::process::ExitCode;

use clap::Parser;
use portolan_cli::{commands::Cli, error};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.global.json;
    match portolan_cli::commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error::print(&failure, json);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}
