//! `portolan doc who-has`: which partners have signed for the changes of a record.

use clap::Args;
use portolan_protocol::api::{Holders, Holds, RecordHolder};

use crate::{
    context::Context,
    error::Result,
    output::{count, short, table},
    resolve, text, time,
};

#[derive(Args, Debug)]
pub struct WhoHas {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
}

impl WhoHas {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let found: Holders = client.get(&format!("/spaces/{space}/documents/{document}/holders")).await?;
        context.output.show(&found, human)
    }
}

fn human(found: &Holders) -> String {
    let changes = count(found.changes.into(), "change", "changes");
    let mut out = format!("{}  {}, {changes}\n", found.document, text::shown(&found.title));
    if found.holders.is_empty() {
        out.push_str(&tr!("No other node is a member of the space.\n"));
        return out;
    }
    let when = |moment| match moment {
        Some(moment) => time::rfc3339(moment),
        None => tr!("never"),
    };
    let row = |holder: &RecordHolder| {
        vec![
            holder.name.clone().unwrap_or_else(|| short(holder.node)),
            holds(holder, found.changes),
            when(holder.receipt_ms),
            when(holder.last_heard_ms),
        ]
    };
    let rows: Vec<Vec<String>> = found.holders.iter().map(row).collect();
    out + &table(&["partner", "has", "signed", "last heard"], &rows)
}

fn holds(holder: &RecordHolder, changes: u32) -> String {
    let what = match holder.holds {
        Holds::All => tr!("all"),
        Holds::Part => format!("{} of {changes}", holder.changes),
        Holds::Nothing => tr!("nothing confirmed"),
        Holds::Unknown => tr!("not known: no peer of this node"),
    };
    if holder.role.is_some() { what } else { tr!("{what}; no member any more") }
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        id::{DocumentId, NodeId, SpaceId},
        time::Timestamp,
    };

    use super::*;

    #[test]
    fn each_partner_has_a_line() {
        let holder = |holds, changes, heard| RecordHolder {
            node: NodeId([0; 32]),
            name: Some("Tunis".into()),
            role: None,
            holds,
            changes,
            last_heard_ms: heard,
            receipt_ms: None,
        };
        let holders = vec![holder(Holds::Part, 2, Some(Timestamp(0))), holder(Holds::Nothing, 0, None)];
        let (space, document) = (SpaceId([0; 32]), DocumentId([0; 16]));
        let mut found = Holders { space, document, title: "Ports".into(), changes: 3, holders };
        let out = human(&found);
        assert!(
            out.contains("Tunis    2 of 3; no member any more             never   1970-01-01T00:00:00Z\n"),
            "{out}"
        );
        found.holders.clear();
        assert!(human(&found).ends_with("Ports, 3 changes\nNo other node is a member of the space.\n"));
    }
}
