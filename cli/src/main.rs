//! `portolan`: reads its arguments, runs one command, and exits with the code of what became of it.

use std::process::ExitCode;

use clap::FromArgMatches as _;
use portolan_cli::{
    commands::{Cli, definition},
    error::{self, ApiError, usage},
    messages, text,
};

fn main() -> ExitCode {
    let for_scripts = std::env::args_os().any(|argument| argument == "--json");
    for (path, why) in messages::choose(for_scripts) {
        eprintln!("note: {}: {}", text::shown(&path.display().to_string()), text::shown(&why));
    }
    let cli = match definition().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // What cannot be read may still say how the error is wanted.
        Err(mistake) if mistake.use_stderr() && for_scripts => {
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
