//! The options by which lists and searches are narrowed.

use clap::Args;
use portolan_protocol::{
    api::{DocumentQuery, SearchQuery, Spaces},
    id::SpaceId,
    time::Timestamp,
};

use crate::{client::Client, error::Result, resolve, time};

#[derive(Args, Clone, Debug, Default)]
pub(super) struct Filters {
    /// In this space alone (name, id, or the start of one)
    #[arg(long)]
    pub(super) space: Option<String>,
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
    /// Of this programme
    #[arg(long)]
    programme: Option<String>,
    /// With something written in this language
    #[arg(long)]
    language: Option<String>,
    /// With this status
    #[arg(long)]
    status: Option<String>,
    /// With this marking
    #[arg(long)]
    marking: Option<String>,
    /// From this organisation
    #[arg(long)]
    originator: Option<String>,
    /// About this year: one that its dates name, or in which it was written where it has none
    #[arg(long)]
    year: Option<u16>,
    /// Last changed on this day or later: 2026-01-31, 2026-01 or 2026, in UTC
    #[arg(long, value_name = "DAY", value_parser = first_moment)]
    since: Option<Timestamp>,
    /// Last changed on this day or earlier
    #[arg(long, value_name = "DAY", value_parser = end)]
    until: Option<Timestamp>,
}

fn first_moment(text: &str) -> std::result::Result<Timestamp, String> {
    time::parse_period(text).map(|(first, _)| first)
}

fn end(text: &str) -> std::result::Result<Timestamp, String> {
    time::parse_period(text).map(|(_, end)| end)
}

impl Filters {
    /// A list that is narrowed so.
    pub(super) fn list(&self) -> DocumentQuery {
        let Filters { kind, tag, area, country, programme, language, status, .. } = self.clone();
        let Filters { marking, originator, year, since: since_ms, until: until_ms, .. } = self.clone();
        DocumentQuery {
            kind,
            tag,
            area,
            country,
            programme,
            language,
            status,
            marking,
            originator,
            year,
            since_ms,
            until_ms,
            ..DocumentQuery::default()
        }
    }

    /// A search that is narrowed so, the space aside.
    pub(super) fn search(&self, q: String) -> SearchQuery {
        let Filters { kind, tag, area, country, programme, language, status, .. } = self.clone();
        let Filters { marking, originator, year, since: since_ms, until: until_ms, .. } = self.clone();
        SearchQuery {
            q,
            kind,
            tag,
            area,
            country,
            programme,
            language,
            status,
            marking,
            originator,
            year,
            since_ms,
            until_ms,
            ..SearchQuery::default()
        }
    }

    /// Whether anything is left out.
    pub(super) fn is_narrow(&self) -> bool {
        self.space.is_some() || self.list() != DocumentQuery::default()
    }

    /// The spaces that are meant: the one that is named, or all, in the order of their ids, which is the same on every node.
    pub(super) async fn spaces(&self, client: &Client) -> Result<Vec<SpaceId>> {
        if let Some(typed) = &self.space {
            return Ok(vec![resolve::space(client, typed).await?.id]);
        }
        let spaces: Spaces = client.get("/spaces").await?;
        let mut ids: Vec<SpaceId> = spaces.spaces.iter().map(|space| space.id).collect();
        ids.sort();
        Ok(ids)
    }
}
