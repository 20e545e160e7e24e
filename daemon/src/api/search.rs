//! `/v1/search`: records by their words, in the spaces that the caller may read.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use portolan_protocol::{
    api::{ApiError, HITS_DEFAULT, HITS_DEPTH_MAX, HITS_MAX, Hit, NamedConcept, SearchAnswer, SearchQuery},
    id::{DocumentId, SpaceId},
    record::{Facet, Summary},
};

use super::{
    answer::{Answer, Json, Parameters, blocking, usage},
    caller::Caller,
    shared::Shared,
};
use crate::search::{Found, Language, Question};

pub(super) async fn search(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Parameters(query): Parameters<SearchQuery>,
) -> Answer<SearchAnswer> {
    let spaces = caller.readable(&shared, query.space).await?;
    let (limit, offset) = page(&query)?;
    let language = match &query.lang {
        None => None,
        Some(tag) => Some(Language::of(tag).ok_or_else(|| {
            let known = Language::ALL.map(Language::tag).join(", ");
            usage(format!("stems of `{tag}` are not known; `lang` is one of {known}"))
                .next("Leave it out: words are found as they are spelled, in every language.")
        })?),
    };
    // Before the answer: what comes meanwhile may be missed.
    let mut behind: u64 = 0;
    for space in &spaces {
        let progress = shared.documents.progress(*space).await?;
        let unsummarised = progress.total.saturating_sub(progress.indexed);
        behind = behind.saturating_add(progress.entries_to_index + unsummarised + progress.to_search);
    }
    let filters = query.filters();
    let question =
        Question { text: query.q, language, spaces, filters, offset: offset as usize, limit: limit as usize };
    let (search, asked) = (shared.search.clone(), question.clone());
    let Found { records, total, concepts } = blocking(move || search.find(&asked)).await?;
    let end = offset.saturating_add(u32::try_from(records.len()).unwrap_or(u32::MAX));
    let next = (u64::from(end) < total && end < HITS_DEPTH_MAX && !records.is_empty()).then(|| end.to_string());
    let mut summaries = summaries(&shared, records.iter().map(|found| (found.space, found.id))).await?;
    // What was changed since it was indexed may not pass any more.
    let hits = records.into_iter().filter_map(|found| {
        let record = summaries.remove(&(found.space, found.id))?;
        let passes = !record.deleted && question.filters.pass(&record);
        let through = through(&record, &concepts);
        passes.then_some(Hit { space: found.space, record, snippet: found.snippet, through })
    });
    Ok(Json(SearchAnswer { hits: hits.collect(), total, concepts, next, entries_to_index: behind }))
}

/// How many records are answered with, and how many of those found are passed over.
fn page(query: &SearchQuery) -> Result<(u32, u32), ApiError> {
    let limit = query.limit.unwrap_or(HITS_DEFAULT);
    if !(1..=HITS_MAX).contains(&limit) {
        return Err(usage(format!("an answer holds 1 to {HITS_MAX} records")));
    }
    let offset = query.cursor.as_deref().map_or(Ok(0), str::parse::<u32>);
    match offset {
        Ok(offset) if offset <= HITS_DEPTH_MAX => Ok((limit.min(HITS_DEPTH_MAX - offset).max(1), offset)),
        _ => Err(usage("the cursor is not one that an answer before gave")),
    }
}

async fn summaries(
    shared: &Shared,
    records: impl Iterator<Item = (SpaceId, DocumentId)>,
) -> Result<BTreeMap<(SpaceId, DocumentId), Summary>, ApiError> {
    let mut by_space: BTreeMap<SpaceId, Vec<DocumentId>> = BTreeMap::new();
    records.for_each(|(space, id)| by_space.entry(space).or_default().push(id));
    let mut summaries = BTreeMap::new();
    for (space, ids) in by_space {
        let found = shared.documents.summaries(space, ids).await?;
        summaries.extend(found.into_iter().map(|summary| ((space, summary.id), summary)));
    }
    Ok(summaries)
}

/// The notations of the concepts that a record is tagged with.
fn through(record: &Summary, concepts: &[NamedConcept]) -> Vec<String> {
    let is_tagged =
        |notation: &String| [Facet::Tag, Facet::Area].iter().any(|facet| facet.values(record).contains(notation));
    let mut through: Vec<String> = concepts.iter().map(|concept| concept.notation.clone()).filter(is_tagged).collect();
    through.sort_unstable();
    through.dedup();
    through
}
