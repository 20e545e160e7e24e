//! `portolan doc conflicts`: fields that say several things at once, and who wrote each of them.

use clap::Args;
use portolan_protocol::{
    api::{self, ContestedField, DocumentPage, DocumentQuery, PAGE_MAX, Spaces, Written},
    id::{DocumentId, SpaceId},
};
use serde::Serialize;

use crate::{
    client::Client,
    context::Context,
    error::Result,
    output::{count, short},
    resolve, text, time,
};

/// Columns of a value that people are shown.
const VALUE_WIDTH: usize = 200;

#[derive(Args, Debug)]
pub struct Conflicts {
    /// The record: its id, or the start of it; all records where it is left out
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
pub struct Contested {
    records: Vec<api::Conflicts>,
    /// Whether there are more records than are shown.
    more: bool,
    entries_to_index: u64,
}

impl Conflicts {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let mut found = Contested::default();
        match &self.document {
            Some(document) => {
                let (space, document) = resolve::document(&client, self.space.as_deref(), document).await?;
                found.records.push(contested(&client, space, document).await?);
            }
            None => self.look_through(&client, &mut found).await?,
        }
        let program = context.program();
        context.output.show(&found, |found| human(found, &program))
    }

    async fn look_through(&self, client: &Client, found: &mut Contested) -> Result<()> {
        let spaces = match &self.space {
            Some(typed) => vec![resolve::space(client, typed).await?.id],
            None => client.get::<Spaces>("/spaces").await?.spaces.into_iter().map(|space| space.id).collect(),
        };
        for space in spaces {
            let mut query = DocumentQuery { contested: Some(true), ..DocumentQuery::default() };
            loop {
                let room = usize::try_from(self.limit).unwrap_or(usize::MAX) - found.records.len();
                query.limit = u32::try_from(room + 1).ok().map(|wanted| wanted.min(PAGE_MAX));
                let page: DocumentPage = client.query(&format!("/spaces/{space}/documents"), &query).await?;
                found.more |= page.documents.len() > room;
                for summary in page.documents.into_iter().take(room) {
                    let record = contested(client, space, summary.id).await?;
                    // It may have been settled since the list was made.
                    found.records.extend(Some(record).filter(|record| !record.fields.is_empty()));
                }
                if page.next.is_none() || found.more {
                    found.entries_to_index = found.entries_to_index.saturating_add(page.entries_to_index);
                    break;
                }
                query.cursor = page.next;
            }
        }
        Ok(())
    }
}

/// The contested fields of one record.
pub(super) async fn contested(client: &Client, space: SpaceId, document: DocumentId) -> Result<api::Conflicts> {
    client.get(&format!("/spaces/{space}/documents/{document}/conflicts")).await
}

fn human(found: &Contested, program: &str) -> String {
    let mut out = String::new();
    for record in found.records.iter().filter(|record| !record.fields.is_empty()) {
        out.push_str(&format!("{}  {}\n", record.document, text::shown(&record.title)));
        record.fields.iter().for_each(|contested| field(contested, &mut out));
        let heads: Vec<String> = record.heads.iter().map(short).collect();
        let (id, heads) = (short(record.document), heads.join(","));
        out.push_str(&tr!("To leave one: {program} doc settle {id} FIELD --heads {heads} --take NUMBER\n\n"));
    }
    if out.is_empty() {
        out.push_str(&tr!("Nothing is contested.\n"));
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

fn field(contested: &ContestedField, out: &mut String) {
    out.push_str(&format!("  {}", text::shown(&contested.field)));
    if let Some(joined) = &contested.joined {
        out.push_str(&tr!(": counts as {}", text::shown(&joined.to_string())));
    }
    out.push('\n');
    for (number, held) in (1_u32..).zip(&contested.values) {
        out.push_str(&format!("{number:>6}  {}\n", text::cut(&held.value.to_string(), VALUE_WIDTH)));
        for written in &held.written {
            out.push_str(&format!("        {}\n", by(written)));
        }
    }
}

/// Who wrote something, in one line.
fn by(written: &Written) -> String {
    let node = written.node_name.as_deref().map_or_else(|| short(written.node), text::shown);
    let reason = if written.reason.is_empty() { String::new() } else { format!(": {}", text::shown(&written.reason)) };
    let (name, when) = (text::shown(&written.name), time::rfc3339(written.time_ms));
    tr!("{}  {when}  {name}, signed by {node}{reason}", short(&written.change))
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        api::ContestedValue,
        id::{NodeId, PersonId},
        record::Value,
        time::Timestamp,
    };

    use super::*;

    #[test]
    fn each_value_has_a_number_and_its_authors() {
        let written = Written {
            change: "ab".repeat(32),
            time_ms: Timestamp(0),
            node: NodeId([0; 32]),
            node_name: Some("Tunis".into()),
            person: PersonId([0; 16]),
            name: "Amina\u{1b}".into(),
            reason: "agreed".into(),
        };
        let value = |value: &str| ContestedValue { value: Value::from(value), written: vec![written.clone()] };
        let fields = vec![ContestedField {
            field: "marking".into(),
            joined: Some("RED".into()),
            values: vec![value("GREEN"), value("RED")],
        }];
        let (space, document) = (SpaceId([0; 32]), DocumentId([0; 16]));
        let record = api::Conflicts { space, document, title: "Ports".into(), heads: vec!["cd".repeat(32)], fields };
        let out = human(&Contested { records: vec![record], more: true, entries_to_index: 1 }, "portolan");
        assert!(out.contains("marking: counts as RED\n     1  GREEN\n        abababab  1970-01-01"), "{out}");
        assert!(out.contains("Amina\\u{1b}, signed by Tunis: agreed\n     2  RED\n"), "{out}");
        assert!(out.contains("FIELD --heads cdcdcdcd --take NUMBER\n"), "{out}");
        assert!(out.contains("more records") && out.contains("1 entry to go"), "{out}");
        assert_eq!(human(&Contested::default(), "portolan"), "Nothing is contested.\n");
    }
}
