//! The part of the story that no network takes part in: a station is reached by a courier alone.

use portolan_protocol::{
    api::{CardAnswer, PeerSpace, Saved, Status},
    id::NodeId,
};
use serde_json::Value;

use super::stage::{SPACE, Stage, Who, node_id};
use crate::error::{Result, file};

use Who::{Lampedusa, Rome, Tunis};

const TITLE: &str = "Fuel for the patrol boats";

/// Tells it.
pub(super) async fn tell(stage: &mut Stage) -> Result<()> {
    join(stage).await?;
    let stick = stage.directory().join("stick");
    std::fs::create_dir(&stick).map_err(|error| file("make", &stick, &error))?;
    let stick = stick.display().to_string();
    send(stage, &stick).await?;
    answer(stage, &stick).await
}

async fn join(stage: &mut Stage) -> Result<()> {
    stage.step("A station joins that no network reaches")?;
    let actor = stage.actor(Lampedusa);
    let (name, organisation, country) = (actor.name, actor.organisation, actor.country);
    let args = ["init", "--name", name, "--organisation", organisation, "--country", country, "--offline"];
    let _: Value = stage.ask(Lampedusa, &args).await?;
    stage.start(Lampedusa).await?;
    let rome = stage.directory().join("rome.card").display().to_string();
    let lampedusa = stage.directory().join("lampedusa.card").display().to_string();
    let of_rome: CardAnswer = stage.look(Rome, &["node", "card"]).await?;
    let own: CardAnswer = stage.ask(Lampedusa, &["node", "card", "--out", &lampedusa]).await?;
    let _: Value = stage.ask(Rome, &["peer", "add", &lampedusa, "--fingerprint", &own.fingerprint]).await?;
    let _: Value = stage.ask(Lampedusa, &["peer", "add", &rome, "--fingerprint", &of_rome.fingerprint]).await?;
    let _: Value = stage.ask(Rome, &["space", "grant", SPACE, name, "--role", "writer"]).await?;
    Ok(())
}

async fn send(stage: &mut Stage, stick: &str) -> Result<()> {
    stage.step("Rome writes a stick, and a courier carries it")?;
    let station = node_id(stage, Lampedusa).await?;
    let name = stage.actor(Lampedusa).name;
    stage.show(Rome, &["pouch", "export", "--to", name, "--out", stick]).await?;
    stage.show(Rome, &["pouch", "verify", stick]).await?;
    let receipted = confirmed(stage, station).await?.map_or(0, |space| space.entries_receipted);
    stage.claim("what is on the stick counts as not sent", receipted == 0)?;
    stage.show(Lampedusa, &["pouch", "import", stick]).await?;
    let (here, there) = (listed(stage, Rome).await?, listed(stage, Lampedusa).await?);
    stage.claim("the station lists what Rome lists, byte for byte", here == there)
}

async fn answer(stage: &mut Stage, stick: &str) -> Result<()> {
    stage.step("The station writes too, and the stick goes back with its receipt")?;
    let station = node_id(stage, Lampedusa).await?;
    let spaces: portolan_protocol::api::Spaces = stage.look(Lampedusa, &["space", "list"]).await?;
    let space = spaces.spaces.first().map(|space| space.id.to_string()).unwrap_or_default();
    let new = ["doc", "new", "--space", &space, "--language", "en", "--title", TITLE];
    let saved: Saved = stage.ask(Lampedusa, &new).await?;
    let rome = stage.actor(Rome).name;
    stage.show(Lampedusa, &["pouch", "export", "--to", rome, "--out", stick]).await?;
    stage.show(Rome, &["pouch", "import", stick]).await?;
    stage.show(Rome, &["pouch", "list"]).await?;
    let confirmed = confirmed(stage, station).await?.is_some_and(|space| space.up_to_date);
    stage.claim("Rome has the station's signed receipt for everything", confirmed)?;
    let record = saved.document.to_string();
    let shared = &*stage;
    shared
        .until("the record of the station", || async {
            Ok(shared.look::<Value>(Tunis, &["doc", "list"]).await?.to_string().contains(&record))
        })
        .await?;
    stage.claim("Tunis, which the courier never saw, has the station's record from Rome", true)
}

/// What Rome says that a node has confirmed.
async fn confirmed(stage: &Stage, node: NodeId) -> Result<Option<PeerSpace>> {
    let status: Status = stage.look(Rome, &["status"]).await?;
    let peer = status.peers.into_iter().find(|peer| peer.node == node);
    Ok(peer.and_then(|peer| peer.spaces.into_iter().next()))
}

/// The list of records, once it is complete.
async fn listed(stage: &Stage, who: Who) -> Result<String> {
    let complete = |list: &str| {
        let list: Value = serde_json::from_str(list).unwrap_or_default();
        list["entries_to_index"] == 0
    };
    stage.until("the list", || async { Ok(complete(&stage.bytes(who, &["doc", "list"]).await?)) }).await?;
    stage.bytes(who, &["doc", "list"]).await
}
