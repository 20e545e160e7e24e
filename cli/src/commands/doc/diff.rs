//! `portolan doc diff`: what changed in a record between two of its states, word by word.

use clap::Args;
use portolan_protocol::api::{Difference, DifferenceQuery};

use super::words::{Paint, difference};
use crate::{context::Context, error::Result, output::short, resolve};

#[derive(Args, Debug)]
pub struct Diff {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// The state to begin with, by the hashes of its last changes or their starts [default: before the last change]
    #[arg(long, value_name = "HEADS", value_delimiter = ',')]
    from: Vec<String>,
    /// The state to end with [default: as it is now]
    #[arg(long, value_name = "HEADS", value_delimiter = ',')]
    to: Vec<String>,
}

impl Diff {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let from = resolve::changes(&client, space, document, &self.from).await?;
        let to = resolve::changes(&client, space, document, &self.to).await?;
        let query = DifferenceQuery { from: from.map(|heads| heads.join(",")), to: to.map(|heads| heads.join(",")) };
        let path = format!("/spaces/{space}/documents/{document}/diff");
        let found: Difference = client.query(&path, &query).await?;
        context.output.show(&found, |found| human(found, Paint::of_terminal()))
    }
}

fn human(found: &Difference, paint: Paint) -> String {
    let heads = |heads: &[String]| match heads {
        [] => tr!("nothing"),
        heads => heads.iter().map(short).collect::<Vec<_>>().join(" "),
    };
    let mut out = tr!("{}  from {} to {}\n", found.document, heads(&found.from), heads(&found.to));
    if found.fields.is_empty() {
        out.push_str(&tr!("Nothing differs.\n"));
    }
    out + &difference(&found.fields, paint)
}
