//! A page: prose, and blocks of commands with their answers.

use std::{fs, path::PathBuf};

use clap::CommandFactory as _;
use portolan_cli::commands::Cli;

use crate::schemas;

/// Ends an answer that goes on until the reader has seen enough.
pub const INTERRUPT: &str = "^C";

/// Where the pages are.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

pub struct Page {
    pub text: String,
}

/// One command of a page, and what the page says of it.
pub struct Step {
    /// Whose prompt it stands behind; empty for the first node.
    pub who: String,
    /// What is typed, in one line or several.
    pub command: String,
    /// Lines of the answer after which it is interrupted, if it is.
    pub until: Option<usize>,
    /// What is typed elsewhere once the first of them is there.
    pub meanwhile: Option<String>,
    /// The exit code.
    pub code: i32,
}

impl Page {
    pub fn read(name: &str) -> Page {
        Page { text: fs::read_to_string(directory().join(format!("{name}.md"))).expect("the page is there") }
    }

    /// What the first line says of `key`, as in `<!-- nodes: rome lampedusa; space: Harbours -->`.
    pub fn head(&self, key: &str) -> Vec<&str> {
        let head = self.text.lines().next().and_then(|line| line.strip_prefix("<!-- ")?.strip_suffix(" -->"));
        let parts = head.expect("the first line names the nodes").split(';').filter_map(|part| part.split_once(':'));
        parts.filter(|(name, _)| name.trim() == key).flat_map(|(_, value)| value.split_whitespace()).collect()
    }

    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.told(|step| {
            steps.push(step);
            String::new()
        });
        steps
    }

    /// The page with the answers that `answer` gives.
    pub fn told(&self, mut answer: impl FnMut(Step) -> String) -> String {
        let mut told = String::new();
        let mut lines = self.text.lines().peekable();
        let mut inside = false;
        let mut meanwhile = None;
        while let Some(line) = lines.next() {
            told.push_str(line);
            told.push('\n');
            if let Some(command) = line.strip_prefix("<!-- meanwhile: ").and_then(|rest| rest.strip_suffix(" -->")) {
                meanwhile = Some(command.to_owned());
            }
            inside = line == "```console" || inside && line != "```";
            let Some((who, command)) = prompt(line).filter(|_| inside) else { continue };
            let mut command = command.to_owned();
            while let Some(more) =
                lines.peek().and_then(|line| line.strip_prefix("> ").or((*line == ">").then_some("")))
            {
                command.push('\n');
                command.push_str(more);
                told.push_str(&format!("> {more}\n"));
                lines.next();
            }
            let mut before: Vec<&str> = Vec::new();
            while let Some(line) = lines.next_if(|line| *line != "```" && prompt(line).is_none()) {
                before.push(line);
            }
            let until = (before.last() == Some(&INTERRUPT)).then(|| before.len() - 1);
            let code = before.last().and_then(|line| line.strip_prefix("[exit ")?.strip_suffix(']')?.parse().ok());
            let meanwhile = until.and_then(|_| meanwhile.take());
            told.push_str(&answer(Step { who: who.to_owned(), command, until, meanwhile, code: code.unwrap_or(0) }));
        }
        told
    }
}

impl Step {
    /// Whether the answer is all of what is written, and `--json` would give it another form.
    pub fn is_for_scripts(&self) -> bool {
        let is_for_people =
            [" --markdown", " --help", " -- ", " --out -"].iter().any(|word| self.command.contains(word));
        schemas::known(&self.noun()) && !self.command.contains(['|', '>', '&', '\n']) && !is_for_people
    }

    /// The command's words that name it, such as `doc show`; empty where it is no command of Portolan alone.
    pub fn noun(&self) -> String {
        let mut command = Cli::command();
        let mut noun = Vec::new();
        let mut words = self.command.split_whitespace();
        if words.next() != Some("portolan") {
            return String::new();
        }
        for word in words.filter(|word| !word.starts_with('-')) {
            match command.find_subcommand(word).cloned() {
                Some(part) => {
                    noun.push(word);
                    command = part;
                }
                // The value of an option stands before.
                None if noun.is_empty() => {}
                None => break,
            }
        }
        noun.join(" ")
    }
}

/// `rome$ portolan status` as who and what.
fn prompt(line: &str) -> Option<(&str, &str)> {
    line.split_once("$ ").filter(|(who, _)| who.bytes().all(|byte| byte.is_ascii_lowercase()))
}
