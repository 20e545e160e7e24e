//! `portolan import`: files become drafts here and records in the daemon, as one stream, so that any number of files passes.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use clap::Args;
use portolan_protocol::{
    api::{ErrorKind, ImportEvent, ImportItem, ImportOutcome, ImportQuery, ImportTotals, Imported},
    id::{DocumentId, SpaceId},
    record::Warning,
};
use serde::Serialize;
use tokio::sync::mpsc;

use super::imported_images::{self, ImageTotals, Pending};
use crate::{
    client::Client,
    context::Context,
    editor,
    error::{ApiError, Result, file_kind, internal, usage},
    fields,
    import::{self, Fault, ImportError, ImportedFile, JsonLines, Mapping, Options, Rows},
    messages,
    output::count,
    progress::Progress,
    resolve, text,
};

/// Items that reading may be ahead of the daemon.
const AHEAD: usize = 64;
/// Refusals and warnings that are named on the terminal; `--json` has all.
const NAMED_MAX: usize = 20;

#[derive(Args, Debug)]
pub(super) struct Import {
    /// A file, or a directory with Markdown and HTML files; or JSON lines as `portolan export` writes them
    path: PathBuf,
    /// Where the records go: the space's name, its id, or the start of one
    #[arg(long)]
    space: String,
    /// Say what would happen and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The language of files that do not say it inside; it goes before the names of files and directories
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// What the source is called; the same name and path is the same record [default: the directory's name]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// A TOML file that says which columns or JSON pointers become which fields: PATH is then CSV, JSON lines or JSON, or a
    /// directory of such files
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// A field for files that do not set it, FIELD=TEXT, such as marking=GREEN; may be repeated
    #[arg(long = "default", value_name = "FIELD=TEXT", value_parser = default)]
    defaults: Vec<(String, String)>,
}

fn default(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected FIELD=TEXT".into()),
    }
}

/// What `--json` shows.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Report {
    dry_run: bool,
    totals: ImportTotals,
    /// Files of other formats, and links, that were not looked into.
    passed_over: u64,
    /// Images that become files of the records; in a dry run, `found` says how many would.
    images: ImageTotals,
    /// Images that files refer to and that are not imported; the reference stays in the text.
    images_not_imported: u64,
    /// Records that are durable, in the order of the files; in a dry run, those that would be.
    records: Vec<Imported>,
    /// Files that could not be read as records, and records that the daemon refused.
    refused: Vec<Refused>,
    warnings: Vec<Warned>,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Refused {
    source: String,
    reason: String,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Warned {
    source: String,
    #[serde(flatten)]
    warning: Warning,
}

/// What the reading side found, besides the items it sent.
#[derive(Debug, Default)]
struct Reading {
    images: Vec<Pending>,
    images_left: u64,
    refused: Vec<Refused>,
    warnings: Vec<Warned>,
}

impl Import {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let space = resolve::space(&client, &self.space).await?.id;
        let mapping = self.mapping()?;
        let mapped = mapping.as_ref().and_then(|mapping| mapping.source.clone());
        let options = Options {
            space,
            source: self.source.clone().or(mapped).unwrap_or_else(|| import::source_name(&self.path)),
            language: self.language.as_deref().map(fields::language).transpose()?,
            directory_language: None,
            defaults: self.defaults.clone(),
        };
        let Opened { files, total, passed_over } = self.open(&options, mapping)?;
        let mut report = Report { dry_run: self.dry_run, passed_over, ..Report::default() };
        let progress = Progress::start(if self.dry_run { "looking" } else { "importing" }, total);

        let (sender, lines) = mpsc::channel(AHEAD);
        let unread = Arc::new(AtomicU64::new(0));
        let reading = {
            let unread = Arc::clone(&unread);
            tokio::task::spawn_blocking(move || read(files, &sender, &unread))
        };
        let query = ImportQuery { dry_run: self.dry_run };
        let mut events = client.exchange(&format!("/spaces/{space}/import"), &query, lines).await?;
        let mut reported = ImportTotals::default();
        let outcome = loop {
            match events.next().await {
                Ok(Some(ImportEvent::Batch { items, totals })) => {
                    report.take(items);
                    reported = totals;
                    let read = totals.created + totals.updated + totals.unchanged + totals.refused;
                    progress.update(progress_label(self.dry_run), read + unread.load(Ordering::Relaxed), total);
                }
                Ok(Some(ImportEvent::Done { totals })) => break Ok(totals),
                Ok(Some(ImportEvent::Failed { error, totals })) => break Err((error, totals)),
                // What was reported before is durable, and is shown like every other outcome.
                Ok(None) => break Err((cut_off(), reported)),
                Err(error) if error.kind == ErrorKind::Unavailable => break Err((cut_off(), reported)),
                Err(error) => break Err((error, reported)),
            }
        };
        // The reader ends when its last item is taken, or when nobody takes any more.
        drop(events);
        let reading = reading.await.map_err(|_| internal("reading the files stopped"))??;
        drop(progress);
        let (failure, images) = report.finish(reading, outcome);
        let failure = match failure {
            None if !self.dry_run => report.add_images(&client, space, &images).await.err(),
            failure => failure,
        };
        context.output.show(&report, human)?;
        match failure {
            Some(error) => Err(error),
            None if report.totals.refused > 0 => Err(refused(report.totals.refused, self.dry_run)),
            None if report.images.refused > 0 => Err(images_refused(report.images.refused)),
            None => Ok(()),
        }
    }

    fn mapping(&self) -> Result<Option<Mapping>> {
        let Some(path) = &self.mapping else { return Ok(None) };
        Mapping::read(&editor::read_text(path)?).map(Some).map_err(|error| {
            usage(format!("{} is no mapping: {error}", path.display()))
                .safe("Nothing was imported.")
                .next("The guide to imports shows how a mapping is written.")
        })
    }

    fn open(&self, options: &Options, mapping: Option<Mapping>) -> Result<Opened> {
        if let Some(mapping) = mapping {
            let rows = Rows::open(&self.path, mapping, options.clone()).map_err(unreadable)?;
            let passed_over = rows.passed_over() as u64;
            return Ok(Opened { files: Box::new(rows), total: None, passed_over });
        }
        if self.path.is_file() && import::is_json_lines(&self.path) {
            let lines = JsonLines::open(&self.path, options.space).map_err(unreadable)?;
            return Ok(Opened { files: Box::new(lines), total: None, passed_over: 0 });
        }
        let files = import::read(&self.path, options).map_err(unreadable)?;
        if files.total() == 0 && files.passed_over() > 0 && self.path.is_file() {
            return Err(usage(format!("{} is neither Markdown, HTML nor JSON lines", self.path.display()))
                .safe("Nothing was imported.")
                .next(
                    "Name a file that ends in .md, .markdown, .html, .htm, .xhtml or .jsonl, or a directory of Markdown and HTML.",
                ));
        }
        let (total, passed_over) = (files.total() as u64, files.passed_over() as u64);
        Ok(Opened { files: Box::new(files), total: Some(total), passed_over })
    }
}

/// What is to be read, one record after the other.
struct Opened {
    files: Box<dyn Iterator<Item = std::result::Result<ImportedFile, ImportError>> + Send>,
    total: Option<u64>,
    passed_over: u64,
}

fn progress_label(dry_run: bool) -> &'static str {
    if dry_run { "looking" } else { "importing" }
}

fn cut_off() -> ApiError {
    ApiError::new(ErrorKind::Unavailable, "the daemon ended the import without saying how it went")
        .safe("The batches it had reported are kept, and importing again adds nothing twice.")
        .next("See `portolan status`, then run the same import again.")
}

fn refused(number: u64, dry_run: bool) -> ApiError {
    let (what, safe) = match dry_run {
        false => ("not imported", "The others are; importing again adds nothing twice."),
        true => ("found that cannot be imported", "Nothing was imported: this was a dry run."),
    };
    ApiError::new(ErrorKind::Incomplete, format!("{} {what}", count(number, "file was", "files were")))
        .safe(safe)
        .next("Correct the files named above and run the same import again.")
}

fn images_refused(number: u64) -> ApiError {
    ApiError::new(ErrorKind::Incomplete, format!("{} not added", count(number, "image was", "images were")))
        .safe("The records are imported; importing again adds nothing twice.")
        .next("See above why, and run the same import again.")
}

/// The path itself cannot be read.
fn unreadable(error: ImportError) -> ApiError {
    let kind = match &error.fault {
        Fault::Io(error) => file_kind(error),
        _ => ErrorKind::Usage,
    };
    ApiError::new(kind, error.to_string())
        .safe("Nothing was imported.")
        .next("Name a file or a directory that can be read.")
}

/// Reads the files on a thread of its own and sends each as a line; stops when nobody takes any more.
fn read(
    files: impl Iterator<Item = std::result::Result<ImportedFile, ImportError>>,
    lines: &mpsc::Sender<Bytes>,
    unread: &AtomicU64,
) -> Result<Reading> {
    let mut reading = Reading::default();
    for file in files {
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                unread.fetch_add(1, Ordering::Relaxed);
                reading.refused.push(Refused { source: error.path.clone(), reason: error.fault.to_string() });
                continue;
            }
        };
        reading.images_left += file.images_left as u64;
        if !file.images.is_empty() {
            let pending = Pending { document: file.document, source: file.path.clone(), images: file.images };
            reading.images.push(pending);
        }
        reading.warnings.extend(file.warnings.into_iter().map(|warning| Warned { source: file.path.clone(), warning }));
        let item = ImportItem { document: file.document, draft: file.draft, source: file.path, base: file.base };
        let mut line = serde_json::to_vec(&item).map_err(|error| internal(error.to_string()))?;
        line.push(b'\n');
        if lines.blocking_send(line.into()).is_err() {
            break;
        }
    }
    Ok(reading)
}

impl Report {
    fn take(&mut self, items: Vec<Imported>) {
        for item in items {
            match item.outcome {
                ImportOutcome::Refused { reason } => self.refused.push(Refused { source: item.source, reason }),
                _ => self.records.push(item),
            }
        }
    }

    /// Adds the images of the records that are there now.
    async fn add_images(&mut self, client: &Client, space: SpaceId, pending: &[Pending]) -> Result<()> {
        let failed = imported_images::add(client, space, pending, &mut self.images).await?;
        self.refused.extend(failed.into_iter().map(|(source, reason)| Refused { source, reason }));
        Ok(())
    }

    /// Joins what both sides found; what went wrong, and the images of the records that were taken.
    fn finish(
        &mut self,
        reading: Reading,
        outcome: std::result::Result<ImportTotals, (ApiError, ImportTotals)>,
    ) -> (Option<ApiError>, Vec<Pending>) {
        let (totals, failure) = match outcome {
            Ok(totals) => (totals, None),
            Err((error, totals)) => (totals, Some(error)),
        };
        self.totals = totals;
        self.totals.refused += reading.refused.len() as u64;
        self.images_not_imported = reading.images_left;
        self.refused.extend(reading.refused);
        self.refused.sort_by(|a, b| a.source.cmp(&b.source));
        self.warnings = reading.warnings;
        let said: BTreeSet<(String, Warning)> =
            self.warnings.iter().map(|said| (said.source.clone(), said.warning.clone())).collect();
        for record in &mut self.records {
            // Most of what the daemon says was found here already.
            let more = std::mem::take(&mut record.warnings).into_iter();
            let more = more.map(|warning| (record.source.clone(), warning)).filter(|more| !said.contains(more));
            self.warnings.extend(more.map(|(source, warning)| Warned { source, warning }));
        }
        let taken: BTreeSet<DocumentId> = self.records.iter().map(|record| record.document).collect();
        let mut images = reading.images;
        images.retain(|pending| taken.contains(&pending.document));
        self.images.found = images.iter().map(|pending| pending.images.len() as u64).sum();
        (failure, images)
    }
}

fn human(report: &Report) -> String {
    let mut out = String::new();
    for refused in report.refused.iter().take(NAMED_MAX) {
        out.push_str(&tr!("not imported: {}: {}\n", text::shown(&refused.source), text::shown(&refused.reason)));
    }
    for Warned { source, warning } in report.warnings.iter().take(NAMED_MAX) {
        let (path, message) = (text::shown(&warning.path), text::shown(&messages::found(&warning.message)));
        out.push_str(&tr!("note: {}: {path} {message}\n", text::shown(source)));
    }
    let unnamed = report.refused.len().saturating_sub(NAMED_MAX) + report.warnings.len().saturating_sub(NAMED_MAX);
    if unnamed > 0 {
        out.push_str(&tr!("and {unnamed} more; --json names all\n"));
    }
    let ImportTotals { created, updated, unchanged, refused } = report.totals;
    let verb = if report.dry_run { "would be " } else { "" };
    out.push_str(&tr!("{verb}created {created}, changed {updated}, unchanged {unchanged}, not imported {refused}\n"));
    let ImageTotals { found, added, unchanged, refused } = report.images;
    if found > 0 && report.dry_run {
        out.push_str(&tr!("{} would become files of the records\n", count(found, "image", "images")));
    } else if found > 0 {
        out.push_str(&tr!("images: added {added}, unchanged {unchanged}, not added {refused}\n"));
    }
    if report.images_not_imported > 0 {
        let images = count(report.images_not_imported, "image", "images");
        out.push_str(&tr!("{images} not imported; the texts keep their references\n"));
    }
    if report.passed_over > 0 {
        let files = count(report.passed_over, "file", "files");
        out.push_str(&tr!("{files} of other formats passed over\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_both_sides() {
        let mut report = Report { passed_over: 1, ..Report::default() };
        report.take(vec![Imported {
            document: DocumentId([0; 16]),
            source: "b.md".into(),
            outcome: ImportOutcome::Refused { reason: "too large".into() },
            warnings: vec![],
        }]);
        let reading = Reading {
            images: Vec::new(),
            images_left: 2,
            refused: vec![Refused { source: "a\u{202e}.md".into(), reason: "holds no text".into() }],
            warnings: vec![],
        };
        let totals = ImportTotals { created: 3, refused: 1, ..ImportTotals::default() };
        assert!(report.finish(reading, Ok(totals)).0.is_none());
        assert_eq!(
            human(&report),
            "not imported: a\\u{202e}.md: holds no text\nnot imported: b.md: too large\n\
             created 3, changed 0, unchanged 0, not imported 2\n\
             2 images not imported; the texts keep their references\n1 file of other formats passed over\n"
        );
    }

    #[test]
    fn a_dry_run_says_that_nothing_was_imported() {
        assert_eq!(refused(1, true).safe, "Nothing was imported: this was a dry run.");
        assert_eq!(refused(2, false).message, "2 files were not imported");
    }

    #[test]
    fn a_path_that_is_not_there_is_not_found() {
        let gone = Fault::Io(std::io::Error::from(std::io::ErrorKind::NotFound)).at("gone");
        assert_eq!(unreadable(gone).kind, ErrorKind::NotFound);
        assert_eq!(unreadable(Fault::TooManyFiles(1).at("many")).kind, ErrorKind::Usage);
    }
}
