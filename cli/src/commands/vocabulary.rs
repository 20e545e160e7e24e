//! `portolan vocabulary`: terms are records like others; here they are loaded from a file, and listed.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use bytes::Bytes;
use clap::{Args, Subcommand};
use portolan_protocol::{
    api::{
        DocumentPage, DocumentQuery, DocumentView, ErrorKind, ImportEvent, ImportItem, ImportOutcome, ImportQuery,
        ImportTotals, PAGE_MAX,
    },
    id::{DocumentId, SpaceId},
    record::{RecordView, Value, Warning},
};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{
    client::Client,
    context::Context,
    editor,
    error::{ApiError, Result, internal, usage},
    fields,
    import::{self, Term},
    messages,
    output::{self, count},
    resolve, sample, text,
};

/// What a new term says where neither the file nor `--default` does.
const DEFAULTS: [(&str, &str); 2] = [("marking", "GREEN"), ("status", "published")];

/// How often a list is asked for that is not complete yet, and how long to wait in between.
const TRIES_MAX: usize = 40;
const TRY_AGAIN: Duration = Duration::from_millis(250);

#[derive(Subcommand, Debug)]
pub(super) enum Vocabulary {
    /// Make or update the terms that a file names; loading it again changes nothing
    Load(Load),
    /// The terms there are
    List(List),
}

#[derive(Args, Debug)]
pub(super) struct Load {
    /// YAML documents, or lines of JSON, one for each term; - reads standard input [default: the sample in the program]
    file: Option<PathBuf>,
    /// Where they go: the space's name, its id, or the start of one
    #[arg(long)]
    space: String,
    /// A field of new terms that the file does not set, FIELD=TEXT, such as originator=NAME; may be repeated
    #[arg(long = "default", value_name = "FIELD=TEXT", value_parser = default)]
    defaults: Vec<(String, String)>,
    /// Say what would happen and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// The space: its name, its id, or the start of one
    #[arg(long)]
    space: String,
    /// Of this scheme alone, by its notation
    #[arg(long)]
    scheme: Option<String>,
    /// Labels in this language, where there are any
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
}

fn default(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected FIELD=TEXT".into()),
    }
}

impl Vocabulary {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Vocabulary::Load(command) => command.run(context).await,
            Vocabulary::List(command) => command.run(context).await,
        }
    }
}

/// What `load --json` shows.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Loaded {
    dry_run: bool,
    totals: ImportTotals,
    refused: Vec<Refused>,
    warnings: Vec<Warned>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Refused {
    term: String,
    reason: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Warned {
    term: String,
    #[serde(flatten)]
    warning: Warning,
}

impl Load {
    async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let space = resolve::space(&client, &self.space).await?.id;
        let mut terms = self.terms(&space)?;
        let known = known(&client, space).await?;
        // Only new terms are given a marking and the like: what colleagues have raised since stays raised.
        for term in terms.iter_mut().filter(|term| !known.contains(&term.document)) {
            let given = self.defaults.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            given.chain(DEFAULTS).for_each(|(key, value)| term.fill(key, value));
        }
        let mut loaded = Loaded { dry_run: self.dry_run, ..Loaded::default() };
        for term in &mut terms {
            let warnings = std::mem::take(&mut term.warnings).into_iter();
            loaded.warnings.extend(warnings.map(|warning| Warned { term: term.path.clone(), warning }));
        }
        let failure = send(&client, space, terms, &mut loaded).await.err();
        context.output.show(&loaded, loaded_for_people)?;
        match (failure, loaded.totals.refused) {
            (Some(error), _) => Err(error),
            (None, 0) => Ok(()),
            (None, refused) => Err(ApiError::new(
                ErrorKind::Incomplete,
                format!("{} not taken", count(refused, "term was", "terms were")),
            )
            .safe("The others are; loading again changes nothing twice.")
            .next("Correct what is named above and load the file again.")),
        }
    }

    fn terms(&self, space: &SpaceId) -> Result<Vec<Term>> {
        let wrong = |name: &str, error: String| {
            usage(format!("{}: {error}", text::shown(name)))
                .safe("Nothing was loaded.")
                .next("See `portolan schema concept` and the guide to vocabularies.")
        };
        let Some(path) = &self.file else {
            let files = sample::VOCABULARY.iter();
            let read =
                files.map(|(name, text)| import::read_vocabulary(text, space).map_err(|error| wrong(name, error)));
            return Ok(read.collect::<Result<Vec<_>>>()?.concat());
        };
        let text = editor::read_text(path)?;
        let terms = import::read_vocabulary(&text, space).map_err(|error| wrong(&path.to_string_lossy(), error))?;
        if terms.is_empty() {
            return Err(wrong(&path.to_string_lossy(), "holds no terms".into()));
        }
        Ok(terms)
    }
}

/// The terms of the space, deleted ones included.
async fn known(client: &Client, space: SpaceId) -> Result<BTreeSet<DocumentId>> {
    let mut known = BTreeSet::new();
    for kind in ["scheme", "concept"] {
        for deleted in [None, Some(true)] {
            let found = documents(client, space, kind, deleted).await?;
            if found.entries_to_index > 0 {
                return Err(ApiError::new(ErrorKind::Incomplete, "it is not known yet which terms there are")
                    .safe("Nothing was loaded.")
                    .next("Wait until `portolan doc list` says that it is complete, then load again."));
            }
            known.extend(found.ids);
        }
    }
    Ok(known)
}

/// Records of one type.
#[derive(Debug, Default)]
struct Found {
    ids: Vec<DocumentId>,
    /// Entries that the list did not reflect, after waiting for them.
    entries_to_index: u64,
}

async fn documents(client: &Client, space: SpaceId, kind: &str, deleted: Option<bool>) -> Result<Found> {
    let mut found = Found::default();
    for _ in 0..TRIES_MAX {
        found = documents_now(client, space, kind, deleted).await?;
        if found.entries_to_index == 0 {
            break;
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
    Ok(found)
}

async fn documents_now(client: &Client, space: SpaceId, kind: &str, deleted: Option<bool>) -> Result<Found> {
    let mut query =
        DocumentQuery { kind: Some(kind.into()), deleted, limit: Some(PAGE_MAX), ..DocumentQuery::default() };
    let mut found = Found::default();
    loop {
        let page: DocumentPage = client.query(&format!("/spaces/{space}/documents"), &query).await?;
        found.ids.extend(page.documents.into_iter().map(|summary| summary.id));
        found.entries_to_index = found.entries_to_index.max(page.entries_to_index);
        if page.next.is_none() || page.next == query.cursor {
            return Ok(found);
        }
        query.cursor = page.next;
    }
}

/// Sends the terms as an import does, and adds what became of them.
async fn send(client: &Client, space: SpaceId, terms: Vec<Term>, loaded: &mut Loaded) -> Result<()> {
    let mut lines = Vec::with_capacity(terms.len());
    for Term { path, document, draft, .. } in terms {
        let item = ImportItem { document, draft, source: path, base: None };
        let mut line = serde_json::to_vec(&item).map_err(|error| internal(error.to_string()))?;
        line.push(b'\n');
        lines.push(Bytes::from(line));
    }
    let (sender, receiver) = mpsc::channel(lines.len().max(1));
    for line in lines {
        // There is room for all of them.
        sender.try_send(line).map_err(|error| internal(error.to_string()))?;
    }
    drop(sender);
    let query = ImportQuery { dry_run: loaded.dry_run };
    let mut events = client.exchange(&format!("/spaces/{space}/import"), &query, receiver).await?;
    loop {
        match events.next().await? {
            Some(ImportEvent::Batch { items, totals }) => {
                loaded.totals = totals;
                for item in items {
                    if let ImportOutcome::Refused { reason } = item.outcome {
                        loaded.refused.push(Refused { term: item.source, reason });
                    }
                }
            }
            Some(ImportEvent::Done { totals }) => {
                loaded.totals = totals;
                return Ok(());
            }
            Some(ImportEvent::Failed { error, totals }) => {
                loaded.totals = totals;
                return Err(error);
            }
            None => {
                return Err(ApiError::new(ErrorKind::Unavailable, "the daemon ended without saying how it went")
                    .safe("What it had reported is kept, and loading again changes nothing twice.")
                    .next("See `portolan status`, then load the file again."));
            }
        }
    }
}

fn loaded_for_people(loaded: &Loaded) -> String {
    let mut out = String::new();
    for Refused { term, reason } in &loaded.refused {
        out.push_str(&tr!("not taken: {}: {}\n", text::shown(term), text::shown(reason)));
    }
    for Warned { term, warning } in &loaded.warnings {
        let (path, message) = (text::shown(&warning.path), text::shown(&messages::found(&warning.message)));
        out.push_str(&tr!("note: {}: {path} {message}\n", text::shown(term)));
    }
    let ImportTotals { created, updated, unchanged, refused } = loaded.totals;
    let verb = if loaded.dry_run { "would be " } else { "" };
    out.push_str(&tr!("{verb}created {created}, changed {updated}, unchanged {unchanged}, not taken {refused}\n"));
    out
}

/// A concept, as `list` shows it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Listed {
    scheme: String,
    notation: String,
    label: String,
    broader: Vec<String>,
    document: DocumentId,
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let language = self.language.as_deref().map(fields::language).transpose()?;
        let space = resolve::space(&client, &self.space).await?.id;
        let found = documents(&client, space, "concept", None).await?;
        let mut listed = Vec::new();
        for document in found.ids {
            let view: DocumentView = client.get(&format!("/spaces/{space}/documents/{document}")).await?;
            listed.push(concept(&view.record, language.as_deref()));
        }
        listed.retain(|concept| self.scheme.as_ref().is_none_or(|scheme| concept.scheme == *scheme));
        listed.sort();
        context.output.show(&listed, |listed| {
            let mut out = listed_for_people(listed);
            if found.entries_to_index > 0 {
                let entries = count(found.entries_to_index, "entry", "entries");
                out.push_str(&tr!("The list is not complete yet: {entries} to go.\n"));
            }
            out
        })
    }
}

fn concept(record: &RecordView, language: Option<&str>) -> Listed {
    let text = |key: &str| record.fields.get(key).map(Value::to_string).unwrap_or_default();
    let preferred: Vec<&str> = language.into_iter().collect();
    Listed {
        scheme: text("scheme"),
        notation: text("notation"),
        label: record.title_in(&preferred).unwrap_or_default().to_owned(),
        broader: record.members("broader"),
        document: record.id,
    }
}

fn listed_for_people(listed: &[Listed]) -> String {
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|concept| {
            let broader = concept.broader.join(" ");
            vec![concept.scheme.clone(), concept.notation.clone(), concept.label.clone(), broader]
        })
        .collect();
    let mut out = output::table(&["scheme", "notation", "label", "broader"], &rows);
    out.push_str(&format!("{}\n", count(rows.len() as u64, "concept", "concepts")));
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_concept_is_shown_in_the_language_asked_for() {
        let pairs: [(&str, Value); 5] = [
            ("title/en", "Harbours".into()),
            ("title/fr", "Ports".into()),
            ("notation", "ports".into()),
            ("scheme", "areas".into()),
            ("broader/coast", true.into()),
        ];
        let values: BTreeMap<String, Vec<Value>> =
            pairs.into_iter().map(|(key, value)| (key.into(), vec![value])).collect();
        let record = RecordView::new(DocumentId([1; 16]), vec![], values);
        assert_eq!(concept(&record, None).label, "Harbours");
        let listed = concept(&record, Some("fr"));
        assert_eq!(
            listed_for_people(&[listed]),
            "SCHEME  NOTATION  LABEL  BROADER\nareas   ports     Ports  coast\n1 concept\n"
        );
    }
}
