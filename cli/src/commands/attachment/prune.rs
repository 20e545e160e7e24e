//! `portolan attachment prune`: room on the disk, from files that no record names any more.

use clap::Args;
use portolan_protocol::api::HeldAttachments;

use super::list::forgotten;
use crate::{
    context::Context,
    error::{Result, usage},
};

#[derive(Args, Debug)]
pub struct Prune {
    /// Remove them: other nodes may not hold them
    #[arg(long)]
    yes: bool,
}

impl Prune {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        if !self.yes {
            return Err(usage("files are removed for good from this node, and others may not hold them")
                .safe("Nothing was removed.")
                .next("See which with `portolan attachment list --unreferenced`, then add --yes."));
        }
        let client = context.client()?;
        let removed: HeldAttachments = client.delete("/attachments/unreferenced", &serde_json::json!({})).await?;
        context.output.show(&removed, forgotten)
    }
}
