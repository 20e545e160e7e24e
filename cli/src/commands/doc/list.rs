//! `portolan doc list`: the records there are.

use clap::Args;
use portolan_protocol::{
    api::{DocumentPage, DocumentQuery, PAGE_MAX, Spaces},
    id::SpaceId,
    record::Summary,
};
use serde::Serialize;

use crate::{
    client::Client,
    context::Context,
    error::Result,
    output::{self, short},
    resolve,
};

#[derive(Args, Debug)]
pub struct List {
    /// In this space alone (name, id, or the start of one)
    #[arg(long)]
    space: Option<String>,
    /// Of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// With this tag
    #[arg(long)]
    tag: Option<String>,
    /// With this priority area
    #[arg(long)]
    area: Option<String>,
    /// With this country, in any relation
    #[arg(long)]
    country: Option<String>,
    /// With something written in this language
    #[arg(long)]
    language: Option<String>,
    /// With this status
    #[arg(long)]
    status: Option<String>,
    /// Deleted records instead of the others
    #[arg(long)]
    deleted: bool,
    /// Not more than so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// What `--json` shows: the same bytes on every node that holds the same records.
#[derive(Debug, Default, Serialize)]
struct Listing {
    documents: Vec<Listed>,
    entries_to_index: u64,
}

#[derive(Debug, Serialize)]
struct Listed {
    space: SpaceId,
    #[serde(flatten)]
    summary: Summary,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let spaces = match &self.space {
            Some(typed) => vec![resolve::space(&client, typed).await?.id],
            None => {
                let spaces: Spaces = client.get("/spaces").await?;
                let mut ids: Vec<SpaceId> = spaces.spaces.iter().map(|space| space.id).collect();
                // Names are local; ids give every node the same order.
                ids.sort();
                ids
            }
        };
        let mut listing = Listing::default();
        for space in spaces {
            self.read(&client, space, &mut listing).await?;
        }
        context.output.show(&listing, human)
    }

    async fn read(&self, client: &Client, space: SpaceId, listing: &mut Listing) -> Result<()> {
        let mut query = DocumentQuery {
            kind: self.kind.clone(),
            tag: self.tag.clone(),
            area: self.area.clone(),
            country: self.country.clone(),
            language: self.language.clone(),
            status: self.status.clone(),
            deleted: self.deleted.then_some(true),
            ..DocumentQuery::default()
        };
        // While pages are read, entries are taken in: the greatest number is how far what is shown was behind.
        let mut behind = 0;
        loop {
            let listed = u32::try_from(listing.documents.len()).unwrap_or(u32::MAX);
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
        listing.entries_to_index = listing.entries_to_index.saturating_add(behind);
        Ok(())
    }
}

fn human(listing: &Listing) -> String {
    let rows: Vec<Vec<String>> = listing
        .documents
        .iter()
        .map(|Listed { summary, .. }| {
            let conflicts =
                if summary.conflicts > 0 { format!("  ({} in conflict)", summary.conflicts) } else { String::new() };
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
        out.push_str(&format!("The list is not complete yet: {entries} to go.\n"));
    }
    out
}
