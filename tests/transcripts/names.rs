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
    LazyLock::new(|| Regex::new(r#""(?:document|pouch|hash)": "([0-9a-f]{64}|[a-z2-7]{26})""#).unwrap());

/// What is replaced wherever it stands, in this order.
static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| UTC)?", "[TIME]"),
        (r"\b(?:just now|\d+ (?:seconds?|minutes?|s|min) ago)", "[AGO]"),
        (r"\b\d+(?:\.\d+)? (?:B|KiB|MiB|GiB)\b", "[SIZE]"),
        // Either of two nodes may have called the other, from any port.
        (r"connected \((?:outgoing|incoming)\) at \S+ for .*", "connected (outgoing) at 127.0.0.1:[PORT] for [TIME]"),
        (r"\b127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
        (r"(?m)^(up for +).*", "${1}[TIME]"),
        (r"\(entry [a-z2-7]{8}/(\d+) [a-z2-7]{8}\)", "(entry [LOG]/$1 [ENTRY])"),
        // Cut to the width of a column.
        (r"\b[a-z2-7]{9,25}…", "[ID]…"),
        (r"portolan-recovery-1 .*", "portolan-recovery-1 [SECRET]"),
        (r"(?m)^(administrator +).*", "${1}[LOGIN]"),
        (r"(?m)^( +\d+  )20\d\d$", "${1}[YEAR]"),
    ];
    rules.map(|(rule, name)| (Regex::new(rule).unwrap(), name)).into()
});
/// The headings of a table, each with the blanks behind it.
static HEADINGS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:[A-Z]+(?: [A-Z]+)*  +)+[A-Z]+(?: [A-Z]+)*$").unwrap());
/// One of them.
static HEADING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[A-Z]+(?: [A-Z]+)*(?:  +|$)").unwrap());

/// The names of one page.
#[derive(Default)]
pub struct Names {
    /// By the beginning.
    full: BTreeMap<String, String>,
    name: BTreeMap<String, String>,
    counts: [usize; 3],
    /// The login of the test, which stands first in its row of `user list`.
    pub login: String,
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

    /// Gives names to what a script was told, as far as commands take it.
    pub fn learn(&mut self, json: &str) {
        for found in NAMED.captures_iter(json) {
            self.name_of(&found[1]);
        }
    }

    /// Takes note of a fingerprint.
    pub fn remember(&mut self, said: &str) {
        if let Some(found) = FINGERPRINT.find(said) {
            self.fingerprint = found.as_str().to_owned();
        }
    }

    /// `said` with names for all that differs, and tables laid out for them.
    pub fn plain(&mut self, said: &str, directory: &Path) -> String {
        self.remember(said);
        self.know(said);
        let said = said.replace(directory.to_str().unwrap(), "[DIR]").replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        let mut plain = String::new();
        let mut lines = said.lines().peekable();
        while let Some(line) = lines.next() {
            if !HEADINGS.is_match(line) {
                plain.push_str(&self.named(line));
                plain.push('\n');
                continue;
            }
            let starts: Vec<usize> = HEADING.find_iter(line).map(|heading| heading.start()).collect();
            let mut table = vec![cells(line, &starts).unwrap()];
            while let Some(row) = lines.peek().and_then(|line| cells(line, &starts)) {
                let login = row[0] == self.login;
                table.push(row.iter().map(|cell| self.named(cell)).collect());
                if let Some(row) = table.last_mut().filter(|_| login) {
                    row[0] = "[LOGIN]".to_owned();
                }
                lines.next();
            }
            plain.push_str(&laid_out(&table));
        }
        plain
    }

    /// A line, or a cell of one, with names for all that differs.
    fn named(&mut self, said: &str) -> String {
        let said = FINGERPRINT.replace_all(said, "[FINGERPRINT]");
        let said = FULL.replace_all(&said, |found: &Captures<'_>| self.name_of(&found[0]));
        let said = BEGINNING.replace_all(&said, |found: &Captures<'_>| match self.full.get(&found[0]).cloned() {
            Some(full) => self.name_of(&full),
            None if is_hash(&found[0]) => self.name_of(&found[0]),
            None => found[0].to_owned(),
        });
        RULES.iter().fold(said.into_owned(), |said, (rule, name)| rule.replace_all(&said, *name).into_owned())
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

/// Whether it can only be the beginning of a hash: its letters are those of hexadecimal numbers, and no word has digits.
fn is_hash(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// The cells of a row whose columns start there; none where the line is no such row.
fn cells(line: &str, starts: &[usize]) -> Option<Vec<String>> {
    let letters: Vec<char> = line.chars().collect();
    let between = |start: usize| letters.get(start.saturating_sub(2)..start).is_none_or(|gap| gap == [' ', ' ']);
    if letters.is_empty() || !starts.iter().skip(1).all(|start| between(*start)) {
        return None;
    }
    let ends = starts.iter().skip(1).copied().chain([letters.len()]);
    let cell = |(start, end): (&usize, usize)| {
        letters.get(*start..end.min(letters.len())).unwrap_or_default().iter().collect()
    };
    Some(starts.iter().zip(ends).map(cell).map(|cell: String| cell.trim_end().to_owned()).collect())
}

/// The table with columns as wide as their widest cell.
fn laid_out(table: &[Vec<String>]) -> String {
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    table.iter().map(line).collect()
}
