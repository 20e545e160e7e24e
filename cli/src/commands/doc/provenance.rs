//! `portolan doc provenance`: how each change of a record came here, and which partners have signed for it.

use clap::Args;
use portolan_protocol::{
    api::{self, Arrival, ChangeProvenance, Partner},
    id::NodeId,
};

use crate::{context::Context, error::Result, output::short, resolve, text, time};

#[derive(Args, Debug)]
pub struct Provenance {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
}

impl Provenance {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let found: api::Provenance = client.get(&format!("/spaces/{space}/documents/{document}/provenance")).await?;
        context.output.show(&found, human)
    }
}

fn human(found: &api::Provenance) -> String {
    let mut out = format!("{}  {}\n", found.document, text::shown(&found.title));
    for change in &found.changes {
        out.push_str(&tr!(
            "\n{}  {}  {}, signed by {}\n    {}\n    confirmed by {}\n",
            short(&change.change),
            time::rfc3339(change.time_ms),
            text::shown(&change.name),
            name(&change.author),
            arrival(change),
            holders(&change.held_by, &found.partners),
        ));
    }
    out
}

fn arrival(change: &ChangeProvenance) -> String {
    match &change.arrival {
        None => tr!("how it came here is not known"),
        Some(Arrival::Written) => tr!("written here"),
        Some(Arrival::Link { from }) => tr!("came from {} over a link", name(from)),
        Some(Arrival::Pouch { from, pouch }) => {
            tr!("came from {} by courier, in pouch {}", name(from), short(pouch))
        }
    }
}

fn holders(held_by: &[NodeId], partners: &[Partner]) -> String {
    if held_by.is_empty() {
        return tr!("nobody else");
    }
    let lacking: Vec<&Partner> = partners.iter().filter(|partner| !held_by.contains(&partner.node)).collect();
    if lacking.is_empty() {
        return tr!("all partners");
    }
    let holding = partners.iter().filter(|partner| held_by.contains(&partner.node));
    holding.map(name).collect::<Vec<_>>().join(", ")
}

fn name(partner: &Partner) -> String {
    partner.name.as_deref().map_or_else(|| short(partner.node), text::shown)
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        entry::{EntryRef, LogKey},
        id::{DocumentId, EntryHash, LogId, PersonId, PouchId, SpaceId},
        time::Timestamp,
    };

    use super::*;

    #[test]
    fn each_change_says_how_it_came_and_who_has_it() {
        let partner = |number: u8, name: &str| Partner { node: NodeId([number; 32]), name: Some(name.to_owned()) };
        let (tunis, amman) = (partner(1, "Tunis"), partner(2, "Amman"));
        let log = LogKey { author: tunis.node, log: LogId([0; 16]) };
        let change = |arrival, held_by: &[NodeId]| ChangeProvenance {
            change: "ab".repeat(32),
            entry: EntryRef { log, seq: 0, hash: EntryHash([0; 32]) },
            time_ms: Timestamp(0),
            author: tunis.clone(),
            person: PersonId([0; 16]),
            name: "Amina".into(),
            arrival,
            held_by: held_by.to_vec(),
        };
        let changes = vec![
            change(Some(Arrival::Written), &[]),
            change(Some(Arrival::Link { from: amman.clone() }), &[tunis.node]),
            change(Some(Arrival::Pouch { from: amman.clone(), pouch: PouchId([0; 16]) }), &[tunis.node, amman.node]),
            change(None, &[amman.node]),
        ];
        let (space, document) = (SpaceId([0; 32]), DocumentId([0; 16]));
        let partners = vec![amman, tunis];
        let out = human(&api::Provenance { space, document, title: "Ports".into(), partners, changes });
        let told: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        let expected = [
            "written here",
            "confirmed by nobody else",
            "came from Amman over a link",
            "confirmed by Tunis",
            "came from Amman by courier, in pouch aaaaaaaa",
            "confirmed by all partners",
            "how it came here is not known",
            "confirmed by Amman",
        ];
        assert_eq!(told, expected);
    }
}
