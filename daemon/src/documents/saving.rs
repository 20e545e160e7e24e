//! Saves and imports: plan on the worker's thread, append through the engine, show when it is durable.

use std::collections::BTreeSet;

use portolan_protocol::{
    api::{ImportOutcome, Outcome, Saved},
    change::PersonRef,
    entry::EntryRef,
    id::{DocumentId, SpaceId},
    input::CommandError,
    record::{RecordDraft, Warning},
};
use tokio::task::JoinHandle;

use super::{
    error::{AppendError, DocumentError},
    handle::Documents,
    keeping::Keep,
    locks::Guard,
    planning::{Contests, Expect, Intent, Plan, Planned, Settled},
};

/// Records of an import in one append.
const BATCH_RECORDS: usize = 200;
/// Bytes of drafts in one append, about.
const BATCH_BYTES_AIM: usize = 2 << 20;
/// How often a save is planned: the log or membership may change under it.
const ROUNDS: u32 = 3;

/// What became of one record of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportItem {
    /// The record.
    pub document: DocumentId,
    /// What became of it.
    pub outcome: ImportOutcome,
    /// What was kept as it is and someone may want to look at.
    pub warnings: Vec<Warning>,
}

type Outcomes = Vec<Result<Saved, DocumentError>>;
/// An append under way, and the records it is of.
type Running = (Vec<DocumentId>, JoinHandle<Result<Outcomes, DocumentError>>);

impl Documents {
    /// Makes a record. Answers when it is durable and shown.
    ///
    /// # Errors
    /// [`DocumentError`]; nothing was written then, except for [`DocumentError::Overtaken`].
    pub async fn create(
        &self,
        space: SpaceId,
        document: DocumentId,
        draft: RecordDraft,
        person: PersonRef,
        reason: String,
    ) -> Result<Saved, DocumentError> {
        self.save(
            space,
            Intent { document, draft, expect: Expect::New, contests: Contests::Settle, base: None, person, reason },
        )
        .await
    }

    /// Changes a record. `base` names the heads that the person saw: the change is made there, and merged with what came
    /// since.
    ///
    /// # Errors
    /// As [`Documents::create`].
    pub async fn edit(
        &self,
        space: SpaceId,
        document: DocumentId,
        draft: RecordDraft,
        base: Option<Vec<String>>,
        person: PersonRef,
        reason: String,
    ) -> Result<Saved, DocumentError> {
        self.save(
            space,
            Intent { document, draft, expect: Expect::Held, contests: Contests::Settle, base, person, reason },
        )
        .await
    }

    /// Hides a record on every node.
    ///
    /// # Errors
    /// As [`Documents::create`].
    pub async fn delete(
        &self,
        space: SpaceId,
        document: DocumentId,
        person: PersonRef,
        reason: String,
    ) -> Result<Saved, DocumentError> {
        let draft = RecordDraft::default().with("deleted", true);
        let saved = self.edit(space, document, draft, None, person, reason).await?;
        let outcome = if saved.outcome == Outcome::Unchanged { Outcome::Unchanged } else { Outcome::Deleted };
        Ok(Saved { outcome, ..saved })
    }

    /// Makes or changes a record: it says what the draft says afterwards.
    ///
    /// # Errors
    /// As [`Documents::create`].
    pub async fn put(
        &self,
        space: SpaceId,
        document: DocumentId,
        draft: RecordDraft,
        person: PersonRef,
        reason: String,
    ) -> Result<Saved, DocumentError> {
        self.save(
            space,
            Intent { document, draft, expect: Expect::Any, contests: Contests::Settle, base: None, person, reason },
        )
        .await
    }

    async fn save(&self, space: SpaceId, intent: Intent) -> Result<Saved, DocumentError> {
        let record = [(space, intent.document)];
        let guard = self.shared.locks.lock(&record).await;
        let this = self.clone();
        // A task of its own: one who goes away must not leave a change between the log and the document.
        let task = tokio::spawn(async move {
            let outcomes = this.write(space, vec![intent], None, Keep::Open).await;
            drop(guard);
            outcomes
        });
        let outcomes = task.await.map_err(|_| DocumentError::Stopped)??;
        outcomes.into_iter().next().unwrap_or(Err(DocumentError::Stopped))
    }

    /// Makes or changes many records: what a draft does not name stays, and so does a field that says several things at once where
    /// the draft says one of them. Answers for each in order; a `dry_run` writes nothing.
    ///
    /// # Errors
    /// [`DocumentError`] when the import as a whole cannot go on; what was appended before stays.
    pub async fn import(
        &self,
        space: SpaceId,
        items: Vec<impl Into<Source>>,
        person: PersonRef,
        dry_run: bool,
    ) -> Result<Vec<ImportItem>, DocumentError> {
        let mut done = Vec::with_capacity(items.len());
        let mut running: Option<Running> = None;
        for batch in batches(items.into_iter().map(Into::into).collect()) {
            let records: Vec<_> = batch.iter().map(|source| (space, source.document)).collect();
            let ids: Vec<DocumentId> = batch.iter().map(|source| source.document).collect();
            let intent = |Source { document, draft, base }| Intent {
                document,
                draft,
                expect: Expect::Any,
                contests: Contests::Keep,
                base,
                person: person.clone(),
                reason: String::new(),
            };
            let intents: Vec<Intent> = batch.into_iter().map(intent).collect();
            let guard = match self.shared.locks.try_lock(&records) {
                Some(guard) => guard,
                None => {
                    // Holding nothing while waiting.
                    collect(&mut done, running.take()).await?;
                    self.shared.locks.lock(&records).await
                }
            };
            let plans = self.plan(space, intents.clone()).await?;
            if dry_run {
                let outcomes = plans.into_iter().map(|plan| plan.map(|plan| foreseen(space, plan))).collect();
                done.extend(items_of(ids, outcomes));
                continue;
            }
            collect(&mut done, running.take()).await?;
            running = Some((ids, self.spawn_write(space, intents, plans, guard)));
        }
        collect(&mut done, running.take()).await?;
        Ok(done)
    }

    fn spawn_write(
        &self,
        space: SpaceId,
        intents: Vec<Intent>,
        plans: Vec<Result<Plan, DocumentError>>,
        guard: Guard,
    ) -> JoinHandle<Result<Outcomes, DocumentError>> {
        let this = self.clone();
        tokio::spawn(async move {
            let outcomes = this.write(space, intents, Some(plans), Keep::Close).await;
            drop(guard);
            outcomes
        })
    }

    async fn plan(
        &self,
        space: SpaceId,
        intents: Vec<Intent>,
    ) -> Result<Vec<Result<Plan, DocumentError>>, DocumentError> {
        let salt = self.shared.salt;
        // What is not taken in yet would be missed: a record would look new, or an edit would stand beside others.
        self.ask_level(space, move |index| index.plan_all(space, intents, salt)).await
    }

    /// Plans, appends and settles until every intent has its outcome.
    async fn write(
        &self,
        space: SpaceId,
        intents: Vec<Intent>,
        planned: Option<Vec<Result<Plan, DocumentError>>>,
        keep: Keep,
    ) -> Result<Outcomes, DocumentError> {
        let appender = self.shared.appender.get().cloned().ok_or(DocumentError::NotConnected)?;
        let mut outcomes: Vec<Option<Result<Saved, DocumentError>>> = intents.iter().map(|_| None).collect();
        let mut left: Vec<usize> = (0..intents.len()).collect();
        let mut planned = planned;
        let mut last = None;
        for _ in 0..ROUNDS {
            let plans = match planned.take() {
                Some(plans) => plans,
                None => self.plan(space, left.iter().map(|place| intents[*place].clone()).collect()).await?,
            };
            let mut round = Vec::new();
            for (place, plan) in std::mem::take(&mut left).into_iter().zip(plans) {
                match plan {
                    Ok(Plan::Append(planned)) => round.push((place, planned)),
                    Ok(plan) => outcomes[place] = Some(Ok(foreseen(space, plan))),
                    Err(error) => outcomes[place] = Some(Err(error)),
                }
            }
            let Some(log) = round.first().map(|(_, planned)| planned.log) else { break };
            let payloads = round.iter().map(|(_, planned)| planned.payload.clone()).collect();
            match appender(space, log, payloads).await {
                Ok(entries) if entries.len() == round.len() => {
                    last = None;
                    let settled = self.settle(space, &mut round, entries, keep).await?;
                    for ((place, planned), settled) in round.into_iter().zip(settled) {
                        match settled.is_applied {
                            true => outcomes[place] = Some(Ok(saved(space, &planned, settled.heads))),
                            false => left.push(place),
                        }
                    }
                }
                Ok(_) | Err(AppendError::Stopped) => return Err(DocumentError::Stopped),
                Err(AppendError::Full) => return Err(DocumentError::Full),
                Err(AppendError::Refused(CommandError::LogChanged)) => {
                    last = Some(CommandError::LogChanged);
                    left.extend(round.into_iter().map(|(place, _)| place));
                }
                Err(AppendError::Refused(error)) => {
                    for (place, _) in round {
                        outcomes[place] = Some(Err(error.clone().into()));
                    }
                }
            }
        }
        let missed = || match &last {
            Some(error) => DocumentError::Command(error.clone()),
            None => DocumentError::Overtaken,
        };
        Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(missed()))).collect())
    }

    async fn settle(
        &self,
        space: SpaceId,
        round: &mut [(usize, Box<Planned>)],
        entries: Vec<EntryRef>,
        keep: Keep,
    ) -> Result<Vec<Settled>, DocumentError> {
        let appended: Vec<_> =
            round.iter_mut().zip(entries).map(|((_, planned), entry)| (planned.settle(), entry)).collect();
        self.ask(move |index| index.settle(space, appended, keep)).await?
    }
}

/// What an import says of a record.
#[derive(Clone, Debug)]
pub struct Source {
    /// The record.
    pub document: DocumentId,
    /// Its fields.
    pub draft: RecordDraft,
    /// The heads that it was written out from, where it is known.
    pub base: Option<Vec<String>>,
}

impl From<(DocumentId, RecordDraft)> for Source {
    fn from((document, draft): (DocumentId, RecordDraft)) -> Self {
        Self { document, draft, base: None }
    }
}

/// Cuts an import into parts of which each names a record once.
fn batches(items: Vec<Source>) -> Vec<Vec<Source>> {
    let mut batches: Vec<Vec<Source>> = vec![Vec::new()];
    let (mut named, mut bytes) = (BTreeSet::new(), 0);
    for source in items {
        let document = source.document;
        let size: usize = source.draft.entries().iter().map(|(key, value)| key.len() + value.size_bytes()).sum();
        let is_full = named.len() >= BATCH_RECORDS || bytes + size > BATCH_BYTES_AIM;
        if !named.is_empty() && (is_full || named.contains(&document)) {
            batches.push(Vec::new());
            named.clear();
            bytes = 0;
        }
        named.insert(document);
        bytes += size;
        if let Some(batch) = batches.last_mut() {
            batch.push(source);
        }
    }
    batches
}

/// Waits for the append under way.
async fn collect(done: &mut Vec<ImportItem>, running: Option<Running>) -> Result<(), DocumentError> {
    if let Some((ids, task)) = running {
        let outcomes = task.await.map_err(|_| DocumentError::Stopped)??;
        done.extend(items_of(ids, outcomes));
    }
    Ok(())
}

fn items_of(ids: Vec<DocumentId>, outcomes: Outcomes) -> impl Iterator<Item = ImportItem> {
    ids.into_iter().zip(outcomes).map(|(document, outcome)| match outcome {
        Ok(saved) => {
            let outcome = match saved.outcome {
                Outcome::Created => ImportOutcome::Created,
                Outcome::Updated | Outcome::Deleted => ImportOutcome::Updated,
                Outcome::Unchanged => ImportOutcome::Unchanged,
            };
            ImportItem { document, outcome, warnings: saved.warnings }
        }
        Err(error) => {
            ImportItem { document, outcome: ImportOutcome::Refused { reason: error.to_string() }, warnings: Vec::new() }
        }
    })
}

/// What a plan comes to if it is carried out.
fn foreseen(space: SpaceId, plan: Plan) -> Saved {
    match plan {
        Plan::Unchanged { document, heads, warnings } => {
            Saved { space, document, outcome: Outcome::Unchanged, heads, merged: false, warnings }
        }
        Plan::Append(planned) => saved(space, &planned, Vec::new()),
    }
}

fn saved(space: SpaceId, planned: &Planned, heads: Vec<String>) -> Saved {
    let Planned { document, outcome, merged, warnings, .. } = planned;
    Saved { space, document: *document, outcome: *outcome, heads, merged: *merged, warnings: warnings.clone() }
}
