//! `portolan doctor`: looks for what is wrong or will be, and says what to do. It changes nothing.

mod daemon;
mod finding;
mod home;

use portolan_protocol::api::Status;
use serde::Serialize;

use self::finding::{Finding, Level};
use crate::{
    context::Context,
    error::{ApiError, ErrorKind, Result},
    home::home as home_of,
    messages,
    output::count,
    text, time,
};

#[derive(clap::Args, Debug)]
pub(super) struct Doctor {}

/// What `--json` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Report {
    /// What was looked at.
    checked: Vec<&'static str>,
    findings: Vec<Finding>,
}

impl Doctor {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let now = time::now();
        let home = home_of(&context.global)?;
        let mut report = Report { checked: vec!["clock", "files", "disk", "daemon"], findings: Vec::new() };
        report.findings.extend(home::clock(now));
        report.findings.extend(home::files(&home));
        report.findings.extend(home::disk(&home));
        match context.client()?.get::<Status>("/status").await {
            Ok(status) => {
                report.checked.extend(["peers", "spaces", "users"]);
                report.findings.extend(daemon::look(&status, now));
            }
            Err(error) => report.findings.push(Finding::of_error("daemon", error)),
        }
        report.findings.sort_by_key(|finding| finding.level);
        context.output.show(&report, human)?;
        verdict(&report)
    }
}

fn verdict(report: &Report) -> Result<()> {
    let wrong = report.findings.iter().filter(|finding| finding.level == Level::Problem).count();
    if wrong == 0 {
        return Ok(());
    }
    let problems = count(wrong as u64, "problem was", "problems were");
    Err(ApiError::new(ErrorKind::Incomplete, format!("{problems} found")).safe("Nothing was changed."))
}

fn human(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let label = match finding.level {
            Level::Problem => tr!("problem"),
            Level::Warning => tr!("warning"),
            Level::Hint => tr!("hint"),
        };
        out.push_str(&format!("{label}: {}\n", text::shown(&messages::found(&finding.message))));
        if !finding.next.is_empty() {
            out.push_str(&format!("  {}\n", text::shown(&messages::found(&finding.next))));
        }
    }
    let found = match report.findings.len() {
        0 => tr!("nothing is wrong"),
        some => count(some as u64, "finding", "findings"),
    };
    out.push_str(&tr!(
        "Looked at {}: {found}.\n",
        report.checked.iter().map(|topic| messages::word(topic)).collect::<Vec<_>>().join(", ")
    ));
    out
}
