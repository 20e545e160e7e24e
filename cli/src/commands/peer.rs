//! `portolan peer`: other nodes, introduced by their card and a fingerprint that a person compares.

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use portolan_protocol::{
    api::{self, AddPeer, CardText, ErrorKind, Peers},
    card::Card,
};

use super::status;
use crate::{
    context::Context,
    error::{ApiError, Result, file, usage},
    output::{self, short},
    resolve, text, time,
};

/// Digits of a fingerprint.
const FINGERPRINT_DIGITS: usize = 40;
/// A mail with a card in it is far below this.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[derive(Subcommand, Debug)]
pub(super) enum Peer {
    /// Introduce a node by its card, after comparing the fingerprint
    Add(Add),
    /// The nodes this node knows
    List,
    /// One node, and what it has confirmed
    Show {
        /// Its name, its id, or the start of one
        peer: String,
    },
    /// Exchange nothing with a node any more; to end its membership of a space, use `space revoke`
    Remove {
        /// Its name, its id, or the start of one
        peer: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct Add {
    /// The file with the other node's card; - reads standard input
    card: PathBuf,
    /// The fingerprint as the other side told it, for scripts; without it, it is asked for
    #[arg(long, value_name = "DIGITS")]
    fingerprint: Option<String>,
    /// Keep the card and compare later; nothing is exchanged until then
    #[arg(long, conflicts_with = "fingerprint")]
    unverified: bool,
}

impl Peer {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let now = time::now();
        match self {
            Peer::Add(add) => {
                let (card, bytes) = read_card(&add.card)?;
                let typed = match (add.fingerprint, add.unverified) {
                    (Some(typed), _) => Some(typed),
                    (None, true) => None,
                    (None, false) => Some(ask(&card)?),
                };
                if let Some(typed) = &typed {
                    compare(&card, typed)?;
                }
                let request = AddPeer { card: CardText(bytes), fingerprint: typed };
                let peer: api::Peer = client.post("/peers", &request).await?;
                context.output.show(&peer, |peer| {
                    let verified =
                        tr!("It is verified: what both are members of is exchanged whenever there is a link.\n");
                    format!("{}{}", status::peer(peer, now), if peer.verified { &verified } else { "" })
                })
            }
            Peer::List => {
                let peers: Peers = client.get("/peers").await?;
                context.output.show(&peers, |peers| table(&peers.peers))
            }
            Peer::Show { peer } => {
                let peer = resolve::peer(&client, &peer).await?;
                context.output.show(&peer, |peer| {
                    output::pairs(&[
                        ("id", peer.node.to_string()),
                        ("organisation", peer.organisation.clone()),
                        ("country", peer.country.clone()),
                        ("addresses", peer.addresses.join(", ")),
                        ("card version", peer.card_version.to_string()),
                        ("fingerprint", peer.fingerprint.clone()),
                    ]) + "\n"
                        + &status::peer(peer, now)
                })
            }
            Peer::Remove { peer } => {
                let node = resolve::peer(&client, &peer).await?.node;
                let peer: api::Peer = client.delete(&format!("/peers/{node}"), &()).await?;
                context.output.show(&peer, |peer| {
                    let member = if peer.spaces.iter().any(|space| space.role.is_some()) {
                        tr!("It is still a member of spaces: end that with `portolan space revoke`.\n")
                    } else {
                        String::new()
                    };
                    tr!("{} is no peer any more; nothing is exchanged with it.\n", text::shown(&peer.name)) + &member
                })
            }
        }
    }
}

fn table(peers: &[api::Peer]) -> String {
    let rows: Vec<Vec<String>> = peers
        .iter()
        .map(|peer| {
            vec![
                peer.name.clone(),
                short(peer.node),
                peer.country.clone(),
                if peer.verified { tr!("yes") } else { tr!("NO") },
                if peer.connection.is_some() { tr!("yes") } else { tr!("no") },
                peer.addresses.join(", "),
            ]
        })
        .collect();
    output::table(&["name", "id", "country", "verified", "connected", "addresses"], &rows)
}

fn read_card(path: &Path) -> Result<(Card, Vec<u8>)> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(FILE_BYTES_MAX).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(|error| file("read the card", path, &error))?;
    let refuse = |why: String| {
        usage(format!("{}: {why}", path.display()))
            .safe("Nothing was introduced.")
            .next("Ask the other administrator for the card again (`portolan node card --out FILE`).")
    };
    let text = CardText::from_armour(&String::from_utf8_lossy(&bytes)).map_err(|error| refuse(error.to_string()))?;
    let card = Card::decode(&text.0).map_err(|error| refuse(error.to_string()))?;
    Ok((card, text.0))
}

/// Shows the card and asks for the fingerprint on the terminal.
fn ask(card: &Card) -> Result<String> {
    if !io::stdin().is_terminal() {
        return Err(usage("the fingerprint must be compared by a person, and there is no terminal to ask at")
            .safe("Nothing was introduced.")
            .next("Give --fingerprint DIGITS as the other administrator read them to you, or --unverified to keep the card for later."));
    }
    let profile = card.profile();
    let mut err = io::stderr().lock();
    let shown = output::pairs(&[
        ("name", profile.name.clone()),
        ("organisation", profile.organisation_name.clone()),
        ("country", profile.country.clone()),
        ("addresses", profile.addresses.join(", ")),
        ("fingerprint", card.fingerprint().to_string()),
    ]);
    let asked = write!(
        err,
        "{shown}\n{}{} ",
        tr!(
            "Call the other administrator at a number you know, and let the fingerprint of that node be read to you.\n"
        ),
        tr!("Type it as you hear it:")
    )
    .and_then(|()| err.flush());
    let mut typed = String::new();
    asked.and_then(|()| io::stdin().lock().take(1_024).read_line(&mut typed)).map_err(|error| {
        ApiError::new(ErrorKind::Io, format!("cannot ask at the terminal: {error}")).safe("Nothing was introduced.")
    })?;
    Ok(typed.trim().to_owned())
}

fn compare(card: &Card, typed: &str) -> Result<()> {
    if card.fingerprint().matches(typed) {
        return Ok(());
    }
    let digits = typed.chars().filter(|c| c.is_numeric()).count();
    if digits != FINGERPRINT_DIGITS {
        return Err(usage(format!("a fingerprint has {FINGERPRINT_DIGITS} digits, and {digits} were typed"))
            .safe("Nothing was introduced.")
            .next("Type all of them, with or without blanks between."));
    }
    Err(ApiError::new(ErrorKind::Forbidden, "the digits are not this card's fingerprint")
        .safe("Nothing was introduced.")
        .next(
            "Have them read again. If they still differ, the card was changed on its way: do not use it, and let the other \
             administrator send it by another route.",
        ))
}
