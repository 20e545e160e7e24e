//! `POST /v1/check`: verifies what is stored, and derives records anew.

use std::{collections::BTreeSet, sync::Arc};

use axum::{body::Bytes, extract::State, response::Response};
use portolan_protocol::{
    api::{ApiError, Can, CheckEvent, CheckRequest, CheckStage, Checked, ErrorKind, Finding, Severity},
    entry::LogKey,
    id::SpaceId,
    status::NodeStatus,
};
use tokio::sync::mpsc;

use super::{
    answer::{Failure, Json, blocking, line, lines},
    caller::Caller,
    shared::Shared,
};
use crate::{
    documents::{DocumentError, HeldBack, Progress, SetAside, Stage},
    store::{CheckReport, StoreError},
};

/// Entries that are named one by one, at most, in each space.
const HELD_BACK_MAX: usize = 100;
/// How often it is told how far deriving is.
const TELL_EVERY: std::time::Duration = std::time::Duration::from_millis(200);
/// What to do about damaged entries.
const RESTORE: &str = "Restore the store from a backup; or start with an empty one and introduce the peers again: entries \
                       come back from them by sync.";

pub(super) async fn check(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(request): Json<CheckRequest>,
) -> Result<Response, Failure> {
    caller.must(Can::Admin)?;
    let (events, answer) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut check = Check { shared, events, checked: Checked::default(), damaged: BTreeSet::new() };
        let last = match check.run(request).await {
            Ok(()) => CheckEvent::Done { checked: check.checked },
            Err(error) => CheckEvent::Failed { error },
        };
        check.tell(&last).await;
    });
    Ok(lines(answer))
}

struct Check {
    shared: Arc<Shared>,
    events: mpsc::Sender<Bytes>,
    checked: Checked,
    /// The logs that were found to be damaged.
    damaged: BTreeSet<(SpaceId, LogKey)>,
}

impl Check {
    /// Says something; that nobody listens any more is no reason to stop in the middle.
    async fn tell(&self, event: &CheckEvent) {
        let _ = self.events.send(line(event)).await;
    }

    async fn progress(&self, stage: CheckStage, done: u64, total: u64) {
        self.tell(&CheckEvent::Progress { stage, done, total: Some(total) }).await;
    }

    async fn find(&mut self, severity: Severity, message: String, safe: &str, next: &str) {
        self.checked.damage += u64::from(severity == Severity::Damage);
        let finding = Finding { severity, message, safe: safe.into(), next: next.into() };
        self.tell(&CheckEvent::Finding { finding }).await;
    }

    async fn run(&mut self, request: CheckRequest) -> Result<(), ApiError> {
        let status = self.shared.engine.status().await?;
        self.checked.spaces = status.spaces.len() as u64;
        self.logs(&status).await?;
        self.heads(&status).await;
        self.documents(&status, request.rebuild).await?;
        if request.read_data { self.attachments().await } else { Ok(()) }
    }

    async fn attachments(&mut self) -> Result<(), ApiError> {
        let files = self.shared.attachments.files().clone();
        let all = blocking(move || files.list()).await?;
        for (done, held) in all.iter().enumerate() {
            self.progress(CheckStage::Attachments, done as u64, all.len() as u64).await;
            let (files, id) = (self.shared.attachments.files().clone(), held.id);
            let (_, is_sound) = match blocking(move || files.verify(id)).await {
                // It was removed meanwhile.
                Err(error) if error.kind == ErrorKind::NotFound => continue,
                other => other?,
            };
            self.checked.attachments += 1;
            if !is_sound {
                let message = format!("the attachment {id} is damaged, and was set aside");
                let safe = "Records do not depend on it.";
                let next = "It comes again from a partner who holds it: `portolan attachment get`, or a pouch.";
                self.find(Severity::Damage, message, safe, next).await;
            }
        }
        Ok(())
    }

    async fn logs(&mut self, status: &NodeStatus) -> Result<(), ApiError> {
        let entries = status.spaces.iter().map(|space| space.entries).sum();
        self.progress(CheckStage::Logs, 0, entries).await;
        let store = self.shared.store.clone();
        let CheckReport { logs, entries: sound, gaps, damaged } = blocking(move || store.check()).await?;
        self.checked.logs = logs;
        self.checked.entries = sound;
        self.checked.payloads = sound.saturating_sub(gaps);
        for (log, seq, why) in damaged {
            self.damaged.insert((log.space, log.log));
            let (space, author, log) = (log.space, log.log.author, log.log.log);
            let message = format!("log {log} of {author} in space {space} is damaged from entry {seq} on: {why}");
            let safe = "Entries before it are sound, and peers still hold what they have receipted.";
            self.find(Severity::Damage, message, safe, RESTORE).await;
        }
        self.progress(CheckStage::Logs, sound, entries.max(sound)).await;
        Ok(())
    }

    async fn heads(&mut self, status: &NodeStatus) {
        let logs = self.checked.logs;
        if !status.trusted {
            let message = "when the service started, the store held less than was acknowledged before".to_owned();
            let next =
                "Let it sync with its peers: they hold what they have receipted. What only this node held is lost.";
            self.find(
                Severity::Damage,
                message,
                "This node writes to new logs, so nothing can contradict the old ones.",
                next,
            )
            .await;
        }
        for space in status.spaces.iter().filter(|space| space.forks > 0) {
            let message = format!("{} logs of space {} are forked by their authors", space.forks, space.space);
            self.find(Severity::Notice, message, "Every node cuts them at the last common entry.", "").await;
        }
        for space in status.spaces.iter().filter(|space| space.parked_runs > 0) {
            let message = format!("{} runs of entries in space {} wait for others", space.parked_runs, space.space);
            self.find(Severity::Notice, message, "", "They are taken up when a sync brings what they wait for.").await;
        }
        self.progress(CheckStage::Heads, logs, logs).await;
    }

    async fn documents(&mut self, status: &NodeStatus, rebuild: bool) -> Result<(), ApiError> {
        let stage = if rebuild { CheckStage::Rebuild } else { CheckStage::Documents };
        let documents = self.shared.documents.clone();
        if rebuild {
            let rebuilt = documents.rebuild().await;
            self.derived_whole(rebuilt).await?;
        }
        let flush = documents.flush(Stage::Searchable);
        tokio::pin!(flush);
        loop {
            tokio::select! {
                done = &mut flush => break self.derived_whole(done).await?,
                () = tokio::time::sleep(TELL_EVERY) => {
                    let all = self.derived(status).await?;
                    self.progress(stage, all.iter().map(|p| p.indexed).sum(), all.iter().map(|p| p.total).sum()).await;
                }
            }
        }
        let all = self.derived(status).await?;
        self.checked.documents = all.iter().map(|progress| progress.indexed).sum();
        self.progress(stage, self.checked.documents, all.iter().map(|p| p.total).sum()).await;
        for (space, progress) in status.spaces.iter().zip(&all) {
            self.set_aside(space.space).await?;
            let told = self.held_back(space.space, progress).await;
            self.derived_whole(told).await?;
        }
        Ok(())
    }

    async fn derived(&self, status: &NodeStatus) -> Result<Vec<Progress>, ApiError> {
        let mut all = Vec::new();
        for space in &status.spaces {
            all.push(self.shared.documents.progress(space.space).await?);
        }
        Ok(all)
    }

    /// That what is derived is damaged is a finding, and no reason to look no further.
    async fn derived_whole(&mut self, outcome: Result<(), DocumentError>) -> Result<(), ApiError> {
        let why = match outcome {
            Err(DocumentError::Store(StoreError::Damaged(why))) => why,
            Err(DocumentError::Behind(cause)) if matches!(*cause, StoreError::Damaged(_)) => cause.to_string(),
            Err(DocumentError::Search(error)) => {
                let message = format!("records cannot be found by their words: {error}");
                let next = "See the service's log for the cause; it is tried again from time to time.";
                self.find(Severity::Notice, message, "Records and lists do not depend on it.", next).await;
                return Ok(());
            }
            other => return Ok(other?),
        };
        let message = format!("records cannot be derived: {why}");
        self.find(
            Severity::Damage,
            message,
            "Entries are held and passed on.",
            "Derive them anew: `portolan check --rebuild`.",
        )
        .await;
        Ok(())
    }

    async fn set_aside(&mut self, space: SpaceId) -> Result<(), ApiError> {
        for SetAside { log, next, why } in self.shared.documents.set_aside(space).await? {
            if self.damaged.contains(&(space, log)) {
                continue;
            }
            let (author, log) = (log.author, log.log);
            let message = format!(
                "records are derived from log {log} of {author} in space {space} up to entry {next} alone: {why}"
            );
            let safe = "Records that have no entries in it are whole.";
            let next = "Derive them anew: `portolan check --rebuild`. Where that does not help, restore the store from a backup.";
            self.find(Severity::Damage, message, safe, next).await;
        }
        Ok(())
    }

    async fn held_back(&mut self, space: SpaceId, progress: &Progress) -> Result<(), DocumentError> {
        if progress.faults > 0 {
            let message = format!("{} records of space {space} cannot be opened", progress.faults);
            self.find(
                Severity::Damage,
                message,
                "Their entries are held and passed on.",
                "Where no entry is damaged: upgrade, then check again.",
            )
            .await;
        }
        if progress.refused + progress.quarantined > 0 {
            for HeldBack { entry, why } in self.shared.documents.held_back(space, HELD_BACK_MAX).await? {
                let (seq, log, author) = (entry.seq, entry.log.log, entry.log.author);
                let message = format!("entry {seq} of log {log} of {author} in space {space} is not applied: {why}");
                self.find(Severity::Notice, message, "It is held and passed on.", "").await;
            }
        }
        Ok(())
    }
}
