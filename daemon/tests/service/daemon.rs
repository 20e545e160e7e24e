//! Homes and daemons for the tests: the real program, its readiness as the service manager hears it, its socket as clients
//! see it. It expects nothing; tests do.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::{UnixDatagram, UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Nothing here takes nearly as long on a machine that works.
pub const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAM: &str = env!("CARGO_BIN_EXE_portoland");

/// A home in a directory of its own.
pub struct Home {
    pub directory: tempfile::TempDir,
    pub path: PathBuf,
}

/// What `portoland init` is asked for here: it listens at a port that the system chooses.
pub fn request() -> Value {
    json!({"name": "Rome Academy", "organisation": "Academy of Rome", "country": "IT", "listen": "127.0.0.1:0"})
}

impl Home {
    pub fn none() -> Home {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("home");
        Home { directory, path }
    }

    pub fn new() -> Home {
        let home = Home::none();
        let made = home.init(&request());
        assert!(made.status.success(), "{made:?}");
        home
    }

    pub fn init(&self, request: &Value) -> Output {
        let mut child = self.command("init").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    pub fn command(&self, command: &str) -> Command {
        let mut program = Command::new(PROGRAM);
        program.arg(command).arg("--home").arg(&self.path).env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC");
        program
    }

    /// Runs a daemon that is expected not to start: its exit code, and what it says.
    pub fn refused(&self) -> (i32, String) {
        let output = self.command("run").output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// A daemon that is ready; killed when it is dropped.
pub struct Daemon {
    child: Child,
    notify: UnixDatagram,
    socket: PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    pub fn start(home: &Home) -> Daemon {
        let path = home.directory.path().join("notify");
        let _ = fs::remove_file(&path);
        let notify = UnixDatagram::bind(&path).unwrap();
        notify.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let child = home
            .command("run")
            .env("NOTIFY_SOCKET", &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut daemon = Daemon { child, notify, socket: home.file("portolan.sock") };
        daemon.hear("READY=1");
        daemon
    }

    /// Waits until the service manager would hear this.
    pub fn hear(&mut self, word: &str) {
        let started = Instant::now();
        let mut buffer = [0; 4_096];
        loop {
            match self.notify.recv(&mut buffer) {
                Ok(length) if String::from_utf8_lossy(&buffer[..length]).lines().any(|line| line == word) => return,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    assert!(self.child.try_wait().unwrap().is_none(), "the daemon ended before {word}");
                }
                Err(error) => panic!("{error}"),
            }
            assert!(started.elapsed() < PATIENCE, "never heard {word}");
        }
    }

    /// Asks it to end; its exit code, and how long it took.
    pub fn stop(mut self) -> (i32, Duration) {
        let started = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.hear("STOPPING=1");
        let status = self.child.wait().unwrap();
        (status.code().unwrap(), started.elapsed())
    }

    /// Waits until it ends by itself; its exit code.
    pub fn ended(mut self) -> i32 {
        self.hear("STOPPING=1");
        self.child.wait().unwrap().code().unwrap()
    }

    /// As a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn connect(&self) -> UnixStream {
        connect(&self.socket)
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send(method, path, body.to_string().as_bytes())
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, b"")
    }

    /// What succeeds, or the test fails.
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        send(&self.socket, method, path, body)
    }
}

fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One request on a connection of its own.
pub fn send(socket: &Path, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    let mut stream = connect(socket);
    let head = format!(
        "{method} /v1{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A route that takes no body may have answered and closed already.
    let _ = stream.write_all(body);
    let answer = read_all(&mut stream);
    let (head, body) =
        answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {method} {path}: {answer}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned())))
}

/// Everything until the other side closes.
pub fn read_all(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let _ = stream.shutdown(Shutdown::Both);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The JSON values of an answer of lines, with the marks of its chunks left out.
pub fn values(text: &str) -> Vec<Value> {
    text.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}
