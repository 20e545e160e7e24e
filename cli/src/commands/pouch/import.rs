//! `portolan pouch import`: volumes go to the daemon, one after the other, and the receipt goes back onto the medium, or becomes
//! a code where the medium takes none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::Args;
use portolan_protocol::{
    api::{Pouches, TakenVolume, VolumeEvent, VolumeQuery, VolumeStage},
    id::{NodeId, PouchId},
    pouch::parse_directory_name,
};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{export, look, words};
use crate::{
    client::Client,
    context::Context,
    error::{ApiError, ErrorKind, Result, file, internal},
    medium::{self, Found},
    output::{self, count},
    progress::Progress,
    qr, text,
};

/// Bytes that go to the daemon at a time, and how many such pieces may wait.
const PIECE_BYTES: usize = 1 << 20;
const AHEAD: usize = 4;
/// Bytes that are given up where the medium cannot be read, and how often in one volume.
const LOST_BYTES: usize = 64 << 10;
const LOST_MAX: usize = 64;

#[derive(Args, Debug)]
pub struct Import {
    /// The medium, the directory of a pouch, or one volume
    path: PathBuf,
    /// Say what would come, and take nothing
    #[arg(long)]
    dry_run: bool,
    /// Write no receipt onto the medium; show it as a code
    #[arg(long)]
    code: bool,
    /// Write the code as a picture too
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What `--json` shows.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    dry_run: bool,
    taken: Vec<TakenVolume>,
    /// Volumes that are for others, or this node's own.
    passed_over: u64,
    failed: Vec<Failed>,
    /// Where receipts for the senders were written.
    receipts: Vec<PathBuf>,
    /// Receipts that could not be written, as codes for the senders.
    codes: Vec<Code>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Failed {
    path: PathBuf,
    error: ApiError,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Code {
    for_node: NodeId,
    name: String,
    pouch: PouchId,
    code: String,
    /// Why it is not on the medium.
    reason: String,
}

impl Import {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let search = look::found(&self.path)?;
        let own: Pouches = client.get("/pouches").await?;
        let own: BTreeSet<PouchId> = own.sent.iter().map(|sent| sent.id).collect();
        let mut report = Report { dry_run: self.dry_run, ..Report::default() };
        let total = search.volumes.iter().filter_map(|found| found.open().ok()).map(|(_, bytes)| bytes).sum();
        let progress = Progress::bytes("reading", total);
        let mut before = 0;
        for found in &search.volumes {
            if own.contains(&found.name.pouch) {
                report.passed_over += 1;
                continue;
            }
            match take(&client, found, self.dry_run, |label, bytes| progress.reach(label, before + bytes, total)).await
            {
                Ok(Some(taken)) => report.taken.push(taken),
                Ok(None) => report.passed_over += 1,
                Err(error) if error.kind == ErrorKind::Unavailable => return Err(error),
                Err(error) => report.failed.push(Failed { path: found.path.clone(), error }),
            }
            before += found.open().map_or(0, |(_, bytes)| bytes);
        }
        drop(progress);
        if !self.dry_run {
            self.acknowledge(&client, &mut report).await?;
        }
        context.output.show(&report, human)?;
        verdict(&report)
    }

    /// Writes receipts for all senders of volumes that were taken.
    async fn acknowledge(&self, client: &Client, report: &mut Report) -> Result<()> {
        let mut senders: BTreeMap<NodeId, Vec<&TakenVolume>> = BTreeMap::new();
        report
            .taken
            .iter()
            .filter(|taken| taken.entries + taken.payloads + taken.attachments > 0)
            .for_each(|taken| senders.entry(taken.from).or_default().push(taken));
        let medium = medium_of(&self.path);
        let mut codes = Vec::new();
        for (node, volumes) in senders {
            let reason = if self.code {
                tr!("it was asked for as a code")
            } else {
                match export::receipts(client, node, medium).await {
                    Ok(path) => {
                        report.receipts.push(path);
                        continue;
                    }
                    Err(error) => error.message,
                }
            };
            // The last word of each pouch says it for all of its volumes.
            let last: BTreeMap<PouchId, &TakenVolume> =
                volumes.into_iter().filter(|taken| taken.code.is_some()).map(|taken| (taken.pouch, taken)).collect();
            codes.extend(last.into_values().map(|taken| Code {
                for_node: node,
                name: taken.name.clone(),
                pouch: taken.pouch,
                code: taken.code.clone().unwrap_or_default(),
                reason: reason.clone(),
            }));
        }
        if let (Some(path), Some(code)) = (&self.svg, codes.first()) {
            fs::write(path, qr::picture(&code.code)?).map_err(|error| file("write", path, &error))?;
        }
        report.codes = codes;
        Ok(())
    }
}

/// The directory beside which pouches are: where receipts go.
fn medium_of(path: &Path) -> &Path {
    let is_pouch =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).and_then(parse_directory_name).is_some();
    let directory = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    if is_pouch(directory) { directory.parent().unwrap_or(directory) } else { directory }
}

/// Gives one volume to the daemon; none when it is for others.
pub(super) async fn take(
    client: &Client,
    found: &Found,
    dry_run: bool,
    mut tell: impl FnMut(&str, u64),
) -> Result<Option<TakenVolume>> {
    // What is no volume need not go to the daemon first.
    medium::inspect(found)?;
    let (opened, bytes) = found.open()?;
    let (sender, pieces) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        read(bytes, |piece, at| opened.read_at(piece, at), |piece| sender.blocking_send(piece).is_ok())
    });
    let query = VolumeQuery { bytes, dry_run };
    let mut events = client.exchange("/pouches/volumes", &query, pieces).await?;
    let outcome = loop {
        match events.next().await? {
            Some(VolumeEvent::Progress { stage, bytes }) => tell(&label(stage), bytes),
            Some(VolumeEvent::Done { taken }) => break Ok(Some(taken)),
            Some(VolumeEvent::NotForThisNode) => break Ok(None),
            Some(VolumeEvent::Failed { error }) => {
                let message = format!("{}: {}", found.path.display(), error.message);
                break Err(ApiError { message, ..error });
            }
            None => {
                break Err(ApiError::new(ErrorKind::Unavailable, "the daemon ended without saying how it went")
                    .safe("What it took before is kept, and importing again adds nothing twice.")
                    .next("See `portolan status`, then import again."));
            }
        }
    };
    drop(events);
    let read = reading.await.map_err(|_| internal("reading the medium stopped"))?;
    match (outcome, read) {
        // That the medium cannot be read is the cause of what the daemon then says.
        (Err(_), Err(error)) => Err(medium::unreadable(&found.path, &error)),
        (outcome, _) => outcome,
    }
}

fn label(stage: VolumeStage) -> String {
    match stage {
        VolumeStage::Staging => tr!("reading"),
        VolumeStage::Verifying => tr!("verifying"),
        VolumeStage::Taking | VolumeStage::Unknown => tr!("taking"),
    }
}

/// Reads a volume to its end. What the medium does not give goes on as zeros: the checks of the volume find them, and behind its
/// closing they cost the files that they hit and nothing else. Returns the first error then.
fn read(
    bytes: u64,
    read_at: impl Fn(&mut [u8], u64) -> io::Result<usize>,
    mut send: impl FnMut(Bytes) -> bool,
) -> io::Result<()> {
    let (mut at, mut lost, mut first) = (0, 0, Ok(()));
    while at < bytes {
        let most = |most: usize| usize::try_from(bytes - at).map_or(most, |left| left.min(most));
        let mut piece = vec![0; most(PIECE_BYTES)];
        match read_at(&mut piece, at) {
            Ok(0) => break,
            Ok(length) => piece.truncate(length),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if lost == LOST_MAX => return first.and(Err(error)),
            Err(error) => {
                lost += 1;
                first = first.and(Err(error));
                piece = vec![0; most(LOST_BYTES)];
            }
        }
        at += piece.len() as u64;
        // Nobody takes any more: the daemon has said why.
        if !send(piece.into()) {
            break;
        }
    }
    first
}

/// The first failure, or that something waits.
fn verdict(report: &Report) -> Result<()> {
    if let Some(Failed { error, .. }) = report.failed.first() {
        return Err(error.clone());
    }
    if report.taken.is_empty() {
        return Err(ApiError::new(ErrorKind::PouchRefused, "nothing on the medium is for this node")
            .safe("Nothing was changed.")
            .next("Give it to those that it is for."));
    }
    if !report.dry_run && report.taken.iter().any(|taken| taken.lacking_ranges > 0) {
        return Err(ApiError::new(ErrorKind::Incomplete, "some entries wait for what is not here yet")
            .safe("What could be taken is kept.")
            .next("Import the other volumes of the pouch and then this one again, sync with those named above, or ask the sender for `portolan pouch export --full`."));
    }
    let failed = report.taken.iter().flat_map(|taken| &taken.attachments_lacking).find_map(|file| file.error.clone());
    if let Some(error) = failed {
        let number = count(report.taken.iter().map(|taken| taken.attachments_failed).sum(), "file", "files");
        let message = tr!("{number} did not come whole: {}", error.message);
        return Err(ApiError {
            message,
            safe: tr!("All records were taken, and what came of the files is kept."),
            ..error
        });
    }
    Ok(())
}

/// What came of the files of a volume.
fn files(taken: &TakenVolume, dry_run: bool) -> String {
    if taken.attachments == 0 {
        return String::new();
    }
    let new = count(taken.attachments_new, "file", "files");
    let mut out = match (dry_run, taken.attachments_new) {
        (true, _) => tr!("  {new} not here yet\n"),
        (false, 0) => String::new(),
        (false, _) => tr!("  {new} came to the end\n"),
    };
    if let (Some(damage), 0) = (&taken.attachments_damage, taken.attachments_failed) {
        out.push_str(&tr!("  the volume is {damage}; nothing is lacking for it\n"));
    }
    for file in &taken.attachments_lacking {
        let name = if file.name.is_empty() { file.id.to_string() } else { text::shown(&file.name) };
        let (held, bytes) = (output::bytes(file.held), output::bytes(file.bytes));
        let why = match &file.error {
            None => tr!("the rest is in another volume, or with partners who hold it"),
            Some(error) => text::shown(&error.message),
        };
        out.push_str(&tr!("  {name}: {held} of {bytes} are here; {why}\n"));
    }
    out
}

fn human(report: &Report) -> String {
    let mut out = String::new();
    for taken in &report.taken {
        let what = if report.dry_run { tr!("would be new") } else { tr!("new") };
        out.push_str(&tr!(
            "{} volume {} from {}: {}, {} {what}\n",
            taken.pouch,
            taken.number,
            text::shown(&taken.name),
            words::carried(taken.entries, taken.payloads, taken.attachments, taken.attachment_bytes),
            taken.new,
        ));
        out.push_str(&files(taken, report.dry_run));
        for lacking in &taken.lacking {
            let range = tr!("entries {} to {}", lacking.from, lacking.to);
            let suppliers: Vec<String> = lacking.suppliers.iter().map(|name| text::shown(name)).collect();
            let why = match (lacking.refused.is_empty(), suppliers.is_empty()) {
                (false, _) => tr!("not taken: {}", lacking.refused),
                (true, true) => tr!("waiting for those from {}", lacking.held),
                (true, false) => {
                    tr!("waiting for those from {}, which {} holds", lacking.held, suppliers.join(" or "))
                }
            };
            out.push_str(&format!("  {range}: {why}\n"));
        }
    }
    // The first is the error that the command ends with.
    for Failed { error, .. } in report.failed.iter().skip(1) {
        out.push_str(&format!("{}\n", text::shown(&error.message)));
    }
    if report.passed_over > 0 {
        out.push_str(&tr!("{} for others, or this node's own\n", count(report.passed_over, "volume", "volumes")));
    }
    for code in &report.codes {
        out.push_str(&tr!(
            "the receipt for {} is not on the medium: {}\n\n",
            text::shown(&code.name),
            text::shown(&code.reason)
        ));
        out.push_str(&qr::terminal(&code.code).unwrap_or_default());
        out.push_str(&format!("\n{}\n\n", code.code));
    }
    let names = |nodes: BTreeSet<&String>| nodes.into_iter().map(|name| text::shown(name)).collect::<Vec<_>>();
    let senders = names(report.taken.iter().map(|taken| &taken.name).collect());
    out.push_str(&match (report.receipts.is_empty(), report.codes.is_empty()) {
        (false, _) => words::carry_back(&senders),
        (true, false) => words::send_code(&names(report.codes.iter().map(|code| &code.name).collect())),
        (true, true) => tr!("Safe to remove: eject the medium."),
    });
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Reads a volume whose bytes are 7, from a medium that gives none from those places to the next 512.
    fn read_around(bytes: u64, bad: impl Fn(u64) -> bool) -> (Vec<u8>, io::Result<()>) {
        let read_at = |piece: &mut [u8], at: u64| {
            let good = (at..bytes).step_by(512).take_while(|at| !bad(at / 512)).count() * 512;
            let length = good.min(piece.len());
            piece[..length].fill(7);
            if length == 0 { Err(io::Error::other(format!("bad at {at}"))) } else { Ok(length) }
        };
        let mut came = Vec::new();
        let read = read(bytes, read_at, |piece| {
            came.extend_from_slice(&piece);
            true
        });
        (came, read)
    }

    #[test]
    fn a_bad_sector_costs_what_is_around_it_and_is_told_at_the_end() {
        let bytes = 3 << 20;
        let (came, read) = read_around(bytes, |sector| [2000, 5000].contains(&sector));
        assert_eq!(read.unwrap_err().to_string(), format!("bad at {}", 2000 * 512));
        assert_eq!(came.len() as u64, bytes);
        assert_eq!(came.iter().filter(|byte| **byte == 0).count(), 2 * LOST_BYTES);
        assert_eq!((came[2000 * 512 - 1], came[2000 * 512], came[2000 * 512 + LOST_BYTES]), (7, 0, 7));
        let (came, read) = read_around(bytes, |_| false);
        assert!(read.is_ok() && came == vec![7; came.len()] && came.len() as u64 == bytes);
    }

    #[test]
    fn a_medium_that_was_pulled_out_is_given_up() {
        let (came, read) = read_around(1 << 30, |sector| sector >= 1);
        assert_eq!(read.unwrap_err().to_string(), "bad at 512");
        assert_eq!(came.len(), 512 + LOST_MAX * LOST_BYTES);
    }
}
