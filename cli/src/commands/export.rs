//! `portolan export`: records of a space as files that people read and `portolan import` takes again, or as pages for any browser.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use portolan_protocol::{
    api::{DocumentAt, DocumentPage, DocumentQuery, DocumentView, PAGE_MAX},
    id::{AttachmentId, DocumentId, SpaceId},
    record::{Marking, RecordView, Value, join_markings},
};
use serde::Serialize;

use super::{attachment::harmless_name, filters::Filters};
use crate::{
    client::{Bytestream, Client},
    context::Context,
    error::{ApiError, ErrorKind, Result, usage},
    export::{Folder, Interface, LinesFile, Marked, NewFile, Reader},
    import::{self, Origin},
    output::{bytes, count},
    progress::Progress,
    resolve, text,
};

/// The file beside exported Markdown that says how it is marked.
const MARKING_FILE: &str = "MARKING.txt";
/// Files that could not be written and are named on the terminal; `--json` has all.
const NAMED_MAX: usize = 20;

#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    filters: Filters,
    /// As what
    #[arg(long, value_enum)]
    to: Form,
    /// The directory (markdown, html) or file (jsonl) to write
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Leave out what is marked higher than this, and what has no marking: CLEAR, GREEN, AMBER, AMBER+STRICT or RED
    #[arg(long, value_name = "MARKING", value_parser = marking)]
    up_to: Option<Marking>,
    /// Also write the files of the records that are on this node (markdown, html)
    #[arg(long)]
    attachments: bool,
    /// The language of headings and labels (html): en, fr or ar [default: the one that most records are in]
    #[arg(long, value_name = "TAG", value_parser = interface)]
    interface: Option<Interface>,
    /// Replace files of the same name; others in the directory stay
    #[arg(long)]
    force: bool,
    /// Say what would be written and write nothing
    #[arg(long)]
    dry_run: bool,
}

fn marking(text: &str) -> std::result::Result<Marking, String> {
    Marking::parse(text).ok_or_else(|| "expected CLEAR, GREEN, AMBER, AMBER+STRICT or RED".into())
}

fn interface(text: &str) -> std::result::Result<Interface, String> {
    Interface::ALL.into_iter().find(|known| known.tag() == text).ok_or_else(|| "expected en, fr or ar".into())
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Form {
    /// A file for each record, with all its fields as front matter
    Markdown,
    /// A line of JSON for each record, in one file
    Jsonl,
    /// Pages to read and search in a browser, without a network
    Html,
}

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Report {
    dry_run: bool,
    space: SpaceId,
    to: Form,
    out: String,
    /// Records written; in a dry run, those that would be.
    records: u64,
    /// The most restrictive marking among them; null where none has one.
    highest_marking: Option<String>,
    /// Records among them that have no marking.
    unmarked: u64,
    /// Records left out for their marking, or for having none.
    left_out: u64,
    /// Files of the records; null where they were not asked for.
    attachments: Option<Files>,
    /// Entries that the list did not reflect yet; 0 when nothing can be missing.
    entries_to_index: u64,
}

/// The files of the records.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Files {
    written: u64,
    bytes: u64,
    missing: Vec<Missing>,
}

/// A file that was not written.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Missing {
    record: DocumentId,
    attachment: String,
    name: String,
    reason: String,
}

/// Where it goes.
enum Sink {
    Nowhere,
    Folder(Folder),
    Lines(LinesFile),
    Reader(Box<Reader>),
}

impl Sink {
    /// The folder that files of records go to.
    fn folder(&self) -> Option<&Folder> {
        match self {
            Sink::Nowhere | Sink::Lines(_) => None,
            Sink::Folder(folder) => Some(folder),
            Sink::Reader(reader) => Some(reader.folder()),
        }
    }
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let Some(typed) = &self.filters.space else {
            return Err(usage("an export is of one space, and none is named").next("Give --space."));
        };
        if self.attachments && self.to == Form::Jsonl {
            return Err(usage("lines of JSON hold no files").next("Use --to markdown or --to html."));
        }
        let client = context.client()?;
        let found = resolve::space(&client, typed).await?;
        let (space, name) = (found.id, found.name);
        let mut sink = match (self.dry_run, self.to) {
            (true, _) => Sink::Nowhere,
            (false, Form::Markdown) => Sink::Folder(self.create_folder()?),
            (false, Form::Jsonl) => Sink::Lines(LinesFile::create(&self.out, self.force)?),
            (false, Form::Html) => Sink::Reader(Box::new(Reader::create(&self.out, self.create_folder()?)?)),
        };
        let (documents, entries_to_index) = self.documents(&client, space).await?;
        let mut report = Report {
            dry_run: self.dry_run,
            space,
            to: self.to,
            out: self.out.display().to_string(),
            records: 0,
            highest_marking: None,
            unmarked: 0,
            left_out: 0,
            attachments: (self.attachments && !self.dry_run).then(Files::default),
            entries_to_index,
        };
        let progress = Progress::start("exporting", Some(documents.len() as u64));
        for (number, document) in (1..).zip(&documents) {
            let path = format!("/spaces/{space}/documents/{document}");
            match client.query::<DocumentView>(&path, &DocumentAt::default()).await {
                Ok(view) => self.take(&client, view, &mut sink, &mut report).await?,
                // It went out of sight since it was listed.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            progress.update("exporting", number, Some(documents.len() as u64));
        }
        if let Some(folder) = sink.folder() {
            folder.file(MARKING_FILE, &marked(&report))?;
        }
        match sink {
            Sink::Nowhere => {}
            Sink::Folder(folder) => folder.finish()?,
            Sink::Lines(lines) => lines.finish()?,
            Sink::Reader(reader) => {
                let words = self.interface.unwrap_or_else(|| reader.usual_language());
                let marked = Marked { highest: report.highest_marking.clone(), unmarked: report.unmarked };
                reader
                    .finish(&name, words, &marked, |pages| progress.update("writing", pages, Some(report.records)))?;
            }
        }
        drop(progress);
        context.output.show(&report, human)
    }

    /// The folder. What an earlier export left there must not stay beside the lower marking of this one.
    fn create_folder(&self) -> Result<Folder> {
        if self.up_to.is_none() {
            return Folder::create(&self.out, self.force);
        }
        Folder::create(&self.out, false).map_err(|error| match error.kind {
            ErrorKind::Conflict => error.next("Name a new directory: what is there may be marked higher."),
            _ => error,
        })
    }

    /// The records that are meant, and how far the list was behind.
    async fn documents(&self, client: &Client, space: SpaceId) -> Result<(Vec<DocumentId>, u64)> {
        let mut query = DocumentQuery { limit: Some(PAGE_MAX), ..self.filters.list() };
        let (mut documents, mut behind) = (Vec::new(), 0);
        loop {
            let page: DocumentPage = client.query(&format!("/spaces/{space}/documents"), &query).await?;
            documents.extend(page.documents.into_iter().map(|summary| summary.id));
            behind = page.entries_to_index.max(behind);
            if page.next.is_none() || page.next == query.cursor {
                return Ok((documents, behind));
            }
            query.cursor = page.next;
        }
    }

    async fn take(&self, client: &Client, mut view: DocumentView, sink: &mut Sink, report: &mut Report) -> Result<()> {
        let record = &mut view.record;
        if record.deleted {
            return Ok(());
        }
        if self.up_to.is_some_and(|most| !is_within(record.marking.as_deref(), most)) {
            report.left_out += 1;
            return Ok(());
        }
        record.fields.retain(|key, _| !import::is_attachment_key(key));
        record.conflicts.retain(|key, _| !import::is_attachment_key(key));
        report.records += 1;
        report.unmarked += u64::from(record.marking.is_none());
        let markings = report.highest_marking.iter().chain(&record.marking).map(String::as_str);
        report.highest_marking = join_markings(markings);
        let files = match (sink.folder(), &mut report.attachments) {
            (Some(folder), Some(files)) => files.copy(client, report.space, record, folder).await?,
            _ => BTreeMap::new(),
        };
        let origin = Origin { record: record.id, space: report.space, heads: record.heads.join(",") };
        match sink {
            Sink::Nowhere => {}
            Sink::Folder(folder) => {
                let mut notes = vec![shown_marking(record.marking.as_deref())];
                for (key, value) in &mut record.fields {
                    if let (true, Value::Text(body)) = (key.starts_with("body/"), value) {
                        *body = beside(body, &files);
                    }
                }
                notes.extend(record.conflicts.keys().map(|key| tr!("CONFLICT {key}: written at the same time")));
                let text = import::write_exported(Some(&origin), &record.fields, &notes);
                folder.record(&record.kind, &record.title, record.id, &text)?;
            }
            Sink::Lines(lines) => lines.line(&import::json_line(origin, &record.fields))?,
            Sink::Reader(reader) => reader.add(view, files)?,
        }
        Ok(())
    }
}

impl Files {
    /// Writes the files of a record that are on this node. Their paths below the folder, by the ids of the attachments.
    async fn copy(
        &mut self,
        client: &Client,
        space: SpaceId,
        record: &RecordView,
        folder: &Folder,
    ) -> Result<BTreeMap<String, String>> {
        let (mut paths, mut taken) = (BTreeMap::new(), BTreeSet::new());
        for (id, name) in attached(record) {
            let harmless = harmless_name(&name, &id);
            // Sticks often do not tell capitals from small letters.
            let own = if taken.insert(harmless.to_lowercase()) { harmless } else { format!("{}-{harmless}", &id) };
            let path = format!("attachments/{}/{own}", record.id);
            match client.bytes(&format!("/spaces/{space}/documents/{}/attachments/{id}", record.id)).await {
                Ok(bytes) => {
                    folder.directory("attachments")?;
                    folder.directory(&format!("attachments/{}", record.id))?;
                    match write(bytes, folder.begin(&path)?).await? {
                        Ok(written) => {
                            self.bytes += written;
                            self.written += 1;
                            paths.insert(id, path);
                        }
                        Err(cut) => self.miss(record.id, id, name, cut),
                    }
                }
                Err(error) if error.kind == ErrorKind::Unavailable => return Err(error),
                Err(error) => self.miss(record.id, id, name, error),
            }
        }
        Ok(paths)
    }

    fn miss(&mut self, record: DocumentId, attachment: String, name: String, error: ApiError) {
        self.missing.push(Missing { record, attachment, name, reason: error.message });
    }
}

/// A body as it stands in a file below the folder, with the images of the record where they lie. Those that lie there under another name
/// keep theirs, so that an import takes the text for the same.
fn beside(body: &str, files: &BTreeMap<String, String>) -> String {
    let called = |name: &str| files.values().find(|path| path.rsplit('/').next() == Some(name));
    import::readdressed(body, |name| called(name).map(|path| format!("../{}", import::address_of(path))))
}

/// Writes a file; how many bytes, or how its bytes were cut on the way here. What was written of it then goes.
async fn write(mut bytes: Bytestream, mut file: NewFile) -> Result<std::result::Result<u64, ApiError>> {
    let mut written = 0;
    loop {
        match bytes.next().await {
            Ok(Some(piece)) => {
                file.write(&piece)?;
                written += piece.len() as u64;
            }
            Ok(None) => break,
            Err(cut) => return Ok(Err(cut)),
        }
    }
    file.keep()?;
    Ok(Ok(written))
}

/// The attachments of a record and a name for each, that in its own language first.
fn attached(record: &RecordView) -> BTreeMap<String, String> {
    let own = record.language.as_deref().unwrap_or_default();
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in &record.fields {
        let Some((id, property)) = key.strip_prefix("attachments/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        // The id becomes part of addresses and paths.
        if id.parse::<AttachmentId>().is_err() {
            continue;
        }
        let name = named.entry(id.to_owned()).or_default();
        if let (Some(language), Some(text)) = (property.strip_prefix("name/"), value.as_str())
            && (name.is_empty() || language == own)
        {
            text.clone_into(name);
        }
    }
    named
}

/// Whether a record may go along. One without a marking may not: nobody has said how far it may go.
fn is_within(marking: Option<&str>, most: Marking) -> bool {
    marking.and_then(Marking::parse).is_some_and(|marking| marking <= most)
}

fn shown_marking(marking: Option<&str>) -> String {
    marking.map_or(tr!("no marking"), |marking| format!("TLP:{}", text::shown(marking)))
}

/// What an export says of its marking.
fn marked(report: &Report) -> String {
    let records = count(report.records, "record", "records");
    let highest = shown_marking(report.highest_marking.as_deref());
    tr!("{records}; highest marking: {highest}; without a marking: {}\n", report.unmarked)
}

fn human(report: &Report) -> String {
    let (out, marked) = (text::shown(&report.out), marked(report));
    let mut out = match report.dry_run {
        true => tr!("would be written to {}: {}", out, marked),
        false => tr!("written to {}: {}", out, marked),
    };
    if report.left_out > 0 {
        out.push_str(&tr!("{} left out for their marking\n", count(report.left_out, "record", "records")));
    }
    if let Some(files) = &report.attachments {
        let written = count(files.written, "file", "files");
        out.push_str(&tr!("{written} of records written, {}\n", bytes(files.bytes)));
        for missing in files.missing.iter().take(NAMED_MAX) {
            let (name, reason) = (text::shown(&missing.name), text::shown(&missing.reason));
            out.push_str(&tr!("not written: {name} of {}: {reason}\n", missing.record));
        }
        if files.missing.len() > NAMED_MAX {
            out.push_str(&tr!("and {} more; --json names all\n", files.missing.len() - NAMED_MAX));
        }
    }
    if report.entries_to_index > 0 {
        let entries = count(report.entries_to_index, "entry", "entries");
        out.push_str(&tr!("The list was not complete yet: {entries} to go. Export again later.\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser as _;

    use super::*;

    #[test]
    fn no_marking_is_lowered_over_what_is_there() {
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            export: Export,
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("old.md"), "x").unwrap();
        let create = |more: &[&str]| {
            let given = ["export", "--to", "markdown", "--force", "--out", directory.path().to_str().unwrap()];
            Line::try_parse_from(given.iter().chain(more)).unwrap().export.create_folder()
        };
        assert!(create(&[]).is_ok());
        let error = create(&["--up-to", "GREEN"]).unwrap_err();
        assert_eq!((error.kind, error.safe.as_str()), (ErrorKind::Conflict, "Nothing was written."));
        assert!(error.next.contains("marked higher"), "{error:?}");
    }

    #[test]
    fn what_is_unmarked_or_unknown_stays_where_a_limit_is_asked_for() {
        let within = |marking: Option<&str>| is_within(marking, Marking::Amber);
        assert!(within(Some("GREEN")) && within(Some("AMBER")));
        assert!(!within(Some("AMBER+STRICT")) && !within(Some("VIOLET")) && !within(None));
    }
}
