//! The stage of the demo: runs commands as a person would type them, shows them, and keeps count of what was claimed.

use std::{
    fs,
    future::Future,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::process::Command;

use super::actor::Actor;
use crate::{
    error::{ApiError, ErrorKind, Result, file, internal},
    output::{self, Output},
    text,
};

/// How long the demo waits for something that should happen by itself.
const WAIT_MAX: Duration = Duration::from_secs(60);
const WAIT_STEP: Duration = Duration::from_millis(100);
/// Lines of output of a command that are shown.
const LINES_SHOWN_MAX: usize = 40;
/// Lines of a daemon's log that an error shows.
const LAST_WORDS: usize = 5;

/// What all call the space.
pub(super) const SPACE: &str = "Harbours";

/// Which of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Rome,
    Tunis,
    Valletta,
    Lampedusa,
}

impl Who {
    /// Those that a network joins.
    pub(super) const CONNECTED: [Who; 3] = [Who::Rome, Who::Tunis, Who::Valletta];
}

/// One step as `--json` shows it.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Step {
    title: String,
    commands: Vec<String>,
    claims: Vec<String>,
}

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Steps<'a> {
    steps: &'a [Step],
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) output: Output,
    directory: PathBuf,
    portolan: PathBuf,
    portoland: PathBuf,
    actors: [Actor; 4],
    steps: Vec<Step>,
}

impl Stage {
    /// Sets the stage in `directory`. Nothing runs yet.
    pub(super) fn new(directory: &Path, portoland: PathBuf, output: Output) -> Result<Self> {
        let portolan =
            std::env::current_exe().map_err(|error| internal(format!("cannot find this program: {error}")))?;
        let [rome, tunis, valletta] = free_addresses()?;
        let actors = [
            Actor::new(directory, ("rome", "Rome Academy", "Academy of the Seven Gates", "IT"), rome),
            Actor::new(directory, ("tunis", "Tunis Academy", "Academy of the Old Port", "TN"), tunis),
            Actor::new(directory, ("valletta", "Valletta Academy", "Academy of the Bastions", "MT"), valletta),
            Actor::new(directory, ("lampedusa", "Lampedusa Station", "Harbour Watch", "IT"), String::new()),
        ];
        Ok(Self { output, directory: directory.to_owned(), portolan, portoland, actors, steps: Vec::new() })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn actor(&self, who: Who) -> &Actor {
        &self.actors[who as usize]
    }

    fn actor_mut(&mut self, who: Who) -> &mut Actor {
        &mut self.actors[who as usize]
    }

    /// Words for people; silent with `--json`.
    pub(super) fn say(&self, words: &str) -> Result<()> {
        if self.output.json { Ok(()) } else { output::print(words) }
    }

    /// A new step of the story.
    pub(super) fn step(&mut self, title: &str) -> Result<()> {
        self.steps.push(Step { title: title.to_owned(), ..Step::default() });
        self.say(&format!("\n{}. {title}\n\n", self.steps.len()))
    }

    /// Checks what the demo says. What is not so ends it.
    pub(super) fn claim(&mut self, claim: &str, holds: bool) -> Result<()> {
        if !holds {
            return Err(ApiError::new(ErrorKind::Internal, format!("this should be so, and is not: {claim}"))
                .next("This is a fault of Portolan: report it with what stands above."));
        }
        if let Some(step) = self.steps.last_mut() {
            step.claims.push(claim.to_owned());
        }
        self.say(&format!("  => {claim}\n"))
    }

    /// Shows and runs a command on a node, and shows its answer.
    pub(super) async fn show(&mut self, who: Who, args: &[&str]) -> Result<()> {
        self.announce(who, args)?;
        let out = self.run(who, args, false).await?;
        self.quote(&out)
    }

    /// Shows and runs a command on a node, and reads its answer.
    pub(super) async fn ask<T: DeserializeOwned>(&mut self, who: Who, args: &[&str]) -> Result<T> {
        self.announce(who, args)?;
        self.look(who, args).await
    }

    /// Runs a command on a node without showing it, to check something.
    pub(super) async fn look<T: DeserializeOwned>(&self, who: Who, args: &[&str]) -> Result<T> {
        let out = self.run(who, args, true).await?;
        serde_json::from_str(&out)
            .map_err(|error| internal(format!("`portolan {}` answered badly: {error}", args.join(" "))))
    }

    /// The exact bytes of a command's `--json`.
    pub(super) async fn bytes(&self, who: Who, args: &[&str]) -> Result<String> {
        self.run(who, args, true).await
    }

    /// Shows and runs a command that must be refused, and shows why it was.
    pub(super) async fn refused(&mut self, who: Who, args: &[&str]) -> Result<ErrorKind> {
        self.announce(who, args)?;
        match self.run(who, args, true).await {
            Ok(_) => Err(ApiError::new(ErrorKind::Internal, "the command above should have been refused, and was not")),
            Err(error) => {
                self.quote(&crate::error::render(&error))?;
                Ok(error.kind)
            }
        }
    }

    fn announce(&mut self, who: Who, args: &[&str]) -> Result<()> {
        let key = self.actor(who).key;
        let place = self.directory.display().to_string();
        let args: Vec<String> = args.iter().map(|arg| quoted(&arg.replace(&place, "$D"))).collect();
        self.announce_line(format!("portolan --home $D/{key} {}", args.join(" ")))
    }

    fn announce_line(&mut self, line: String) -> Result<()> {
        self.say(&format!("  $ {line}\n"))?;
        if let Some(step) = self.steps.last_mut() {
            step.commands.push(line);
        }
        Ok(())
    }

    fn quote(&self, out: &str) -> Result<()> {
        let lines: Vec<&str> = out.lines().collect();
        let mut quoted: String = lines.iter().take(LINES_SHOWN_MAX).map(|line| format!("    {line}\n")).collect();
        if lines.len() > LINES_SHOWN_MAX {
            quoted.push_str(&format!("    ... {} more lines\n", lines.len() - LINES_SHOWN_MAX));
        }
        self.say(&quoted)
    }

    async fn run(&self, who: Who, args: &[&str], json: bool) -> Result<String> {
        let mut command = Command::new(&self.portolan);
        command.arg("--home").arg(&self.actor(who).home).args(args).args(json.then_some("--json"));
        command.env_remove("PORTOLAN_SOCKET").stdin(Stdio::null()).kill_on_drop(true);
        let ended = command.output().await.map_err(|error| internal(format!("cannot run portolan: {error}")))?;
        if ended.status.success() {
            return String::from_utf8(ended.stdout).map_err(|_| internal("an answer that is not UTF-8"));
        }
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let told = stderr.lines().find_map(|line| serde_json::from_str::<ApiError>(line).ok());
        Err(told.unwrap_or_else(|| internal(format!("`portolan {}` failed: {stderr}", args.join(" ")))))
    }

    /// Starts a node and waits until it answers.
    pub(super) async fn start(&mut self, who: Who) -> Result<()> {
        let key = self.actor(who).key;
        self.announce_line(format!("portoland run --home $D/{key} & {key}=$!"))?;
        let portoland = self.portoland.clone();
        self.actor_mut(who).start(&portoland)?;
        let begun = Instant::now();
        loop {
            self.actor_mut(who).check_running()?;
            match self.run(who, &["status"], true).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind != ErrorKind::Unavailable || begun.elapsed() > WAIT_MAX => return Err(error),
                Err(_) => tokio::time::sleep(WAIT_STEP).await,
            }
        }
    }

    /// Stops a node in good order.
    pub(super) async fn stop(&mut self, who: Who) -> Result<()> {
        let Actor { key, name, .. } = *self.actor(who);
        self.announce_line(format!("kill ${key}; wait ${key}   # {name} goes off line"))?;
        match self.actor_mut(who).stop().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(internal(format!("the daemon of {name} did not stop in good order"))),
            Err(error) => Err(internal(format!("the daemon of {name} cannot be stopped: {error}"))),
        }
    }

    /// Stops whatever runs; used when nothing can be done about errors any more.
    pub(super) async fn stop_all(&mut self) {
        for actor in &mut self.actors {
            let _ = actor.stop().await;
        }
    }

    /// Looks again and again until `holds` says so.
    pub(super) async fn until<F: Future<Output = Result<bool>>>(
        &self,
        what: &str,
        holds: impl Fn() -> F,
    ) -> Result<()> {
        let begun = Instant::now();
        while !holds().await? {
            if begun.elapsed() > WAIT_MAX {
                return Err(ApiError::new(
                    ErrorKind::Internal,
                    format!("waited {} s in vain: {what}", WAIT_MAX.as_secs()),
                ));
            }
            tokio::time::sleep(WAIT_STEP).await;
        }
        Ok(())
    }

    /// Where the words `$D` of the commands lead, and what to look at.
    pub(super) fn look_around(&self, kept: bool) -> Result<()> {
        let directory = quoted(&self.directory.display().to_string());
        let start = if kept {
            "  # start the nodes that you want to look at\n  portoland run --home $D/rome &\n  portoland run --home $D/tunis &\n"
        } else {
            ""
        };
        self.say(&format!(
            "\nEverything above was checked while it was shown. To look around further, in another terminal:\n\n  D={directory}\n{start}  \
             portolan --home $D/rome status\n  portolan --home $D/tunis doc list --language ar\n  \
             portolan --home $D/rome space members Harbours\n  portolan --home $D/tunis check\n",
        ))
    }

    /// The last lines of each daemon's log.
    pub(super) fn last_words(&self) -> String {
        let mut out = String::new();
        for actor in &self.actors {
            let log = fs::read(actor.log()).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            for line in lines.iter().skip(lines.len().saturating_sub(LAST_WORDS)) {
                out.push_str(&format!("{}: {}\n", actor.key, text::cut(line, 300)));
            }
        }
        out
    }

    /// Writes a file that the story needs.
    pub(super) fn write(&self, name: &str, words: &str) -> Result<String> {
        let path = self.directory.join(name);
        fs::write(&path, words).map_err(|error| file("write", &path, &error))?;
        Ok(path.display().to_string())
    }

    /// The last word: with `--json` the steps, else a line.
    pub(super) fn finish(&self) -> Result<()> {
        let claims: usize = self.steps.iter().map(|step| step.claims.len()).sum();
        self.output.show(&Steps { steps: &self.steps }, |_| {
            format!("\nThe demo is over: {claims} claims, all of them true.\n")
        })
    }
}

/// The id of a node.
pub(super) async fn node_id(stage: &Stage, who: Who) -> Result<portolan_protocol::id::NodeId> {
    let card: portolan_protocol::api::CardAnswer = stage.look(who, &["node", "card"]).await?;
    Ok(card.node)
}

/// Three addresses of this machine that are free now.
fn free_addresses() -> Result<[String; 3]> {
    let fault = |error: std::io::Error| internal(format!("no free port on this machine: {error}"));
    // All three are held before any is given back, so that they differ.
    let bind =
        || UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr().map(|address| (socket, address)));
    let (one, two, three) = (bind().map_err(fault)?, bind().map_err(fault)?, bind().map_err(fault)?);
    Ok([one.1.to_string(), two.1.to_string(), three.1.to_string()])
}

/// An argument as a shell takes it; `$D` stays a variable.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,$".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        return arg.to_owned();
    }
    format!("\"{}\"", arg.replace('\\', "\\\\").replace('"', "\\\"").replace('`', "\\`"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_claim_that_is_not_true_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let mut stage = Stage::new(directory.path(), "portoland".into(), Output { json: true, paged: false }).unwrap();
        stage.step("x").unwrap();
        stage.claim("one", true).unwrap();
        assert_eq!(stage.claim("two", false).unwrap_err().kind, ErrorKind::Internal);
        assert_eq!(stage.steps[0].claims, ["one"]);
    }

    #[test]
    fn commands_are_shown_as_a_shell_takes_them() {
        assert_eq!(quoted("$D/rome"), "$D/rome");
        assert_eq!(quoted("Rome Academy"), "\"Rome Academy\"");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
    }
}
