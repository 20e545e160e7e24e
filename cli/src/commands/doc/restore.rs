//! `portolan doc restore`: brings an earlier state of a record back, as a new change.

use clap::Args;
use portolan_protocol::api::{RestoreDocument, Restored};

use super::{
    saved::saved,
    words::{Paint, difference},
};
use crate::{context::Context, error::Result, messages, output::short, resolve, text};

#[derive(Args, Debug)]
pub struct Restore {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// The state to bring back, by the hashes of its last changes or their starts
    #[arg(long, value_name = "HEADS", value_delimiter = ',', required = true)]
    to: Vec<String>,
    /// The state that a dry run showed, as it names it; what was written since is merged [default: as it is now]
    #[arg(long, value_name = "HEADS", value_delimiter = ',')]
    heads: Vec<String>,
    /// Why, in a few words, for the history [default: that it was restored, and to what]
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Restore {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let to = resolve::changes(&client, space, document, &self.to).await?.unwrap_or_default();
        let heads = resolve::changes(&client, space, document, &self.heads).await?;
        let request = RestoreDocument { to, heads, reason: self.reason, dry_run: self.dry_run };
        let done: Restored = client.post(&format!("/spaces/{space}/documents/{document}/restore"), &request).await?;
        context.output.show(&done, |done| human(done, Paint::of_terminal()))
    }
}

fn human(done: &Restored, paint: Paint) -> String {
    let mut out = difference(&done.difference.fields, paint);
    for note in &done.left {
        out.push_str(&tr!("note: {} {}\n", text::shown(&note.path), text::shown(&messages::found(&note.message))));
    }
    match &done.saved {
        Some(result) => out.push_str(&saved(result)),
        None if done.difference.fields.is_empty() => out.push_str(&tr!("There is nothing to bring back.\n")),
        None => {
            let heads: Vec<String> = done.difference.from.iter().map(short).collect();
            out.push_str(&tr!("Nothing was changed: this is what it would do.\n"));
            out.push_str(&tr!("To do just that: the same with --heads {} for --dry-run\n", heads.join(",")));
        }
    }
    out
}
