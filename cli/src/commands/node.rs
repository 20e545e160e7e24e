//! `portolan node`: this node's own card.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use portolan_protocol::api::{CardAnswer, ProfileChange};

use crate::{
    args,
    context::Context,
    error::{Result, file, usage},
    output,
};

#[derive(Subcommand, Debug)]
pub(super) enum Node {
    /// The card that other administrators need; send it, and read them the fingerprint by telephone
    Card {
        /// Write the card into this file instead
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Change what the card says; peers hear of it when they connect next
    Set(Set),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(super) struct Set {
    /// The node's name
    #[arg(long)]
    name: Option<String>,
    /// The organisation's name
    #[arg(long)]
    organisation: Option<String>,
    /// The country, two letters as in ISO 3166
    #[arg(long, value_parser = args::country)]
    country: Option<String>,
    /// Where peers may reach this node, HOST:PORT; may be repeated; replaces all that are on the card
    #[arg(long = "address", value_name = "HOST:PORT", value_parser = args::host_and_port)]
    addresses: Vec<String>,
    /// Take all addresses off the card
    #[arg(long, conflicts_with = "addresses")]
    no_addresses: bool,
}

impl Node {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            Node::Card { out } => {
                let answer: CardAnswer = client.get("/node/card").await?;
                let Some(path) = out else {
                    if !context.output.json {
                        // Beside the card, not in it: what is written to a file to be mailed must not hold it.
                        eprintln!("fingerprint  {}", answer.fingerprint);
                    }
                    return context.output.show(&answer, |answer| answer.card.armour());
                };
                if path.is_dir() {
                    return Err(usage(format!("{} is a directory", path.display())));
                }
                fs::write(&path, answer.card.armour()).map_err(|error| file("write", &path, &error))?;
                context.output.show(&answer, |answer| {
                    tr!("{} holds the card of {}.\nfingerprint  {}\nSend the file; read the fingerprint to the other side by \
                         telephone, never in the same mail.\n",
                        path.display(),
                        answer.name,
                        answer.fingerprint
                    )
                })
            }
            Node::Set(set) => {
                let addresses = (set.no_addresses || !set.addresses.is_empty()).then_some(set.addresses);
                let change =
                    ProfileChange { name: set.name, organisation: set.organisation, country: set.country, addresses };
                let answer: CardAnswer = client.patch("/node/profile", &change).await?;
                context.output.show(&answer, |answer| {
                    output::pairs(&[
                        ("card version", answer.version.to_string()),
                        ("name", answer.name.clone()),
                        ("organisation", answer.organisation.clone()),
                        ("country", answer.country.clone()),
                        ("addresses", answer.addresses.join(", ")),
                        ("fingerprint", answer.fingerprint.clone()),
                    ])
                })
            }
        }
    }
}
