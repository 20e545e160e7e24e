//! `portolan attachment get`: a file of a record, fetched first where it is not here.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;
use portolan_protocol::{
    api::{Attachment, AttachmentState, FetchEvent},
    id::AttachmentId,
};
use serde::Serialize;
use tempfile::NamedTempFile;

use super::named;
use crate::{
    client::{Bytestream, Client},
    context::Context,
    error::{ApiError, ErrorKind, Result, file, internal},
    output,
    progress::Progress,
    resolve,
};

#[derive(Args, Debug)]
pub struct Get {
    /// The record: its id, or the start of it
    record: String,
    /// The file: its name, its id, or the start of that
    attachment: String,
    /// The space the record is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// Where to write it; - is standard output [default: its name, in this directory]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over what is there
    #[arg(long)]
    force: bool,
}

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    attachment: AttachmentId,
    file: PathBuf,
    size: u64,
    /// Bytes of the ciphertext that were here before, and that came now.
    resumed_at: u64,
    fetched: u64,
}

impl Get {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.record).await?;
        let one = named::find(&client, space, document, &self.attachment).await?;
        let target = self.target(&one)?;
        let path = format!("{}/{}", named::path(space, document), one.id);
        let (resumed_at, fetched) = match one.state {
            AttachmentState::Held => (0, 0),
            _ => fetch(&client, &path).await?,
        };
        let bytes = client.bytes(&path).await?;
        let progress = Progress::bytes("writing", one.size.unwrap_or_default());
        let Some(target) = target else {
            return copy(bytes, std::io::stdout().lock(), Path::new("standard output"), &progress).await.map(|_| ());
        };
        let size = self.write(bytes, &target, &progress).await?;
        drop(progress);
        let report = Report { attachment: one.id, file: target, size, resumed_at, fetched };
        context.output.show(&report, |report| {
            format!("{} ({})\n", crate::text::shown(&report.file.display().to_string()), output::bytes(report.size))
        })
    }

    /// Where to write; none for standard output. What is there is found before anything is fetched.
    fn target(&self, one: &Attachment) -> Result<Option<PathBuf>> {
        let target = match &self.out {
            Some(out) if out.as_os_str() == "-" => return Ok(None),
            Some(out) if out.is_dir() => out.join(named::harmless(one)),
            Some(out) => out.clone(),
            None => PathBuf::from(named::harmless(one)),
        };
        if !self.force && target.symlink_metadata().is_ok() {
            return Err(exists(&target));
        }
        Ok(Some(target))
    }

    /// Writes beside the target, and gives it its name once it is whole.
    async fn write(&self, bytes: Bytestream, target: &Path, progress: &Progress) -> Result<u64> {
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => env::current_dir().map_err(|error| file("find", Path::new("."), &error))?,
        };
        let cannot = |error| file("write", target, &error);
        let mut draft = NamedTempFile::new_in(directory).map_err(cannot)?;
        let size = copy(bytes, draft.as_file_mut(), target, progress).await?;
        draft.as_file().sync_all().map_err(cannot)?;
        let kept = if self.force { draft.persist(target) } else { draft.persist_noclobber(target) };
        match kept {
            Ok(_) => Ok(size),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(target)),
            Err(error) => Err(cannot(error.error)),
        }
    }
}

fn exists(target: &Path) -> ApiError {
    ApiError::new(ErrorKind::Conflict, format!("{} is there already", target.display()))
        .safe("Nothing was written.")
        .next("Give another name with --out, or write over it with --force.")
}

async fn copy(mut bytes: Bytestream, mut out: impl std::io::Write, path: &Path, progress: &Progress) -> Result<u64> {
    let mut size = 0;
    while let Some(part) = bytes.next().await? {
        out.write_all(&part).map_err(|error| file("write", path, &error))?;
        size += part.len() as u64;
        progress.reach("writing", size, size);
    }
    out.flush().map_err(|error| file("write", path, &error))?;
    Ok(size)
}

/// Has the daemon fetch it. Bytes that were here, and that came.
async fn fetch(client: &Client, path: &str) -> Result<(u64, u64)> {
    let progress = Progress::bytes("fetching", 0);
    let mut events = client.stream(&format!("{path}/fetch"), &serde_json::json!({})).await?;
    loop {
        match events.next().await? {
            Some(FetchEvent::Progress { bytes, total }) => progress.reach("fetching", bytes, total),
            Some(FetchEvent::Done { resumed_at, fetched }) => return Ok((resumed_at, fetched)),
            Some(FetchEvent::Failed { error }) => return Err(error),
            None => return Err(internal("the daemon ended without saying how it went")),
        }
    }
}
