//! `portolan attachment list`: the files of a record and who holds them, or those that no record names.

use clap::Args;
use portolan_protocol::api::{Attachment, AttachmentState, Attachments, HeldAttachments, HeldQuery};

use super::named;
use crate::{
    context::Context,
    error::{Result, usage},
    output, resolve, text,
};

#[derive(Args, Debug)]
pub struct List {
    /// The record: its id, or the start of it
    #[arg(required_unless_present = "unreferenced")]
    record: Option<String>,
    /// The space the record is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// The files on this node that no record names, and that have been here for a day
    #[arg(long, conflicts_with = "record")]
    unreferenced: bool,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        if self.unreferenced {
            let query = HeldQuery { unreferenced: true };
            let all: HeldAttachments = client.query("/attachments", &query).await?;
            return context.output.show(&all, forgotten);
        }
        let record = self.record.ok_or_else(|| usage("a record is needed"))?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &record).await?;
        let all: Attachments = client.get(&named::path(space, document)).await?;
        context.output.show(&all, human)
    }
}

/// Those that were found, or removed.
pub(super) fn forgotten(all: &HeldAttachments) -> String {
    let rows: Vec<Vec<String>> =
        all.attachments.iter().map(|held| vec![held.id.to_string(), output::bytes(held.bytes)]).collect();
    if rows.is_empty() { tr!("none\n") } else { output::table(&["attachment", "size"], &rows) }
}

fn human(all: &Attachments) -> String {
    let rows: Vec<Vec<String>> = all.attachments.iter().map(row).collect();
    if rows.is_empty() {
        return tr!("the record has no files\n");
    }
    let mut out = output::table(&["id", "name", "size", "type", "state", "also held by"], &rows);
    for one in all.attachments.iter().filter(|one| !one.trouble.is_empty()) {
        out.push_str(&format!("{}: {}\n", output::short(one.id), text::shown(&one.trouble)));
    }
    out
}

fn row(one: &Attachment) -> Vec<String> {
    let state = match one.state {
        AttachmentState::Held => tr!("held"),
        AttachmentState::Partial => format!("{} %", one.percent),
        AttachmentState::Missing => tr!("missing"),
        AttachmentState::Unknown => tr!("unknown"),
    };
    let name = |holder: &portolan_protocol::api::Holder| match holder.name.as_str() {
        "" => output::short(holder.node),
        name => name.to_owned(),
    };
    let holders: Vec<String> = one.holders.iter().filter(|holder| holder.held).map(name).collect();
    vec![
        output::short(one.id),
        one.name.clone(),
        one.size.map_or_else(|| "-".to_owned(), output::bytes),
        one.media_type.clone().unwrap_or_else(|| "-".to_owned()),
        state,
        if holders.is_empty() { "-".to_owned() } else { holders.join(", ") },
    ]
}
