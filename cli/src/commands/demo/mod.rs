//! `portolan demo`: three nodes on this machine, what two agencies see when a third leaves them, and a fourth that only a courier
//! reaches.
//!
//! Every step is a command that a person could type, run as such; every claim is checked, and one that is not true ends the
//! demo with an error. Nothing is left behind unless asked for, whatever ends it.

mod actor;
mod courier;
pub(super) mod stage;
mod story;

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use self::stage::Stage;
use crate::{
    context::Context,
    error::{ApiError, ErrorKind, Result, file, internal, usage},
    home,
};

#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Keep the homes of the four nodes in this directory, which must be new or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Demo {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let portoland = home::daemon_program()?;
        let directory = Directory::make(self.keep)?;
        let mut stage = Stage::new(directory.path(), portoland, context.output)?;
        let ended = tokio::select! {
            told = tell(&mut stage, directory.is_kept()) => told,
            signal = interrupted() => Err(signal.err().unwrap_or_else(|| {
                ApiError::new(ErrorKind::Incomplete, "the demo was interrupted")
            })),
        };
        // Before the directory goes, so that no daemon writes into it any more.
        stage.stop_all().await;
        let ended = ended.map_err(|error| with_logs(error, &stage));
        let removed = directory.remove();
        ended.and(removed)?;
        stage.finish()
    }
}

async fn tell(stage: &mut Stage, kept: bool) -> Result<()> {
    story::tell(stage).await?;
    stage.look_around(kept)?;
    if !kept && !stage.output.json && io::stdin().is_terminal() {
        stage.say("\nThe nodes are still running. Press Enter to stop them and to remove everything.\n")?;
        // Only the key matters, not what was typed.
        let _ = tokio::task::spawn_blocking(|| io::stdin().lock().read(&mut [0; 64])).await;
    }
    Ok(())
}

async fn interrupted() -> Result<()> {
    let listen = |kind| signal(kind).map_err(|error| internal(format!("cannot listen for signals: {error}")));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

/// The last words of the daemons, where the demo failed: they would be removed with the rest.
fn with_logs(error: ApiError, stage: &Stage) -> ApiError {
    let logs = stage.last_words();
    if logs.is_empty() || error.kind == ErrorKind::Incomplete {
        return error;
    }
    let next = format!("{}\nThe daemons' last words:\n{logs}", error.next);
    error.next(next.trim_start().to_owned())
}

/// Where the homes are.
#[derive(Debug)]
enum Directory {
    /// Removed at the end, also when the program ends in an unforeseen way.
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Directory {
    fn make(keep: Option<PathBuf>) -> Result<Self> {
        let Some(path) = keep else {
            // The name is short because the path of a socket has room for about a hundred letters.
            let made = tempfile::Builder::new().prefix("portolan-").tempdir();
            return made.map(Self::Temporary).map_err(|error| file("make", &std::env::temp_dir(), &error));
        };
        fs::create_dir_all(&path).map_err(|error| file("make", &path, &error))?;
        let path = path.canonicalize().map_err(|error| file("find", &path, &error))?;
        let mut entries = fs::read_dir(&path).map_err(|error| file("read", &path, &error))?;
        if entries.next().is_some() {
            return Err(usage(format!("{} is not empty", path.display()))
                .safe("Nothing was changed.")
                .next("Name a new directory."));
        }
        Ok(Self::Kept(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }

    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    fn remove(self) -> Result<()> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Temporary(directory) => {
                let path = directory.path().to_owned();
                directory.close().map_err(|error| file("remove", &path, &error))
            }
        }
    }
}
