//! Where a page plays: a directory, the nodes that its first line names, and a shell.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use portolan_protocol::api::SearchAnswer;
use portolan_tests::daemons::{Ended, Site, introduce, program, run};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    names::Names,
    page::{INTERRUPT, Page, Step},
    schemas,
};

/// After this a line that a page promises counts as missing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Who types: whatever the login of the test is, changes are signed with these names.
const PERSONS: [&str; 2] = ["Amina Haddad", "Luca Conti"];

/// Commands whose JSON names, in the order in which people are told of it, what later commands of a page take.
const NAMING: [&str; 3] = ["doc new", "doc history", "pouch export"];

pub struct Stage {
    directory: TempDir,
    sites: Vec<Site>,
    names: Names,
}

impl Stage {
    /// The nodes of a page, running; where it names a space, they know one another and share it.
    pub fn open(page: &Page) -> Stage {
        let directory = tempfile::tempdir().unwrap();
        let sites: Vec<Site> = page.head("nodes").iter().map(|name| Site::open(directory.path(), name)).collect();
        let mut names = Names::default();
        for (site, person) in sites.iter().zip(PERSONS) {
            names.login = site.status().you.login;
            let _: Value = site.ask(["user", "add", &names.login, "--name", person, "--can", "admin"]);
        }
        for space in page.head("space") {
            share(&sites, space);
        }
        Stage { directory, sites, names }
    }

    /// Runs a command as it stands, and gives its answer as a page has it.
    pub fn run(&mut self, step: Step) -> String {
        let said = match step.until {
            Some(lines) => self.listened(&step, &step.command, lines).join("\n") + "\n" + INTERRUPT + "\n",
            None => {
                self.settle(&step);
                let ended = run(self.shell(&step, &format!("exec 2>&1\n{}", self.names.typed(&step.command))));
                let code = ended.code.expect("it ended by itself");
                let end = if code == 0 { String::new() } else { format!("[exit {code}]\n") };
                let blank = if ended.out.is_empty() || ended.out.ends_with('\n') { "" } else { "\n" };
                ended.out + blank + &end
            }
        };
        if self.names.may_hold_more(&said) {
            for site in &self.sites {
                for list in [["status"].as_slice(), &["doc", "list"], &["user", "list"]] {
                    self.names.know(&site.bytes(list));
                }
                for space in site.status().spaces {
                    self.names.know(&site.bytes(["space", "members", &space.id.to_string()]));
                }
            }
        }
        self.names.plain(&said, self.directory.path())
    }

    /// Runs a command with `--json`, where it has an answer of its own, and compares the answer with its schema.
    pub fn check(&mut self, step: &Step) {
        let noun = step.noun();
        self.settle(step);
        if !step.is_for_scripts() {
            let ended = run(self.shell(step, &self.names.typed(&step.command)));
            assert_eq!(ended.code, Some(step.code), "{}: {ended:?}", step.command);
            self.names.plain(&(ended.out + &ended.err), self.directory.path());
            return;
        }
        let command = step.command.replacen("portolan ", "portolan --json ", 1);
        if let Some(lines) = step.until {
            // A value takes one line, and only what happens meanwhile brings more of them.
            for line in self.listened(step, &command, if step.meanwhile.is_some() { lines } else { 1 }) {
                schemas::check(&noun, &line);
            }
            return;
        }
        let Ended { code, out, err } = run(self.shell(step, &self.names.typed(&command)));
        assert_eq!(code, Some(step.code), "{command}: {out}{err}");
        if step.code == 0 || !out.is_empty() {
            schemas::check(&noun, &out);
        }
        if step.code != 0 {
            schemas::check("error", err.lines().last().expect("it says why"));
        }
        if NAMING.contains(&noun.as_str()) {
            self.names.learn(&out);
        }
        self.names.remember(&out);
    }

    /// The first lines of an answer that has no end.
    fn listened(&self, step: &Step, command: &str, lines: usize) -> Vec<String> {
        self.settle(step);
        let mut process = self.shell(step, &format!("exec {}", self.names.typed(command))).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let next = || said.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{command}: no more lines: {error}"));
        let mut heard = vec![next()];
        if let Some(meanwhile) = &step.meanwhile {
            let ended = run(self.shell(step, meanwhile));
            assert_eq!(ended.code, Some(0), "{meanwhile}: {ended:?}");
        }
        heard.extend((1..lines).map(|_| next()));
        process.kill().unwrap();
        process.wait().unwrap();
        heard
    }

    /// Waits until lists reflect all that is held, and before a search the index of words too.
    fn settle(&self, step: &Step) {
        for site in &self.sites {
            site.settled();
            if step.noun() == "search" {
                site.until("all can be found", || site.ask::<SearchAnswer>(["search", "x"]).entries_to_index == 0);
            }
        }
    }

    /// A shell in the page's directory that knows the programs, one home, and nothing of whoever runs the test.
    fn shell(&self, step: &Step, command: &str) -> Command {
        let programs = program("portolan").parent().unwrap().to_owned();
        let first = self.sites.first().map_or("rome", |site| site.name.as_str());
        let who = if step.who.is_empty() { first } else { &step.who };
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command).current_dir(&self.directory).env_clear();
        shell.env("PATH", env::join_paths([&programs, Path::new("/usr/bin"), Path::new("/bin")]).unwrap());
        shell.env("PORTOLAN_HOME", self.directory.path().join(who)).env("HOME", self.directory.path());
        shell.env("LC_ALL", "C.UTF-8").env("COLUMNS", "100");
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    }
}

/// Makes a space of the first node that all others write in.
fn share(sites: &[Site], space: &str) {
    let [first, others @ ..] = sites else { panic!("a space needs a node") };
    let _: Value = first.ask(["space", "create", space]);
    for other in others {
        introduce(first, other);
        let _: Value = first.ask(["space", "grant", space, &other.name, "--role", "writer"]);
        first.sync();
        let named: Value = other.ask(["space", "list"]);
        let id = named["spaces"][0]["id"].as_str().expect("the space has come");
        let _: Value = other.ask(["space", "name", id, space]);
    }
}
