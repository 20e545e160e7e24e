//! `portolan attachment verify`: every byte of the files of a record, or of all files on this node.

use clap::Args;
use portolan_protocol::api::{AttachmentState, Attachments, CheckedAttachment, VerifyEvent};
use serde::Serialize;

use super::named;
use crate::{
    client::Client,
    context::Context,
    error::{ApiError, ErrorKind, Result, internal},
    output::{self, count},
    progress::Progress,
    resolve,
};

#[derive(Args, Debug)]
pub struct Verify {
    /// The record: its id, or the start of it [default: all files on this node]
    record: Option<String>,
    /// The space the record is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
}

/// What `--json` shows.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    checked: Vec<CheckedAttachment>,
    /// Files of the record that are not here.
    missing: u64,
}

impl Verify {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let mut report = Report::default();
        match &self.record {
            None => read(&client, "/attachments/check", &mut report).await?,
            Some(record) => {
                let (space, document) = resolve::document(&client, self.space.as_deref(), record).await?;
                let path = named::path(space, document);
                let all: Attachments = client.get(&path).await?;
                for one in all.attachments {
                    match one.state {
                        AttachmentState::Held => {
                            read(&client, &format!("{path}/{}/verify", one.id), &mut report).await?;
                        }
                        _ => report.missing += 1,
                    }
                }
            }
        }
        context.output.show(&report, human)?;
        let damaged = report.checked.iter().filter(|checked| !checked.sound).count() as u64;
        if damaged == 0 {
            return Ok(());
        }
        Err(ApiError::new(ErrorKind::Damaged, format!("{} damaged", count(damaged, "file is", "files are")))
            .safe("They were set aside and count as missing; all others are whole.")
            .next("They are fetched again from partners: by themselves, or with `portolan attachment get`."))
    }
}

async fn read(client: &Client, path: &str, report: &mut Report) -> Result<()> {
    let progress = Progress::start("reading", None);
    let mut events = client.stream(path, &serde_json::json!({})).await?;
    loop {
        match events.next().await? {
            Some(VerifyEvent::Checked { checked }) => {
                report.checked.push(checked);
                progress.update("reading", report.checked.len() as u64, None);
            }
            Some(VerifyEvent::Done { .. }) => return Ok(()),
            Some(VerifyEvent::Failed { error }) => return Err(error),
            None => return Err(internal("the daemon ended without saying how it went")),
        }
    }
}

fn human(report: &Report) -> String {
    let mut out = String::new();
    for checked in report.checked.iter().filter(|checked| !checked.sound) {
        out.push_str(&tr!("DAMAGED {} ({})\n", checked.id, output::bytes(checked.bytes)));
    }
    let bytes = report.checked.iter().map(|checked| checked.bytes).sum();
    let files = count(report.checked.len() as u64, "file", "files");
    out.push_str(&tr!("{files} read, {}\n", output::bytes(bytes)));
    if report.missing > 0 {
        out.push_str(&tr!("{} not here\n", count(report.missing, "file is", "files are")));
    }
    out
}
