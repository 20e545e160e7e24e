//! Records as JSON lines: one record to a line with all its flat keys, written and read again.
//!
//! A line that cannot be read does not stop the others; one that is too long is never held.

use std::{collections::BTreeMap, fs::File, path::Path};

use portolan_protocol::{id::SpaceId, record::Value};
use serde::{Deserialize, Serialize};

use super::{
    content::ImportedFile,
    error::{Fault, ImportError},
    exported::Origin,
    lines::Lines,
};

/// What one line says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    exported: Origin,
    fields: BTreeMap<String, Value>,
}

/// A record as one line, its line break included; what would act on a terminal is spelled out.
pub fn line(origin: Origin, fields: &BTreeMap<String, Value>) -> String {
    let line = Line { exported: origin, fields: fields.clone() };
    crate::text::escaped_json(&serde_json::to_string(&line).unwrap_or_default()) + "\n"
}

/// Whether a file is called as JSON lines are.
pub fn is_json_lines(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("jsonl") || end.eq_ignore_ascii_case("ndjson"))
}

/// The records of a file, in its order.
#[derive(Debug)]
pub struct JsonLines {
    lines: Lines,
    name: String,
    space: SpaceId,
}

impl JsonLines {
    /// Opens the file at `path`, for records of `space`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, space: SpaceId) -> Result<Self, ImportError> {
        let shown = path.to_string_lossy();
        let file = File::open(path).map_err(|error| Fault::from(error).at(&shown))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { lines: Lines::new(file), name, space })
    }

    fn read(&self, line: &[u8], path: &str) -> Result<ImportedFile, Fault> {
        let text = std::str::from_utf8(line).map_err(|_| Fault::Encoding)?;
        let line: Line = serde_json::from_str(text).map_err(|error| Fault::Line(error.to_string()))?;
        line.exported.imported(line.fields, path, &self.space)
    }
}

impl Iterator for JsonLines {
    type Item = Result<ImportedFile, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        let path = format!("{}:{}", self.name, self.lines.number());
        Some(line.and_then(|line| self.read(&line, &path)).map_err(|fault| fault.at(&path)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::id::DocumentId;

    use super::{super::lines::LINE_BYTES_MAX, *};

    const SPACE: SpaceId = SpaceId([1; 32]);

    fn written(title: &str) -> String {
        let fields = [("title/fr".to_owned(), Value::from(title)), ("later/x".to_owned(), 3.into())].into();
        line(Origin { record: DocumentId([2; 16]), space: SPACE, heads: String::new() }, &fields)
    }

    #[test]
    fn a_bad_line_is_named_and_the_others_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.jsonl");
        let deep = format!("{{\"exported\":{}", "[".repeat(100_000));
        let long = "x".repeat(LINE_BYTES_MAX + 2);
        let mut text = [&written("Un"), "\n", "{]\n", &deep, "\n", &long, "\n"].concat().into_bytes();
        text.extend(b"\xff\n");
        text.extend(written("Deux").trim_end().bytes());
        std::fs::write(&path, text).unwrap();
        let read: Vec<_> = JsonLines::open(&path, SPACE).unwrap().collect();
        assert_eq!(read.len(), 6);
        let field = |place: usize| read[place].as_ref().unwrap().draft.fields["title/fr"].to_string();
        assert_eq!((field(0), field(5)), ("Un".into(), "Deux".into()));
        let paths: Vec<_> = read[1..5].iter().map(|line| line.as_ref().unwrap_err().path.clone()).collect();
        assert_eq!(paths, ["x.jsonl:3", "x.jsonl:4", "x.jsonl:5", "x.jsonl:6"]);
        assert!(matches!(read[3].as_ref().unwrap_err().fault, Fault::TooLarge(_)));
        assert!(matches!(read[4].as_ref().unwrap_err().fault, Fault::Encoding));
    }

    #[test]
    fn nothing_in_a_line_acts_on_a_terminal() {
        assert!(written("a\u{202e}b").contains("a\\u202eb"));
    }
}
