//! `portolan pouch inspect` and `verify`: what can be known of a medium without a key.

use std::path::Path;

use portolan_protocol::id::PouchId;
use serde::Serialize;

use crate::{
    context::Context,
    error::{ApiError, ErrorKind, Result, not_found},
    medium::{self, Found},
    output::{self, count},
    progress::Progress,
    text,
};

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    volumes: Vec<Volume>,
    /// Files and directories that are no volumes.
    others: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Volume {
    path: String,
    pouch: PouchId,
    number: u16,
    bytes: Option<u64>,
    /// The hash that it ends with, once all of it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ApiError>,
}

pub(super) fn inspect(context: &Context, path: &Path) -> Result<()> {
    let search = found(path)?;
    let volumes = search.volumes.iter().map(|found| match medium::inspect(found) {
        Ok(looked) => Volume { bytes: Some(looked.bytes), ..plain(found) },
        Err(error) => Volume { error: Some(error), ..plain(found) },
    });
    let report = Report { volumes: volumes.collect(), others: search.others };
    context.output.show(&report, |report| human(report, "readable"))?;
    failure(report)
}

pub(super) fn verify(context: &Context, path: &Path) -> Result<()> {
    let search = found(path)?;
    let total: u64 = search.volumes.iter().filter_map(|found| found.open().ok()).map(|(_, bytes)| bytes).sum();
    let progress = Progress::bytes("verifying", total);
    let mut done = 0;
    let volumes = search.volumes.iter().map(|found| {
        let outcome = medium::verify(found, |bytes| {
            done += bytes;
            progress.reach("verifying", done, total);
        });
        match outcome {
            Ok(whole) => Volume {
                bytes: Some(whole.looked.bytes),
                hash: Some(whole.hash.iter().map(|byte| format!("{byte:02x}")).collect()),
                ..plain(found)
            },
            Err(error) => Volume { error: Some(error), ..plain(found) },
        }
    });
    let report = Report { volumes: volumes.collect(), others: search.others };
    drop(progress);
    context.output.show(&report, |report| human(report, "whole"))?;
    failure(report)
}

/// The volumes there; none at all is an error.
pub(super) fn found(path: &Path) -> Result<medium::Search> {
    let search = medium::search(path)?;
    if search.volumes.is_empty() {
        return Err(not_found(format!("there is no pouch in {}", path.display()))
            .next("Name the medium, or the directory of a pouch in it."));
    }
    Ok(search)
}

fn plain(found: &Found) -> Volume {
    let path = found.path.display().to_string();
    Volume { path, pouch: found.name.pouch, number: found.name.volume, bytes: None, hash: None, error: None }
}

fn failure(report: Report) -> Result<()> {
    let wrong = report.volumes.iter().filter(|volume| volume.error.is_some()).count() as u64;
    let Some(first) = report.volumes.into_iter().find_map(|volume| volume.error) else { return Ok(()) };
    let kind = if first.kind == ErrorKind::Unknown { ErrorKind::PouchDamaged } else { first.kind };
    Err(ApiError::new(kind, tr!("{} not whole: {}", count(wrong, "volume is", "volumes are"), first.message))
        .safe("The other volumes can be used.")
        .next("Copy the volumes again, or ask the sender to send again."))
}

/// One word for a table.
fn state(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PouchDamaged => "DAMAGED",
        ErrorKind::Conflict => "OF A NEWER RELEASE",
        _ => "UNREADABLE",
    }
}

fn human(report: &Report, good: &str) -> String {
    let rows: Vec<Vec<String>> = report
        .volumes
        .iter()
        .map(|volume| {
            let size = volume.bytes.map(output::bytes).unwrap_or_default();
            let state = volume.error.as_ref().map_or(good, |error| state(error.kind));
            vec![volume.pouch.to_string(), volume.number.to_string(), size, state.to_owned()]
        })
        .collect();
    let mut out = output::table(&["pouch", "volume", "size", "state"], &rows);
    // The first is the error that the command ends with.
    for error in report.volumes.iter().filter_map(|volume| volume.error.as_ref()).skip(1) {
        out.push_str(&format!("{}\n", text::shown(&error.message)));
    }
    if report.others > 0 {
        let others = count(report.others, "other file", "other files");
        out.push_str(&tr!("{others} passed over; volumes are known by the names that they were written with\n"));
    }
    if report.volumes.iter().all(|volume| volume.error.is_none()) {
        out.push_str(&tr!("Safe to remove: eject the medium, and carry it on.\n"));
    }
    out
}
