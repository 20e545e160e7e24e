//! `portolan check`: verify what is stored, and derive documents anew.

use clap::Args;
use portolan_protocol::api::{CheckEvent, CheckRequest, CheckStage, Checked, ErrorKind, Finding, Severity};
use serde::Serialize;

use crate::{
    context::Context,
    error::{ApiError, Result, internal},
    output::count,
    progress::Progress,
    text,
};

#[derive(Args, Debug)]
pub(super) struct Check {
    /// Derive documents, snapshots and the list from the log anew
    #[arg(long)]
    rebuild: bool,
    /// Read every byte of attachments too
    #[arg(long)]
    read_data: bool,
}

/// What `--json` shows.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Report {
    /// None where the check did not come to its end.
    checked: Option<Checked>,
    findings: Vec<Finding>,
}

impl Check {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let mut report = Report::default();
        let ended = self.read(context, &mut report).await;
        // What was found is shown, however the check ended.
        if ended.is_ok() || !report.findings.is_empty() {
            context.output.show(&report, human)?;
        }
        let damage = match ended?.damage {
            0 => return Ok(()),
            damage => count(damage, "damage was", "damages were"),
        };
        Err(ApiError::new(ErrorKind::Damaged, format!("{damage} found"))
            .safe("Everything that is not named above was verified.")
            .next("What to do about each is said above; documents are derived anew with `portolan check --rebuild`."))
    }

    /// Follows the check to its end.
    async fn read(&self, context: &Context, report: &mut Report) -> Result<Checked> {
        let progress = Progress::start("checking", None);
        let request = CheckRequest { rebuild: self.rebuild, read_data: self.read_data };
        let mut events = context.client()?.stream("/check", &request).await?;
        loop {
            match events.next().await? {
                Some(CheckEvent::Progress { stage, done, total }) => progress.update(&label(stage), done, total),
                Some(CheckEvent::Finding { finding }) => report.findings.push(finding),
                Some(CheckEvent::Done { checked }) => return Ok(*report.checked.insert(checked)),
                Some(CheckEvent::Failed { error }) => return Err(error),
                None => return Err(internal("the check ended without a result")),
            }
        }
    }
}

fn label(stage: CheckStage) -> String {
    match stage {
        CheckStage::Logs => tr!("verifying logs"),
        CheckStage::Heads => tr!("comparing acknowledged heads"),
        CheckStage::Documents => tr!("waiting for documents"),
        CheckStage::Rebuild => tr!("deriving documents"),
        CheckStage::Attachments => tr!("reading attachments"),
        CheckStage::Unknown => tr!("checking"),
    }
}

fn human(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Notice => tr!("notice"),
            Severity::Damage => tr!("DAMAGE"),
        };
        out.push_str(&format!("{severity}: {}\n", text::shown(&finding.message)));
        for (label, words) in [("safe", &finding.safe), ("next", &finding.next)] {
            if !words.is_empty() {
                out.push_str(&format!("  {label}: {}\n", text::shown(words)));
            }
        }
    }
    let Some(checked) = &report.checked else { return out };
    if checked.attachments > 0 {
        out.push_str(&tr!("{} read\n", count(checked.attachments, "attachment", "attachments")));
    }
    out.push_str(&tr!(
        "{} in {} of {}, {}, {}: {}\n",
        count(checked.entries, "entry", "entries"),
        count(checked.logs, "log", "logs"),
        count(checked.spaces, "space", "spaces"),
        count(checked.payloads, "payload", "payloads"),
        count(checked.documents, "document", "documents"),
        if checked.damage == 0 { tr!("all as they should be") } else { count(checked.damage, "damage", "damages") },
    ));
    out
}
