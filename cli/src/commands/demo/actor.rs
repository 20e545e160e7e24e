//! One node of the demo: its home, and its daemon while it runs.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::error::{ApiError, ErrorKind, Result, file, internal};

/// A daemon that has not stopped by then is killed.
const STOP_TIME_MAX: Duration = Duration::from_secs(20);

/// Who plays.
#[derive(Debug)]
pub(super) struct Actor {
    /// The last part of its home, and how the story refers to it.
    pub(super) key: &'static str,
    /// The node's name.
    pub(super) name: &'static str,
    /// Its organisation's name.
    pub(super) organisation: &'static str,
    /// Its country.
    pub(super) country: &'static str,
    /// Where it listens, if it does.
    pub(super) address: String,
    /// Its home.
    pub(super) home: PathBuf,
    daemon: Option<Child>,
}

impl Actor {
    /// A node that is not made yet.
    pub(super) fn new(
        directory: &Path,
        (key, name, organisation, country): (&'static str, &'static str, &'static str, &'static str),
        address: String,
    ) -> Self {
        Self { key, name, organisation, country, address, home: directory.join(key), daemon: None }
    }

    /// Where the daemon's log goes.
    pub(super) fn log(&self) -> PathBuf {
        self.home.with_extension("log")
    }

    /// Starts the daemon. It ends with this program at the latest.
    pub(super) fn start(&mut self, portoland: &Path) -> Result<()> {
        let log = self.log();
        let out = File::options().create(true).append(true).open(&log).map_err(|error| file("write", &log, &error))?;
        let err = out.try_clone().map_err(|error| file("write", &log, &error))?;
        let child = Command::new(portoland)
            .arg("run")
            .arg("--home")
            .arg(&self.home)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| internal(format!("cannot start {}: {error}", portoland.display())))?;
        self.daemon = Some(child);
        Ok(())
    }

    /// An error when the daemon has ended by itself.
    pub(super) fn check_running(&mut self) -> Result<()> {
        match self.daemon.as_mut().map(Child::try_wait) {
            Some(Ok(Some(status))) => Err(ApiError::new(
                ErrorKind::Internal,
                format!("the daemon of {} ended by itself: {status}", self.name),
            )),
            _ => Ok(()),
        }
    }

    /// Asks the daemon to stop, and waits until it has. Tells whether it stopped as it should.
    pub(super) async fn stop(&mut self) -> io::Result<bool> {
        let Some(mut child) = self.daemon.take() else { return Ok(true) };
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        match timeout(STOP_TIME_MAX, child.wait()).await {
            Ok(status) => Ok(status?.success()),
            Err(_) => {
                child.kill().await?;
                Ok(false)
            }
        }
    }
}
