//! `portolan pouch export` and `resume`: volumes as the daemon writes them go to files, and each is read again from the medium
//! before it counts.

use std::path::{Path, PathBuf};

use clap::Args;
use portolan_protocol::{
    api::{AttachmentsLeftOut, ExportRequest, PouchAttachments, PouchLoad, PouchVolume, SentPouch, VolumeVerified},
    id::PouchId,
    limits::VOLUMES_MAX,
};
use serde::Serialize;

use super::words;
use crate::{
    args,
    client::Client,
    context::Context,
    error::{ApiError, ErrorKind, Result},
    medium::{self, PouchDirectory},
    output::{self, count},
    progress::Progress,
    resolve, text,
};

/// How often it is asked how many entries are written.
const ASK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Args, Debug)]
pub struct Export {
    /// For whom: peers by name, id, or the start of one, with commas between them
    #[arg(long, value_name = "PEER", value_delimiter = ',', required = true)]
    to: Vec<String>,
    /// The medium: an existing directory, in which a new one is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// This space alone (name, id, or the start of one); otherwise all that all of them share
    #[arg(long)]
    space: Option<String>,
    /// Bytes of a volume at most, such as 700M or 3G
    #[arg(long, value_name = "BYTES", value_parser = args::bytes)]
    volume_size: Option<u64>,
    /// Everything, not only what they have not receipted
    #[arg(long)]
    full: bool,
    /// Which files of records: all, none, or below=SIZE such as below=10MB
    #[arg(long, value_name = "WHICH", value_parser = which)]
    attachments: Option<PouchAttachments>,
    /// Round sizes up, so that they say less about how much there is
    #[arg(long)]
    padded: bool,
}

#[derive(Args, Debug)]
pub struct Resume {
    /// The pouch, as `export` and `list` name it, or the start of that
    pouch: String,
    /// The medium to go on with, the same or another
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    pouch: PouchId,
    directory: PathBuf,
    to: Vec<String>,
    entries: u64,
    payloads: u64,
    attachments: u64,
    attachment_bytes: u64,
    left_out: AttachmentsLeftOut,
    /// Written and verified by this command.
    volumes: Vec<PouchVolume>,
    complete: bool,
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        must_be_writable(&self.out)?;
        let mut to = Vec::new();
        for typed in &self.to {
            to.push(resolve::peer(&client, typed).await?.node);
        }
        let space = match &self.space {
            Some(typed) => Some(resolve::space(&client, typed).await?.id),
            None => None,
        };
        let load = if self.full { PouchLoad::Everything } else { PouchLoad::Missing };
        let request = ExportRequest {
            to,
            space,
            load,
            volume_bytes: self.volume_size,
            padded: self.padded,
            attachments: self.attachments.unwrap_or_default(),
        };
        let sent: SentPouch = client.post("/pouches", &request).await?;
        let report = write(&client, sent, &self.out, false).await?;
        context.output.show(&report, human)
    }
}

impl Resume {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        must_be_writable(&self.out)?;
        let sent = resolve::pouch(&client, &self.pouch).await?;
        if sent.complete {
            return Err(ApiError::new(ErrorKind::Conflict, "all volumes of this pouch were written and found whole")
                .safe("Nothing was changed.")
                .next("If a volume is lost, export again: what is not receipted goes into every new pouch."));
        }
        let report = write(&client, sent, &self.out, true).await?;
        context.output.show(&report, human)
    }
}

/// Writes a pouch that carries receipts alone. Returns its directory.
pub(super) async fn receipts(client: &Client, to: portolan_protocol::id::NodeId, out: &Path) -> Result<PathBuf> {
    must_be_writable(out)?;
    let request = ExportRequest {
        to: vec![to],
        space: None,
        load: PouchLoad::Receipts,
        volume_bytes: None,
        padded: false,
        attachments: PouchAttachments::None,
    };
    let sent: SentPouch = client.post("/pouches", &request).await?;
    write(client, sent, out, false).await.map(|report| report.directory)
}

/// Before anything is packed for it.
fn must_be_writable(out: &Path) -> Result<()> {
    match out.metadata() {
        Ok(found) if found.is_dir() => medium::must_be_writable(out)
            .map_err(|error| crate::error::file("write to", out, &error).safe("Nothing was written.")),
        Ok(_) => Err(crate::error::usage(format!("{} is no directory", out.display())).safe("Nothing was written.")),
        Err(error) => Err(crate::error::file("write to", out, &error)
            .safe("Nothing was written.")
            .next("Insert and mount the medium, and name the directory where it is mounted.")),
    }
}

/// Writes all volumes that were not found whole on a medium yet.
async fn write(client: &Client, sent: SentPouch, out: &Path, resume: bool) -> Result<Report> {
    let directory = PouchDirectory::make(out, sent.id, resume).map_err(|error| broken_off(error, &sent, 0))?;
    let mut report = Report {
        pouch: sent.id,
        directory: directory.path().into(),
        to: sent.to.iter().map(|to| to.name.clone()).collect(),
        entries: sent.entries,
        payloads: sent.payloads,
        attachments: sent.attachments,
        attachment_bytes: sent.attachment_bytes,
        left_out: sent.left_out,
        volumes: Vec::new(),
        complete: false,
    };
    let mut sent = sent;
    let mut written = Written { bytes: 0, entries: 0, attachment_bytes: 0, attachment_bytes_before: 0 };
    written.reach(&sent);
    written.attachment_bytes_before = written.attachment_bytes;
    let progress = Progress::bytes("writing", 0);
    while !sent.complete {
        let next = sent.volumes.iter().find(|volume| !volume.verified).map(|volume| volume.number);
        let number = next.unwrap_or(sent.volumes.len() as u16 + 1);
        if number > VOLUMES_MAX {
            drop(progress);
            return Err(ApiError::new(ErrorKind::Conflict, format!("a pouch has at most {VOLUMES_MAX} volumes"))
                .safe("Those on the medium are whole and can be carried.")
                .next("Export the rest after their receipt has come, or all of it with a larger --volume-size."));
        }
        match volume(client, &directory, &sent, number, &mut written, &progress).await {
            Ok(after) => sent = after,
            Err(error) => {
                drop(progress);
                directory.remove_if_empty();
                return Err(broken_off(error, &sent, report.volumes.len()));
            }
        }
        report.volumes.extend(sent.volumes.iter().find(|volume| volume.number == number).cloned());
    }
    report.complete = sent.complete;
    Ok(report)
}

/// What this command has written.
struct Written {
    bytes: u64,
    entries: u64,
    /// Of all volumes so far, and of those that were there before.
    attachment_bytes: u64,
    attachment_bytes_before: u64,
}

impl Written {
    fn reach(&mut self, sent: &SentPouch) {
        (self.entries, self.attachment_bytes) = (sent.entries_written, sent.attachment_bytes_written);
    }
}

/// Writes one volume, reads it again, and says so. Returns how the pouch is then.
async fn volume(
    client: &Client,
    directory: &PouchDirectory,
    sent: &SentPouch,
    number: u16,
    written: &mut Written,
    progress: &Progress,
) -> Result<SentPouch> {
    let path = format!("/pouches/{}/volumes/{number}", sent.id);
    // It may be there already, from an attempt that ended before that was said.
    let hex = |hash: &[u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let kept = |hash: &[u8; 32]| sent.volumes.iter().any(|volume| volume.number == number && volume.hash == hex(hash));
    if let Some(hash) = directory.whole(number, kept)? {
        return client.post(&path, &VolumeVerified { hash: hex(&hash) }).await;
    }
    let mut stream = client.bytes(&path).await?;
    let mut file = directory.begin(number)?;
    let before = written.bytes;
    let mut asked = std::time::Instant::now();
    while let Some(bytes) = stream.next().await? {
        file.add(&bytes)?;
        written.bytes = before + file.bytes();
        if asked.elapsed() > ASK_EVERY {
            asked = std::time::Instant::now();
            written.reach(&client.get(&format!("/pouches/{}", sent.id)).await?);
        }
        progress.reach("writing", written.bytes, estimate(written, sent));
    }
    progress.reach("verifying", written.bytes, estimate(written, sent));
    let hash = tokio::task::spawn_blocking(move || file.finish()).await;
    let hash = hash.map_err(|_| crate::error::internal("reading the volume again stopped"))??;
    client.post(&path, &VolumeVerified { hash: hex(&hash) }).await
}

/// Bytes that it will be, about: those so far, as many for each entry that is left, and what is left of attachments.
fn estimate(written: &Written, sent: &SentPouch) -> u64 {
    let of_entries = written.bytes.saturating_sub(written.attachment_bytes - written.attachment_bytes_before);
    let rate = of_entries.checked_div(written.entries).unwrap_or_default();
    let left = rate * sent.entries.saturating_sub(written.entries);
    written.bytes + left + sent.attachment_bytes.saturating_sub(written.attachment_bytes)
}

/// Reads which attachments are to be carried.
fn which(text: &str) -> std::result::Result<PouchAttachments, String> {
    match text {
        "all" => Ok(PouchAttachments::All),
        "none" => Ok(PouchAttachments::None),
        _ => match text.strip_prefix("below").and_then(|size| size.strip_prefix(['=', ' '])) {
            Some(size) => args::bytes(size.trim()).map(PouchAttachments::Below),
            None => Err("expected all, none, or below=SIZE such as below=10MB".to_owned()),
        },
    }
}

/// What it means that the writing broke off.
fn broken_off(error: ApiError, sent: &SentPouch, volumes: usize) -> ApiError {
    let whole = count(volumes as u64, "volume is", "volumes are");
    let safe = match volumes {
        0 => "No volume was finished, and nothing counts as sent.".to_owned(),
        _ => {
            tr!("{whole} whole on the medium and can be carried; nothing counts as sent before its receipt comes.")
        }
    };
    let resume = format!("`portolan pouch resume {} --out DIR`", sent.id);
    match error.kind {
        ErrorKind::DiskFull if volumes == 0 => error
            .safe(safe)
            .next(format!("Use a larger medium with {resume}, or export again in smaller parts with --volume-size.")),
        ErrorKind::DiskFull => error.safe(safe).next(format!("Put in another medium and go on with {resume}.")),
        ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Conflict => error,
        _ => error.safe(safe).next(format!("Go on with {resume}, on this medium or another.")),
    }
}

fn human(report: &Report) -> String {
    let names: Vec<String> = report.to.iter().map(|name| text::shown(name)).collect();
    let bytes = output::bytes(report.volumes.iter().map(|volume| volume.bytes).sum());
    let volumes = count(report.volumes.len() as u64, "volume", "volumes");
    let mut out = tr!(
        "pouch {} for {}: {}, {volumes}, {bytes}\nin {}\n",
        report.pouch,
        names.join(", "),
        words::carried(report.entries, report.payloads, report.attachments, report.attachment_bytes),
        report.directory.display(),
    );
    if report.entries + report.payloads + report.attachments == 0 {
        out.push_str(&tr!(
            "They have receipted everything; the pouch carries receipts alone. --full sends all of it again.\n"
        ));
    }
    for line in left_out(&report.left_out) {
        out.push_str(&format!("{line}\n"));
    }
    for id in report.volumes.iter().flat_map(|volume| &volume.unread) {
        out.push_str(&tr!("the file {id} could not be read to its end here: see `portolan attachment verify`\n"));
    }
    out.push_str(&format!("{}\n", words::carry(&names)));
    out
}

/// What is said of files that are not in it.
fn left_out(left_out: &AttachmentsLeftOut) -> Vec<String> {
    let AttachmentsLeftOut { known, missing, larger, too_many, is_unknown } = *left_out;
    let files = |number| count(number, "file", "files");
    let lines = [
        (known, tr!("{} not packed: they said that they hold them (--full packs them again)", files(known))),
        (missing, tr!("{} not packed: not on this node", files(missing))),
        (larger, tr!("{} not packed: too large (--attachments all)", files(larger))),
        (too_many, tr!("{} not packed: more than one pouch carries; they go into the next", files(too_many))),
    ];
    let unknown = tr!("no files packed: records cannot be looked at; see `portolan check`");
    lines
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(_, line)| line)
        .chain(is_unknown.then_some(unknown))
        .collect()
}
