//! What differs from one run to the next, under names that stay: `[ID1]` for the first id of a page, `[TIME]` for any moment.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use regex::{Captures, Regex};

/// Characters by which ids and hashes are shown in short.
const SHORT: usize = 8;

/// Ids of records and pouches, ids of nodes, spaces and the like, hashes of changes: in full.
static FULL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(?:[0-9a-f]{64}|[a-z2-7]{52}|[a-z2-7]{26})\b").unwrap());
/// What may be the beginning of one.
static BEGINNING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-z]{8}\b").unwrap());
static FINGERPRINT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(?:\d{5} ){7}\d{5}\b").unwrap());
/// Fields in which `--json` names what commands take.
static NAMED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""(?:id|document|pouch|hash)": "([0-9a-f]{64}|[a-z2-7]{26})""#).unwrap());

/// What is replaced wherever it stands, in this order. Where the length may differ, the blanks behind it, with which a column is
/// filled up, become two.
static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| UTC)?", "[TIME]"),
        (r"\b(?:just now|\d+ (?:seconds?|minutes?|s|min) ago)(?: +(\S))?", "[AGO]"),
        (r"\b\d+(?:\.\d+)? (?:B|KiB|MiB|GiB)(?:  +(\S))?", "[SIZE]"),
        (r"\b127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    ];
    rules.map(|(rule, name)| (Regex::new(rule).unwrap(), name)).into()
});

/// The names of one page.
#[derive(Default)]
pub struct Names {
    /// By the beginning.
    full: BTreeMap<String, String>,
    name: BTreeMap<String, String>,
    counts: [usize; 3],
    fingerprint: String,
}

impl Names {
    /// The command with the ids that its names stand for.
    pub fn typed(&self, command: &str) -> String {
        let mut typed = command.replace("[FINGERPRINT]", &self.fingerprint);
        for (beginning, name) in &self.name {
            typed = typed.replace(name, &self.full[beginning]);
        }
        typed
    }

    /// Whether `said` has what may be the beginning of an id that was not seen in full yet.
    pub fn may_hold_more(&self, said: &str) -> bool {
        BEGINNING.find_iter(said).any(|found| !self.full.contains_key(found.as_str()))
    }

    /// Takes note of ids that were not shown, so that their beginnings are known.
    pub fn know(&mut self, text: &str) {
        for found in FULL.find_iter(text) {
            self.full.insert(found.as_str()[..SHORT].to_owned(), found.as_str().to_owned());
        }
    }

    /// Takes note of what a script was told, as far as commands take it.
    pub fn learn(&mut self, json: &str) {
        for found in NAMED.captures_iter(json) {
            self.name_of(&found[1]);
        }
        self.remember(json);
    }

    fn remember(&mut self, said: &str) {
        if let Some(found) = FINGERPRINT.find(said) {
            self.fingerprint = found.as_str().to_owned();
        }
    }

    /// `said` with names for all that differs.
    pub fn plain(&mut self, said: &str, directory: &Path) -> String {
        self.remember(said);
        self.know(said);
        let said = said.replace(directory.to_str().unwrap(), "[DIR]");
        let said = FINGERPRINT.replace_all(&said, "[FINGERPRINT]");
        let said = FULL.replace_all(&said, |found: &Captures<'_>| self.name_of(&found[0]));
        let said = BEGINNING.replace_all(&said, |found: &Captures<'_>| match self.full.get(&found[0]).cloned() {
            Some(full) => self.name_of(&full),
            None => found[0].to_owned(),
        });
        let replace = |said: String, (rule, name): &(Regex, &str)| {
            rule.replace_all(&said, |found: &Captures<'_>| match found.get(1) {
                Some(next) => format!("{name}  {}", next.as_str()),
                None => (*name).to_owned(),
            })
            .into_owned()
        };
        RULES.iter().fold(said.into_owned(), replace).replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
    }

    fn name_of(&mut self, full: &str) -> String {
        let beginning = full[..SHORT].to_owned();
        self.full.insert(beginning.clone(), full.to_owned());
        if let Some(name) = self.name.get(&beginning) {
            return name.clone();
        }
        let (kind, word) = match full.len() {
            26 => (0, "ID"),
            52 => (1, "KEY"),
            _ => (2, "CHANGE"),
        };
        self.counts[kind] += 1;
        let name = format!("[{word}{}]", self.counts[kind]);
        self.name.insert(beginning, name.clone());
        name
    }
}
