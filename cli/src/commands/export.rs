//! `portolan export`: records of a space as files that people read and `portolan import` takes again.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use portolan_protocol::{
    api::{DocumentAt, DocumentPage, DocumentQuery, DocumentView, PAGE_MAX},
    id::{DocumentId, SpaceId},
    record::{Marking, join_markings},
};
use serde::Serialize;

use super::filters::Filters;
use crate::{
    client::Client,
    context::Context,
    error::{ErrorKind, Result, usage},
    export::{Folder, LinesFile},
    import::{self, Origin},
    output::count,
    progress::Progress,
    resolve, text,
};

/// The file beside exported Markdown that says how it is marked.
const MARKING_FILE: &str = "MARKING.txt";

#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    filters: Filters,
    /// As what
    #[arg(long, value_enum)]
    to: Form,
    /// The directory (markdown) or file (jsonl) to write
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Leave out what is marked higher than this, and what has no marking: CLEAR, GREEN, AMBER, AMBER+STRICT or RED
    #[arg(long, value_name = "MARKING", value_parser = marking)]
    up_to: Option<Marking>,
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

/// What is written.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Form {
    /// A file for each record, with all its fields as front matter
    Markdown,
    /// A line of JSON for each record, in one file
    Jsonl,
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
    /// Entries that the list did not reflect yet; 0 when nothing can be missing.
    entries_to_index: u64,
}

/// Where it goes.
enum Sink {
    Nowhere,
    Folder(Folder),
    Lines(LinesFile),
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let Some(typed) = &self.filters.space else {
            return Err(usage("an export is of one space, and none is named").next("Give --space."));
        };
        let client = context.client()?;
        let space = resolve::space(&client, typed).await?.id;
        let mut sink = match (self.dry_run, self.to) {
            (true, _) => Sink::Nowhere,
            (false, Form::Markdown) => Sink::Folder(Folder::create(&self.out, self.force)?),
            (false, Form::Jsonl) => Sink::Lines(LinesFile::create(&self.out, self.force)?),
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
            entries_to_index,
        };
        let progress = Progress::start("exporting", Some(documents.len() as u64));
        for (number, document) in (1..).zip(&documents) {
            let path = format!("/spaces/{space}/documents/{document}");
            match client.query::<DocumentView>(&path, &DocumentAt::default()).await {
                Ok(view) => self.take(view, &mut sink, &mut report)?,
                // It went out of sight since it was listed.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            progress.update("exporting", number, Some(documents.len() as u64));
        }
        drop(progress);
        match sink {
            Sink::Nowhere => {}
            Sink::Folder(folder) => folder.file(MARKING_FILE, &marked(&report))?,
            Sink::Lines(lines) => lines.finish()?,
        }
        context.output.show(&report, human)
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

    fn take(&self, view: DocumentView, sink: &mut Sink, report: &mut Report) -> Result<()> {
        let mut record = view.record;
        if record.deleted {
            return Ok(());
        }
        if self.up_to.is_some_and(|most| !is_within(record.marking.as_deref(), most)) {
            report.left_out += 1;
            return Ok(());
        }
        record.fields.retain(|key, _| !import::is_attachment_key(key));
        let origin = Origin { record: record.id, space: report.space };
        match sink {
            Sink::Nowhere => {}
            Sink::Folder(folder) => {
                let mut notes = vec![shown_marking(record.marking.as_deref())];
                notes.extend(record.conflicts.keys().map(|key| format!("CONFLICT {key}: written at the same time")));
                let text = import::write_exported(Some(&origin), &record.fields, &notes);
                folder.record(&record.kind, &record.title, record.id, &text)?;
            }
            Sink::Lines(lines) => lines.line(&import::json_line(origin, &record.fields))?,
        }
        report.records += 1;
        report.unmarked += u64::from(record.marking.is_none());
        let markings = report.highest_marking.iter().chain(&record.marking).map(String::as_str);
        report.highest_marking = join_markings(markings);
        Ok(())
    }
}

/// Whether a record may go along. One without a marking may not: nobody has said how far it may go.
fn is_within(marking: Option<&str>, most: Marking) -> bool {
    marking.and_then(Marking::parse).is_some_and(|marking| marking <= most)
}

fn shown_marking(marking: Option<&str>) -> String {
    marking.map_or("no marking".to_owned(), |marking| format!("TLP:{}", text::shown(marking)))
}

/// What an export says of its marking.
fn marked(report: &Report) -> String {
    let records = count(report.records, "record", "records");
    let highest = shown_marking(report.highest_marking.as_deref());
    format!("{records}; highest marking: {highest}; without a marking: {}\n", report.unmarked)
}

fn human(report: &Report) -> String {
    let verb = if report.dry_run { "would be written" } else { "written" };
    let mut out = format!("{verb} to {}: {}", text::shown(&report.out), marked(report));
    if report.left_out > 0 {
        out.push_str(&format!("{} left out for their marking\n", count(report.left_out, "record", "records")));
    }
    if report.entries_to_index > 0 {
        let entries = count(report.entries_to_index, "entry", "entries");
        out.push_str(&format!("The list was not complete yet: {entries} to go. Export again later.\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unmarked_or_unknown_stays_where_a_limit_is_asked_for() {
        let within = |marking: Option<&str>| is_within(marking, Marking::Amber);
        assert!(within(Some("GREEN")) && within(Some("AMBER")));
        assert!(!within(Some("AMBER+STRICT")) && !within(Some("VIOLET")) && !within(None));
    }
}
