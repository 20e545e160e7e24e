//! `portolan doc delete`: hides a record on every node.

use clap::Args;
use portolan_protocol::api::{DeleteDocument, Saved};

use super::saved::saved;
use crate::{context::Context, error::Result, resolve};

#[derive(Args, Debug)]
pub struct Delete {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// Why, in a few words, for the history
    #[arg(long, default_value = "")]
    reason: String,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let path = format!("/spaces/{space}/documents/{document}");
        let result: Saved = client.delete(&path, &DeleteDocument { reason: self.reason }).await?;
        context.output.show(&result, saved)
    }
}
