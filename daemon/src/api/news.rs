//! `/v1/new`: what became known since the caller last looked, and that it was seen.

use std::sync::Arc;

use axum::extract::State;
use portolan_protocol::api::{ApiError, Can, Looked, NEWS_DEFAULT, NewDocument, News, NewsQuery, PAGE_MAX, Seen};

use super::{
    answer::{Answer, Json, Parameters, blocking, usage},
    caller::Caller,
    documents::behind,
    shared::Shared,
};
use crate::{
    clock,
    documents::{Asking, Fresh, NewRecord},
    looks::{Look, PLACE_BYTES_MAX},
};

pub(super) async fn fresh(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Parameters(query): Parameters<NewsQuery>,
) -> Answer<News> {
    let limit = query.limit.unwrap_or(NEWS_DEFAULT);
    if limit > PAGE_MAX {
        return Err(usage(format!("an answer lists {PAGE_MAX} records at the most")).into());
    }
    let place = place(query.place)?;
    let spaces = caller.readable(&shared, query.space).await?;
    let since = shared.home.looks.of(&caller.0.login, &place);
    let since_ms = since.as_ref().map(|look| look.time_ms);
    let looked_at = spaces.clone();
    // Before the answer: what comes meanwhile is in the next one.
    let mut entries_to_index: u64 = 0;
    for space in &spaces {
        entries_to_index = entries_to_index.saturating_add(behind(&shared.documents.progress(*space).await?));
    }
    let own = (shared.home.card().node(), caller.0.person.id);
    let Fresh { exact, until, spaces, records } =
        shared.documents.fresh(Asking { spaces, since, own, limit: limit as usize }).await?;
    let document = |NewRecord { space, news, summary: record }| NewDocument { space, news, record };
    Ok(Json(News {
        since_ms,
        exact,
        until: shared.home.looks.show(&caller.0.login, looked_at.into_iter().map(|space| (space, until)).collect()),
        spaces,
        documents: records.into_iter().map(document).collect(),
        entries_to_index,
    }))
}

pub(super) async fn seen(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(request): Json<Seen>,
) -> Answer<Looked> {
    caller.must_somewhere(Can::Read)?;
    let place = place(request.place)?;
    let login = caller.0.login.clone();
    let Some(spaces) = shared.home.looks.shown(&login, &request.until) else {
        return Err(usage("this login was shown nothing of that name since the daemon was started, or too long ago")
            .next("Look again, then say what was seen.")
            .into());
    };
    let time_ms = clock::now();
    let look = Look { spaces, time_ms };
    blocking(move || shared.home.looks.keep(&login, &place, look)).await?;
    Ok(Json(Looked { time_ms }))
}

/// The name of a place; the unnamed one has an empty name.
fn place(named: Option<String>) -> Result<String, ApiError> {
    let place = named.unwrap_or_default();
    if place.len() > PLACE_BYTES_MAX || place.chars().any(char::is_control) {
        return Err(usage(format!(
            "the name of a place has at most {PLACE_BYTES_MAX} bytes, and no control characters"
        )));
    }
    Ok(place)
}
