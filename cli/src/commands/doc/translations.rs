//! `portolan doc translations`: which translations are behind the original language.

use clap::Args;
use portolan_protocol::{
    api::{self, DocumentPage, DocumentQuery, PAGE_MAX, Spaces, Translation},
    id::{DocumentId, SpaceId},
};
use serde::Serialize;

use crate::{client::Client, context::Context, error::Result, output::count, resolve, text};

#[derive(Args, Debug)]
pub struct Translations {
    /// The record: its id, or the start of it; where it is left out, those records of which a translation is behind
    document: Option<String>,
    /// In this space alone (name, id, or the start of one)
    #[arg(long)]
    space: Option<String>,
    /// Not more than so many records
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// What `--json` shows.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    records: Vec<api::Translations>,
    /// Whether there are more records than are shown.
    more: bool,
    entries_to_index: u64,
}

impl Translations {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let mut found = Found::default();
        match &self.document {
            Some(document) => {
                let (space, document) = resolve::document(&client, self.space.as_deref(), document).await?;
                found.records.push(translations(&client, space, document).await?);
            }
            None => self.look_through(&client, &mut found).await?,
        }
        context.output.show(&found, human)
    }

    async fn look_through(&self, client: &Client, found: &mut Found) -> Result<()> {
        let spaces = match &self.space {
            Some(typed) => vec![resolve::space(client, typed).await?.id],
            None => client.get::<Spaces>("/spaces").await?.spaces.into_iter().map(|space| space.id).collect(),
        };
        for space in spaces {
            let mut query = DocumentQuery { limit: Some(PAGE_MAX), ..DocumentQuery::default() };
            loop {
                let page: DocumentPage = client.query(&format!("/spaces/{space}/documents"), &query).await?;
                let is_original =
                    |summary: &portolan_protocol::record::Summary, tag: &String| summary.language.as_ref() == Some(tag);
                for summary in page.documents {
                    if summary.languages.iter().all(|tag| is_original(&summary, tag)) {
                        continue;
                    }
                    let mut record = translations(client, space, summary.id).await?;
                    record.translations.retain(|translation| translation.behind != Some(0));
                    if record.translations.is_empty() {
                        continue;
                    }
                    if found.records.len() >= usize::try_from(self.limit).unwrap_or(usize::MAX) {
                        found.more = true;
                        return Ok(());
                    }
                    found.records.push(record);
                }
                if page.next.is_none() {
                    found.entries_to_index = found.entries_to_index.saturating_add(page.entries_to_index);
                    break;
                }
                query.cursor = page.next;
            }
        }
        Ok(())
    }
}

async fn translations(client: &Client, space: SpaceId, document: DocumentId) -> Result<api::Translations> {
    client.get(&format!("/spaces/{space}/documents/{document}/translations")).await
}

fn human(found: &Found) -> String {
    let mut out = String::new();
    for record in &found.records {
        let original = record.original.as_deref().map_or_else(|| tr!("no language said"), text::shown);
        out.push_str(&format!("{}  {} ({original})\n", record.document, text::shown(&record.title)));
        for translation in &record.translations {
            let state = translation.state.as_deref().map_or_else(|| tr!("state not said"), text::shown);
            out.push_str(&format!("  {}  {state}, {}\n", text::shown(&translation.language), behind(translation)));
        }
        if record.translations.is_empty() {
            out.push_str(&tr!("  no translation\n"));
        }
    }
    if out.is_empty() {
        out.push_str(&tr!("No translation is behind.\n"));
    }
    if found.more {
        out.push_str(&tr!("There are more records; --limit shows more of them.\n"));
    }
    if found.entries_to_index > 0 {
        let entries = count(found.entries_to_index, "entry", "entries");
        out.push_str(&tr!("The list is not complete yet: {entries} to go.\n"));
    }
    out
}

fn behind(translation: &Translation) -> String {
    match translation.behind {
        Some(0) => tr!("up to date"),
        Some(changes) => tr!("{} behind", count(changes.into(), "change", "changes")),
        None if translation.from.is_empty() => tr!("nobody said what it was made from"),
        None => tr!("made from what is not held here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translation_says_how_far_it_is() {
        let translation = |language: &str, behind: Option<u32>, from: &[&str]| Translation {
            language: language.into(),
            state: Some("draft".into()).filter(|_| behind.is_some()),
            from: from.iter().map(|head| (*head).to_owned()).collect(),
            behind,
        };
        let translations =
            vec![translation("ar", Some(2), &["ab"]), translation("en", None, &[]), translation("pt", None, &["cd"])];
        let (space, document) = (SpaceId([0; 32]), DocumentId([0; 16]));
        let original = Some("fr".into());
        let record =
            api::Translations { space, document, title: "Ports".into(), original, heads: vec![], translations };
        let out = human(&Found { records: vec![record], ..Found::default() });
        let lines: Vec<&str> = out.lines().skip(1).collect();
        let expected = [
            "  ar  draft, 2 changes behind",
            "  en  state not said, nobody said what it was made from",
            "  pt  state not said, made from what is not held here",
        ];
        assert_eq!(lines, expected);
    }
}
