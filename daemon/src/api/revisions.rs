//! `/v1/spaces/{space}/documents/{document}/...`: what is contested in a record, what changed, the way back, how far its
//! translations are, and what it is linked with.

use std::sync::Arc;

use axum::extract::State;
use portolan_protocol::api::{
    Can, Conflicts, Difference, DifferenceQuery, Links, RestoreDocument, Restored, Saved, SettleField, Translations,
    Written,
};

use super::{
    answer::{Answer, Json, Parameters, Segments},
    caller::Caller,
    documents::{announced, behind, hashes, heads, space},
    shared::Shared,
};

pub(super) async fn conflicts(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Conflicts> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let mut conflicts = shared.documents.contests(space, path.id(1)?).await?;
    let peers = shared.engine.status().await?.peers;
    let name = |written: &mut Written| written.node_name = shared.node_name(&written.node, &peers);
    let values = conflicts.fields.iter_mut().flat_map(|field| &mut field.values);
    values.flat_map(|value| &mut value.written).for_each(name);
    Ok(Json(conflicts))
}

pub(super) async fn settle(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(request): Json<SettleField>,
) -> Answer<Saved> {
    let space = space(&shared, &caller, &path, Can::Write)?;
    let request = SettleField { heads: heads(request.heads)?, ..request };
    let saved = shared.documents.settle_field(space, path.id(1)?, request, caller.0.person.clone()).await?;
    Ok(announced(&shared, saved))
}

pub(super) async fn diff(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Parameters(query): Parameters<DifferenceQuery>,
) -> Answer<Difference> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let state = |named: Option<String>| named.as_deref().map(hashes).transpose();
    let (from, to) = (state(query.from)?, state(query.to)?);
    Ok(Json(shared.documents.difference(space, path.id(1)?, from, to).await?))
}

pub(super) async fn restore(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(request): Json<RestoreDocument>,
) -> Answer<Restored> {
    let space = space(&shared, &caller, &path, Can::Write)?;
    let seen = request.heads.map(heads).transpose()?;
    let request = RestoreDocument { to: heads(request.to)?, heads: seen, ..request };
    let mut restored = shared.documents.restore(space, path.id(1)?, request, caller.0.person.clone()).await?;
    restored.saved = restored.saved.map(|saved| announced(&shared, saved).0);
    Ok(Json(restored))
}

pub(super) async fn translations(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
) -> Answer<Translations> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    Ok(Json(shared.documents.translations(space, path.id(1)?).await?))
}

pub(super) async fn links(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Links> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let readable = caller.readable(&shared, None).await?;
    let mut entries_to_index: u64 = 0;
    for readable in &readable {
        entries_to_index = entries_to_index.saturating_add(behind(&shared.documents.progress(*readable).await?));
    }
    let links = shared.documents.links(readable, space, path.id(1)?).await?;
    Ok(Json(Links { entries_to_index, ..links }))
}
