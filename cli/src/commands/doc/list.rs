//! `portolan doc list`: the records there are.

use clap::{Args, ValueEnum};
use portolan_protocol::{
    api::{DocumentPage, DocumentQuery, PAGE_MAX, SortBy},
    id::SpaceId,
    record::Summary,
};
use serde::Serialize;

use crate::{
    client::Client,
    commands::filters::Filters,
    context::Context,
    error::Result,
    output::{self, short},
};

#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    filters: Filters,
    /// In this order; by id where nothing is said. What was changed or made last comes first
    #[arg(long, value_enum)]
    sort: Option<Sort>,
    /// In the order turned round
    #[arg(long)]
    reverse: bool,
    /// Deleted records instead of the others
    #[arg(long)]
    deleted: bool,
    /// Not more than so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// The orders that a list may have.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    Updated,
    Title,
    Type,
    Created,
}

impl From<Sort> for SortBy {
    fn from(sort: Sort) -> SortBy {
        match sort {
            Sort::Updated => SortBy::Updated,
            Sort::Title => SortBy::Title,
            Sort::Type => SortBy::Type,
            Sort::Created => SortBy::Created,
        }
    }
}

/// What `--json` shows: the same bytes on every node that holds the same records.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Listing {
    documents: Vec<Listed>,
    entries_to_index: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Listed {
    space: SpaceId,
    #[serde(flatten)]
    summary: Summary,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let spaces = self.filters.spaces(&client).await?;
        let mut listing = Listing::default();
        for space in spaces {
            let mut part = Listing::default();
            // In an order of all spaces the first of each may be the first of all.
            let held = if self.sort.is_some() { 0 } else { listing.documents.len() };
            self.read(&client, space, held, &mut part).await?;
            listing.documents.extend(part.documents);
            listing.entries_to_index = listing.entries_to_index.saturating_add(part.entries_to_index);
        }
        if let Some(sort) = self.sort {
            put_in_order(&mut listing.documents, sort, self.reverse);
        }
        listing.documents.truncate(self.limit.map_or(usize::MAX, |limit| limit as usize));
        context.output.show(&listing, human)
    }

    async fn read(&self, client: &Client, space: SpaceId, held: usize, listing: &mut Listing) -> Result<()> {
        let mut query = DocumentQuery {
            deleted: self.deleted.then_some(true),
            sort: self.sort.map(SortBy::from),
            reverse: self.reverse.then_some(true),
            ..self.filters.list()
        };
        // While pages are read, entries are taken in: the greatest number is how far what is shown was behind.
        let mut behind = 0;
        loop {
            let listed = u32::try_from(held + listing.documents.len()).unwrap_or(u32::MAX);
            let wanted = self.limit.map_or(PAGE_MAX, |limit| limit.saturating_sub(listed).min(PAGE_MAX));
            if wanted == 0 {
                break;
            }
            query.limit = Some(wanted);
            let page: DocumentPage = client.query(&format!("/spaces/{space}/documents"), &query).await?;
            listing.documents.extend(page.documents.into_iter().map(|summary| Listed { space, summary }));
            behind = page.entries_to_index.max(behind);
            if page.next.is_none() || page.next == query.cursor {
                break;
            }
            query.cursor = page.next;
        }
        listing.entries_to_index = behind;
        Ok(())
    }
}

/// Puts the lists of several spaces, each in its order, into one.
fn put_in_order(documents: &mut [Listed], sort: Sort, reverse: bool) {
    let several = documents.windows(2).any(|pair| pair[0].space != pair[1].space);
    if !several {
        return;
    }
    // Of equals, and of titles that differ in accents alone, those of one space stay in their order.
    documents.sort_by(|one, other| {
        let (one, other) = (&one.summary, &other.summary);
        let updated = |summary: &Summary| summary.updated.as_ref().map(|updated| updated.time_ms);
        let order = match sort {
            Sort::Updated => updated(other).cmp(&updated(one)),
            Sort::Created => other.created_ms.cmp(&one.created_ms),
            Sort::Type => one.kind.cmp(&other.kind),
            Sort::Title => one.title.to_lowercase().cmp(&other.title.to_lowercase()),
        };
        if reverse { order.reverse() } else { order }
    });
}

fn human(listing: &Listing) -> String {
    let rows: Vec<Vec<String>> = listing
        .documents
        .iter()
        .map(|Listed { summary, .. }| {
            let conflicts =
                if summary.conflicts > 0 { tr!("  ({} in conflict)", summary.conflicts) } else { String::new() };
            vec![
                short(summary.id),
                summary.kind.clone(),
                summary.languages.join(" "),
                summary.status.clone().unwrap_or_else(|| "-".into()),
                summary.marking.clone().unwrap_or_else(|| "-".into()),
                summary.updated.as_ref().map_or("-".into(), |updated| updated.name.clone()),
                if summary.title.is_empty() { "(no title)" } else { summary.title.as_str() }.to_owned() + &conflicts,
            ]
        })
        .collect();
    let mut out = output::table(&["id", "type", "languages", "status", "marking", "last by", "title"], &rows);
    out.push_str(&format!("{}\n", output::count(rows.len() as u64, "record", "records")));
    if listing.entries_to_index > 0 {
        let entries = output::count(listing.entries_to_index, "entry", "entries");
        out.push_str(&tr!("The list is not complete yet: {entries} to go.\n"));
    }
    out
}
