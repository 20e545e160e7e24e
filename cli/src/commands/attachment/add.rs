//! `portolan attachment add`: a file goes to the daemon, and what a learning package says of itself into the record's empty fields.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::Args;
use portolan_protocol::{
    api::{AddAttachment, AddEvent, AddedAttachment, DocumentView, EditDocument, Saved},
    id::{DocumentId, SpaceId},
    record::RecordDraft,
};
use serde::Serialize;
use tokio::sync::mpsc;

use super::named;
use crate::{
    client::Client,
    context::Context,
    error::{Result, file, internal, usage},
    fields, output,
    package::{self, Manifest},
    progress::Progress,
    resolve, text,
};

/// Bytes that go to the daemon at a time, and how many such pieces may wait.
const PIECE_BYTES: usize = 256 << 10;
const AHEAD: usize = 4;

#[derive(Args, Debug)]
pub struct Add {
    /// The record: its id, or the start of it
    record: String,
    /// The file
    file: PathBuf,
    /// The space the record is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// What it is called [default: the name of the file]
    #[arg(long)]
    name: Option<String>,
    /// The language of the name and the alternative text [default: the record's own]
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Its media type [default: told from its first bytes]
    #[arg(long = "type", value_name = "TYPE")]
    media_type: Option<String>,
    /// Its licence
    #[arg(long)]
    licence: Option<String>,
    /// What it shows, for those who do not see it
    #[arg(long = "alt", value_name = "TEXT")]
    alternative_text: Option<String>,
    /// Why, in a few words, for the history
    #[arg(long, default_value = "")]
    reason: String,
    /// Take nothing from the manifest of a learning package into the record
    #[arg(long)]
    no_manifest: bool,
}

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    #[serde(flatten)]
    added: AddedAttachment,
    /// Fields of the record that were empty and now say what the package's manifest says.
    taken_from_manifest: Vec<String>,
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.record).await?;
        let cannot = |error| file("read", &self.file, &error);
        let opened = File::open(&self.file).map_err(cannot)?;
        let meta = opened.metadata().map_err(cannot)?;
        if !meta.is_file() {
            return Err(usage(format!("{} is not a file", self.file.display())).safe("Nothing was changed."));
        }
        // Before it goes anywhere: a hostile package is refused.
        let manifest = if self.no_manifest { None } else { package::read(opened, &self.file)? };
        let opened = File::open(&self.file).map_err(cannot)?;
        let file = AddedFile { opened, path: &self.file, query: self.query(meta.len())? };
        let progress = Progress::bytes("adding", meta.len());
        let added = send(&client, space, document, file, |bytes| progress.reach("adding", bytes, meta.len())).await?;
        drop(progress);
        let taken = match manifest {
            Some(manifest) => take_over(&client, space, document, &manifest).await?,
            None => Vec::new(),
        };
        context.output.show(&Report { added, taken_from_manifest: taken }, human)
    }

    fn query(&self, size: u64) -> Result<AddAttachment> {
        let own = self.file.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(AddAttachment {
            name: self.name.clone().or(own),
            language: self.language.as_deref().map(fields::language).transpose()?,
            media_type: self.media_type.clone(),
            licence: self.licence.clone(),
            alternative_text: self.alternative_text.clone(),
            size: Some(size),
            reason: self.reason.clone(),
        })
    }
}

/// A file that goes to a record.
pub struct AddedFile<'a> {
    /// It, opened.
    pub opened: File,
    /// Its path, for messages.
    pub path: &'a Path,
    /// What is said of it.
    pub query: AddAttachment,
}

/// Has the daemon add a file to a record; `reached` is told how many bytes it has.
///
/// # Errors
/// It cannot be read, or the daemon does not take it.
pub async fn send(
    client: &Client,
    space: SpaceId,
    document: DocumentId,
    AddedFile { opened, path, query }: AddedFile<'_>,
    reached: impl Fn(u64),
) -> Result<AddedAttachment> {
    let (sender, pieces) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || read(opened, &sender));
    let mut events = client.exchange(&named::path(space, document), &query, pieces).await?;
    let outcome = loop {
        match events.next().await? {
            Some(AddEvent::Progress { bytes }) => reached(bytes),
            Some(AddEvent::Done { added }) => break Ok(*added),
            Some(AddEvent::Failed { error }) => break Err(error),
            None => break Err(internal("the daemon ended without saying how it went")),
        }
    };
    drop(events);
    let read = reading.await.map_err(|_| internal("reading the file stopped"))?;
    match (outcome, read) {
        // That the file cannot be read is the cause of what the daemon then says.
        (Err(_), Err(error)) => Err(file("read", path, &error)),
        (outcome, _) => outcome,
    }
}

fn read(mut opened: File, pieces: &mpsc::Sender<Bytes>) -> std::io::Result<()> {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let length = opened.read(&mut piece)?;
        piece.truncate(length);
        // Nobody takes any more: the daemon has said why.
        if length == 0 || pieces.blocking_send(piece.into()).is_err() {
            return Ok(());
        }
    }
}

/// Puts what a manifest says into those fields of the record that are empty. Their keys.
async fn take_over(client: &Client, space: SpaceId, document: DocumentId, manifest: &Manifest) -> Result<Vec<String>> {
    let path = format!("/spaces/{space}/documents/{document}");
    let view: DocumentView = client.get(&path).await?;
    let record = view.record;
    let own = record.language.as_deref().unwrap_or("und");
    let mut draft = RecordDraft::default();
    for (key, value) in manifest.fields(own, &record.kind) {
        // Empty means that no language has it: what people wrote is not set beside what a tool did.
        let stem = key.split('/').next().unwrap_or_default();
        let is_empty = !record.fields.keys().any(|held| held.split('/').next() == Some(stem));
        if is_empty {
            draft.fields.insert(key, value);
        }
    }
    let taken: Vec<String> = draft.fields.keys().cloned().collect();
    if !taken.is_empty() {
        let reason = tr!("from the manifest of a learning package");
        let request = EditDocument { draft, base: Some(record.heads), reason };
        let _: Saved = client.patch(&path, &request).await?;
    }
    Ok(taken)
}

fn human(report: &Report) -> String {
    let Report { added, taken_from_manifest } = report;
    let mut out =
        format!("{} {} of {}\n", added.attachment, output::bytes(added.size), text::shown(&added.media_type),);
    if added.reused {
        out.push_str(&tr!("it was here already, and is kept once\n"));
    }
    for warning in &added.warnings {
        out.push_str(&tr!("warning: {}\n", text::shown(warning)));
    }
    if !taken_from_manifest.is_empty() {
        let keys: Vec<String> = taken_from_manifest.iter().map(|key| text::shown(key)).collect();
        out.push_str(&tr!("taken from its manifest, since they were empty: {}\n", keys.join(", ")));
    }
    out
}
