//! Records that others keep as rows, lines or lists, made into drafts by a mapping.
//!
//! One that cannot be read does not stop the others; each fault names the file and the line, or the place in a list.

use std::{collections::BTreeSet, path::Path, vec};

use portolan_protocol::id::DocumentId;
use serde_json::Value as Json;

use super::{
    content::ImportedFile,
    csv_rows::CsvRows,
    error::{Fault, ImportError},
    file::{Options, of_content},
    lines::Lines,
    mapping::Mapping,
    walk::{Format, Found, Walk, Wanted, walk_for},
};

/// Largest JSON document, in bytes: it is held whole.
const DOCUMENT_BYTES_MAX: u64 = 32 << 20;

/// The records under a path: first what could not be looked at, then the files in the order of their paths.
#[derive(Debug)]
pub struct Rows {
    errors: vec::IntoIter<ImportError>,
    files: vec::IntoIter<Found>,
    name: String,
    open: Option<Open>,
    mapping: Mapping,
    options: Options,
    seen: BTreeSet<DocumentId>,
    passed_over: usize,
}

/// The file that is read now.
#[derive(Debug)]
enum Open {
    Lines(Lines),
    Csv(CsvRows),
    List { document: Json, records: vec::IntoIter<Json>, number: usize },
}

impl Rows {
    /// The records of a file or of the files below a directory.
    ///
    /// # Errors
    /// The path cannot be walked.
    pub fn open(path: &Path, mapping: Mapping, options: Options) -> Result<Self, ImportError> {
        let Walk { files, passed_over, errors, .. } = walk_for(path, Wanted::Rows)?;
        let (errors, files) = (errors.into_iter(), files.into_iter());
        let (name, seen) = (String::new(), BTreeSet::new());
        Ok(Self { errors, files, name, open: None, mapping, options, seen, passed_over })
    }

    /// Files of other formats, and links, that were not looked into.
    pub fn passed_over(&self) -> usize {
        self.passed_over
    }

    fn enter(&mut self, found: &Found) -> Result<(), Fault> {
        self.name.clone_from(&found.relative);
        let is_tabbed = found.relative.to_ascii_lowercase().ends_with(".tsv");
        let delimiter = if is_tabbed { '\t' } else { self.mapping.delimiter };
        self.open = Some(match found.format {
            Format::JsonLines => Open::Lines(Lines::new(found.open()?)),
            Format::Csv => Open::Csv(CsvRows::new(found.open()?, u8::try_from(delimiter).unwrap_or(b','))?),
            _ => {
                let mut document = json(&found.read_up_to(DOCUMENT_BYTES_MAX)?)?;
                let records = document.pointer_mut(&self.mapping.records).map(Json::take);
                let Some(Json::Array(records)) = records else {
                    let place = &self.mapping.records;
                    return Err(Fault::Line(format!(
                        "there is no list at `{place}`, where the mapping says `records`"
                    )));
                };
                Open::List { document, records: records.into_iter(), number: 0 }
            }
        });
        Ok(())
    }

    /// The next record of the open file, and where it stands.
    fn next_record(&mut self) -> Option<(String, Result<ImportedFile, Fault>)> {
        let (place, record) = match self.open.as_mut()? {
            Open::Lines(lines) => {
                let line = lines.next()?;
                (format!("{}:{}", self.name, lines.number()), line.and_then(|line| json(&line)))
            }
            Open::Csv(rows) => {
                let (line, row) = rows.next_row()?;
                (format!("{}:{line}", self.name), row)
            }
            Open::List { records, number, .. } => {
                let record = records.next()?;
                *number += 1;
                (format!("{}{}/{}", self.name, self.mapping.records, *number - 1), Ok(record))
            }
        };
        let imported = record.and_then(|record| self.imported(&record, &place));
        Some((place, imported))
    }

    fn imported(&mut self, record: &Json, place: &str) -> Result<ImportedFile, Fault> {
        let file = match &self.open {
            Some(Open::List { document, .. }) => document,
            _ => &Json::Null,
        };
        let (id, content) = self.mapping.content(record, file)?;
        let imported = of_content(content, &id, &self.options).map_err(|fault| match fault {
            Fault::FrontMatter(words) => Fault::Line(words),
            other => other,
        })?;
        if !self.seen.insert(imported.document) {
            return Err(Fault::Line(format!("`{id}` is told of a second time")));
        }
        Ok(ImportedFile { path: place.to_owned(), ..imported })
    }
}

fn json(bytes: &[u8]) -> Result<Json, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Encoding)?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| Fault::Line(error.to_string()))
}

impl Iterator for Rows {
    type Item = Result<ImportedFile, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.errors.next() {
            return Some(Err(error));
        }
        loop {
            if let Some((place, record)) = self.next_record() {
                return Some(record.map_err(|fault| fault.at(&place)));
            }
            self.open = None;
            let found = self.files.next()?;
            if let Err(fault) = self.enter(&found) {
                return Some(Err(fault.at(&found.relative)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{fs, os::unix::fs::symlink};

    use super::{super::lines::LINE_BYTES_MAX, *};

    fn read(files: &[(&str, &[u8])], mapping: &str) -> Vec<Result<ImportedFile, ImportError>> {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(root.path().join(name), bytes).unwrap();
        }
        symlink("/etc/passwd", root.path().join("link.csv")).unwrap();
        let options = Options { source: "s".into(), language: Some("fr".into()), ..Options::default() };
        Rows::open(root.path(), Mapping::read(mapping).unwrap(), options).unwrap().collect()
    }

    const MAPPING: &str = "id = [{from = 'id'}]\nrecords = '/values'\n[fields]\ntitle = {from = 'title'}\n\
                           tags = {from = 'tags', split = ';'}\nversion = {from = 'version'}";

    #[test]
    fn a_bad_row_is_named_and_the_others_are_read() {
        let csv = b"id,title,tags\n1,Un,a;b\n2,too,many,columns\n3,\xff,\n,no id,\n1,again,\n4,\"Deux\nlignes\xe2\x80\xae\",c\n";
        let lines = b"{\"id\":5,\"title\":\"Cinq\"}\n{\n{\"id\":6,\"version\":1.10}\n";
        let list = b"{\"values\":[{\"id\":\"7\",\"title\":\"Sept\"},{}]}";
        let read = read(&[("a.csv", csv), ("b.jsonl", lines), ("c.json", list), ("d.json", b"[]")], MAPPING);
        let told: Vec<String> = read
            .iter()
            .map(|row| match row {
                Ok(file) => file.path.clone(),
                Err(error) => format!("! {}", error.path),
            })
            .collect();
        let wanted = [
            "a.csv:2",
            "! a.csv:3",
            "! a.csv:4",
            "! a.csv:5",
            "! a.csv:6",
            "a.csv:7",
            "b.jsonl:1",
            "! b.jsonl:2",
            "! b.jsonl:3",
            "c.json/values/0",
            "! c.json/values/1",
            "! d.json",
        ];
        assert_eq!(told, wanted);
        let last = &read[5].as_ref().unwrap().draft.fields;
        assert_eq!(last["title/fr"], "Deux lignes".into(), "what deceives is left out");
        assert_eq!(read[0].as_ref().unwrap().draft.fields["tags/b"], true.into());
        assert!(read[8].as_ref().unwrap_err().to_string().contains("`version`"));
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused_and_not_held() {
        let open = format!("id,title\n1,\"{}", "x".repeat(3 * LINE_BYTES_MAX));
        let deep = format!("{{\"id\":1,\"title\":{}\n{{\"id\":2,\"title\":\"x\"}}\n", "[".repeat(100_000));
        let read = read(&[("a.csv", open.as_bytes()), ("b.jsonl", deep.as_bytes())], MAPPING);
        assert_eq!(read.len(), 3);
        assert!(read[0].as_ref().unwrap_err().to_string().contains("not closed"));
        assert!(read[1].is_err() && read[2].is_ok());
    }
}
