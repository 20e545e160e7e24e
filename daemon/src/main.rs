//! `portoland`: the daemon. It reads the command line, runs what was asked for, and says how it went.

use std::{
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use portolan_daemon::{guard, init, service};
use portolan_protocol::api::{ApiError, ErrorKind, InitAnswer};

/// An `InitRequest` is far below this.
const REQUEST_BYTES_MAX: u64 = 256 << 10;

/// The Portolan daemon: keeps a node's share of the knowledge base and exchanges it with partners
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The node's home directory
    #[arg(long, global = true, env = "PORTOLAN_HOME", default_value = "/var/lib/portolan", value_name = "DIR")]
    home: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Run the node until SIGTERM or SIGINT (the default)
    Run,
    /// Make a home: reads one request as JSON from standard input; `portolan init` is for people
    Init,
}

fn main() -> ExitCode {
    let Arguments { home, command } = Arguments::parse();
    let result = match command.unwrap_or(Command::Run) {
        Command::Run => run(&home),
        Command::Init => return make(&home),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let ApiError { message, safe, next, kind } = error;
            eprintln!("portoland: {message}");
            [safe, next].iter().filter(|words| !words.is_empty()).for_each(|words| eprintln!("  {words}"));
            ExitCode::from(kind.exit_code())
        }
    }
}

fn run(home: &Path) -> Result<(), ApiError> {
    guard::print_only_unguarded();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ApiError::new(ErrorKind::Internal, format!("no threads: {error}")))?;
    let result = runtime.block_on(service::run(home));
    // What still waits, for a directory of users for instance, must not hold up the end.
    runtime.shutdown_background();
    result
}

fn make(home: &Path) -> ExitCode {
    let answer = match request().and_then(|request| Ok(init::init(home, &request)?)) {
        Ok(result) => InitAnswer::Done(Box::new(result)),
        Err(error) => InitAnswer::Failed(error),
    };
    if let Err(error) = say(&answer) {
        eprintln!("portoland: the answer was not taken: {error}");
        eprintln!("  If a home was made, its recovery key is still in it; move it away.");
        return ExitCode::from(ErrorKind::Io.exit_code());
    }
    match answer {
        InitAnswer::Failed(error) => ExitCode::from(error.kind.exit_code()),
        InitAnswer::Done(_) => {
            // Handed over: from now on only whoever asked has it.
            if let Err(error) = init::forget_recovery_key(home) {
                eprintln!("portoland: the recovery key is still in {}: {error}", home.display());
                return ExitCode::from(ErrorKind::Io.exit_code());
            }
            ExitCode::SUCCESS
        }
    }
}

fn request() -> Result<portolan_protocol::api::InitRequest, ApiError> {
    let mut text = String::new();
    let read = io::stdin().lock().take(REQUEST_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| ApiError::new(ErrorKind::Io, format!("the request cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| {
        ApiError::new(ErrorKind::Usage, format!("the request is not understood: {error}")).safe("Nothing was made.")
    })
}

fn say(answer: &InitAnswer) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, answer)?;
    out.write_all(b"\n")?;
    out.flush()
}
