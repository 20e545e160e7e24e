//! `portolan doc history`: every change of a record, and who signed it.

use clap::Args;
use portolan_protocol::api;

use crate::{context::Context, error::Result, output::short, resolve, text, time};

#[derive(Args, Debug)]
pub struct History {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
}

impl History {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let history: api::History = client.get(&format!("/spaces/{space}/documents/{document}/history")).await?;
        context.output.show(&history, human)
    }
}

fn human(history: &api::History) -> String {
    let mut out = String::new();
    for change in &history.changes {
        let node = change.node_name.as_deref().map_or_else(|| short(change.node), text::shown);
        out.push_str(&tr!(
            "{}  {}  {}, signed by {node} (entry {}/{} {})\n",
            change.hash.get(..8).unwrap_or(&change.hash),
            time::rfc3339(change.time_ms),
            text::shown(&change.name),
            short(change.entry.log.log),
            change.entry.seq,
            short(change.entry.hash),
        ));
        let after: Vec<&str> = change.after.iter().map(|hash| hash.get(..8).unwrap_or(hash)).collect();
        if !after.is_empty() {
            out.push_str(&tr!("    after {}\n", after.join(" ")));
        }
        if !change.fields.is_empty() {
            out.push_str(&format!("    {}\n", text::cut(&change.fields.join(", "), 100)));
        }
        if !change.reason.is_empty() {
            out.push_str(&format!("    \"{}\"\n", text::shown(&change.reason)));
        }
    }
    // A change is taken in after that alone, whoever brought it.
    out.push_str(&tr!("Each signature was verified before the change was taken in; `portolan check` does it again.\n"));
    out
}
