//! `/v1/spaces/{space}/documents`: records, their lists, changes and history.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use data_encoding::HEXLOWER;
use portolan_protocol::{
    api::{
        ApiError, Can, Change, CreateDocument, DeleteDocument, DocumentAt, DocumentPage, DocumentQuery, DocumentView,
        EditDocument, Event, Facets, History, Outcome, PAGE_DEFAULT, PAGE_MAX, Saved,
    },
    entry::EntryRef,
    id::{DocumentId, SpaceId},
    limits::DEPENDENCIES_MAX,
};
use rand_core::Rng as _;

use super::{
    answer::{Answer, Json, Parameters, Segments, usage},
    caller::Caller,
    shared::Shared,
};
use crate::{
    clock,
    documents::{Cursor, HistoryItem, Progress},
};

/// The space of a path, if the caller may do this in it.
pub(super) fn space(shared: &Shared, caller: &Caller, path: &Segments, can: Can) -> Result<SpaceId, ApiError> {
    let space = path.id(0)?;
    caller.must_in(can, &space)?;
    shared.must_know(&space)?;
    Ok(space)
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Parameters(query): Parameters<DocumentQuery>,
) -> Answer<DocumentPage> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(usage(format!("a page holds 1 to {PAGE_MAX} records")).into());
    }
    if query.prefix.as_deref() == Some("") {
        return Err(usage("the beginning of an id has at least one character").into());
    }
    let no_cursor = || usage("the cursor is not one that a page before gave");
    let after = match &query.cursor {
        None => None,
        Some(cursor) => Some(cursor.parse::<Cursor>().map_err(|_| no_cursor())?),
    };
    if after.as_ref().is_some_and(|after| !after.is_of(query.sort, query.reverse)) {
        return Err(no_cursor().into());
    }
    // Before the list: what comes meanwhile may be missed, and a list that was complete then does not lose by it.
    let progress = shared.documents.progress(space).await?;
    let listed = shared.documents.list(space, query, after, limit as usize).await?;
    Ok(Json(DocumentPage {
        documents: listed.documents,
        next: listed.next.map(|place| place.to_string()),
        entries_to_index: behind(&progress),
    }))
}

/// What a list does not reflect yet.
pub(super) fn behind(progress: &Progress) -> u64 {
    progress.entries_to_index.saturating_add(progress.total.saturating_sub(progress.indexed))
}

pub(super) async fn facets(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Parameters(query): Parameters<DocumentQuery>,
) -> Answer<Facets> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let is_page = query.prefix.is_some() || query.sort.is_some() || query.reverse.is_some();
    if is_page || query.limit.is_some() || query.cursor.is_some() {
        return Err(usage("counts know no page, order or beginning of an id; only filters").into());
    }
    let progress = shared.documents.progress(space).await?;
    let facets = shared.documents.facets(space, query).await?;
    Ok(Json(Facets { entries_to_index: behind(&progress), ..facets }))
}

pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Parameters(at): Parameters<DocumentAt>,
) -> Answer<DocumentView> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let document = path.id(1)?;
    let shown = match at.at {
        None => shared.documents.show(space, document).await?,
        Some(heads) => shared.documents.show_at(space, document, hashes(&heads)?).await?,
    };
    Ok(Json(DocumentView { space, record: shown.record, updated: shown.updated, changes: shown.changes }))
}

/// The hashes of changes in a query.
pub(super) fn hashes(text: &str) -> Result<Vec<String>, ApiError> {
    heads(text.split(',').map(str::to_owned).collect())
}

/// The hashes of changes in a request.
pub(super) fn heads(named: Vec<String>) -> Result<Vec<String>, ApiError> {
    let hashes: Vec<String> = named.iter().map(|hash| hash.to_ascii_lowercase()).collect();
    let is_hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if (1..=DEPENDENCIES_MAX).contains(&hashes.len()) && hashes.iter().all(is_hash) {
        return Ok(hashes);
    }
    Err(usage(format!(
        "a state of a record is 1 to {DEPENDENCIES_MAX} hashes of changes, 64 hexadecimal digits each, in a query with commas \
         between"
    )))
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(request): Json<CreateDocument>,
) -> Answer<Saved> {
    let space = space(&shared, &caller, &path, Can::Write)?;
    let mut document = DocumentId::default();
    clock::rng().fill_bytes(&mut document.0);
    let CreateDocument { draft, reason } = request;
    let saved = shared.documents.create(space, document, draft, caller.0.person.clone(), reason).await?;
    Ok(announced(&shared, saved))
}

pub(super) async fn edit(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(request): Json<EditDocument>,
) -> Answer<Saved> {
    let space = space(&shared, &caller, &path, Can::Write)?;
    let EditDocument { draft, base, reason } = request;
    let person = caller.0.person.clone();
    let saved = shared.documents.edit(space, path.id(1)?, draft, base, person, reason).await?;
    Ok(announced(&shared, saved))
}

pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Parameters(request): Parameters<DeleteDocument>,
) -> Answer<Saved> {
    let space = space(&shared, &caller, &path, Can::Write)?;
    let person = caller.0.person.clone();
    let saved = shared.documents.delete(space, path.id(1)?, person, request.reason).await?;
    Ok(announced(&shared, saved))
}

pub(super) fn announced(shared: &Shared, saved: Saved) -> Json<Saved> {
    if saved.outcome != Outcome::Unchanged {
        shared.announce(Event::Document { space: saved.space, document: saved.document });
    }
    Json(saved)
}

pub(super) async fn history(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<History> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let document = path.id(1)?;
    let items = shared.documents.history(space, document).await?;
    let peers = shared.engine.status().await?.peers;
    let hashes: BTreeMap<EntryRef, String> =
        items.iter().filter_map(|item| Some((item.entry, HEXLOWER.encode(&item.change?)))).collect();
    let change = |item: HistoryItem| {
        let hash = hashes.get(&item.entry)?.clone();
        let person = item.person.filter(|_| item.standing.is_applied())?;
        let mut after: Vec<String> = item.after.iter().filter_map(|entry| hashes.get(entry).cloned()).collect();
        after.sort_unstable();
        Some(Change {
            hash,
            entry: item.entry,
            time_ms: item.time_ms,
            node: item.node,
            node_name: shared.node_name(&item.node, &peers),
            person: person.id,
            name: person.name,
            reason: item.reason,
            fields: item.fields,
            after,
        })
    };
    Ok(Json(History { document, changes: items.into_iter().filter_map(change).collect() }))
}
