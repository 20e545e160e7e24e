//! Real daemons and real commands: a home, its `portoland`, and what `portolan` says of it, as a person at a shell sees them.
//!
//! Nothing here looks behind the programs: it reads what they write, and it signals what is a process. Waiting is for a line of the
//! log, an event, or an answer; the time that bounds it only ends a test that has failed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use portolan_protocol::api::{ApiError, CardAnswer, ErrorKind, Event, Space, Spaces, Status, SyncResult};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longer than anything here stands still on a busy machine. What moves is waited for, however long it takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long one `portolan sync --wait` may take before it is looked at whether anything moved.
const SYNC_WAIT: Duration = Duration::from_secs(20);

/// Where the programs are. They are built as the tests are: what is tested is never older than the tree.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(build);

/// A program of this tree, built.
pub fn program(name: &str) -> PathBuf {
    PROGRAMS.join(name)
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    // target/PROFILE/deps/TEST
    let profile = test.ancestors().nth(2).expect("a test lies in a target directory");
    let target = profile.parent().expect("a profile lies in a target directory");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--offline", "--workspace", "--bins", "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
    assert!(built.success(), "the programs cannot be built");
    profile.to_owned()
}

/// A home, and the daemon that runs on it, if one does. The daemon dies with it.
pub struct Site {
    /// The node's name.
    pub name: String,
    /// The home.
    pub home: PathBuf,
    daemon: Option<Daemon>,
}

struct Daemon {
    process: Child,
    log: Log,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Fails when it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a daemon has written, line by line.
struct Log {
    lines: Receiver<String>,
    seen: Arc<Mutex<Vec<String>>>,
}

/// How a command or a daemon ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    /// The error that `portolan --json` told.
    pub fn error(&self) -> ApiError {
        let told = self.err.lines().find_map(|line| serde_json::from_str::<ApiError>(line).ok());
        let error = told.unwrap_or_else(|| panic!("no error was told: {self:?}"));
        assert_eq!(self.code, Some(error.kind.exit_code().into()), "{self:?}");
        error
    }

    /// The answer.
    pub fn answer<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Site {
    /// Makes a home below `directory` and starts its daemon, at a port that the kernel gives and that it keeps.
    pub fn open(directory: &Path, name: &str) -> Site {
        let mut site = Site { name: name.to_owned(), home: directory.join(name), daemon: None };
        let init = ["init", "--name", name, "--organisation", "Academy", "--country", "IT", "--listen", "127.0.0.1:0"];
        let _: Value = site.ask(init);
        site.start();
        let status = site.status();
        let address = &status.node.listen[0];
        let _: CardAnswer = site.ask(["node", "set", "--address", address]);
        site.configure(&format!("listen = [\"{address}\"]\n"));
        site
    }

    /// A home that was made already; its daemon does not run.
    pub fn of(home: &Path, name: &str) -> Site {
        Site { name: name.to_owned(), home: home.to_owned(), daemon: None }
    }

    /// The same, kept off every network.
    pub fn apart(directory: &Path, name: &str) -> Site {
        let mut site = Site { name: name.to_owned(), home: directory.join(name), daemon: None };
        let _: Value = site.ask(["init", "--name", name, "--organisation", "Academy", "--country", "IT", "--offline"]);
        site.start();
        site
    }

    /// Writes `config.toml` anew, for the next start.
    pub fn configure(&self, text: &str) {
        fs::write(self.home.join("config.toml"), text).expect("the home can be written");
    }

    /// Starts the daemon and waits until it is ready.
    pub fn start(&mut self) {
        if let Err(ended) = self.try_start() {
            panic!("the daemon of {} ended: {ended:?}", self.name);
        }
    }

    /// Starts the daemon and waits until it is ready, or has ended.
    ///
    /// # Errors
    /// How it ended.
    pub fn try_start(&mut self) -> Result<(), Ended> {
        assert!(self.daemon.is_none(), "{} runs already", self.name);
        let mut process = self.portoland().spawn().expect("portoland starts");
        let log = Log::follow(process.stderr.take().expect("it is piped"));
        if log.until(|line| line.contains(" ready socket=")) {
            self.daemon = Some(Daemon { process, log });
            return Ok(());
        }
        let code = process.wait().expect("it ended").code();
        Err(Ended { code, out: String::new(), err: log.text() })
    }

    /// `portoland run` on this home, as it would be started.
    pub fn portoland(&self) -> Command {
        let mut command = Command::new(program("portoland"));
        command.arg("run").arg("--home").arg(&self.home);
        command.env_remove("NOTIFY_SOCKET").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Stops the daemon in good order.
    pub fn stop(&mut self) {
        let mut daemon = self.daemon.take().expect("it runs");
        kill_process(daemon.pid(), Signal::TERM).expect("it runs");
        let ended = daemon.wait();
        assert!(ended.success(), "{} ended with {ended}:\n{}", self.name, daemon.log.text());
    }

    /// Kills the daemon, as `kill -9` does.
    pub fn kill(&mut self) {
        drop(self.daemon.take());
    }

    /// Whether the daemon runs. One that ended by itself is a failure.
    pub fn runs(&mut self) -> bool {
        let Some(daemon) = &mut self.daemon else { return false };
        let ended = daemon.process.try_wait().expect("it is a child");
        assert!(ended.is_none(), "the daemon of {} ended by itself:\n{}", self.name, daemon.log.text());
        true
    }

    /// What the running daemon has logged.
    pub fn log(&self) -> String {
        self.daemon.as_ref().map_or_else(String::new, |daemon| daemon.log.text())
    }

    /// Waits until the running daemon logs a line that contains `words`.
    pub fn logged(&self, words: &str) {
        let daemon = self.daemon.as_ref().expect("it runs");
        assert!(daemon.log.text().contains(words) || daemon.log.until(|line| line.contains(words)), "{words}");
    }

    /// Peak and present resident memory of the daemon, in KiB.
    pub fn memory(&self) -> (u64, u64) {
        let daemon = self.daemon.as_ref().expect("it runs");
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.process.id())).expect("it runs");
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        (field("VmHWM:"), field("VmRSS:"))
    }

    /// `portolan` on this home, with `--json`.
    pub fn portolan(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(program("portolan"));
        command.env("PORTOLAN_LANG", "C");
        command.arg("--json").arg("--home").arg(&self.home).args(arguments);
        command.env_remove("PORTOLAN_SOCKET").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end, whatever that is.
    pub fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
        run(self.portolan(arguments))
    }

    /// Runs a command that must succeed, and reads its answer.
    pub fn ask<T: DeserializeOwned>(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> T {
        self.run(arguments).answer()
    }

    /// The bytes that a command writes, which must succeed.
    pub fn bytes(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    }

    /// Runs a command that must be refused in this way.
    pub fn refused(&self, kind: ErrorKind, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> ApiError {
        let error = self.run(arguments).error();
        assert_eq!(error.kind, kind, "{error:?}");
        error
    }

    /// `portolan status`.
    pub fn status(&self) -> Status {
        self.ask(["status"])
    }

    /// The only space.
    pub fn space(&self) -> Space {
        let spaces: Spaces = self.ask(["space", "list"]);
        let [space] = <[Space; 1]>::try_from(spaces.spaces).expect("there is one space");
        space
    }

    /// `portolan doc list`, once it reflects everything held.
    pub fn list(&self) -> String {
        self.settled();
        self.bytes(["doc", "list"])
    }

    /// The ids in `portolan doc list`.
    pub fn documents(&self) -> Vec<String> {
        let list: Value = serde_json::from_str(&self.list()).expect("it is JSON");
        let documents = list["documents"].as_array().expect("it lists documents");
        documents.iter().map(|document| document["id"].as_str().expect("it has an id").to_owned()).collect()
    }

    /// Waits until lists reflect everything held.
    pub fn settled(&self) {
        self.until("all entries are in the list", || self.indexed());
    }

    fn indexed(&self) -> bool {
        let spaces: Spaces = self.ask(["space", "list"]);
        spaces.spaces.iter().all(|space| space.entries_to_index == 0)
    }

    /// A file with the node's card, and the fingerprint that its administrator would read out.
    pub fn card(&self) -> (PathBuf, String) {
        let file = self.home.with_extension("card");
        let card: CardAnswer =
            self.ask([OsStr::new("node"), OsStr::new("card"), OsStr::new("--out"), file.as_os_str()]);
        (file, card.fingerprint)
    }

    /// Introduces another node to this one alone.
    pub fn meet(&self, other: &Site) {
        let (card, fingerprint) = other.card();
        let _: Value = self.ask([
            "peer".as_ref(),
            "add".as_ref(),
            card.as_os_str(),
            "--fingerprint".as_ref(),
            fingerprint.as_ref(),
        ]);
    }

    /// Waits until peers have receipted everything, and this node holds everything of theirs.
    pub fn sync(&self) {
        let mut stillness = Stillness::default();
        loop {
            let ended = self.run(["sync", "--wait", &format!("{}s", SYNC_WAIT.as_secs())]);
            let result: SyncResult = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
            if result.complete {
                assert_eq!(ended.code, Some(0), "{ended:?}");
                return;
            }
            stillness.look(self, || format!("{result:?}"));
        }
    }

    /// Listens to what happens from now on.
    pub fn events(&self) -> Events {
        Events::listen(self.portolan(["events"]))
    }

    /// Waits until `holds`, looking again whenever something happened.
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        if holds() {
            return;
        }
        let events = self.events();
        let mut stillness = Stillness::default();
        while !holds() {
            stillness.look(self, || what.to_owned());
            events.next();
        }
    }

    /// What moves while a node works: entries held and listed, and what peers have receipted.
    fn progress(&self) -> Progress {
        let Status { spaces, peers, .. } = self.status();
        let receipted = peers.iter().flat_map(|peer| peer.spaces.iter().map(|space| space.entries_receipted)).collect();
        Progress { spaces, receipted }
    }
}

/// How far a node has come.
#[derive(PartialEq)]
struct Progress {
    spaces: Vec<Space>,
    receipted: Vec<u64>,
}

/// Watches a node that is waited for, and ends the test when nothing has moved for too long.
#[derive(Default)]
struct Stillness {
    last: Option<(Progress, Instant)>,
}

impl Stillness {
    fn look(&mut self, site: &Site, what: impl Fn() -> String) {
        let now = site.progress();
        match &self.last {
            Some((before, since)) if *before == now => {
                let still = since.elapsed();
                assert!(still < PATIENCE, "{}: nothing moved for {still:?}: {}\n{}", site.name, what(), site.log());
            }
            _ => self.last = Some((now, Instant::now())),
        }
    }
}

/// Lets two nodes know one another, both verified.
pub fn introduce(one: &Site, other: &Site) {
    one.meet(other);
    other.meet(one);
}

/// Runs a program to its end.
pub fn run(mut command: Command) -> Ended {
    let ended = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
    Ended { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
}

impl Daemon {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    fn wait(&mut self) -> ExitStatus {
        // The log ends when the process does.
        self.log.until(|_| false);
        self.process.wait().expect("it is a child")
    }
}

impl Log {
    fn follow(from: impl std::io::Read + Send + 'static) -> Log {
        let (sender, lines) = mpsc::channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
                // Fails when nobody waits for lines any more.
                let _ = sender.send(line);
            }
        });
        Log { lines, seen }
    }

    /// Waits for a line; tells whether it came before the end. Each line is a sign of life.
    fn until(&self, holds: impl Fn(&str) -> bool) -> bool {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if holds(&line) => return true,
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => panic!("the daemon says nothing and does not end:\n{}", self.text()),
            }
        }
    }

    fn text(&self) -> String {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

/// What `portolan events` tells, as it happens.
pub struct Events {
    process: Child,
    events: Receiver<Event>,
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Events {
    fn listen(mut command: Command) -> Events {
        let mut process = command.spawn().expect("portolan starts");
        let out = process.stdout.take().expect("it is piped");
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let listening = events.recv_timeout(PATIENCE);
        assert_eq!(listening, Ok(Event::Listening));
        Events { process, events }
    }

    /// Waits until something happens. Returns after a while all the same: connections change by time alone, and a listener that was
    /// too slow hears no more.
    pub fn next(&self) -> Option<Event> {
        let event = self.events.recv_timeout(Duration::from_millis(500)).ok();
        while self.events.try_recv().is_ok() {}
        event
    }
}

/// Input for a command that reads it.
pub fn feed(input: Option<ChildStdin>, bytes: &[u8]) {
    // A command that was refused does not read to the end.
    let _ = input.expect("it is piped").write_all(bytes);
}
