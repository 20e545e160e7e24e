//! `portolan doc restore`: brings an earlier state of a record back, as a new change.

use clap::Args;
use portolan_protocol::api::{RestoreDocument, Restored};

use super::{
    saved::saved,
    words::{Paint, difference},
};
use crate::{context::Context, error::Result, resolve, text};

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
        let to = to.split(',').map(str::to_owned).collect();
        let request = RestoreDocument { to, reason: self.reason, dry_run: self.dry_run };
        let done: Restored = client.post(&format!("/spaces/{space}/documents/{document}/restore"), &request).await?;
        context.output.show(&done, |done| human(done, Paint::of_terminal()))
    }
}

fn human(done: &Restored, paint: Paint) -> String {
    let mut out = difference(&done.difference.fields, paint);
    for note in &done.left {
        out.push_str(&format!("note: {} {}\n", text::shown(&note.path), text::shown(&note.message)));
    }
    match &done.saved {
        Some(result) => out.push_str(&saved(result)),
        None if done.difference.fields.is_empty() => out.push_str("There is nothing to bring back.\n"),
        None => out.push_str("Nothing was changed: this is what it would do.\n"),
    }
    out
}
