//! `portolan doc links`: what a record links to, and what links to it.

use clap::Args;
use portolan_protocol::api::{self, LINKS_MAX, LinkedRecord};

use crate::{
    context::Context,
    error::Result,
    output::{count, short, table},
    resolve, text,
};

#[derive(Args, Debug)]
pub struct Links {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
}

impl Links {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let found: api::Links = client.get(&format!("/spaces/{space}/documents/{document}/links")).await?;
        context.output.show(&found, human)
    }
}

fn human(found: &api::Links) -> String {
    let mut out = format!("{}  {}\n", found.document, text::shown(&found.title));
    let row = |says: &str, record: &LinkedRecord| {
        vec![says.to_owned(), short(record.document), record.kind.clone(), record.title.clone()]
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for link in &found.outgoing {
        rows.push(match &link.record {
            Some(record) => row(&link.relation, record),
            None => vec![link.relation.clone(), String::new(), String::new(), link.target.clone()],
        });
    }
    for link in &found.incoming {
        // A relation that is not known is shown as the other record says it.
        let says = link.inverse.clone().unwrap_or_else(|| format!("← {}", link.relation));
        rows.push(row(&says, &link.record));
    }
    match rows.is_empty() {
        true => out.push_str(&tr!("It links to nothing, and nothing that you may read links to it.\n")),
        false => out.push_str(&table(&["relation", "record", "type", "title"], &rows)),
    }
    if found.more {
        out.push_str(&tr!("There are more; of each kind the first {LINKS_MAX} are shown.\n"));
    }
    if found.entries_to_index > 0 {
        let entries = count(found.entries_to_index, "entry", "entries");
        out.push_str(&tr!("What links to it is not complete yet: {entries} to go.\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        api::{Incoming, Outgoing},
        id::{DocumentId, SpaceId},
    };

    use super::*;

    #[test]
    fn links_read_alike_from_both_ends() {
        let (space, document) = (SpaceId([0; 32]), DocumentId([0; 16]));
        let record = |title: &str| LinkedRecord { space, document, kind: "page".into(), title: title.into() };
        let incoming = |relation: &str, inverse: Option<&str>, title: &str| Incoming {
            relation: relation.into(),
            inverse: inverse.map(str::to_owned),
            record: record(title),
        };
        let mut found = api::Links {
            space,
            document,
            title: "Ports\u{1b}".into(),
            outgoing: vec![
                Outgoing { relation: "part_of".into(), target: document.to_string(), record: Some(record("Whole")) },
                Outgoing { relation: "see".into(), target: "https://example.org".into(), record: None },
            ],
            incoming: vec![incoming("addresses", Some("addressed_by"), "Gap"), incoming("likes", None, "Other")],
            more: true,
            entries_to_index: 2,
        };
        let out = human(&found);
        for line in [
            "Ports\\u{1b}\n",
            "part_of       aaaaaaaa  page  Whole\n",
            "see                           https://example.org\n",
            "addressed_by  aaaaaaaa  page  Gap\n",
            "← likes       aaaaaaaa  page  Other\n",
            "the first 500",
            "2 entries to go",
        ] {
            assert!(out.contains(line), "{line}: {out}");
        }
        found.outgoing.clear();
        found.incoming.clear();
        assert!(human(&found).contains("nothing that you may read links to it"));
    }
}
