//! `portolan`: reads its arguments, runs one command, and exits with the code of what became of it.

use std::process::ExitCode;

use clap::Parser;
use portolan_cli::{
    commands::Cli,
    error::{self, ApiError, usage},
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // What cannot be read may still say how the error is wanted.
        Err(mistake) if mistake.use_stderr() && std::env::args_os().any(|argument| argument == "--json") => {
            let failure = misread(&mistake);
            error::print(&failure, true);
            return ExitCode::from(failure.kind.exit_code());
        }
        Err(told) => told.exit(),
    };
    let json = cli.global.json;
    match portolan_cli::commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error::print(&failure, json);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

/// A command line that is not understood, for scripts: the first paragraph of what people are told.
fn misread(mistake: &clap::Error) -> ApiError {
    let text = mistake.to_string();
    let first = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    let message = first.split_whitespace().collect::<Vec<_>>().join(" ");
    usage(message).safe("Nothing was changed.").next("See `portolan --help`, or --help behind a command.")
}
