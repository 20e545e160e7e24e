//! `portolan doc settle`: leaves one value of a field that says several things at once.

use clap::Args;
use portolan_protocol::api::{Choice, Saved, SettleField};

use super::{conflicts::contested, saved::saved};
use crate::{
    context::Context,
    error::{Result, usage},
    fields, resolve,
};

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("choice").required(true))]
pub struct Settle {
    /// The record: its id, or the start of it
    document: String,
    /// The field, as `portolan doc conflicts` names it
    field: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// What it is to say; nothing removes it
    #[arg(long, group = "choice")]
    value: Option<String>,
    /// The value with this number, as `portolan doc conflicts` counts them
    #[arg(long, group = "choice", value_name = "N", requires = "heads", value_parser = clap::value_parser!(u32).range(1..))]
    take: Option<u32>,
    /// The state that was looked at, as `portolan doc conflicts` names it; what was written since stays beside the choice
    #[arg(long, value_name = "HEADS", value_delimiter = ',')]
    heads: Vec<String>,
    /// Why, in a few words, for the history
    #[arg(long, default_value = "")]
    reason: String,
}

impl Settle {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let choice = match (&self.value, self.take) {
            (Some(value), _) => {
                let setting = fields::parse(&format!("{}={value}", self.field)).map_err(usage)?;
                Choice::Value(setting.in_language("").1)
            }
            (None, take) => Choice::Take(take.unwrap_or_default()),
        };
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let heads = match resolve::changes(&client, space, document, &self.heads).await? {
            Some(heads) => heads,
            None => contested(&client, space, document).await?.heads,
        };
        let request = SettleField { field: self.field, choice, heads, reason: self.reason };
        let result: Saved = client.post(&format!("/spaces/{space}/documents/{document}/settle"), &request).await?;
        context.output.show(&result, saved)
    }
}
