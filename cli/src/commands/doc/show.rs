//! `portolan doc show`: one record.

use clap::Args;
use portolan_protocol::{
    api::{DocumentAt, DocumentView},
    record::{Kind, RecordView, Value, field_of},
};

use crate::{context::Context, error::Result, import, output, resolve, text, time};

#[derive(Args, Debug)]
pub struct Show {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// As it was at this change (its hash in the history, or the start of it); may be repeated for several heads
    #[arg(long, value_name = "HASH")]
    at: Vec<String>,
    /// As Markdown with front matter, which `portolan import` reads
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let at =
            DocumentAt { at: resolve::changes(&client, space, document, &self.at).await?.map(|heads| heads.join(",")) };
        let view: DocumentView = client.query(&format!("/spaces/{space}/documents/{document}"), &at).await?;
        if self.markdown {
            return output::print(&import::write_markdown(&view.record.fields, &conflicts(&view.record)));
        }
        context.output.show(&view, human)
    }
}

/// What a file cannot say with its fields.
fn conflicts(record: &RecordView) -> Vec<String> {
    let note = |(key, values): (&String, &Vec<Value>)| {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        tr!("CONFLICT {key}: written at the same time: {}", values.join(" / "))
    };
    record.conflicts.iter().map(note).collect()
}

fn human(view: &DocumentView) -> String {
    let record = &view.record;
    let mut out = format!("{}\n", text::shown(&record.title));
    if record.deleted {
        out.push_str(&tr!("DELETED: hidden in lists, not erased\n"));
    }
    let mut lines = vec![("id", record.id.to_string()), ("space", view.space.to_string())];
    if let Some(updated) = &view.updated {
        let by = tr!("{}, vouched for by node {}", updated.name, output::short(updated.node));
        lines.push(("last change", tr!("{} by {by}", time::rfc3339(updated.time_ms))));
    }
    lines.push(("changes", view.changes.to_string()));
    lines.push(("heads", record.heads.join(" ")));
    out.push_str(&output::pairs(&lines));
    out.push('\n');
    let is_long = |key: &str| field_of(key).is_some_and(|field| field.kind == Kind::Text);
    let short: Vec<(&str, String)> = record
        .fields
        .iter()
        .filter(|(key, _)| !is_long(key))
        .map(|(key, value)| (key.as_str(), value.to_string()))
        .collect();
    for (key, value) in &short {
        out.push_str(&format!("{}: {}\n", text::shown(key), text::shown(value)));
    }
    for (key, values) in &record.conflicts {
        let values: Vec<String> = values.iter().map(|value| text::shown(&value.to_string())).collect();
        out.push_str(&tr!("CONFLICT {}: written at the same time: {}\n", text::shown(key), values.join(" / ")));
    }
    for (key, value) in record.fields.iter().filter(|(key, _)| is_long(key)) {
        out.push_str(&format!("\n=== {}\n", text::shown(key)));
        for line in text::lines(value.as_str().unwrap_or_default()) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portolan_protocol::{
        id::{DocumentId, SpaceId},
        record::{RecordView, Value},
    };

    use super::*;

    #[test]
    fn a_record_shows_its_texts_and_its_conflicts_and_nothing_that_moves_the_cursor() {
        let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        values.insert("title/fr".into(), vec!["Ports".into()]);
        values.insert("status".into(), vec!["review".into(), "draft".into()]);
        values.insert("body/fr".into(), vec!["Un\x1b[2J\n\tdeux".into()]);
        let record = RecordView::new(DocumentId([0; 16]), vec!["ab".into()], values);
        let out = human(&DocumentView { space: SpaceId([0; 32]), record, updated: None, changes: 2 });
        let rest = out.split_once("\n\n").map(|(_, rest)| rest);
        assert_eq!(
            rest,
            Some(
                "status: review\ntitle/fr: Ports\nCONFLICT status: written at the same time: draft / review\n\n\
                 === body/fr\nUn\\u{1b}[2J\n    deux\n"
            )
        );
    }
}
