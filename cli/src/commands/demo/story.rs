//! What the demo tells, step by step.

use std::collections::BTreeSet;

use portolan_protocol::{
    api::{CardAnswer, DocumentView, ErrorKind, History, Peers, Saved, Space, SpaceState, Spaces, Status, SyncResult},
    control::Role,
    id::NodeId,
};
use serde_json::Value;

use super::{
    courier,
    stage::{SPACE, Stage, Who, node_id},
};
use crate::{
    error::{Result, file, internal},
    sample::{SAMPLE, write_sample},
};

use Who::{Rome, Tunis, Valletta};

const TEXT: &str = "Call the duty desk of the partner first.\n\nSay who you are, and what you need by when.\n\nWrite down what \
                    was agreed, and send it before the end of the shift.\n";
const ROMES_LINE: &str = "The number is on the card in the safe, not in this text.";
const TUNISIAN_LINE: &str = "A draft in the other's language is better than a perfect text in one's own.";
const LATE_LINE: &str = "This line was written after the farewell.";

/// Tells the whole story.
pub(super) async fn tell(stage: &mut Stage) -> Result<()> {
    stage.say(&format!("D={}\n", stage.directory().display()))?;
    found(stage).await?;
    introduce(stage).await?;
    share(stage).await?;
    import(stage).await?;
    let record = write_apart(stage).await?;
    sign(stage, &record).await?;
    receipts(stage).await?;
    part(stage, &record).await?;
    courier::tell(stage).await
}

async fn found(stage: &mut Stage) -> Result<()> {
    stage.step("Three invented agencies each make a node")?;
    for who in Who::CONNECTED {
        let actor = stage.actor(who);
        let (name, organisation, country) = (actor.name, actor.organisation, actor.country);
        let address = actor.address.clone();
        let args = ["init", "--name", name, "--organisation", organisation, "--country", country];
        let args = [&args[..], &["--listen", &address, "--address", &address]].concat();
        let _: Value = stage.ask(who, &args).await?;
        stage.start(who).await?;
    }
    Ok(())
}

async fn introduce(stage: &mut Stage) -> Result<()> {
    stage.step("They send each other their cards, and read the fingerprints to each other by telephone")?;
    let mut cards = Vec::new();
    for who in Who::CONNECTED {
        let path = stage.directory().join(format!("{}.card", stage.actor(who).key)).display().to_string();
        let card: CardAnswer = stage.ask(who, &["node", "card", "--out", &path]).await?;
        cards.push((who, path, card.fingerprint));
    }
    let (_, path, fingerprint) = &cards[1];
    let wrong = one_digit_off(fingerprint);
    let kind = stage.refused(Rome, &["peer", "add", path, "--fingerprint", &wrong]).await?;
    stage.claim("a fingerprint with one wrong digit introduces nobody", kind == ErrorKind::Forbidden)?;
    for who in Who::CONNECTED {
        for (_, path, fingerprint) in cards.iter().filter(|(other, ..)| *other != who) {
            let _: Value = stage.ask(who, &["peer", "add", path, "--fingerprint", fingerprint]).await?;
        }
    }
    for who in Who::CONNECTED {
        connected(stage, who, 2).await?;
    }
    stage.show(Rome, &["peer", "list"]).await?;
    stage.claim("every node is connected to both others", true)
}

fn one_digit_off(fingerprint: &str) -> String {
    let first = fingerprint.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or(0);
    format!("{}{}", (first + 1) % 10, fingerprint.get(1..).unwrap_or_default())
}

/// Waits until a node has open connections to so many verified peers.
async fn connected(stage: &Stage, who: Who, number: usize) -> Result<()> {
    stage
        .until("connections", || async {
            let peers: Peers = stage.look(who, &["peer", "list"]).await?;
            Ok(peers.peers.iter().filter(|peer| peer.verified && peer.connection.is_some()).count() >= number)
        })
        .await
}

async fn share(stage: &mut Stage) -> Result<()> {
    stage.step("Rome makes a space and lets the others in")?;
    let space: Space = stage.ask(Rome, &["space", "create", SPACE]).await?;
    let id = space.id.to_string();
    for who in [Tunis, Valletta] {
        let name = stage.actor(who).name;
        let _: Value = stage.ask(Rome, &["space", "grant", SPACE, name, "--role", "writer"]).await?;
    }
    for who in [Tunis, Valletta] {
        let shared = &*stage;
        shared
            .until("the invitation to the space", || async {
                let spaces: Spaces = shared.look(who, &["space", "list"]).await?;
                Ok(spaces.spaces.iter().any(|held| held.id == space.id && held.role == Some(Role::Writer)))
            })
            .await?;
        let _: Value = stage.ask(who, &["space", "name", &id, SPACE]).await?;
    }
    stage.show(Tunis, &["space", "members", SPACE]).await?;
    stage.claim("Tunis and Valletta are writers of the space that Rome made", true)
}

async fn import(stage: &mut Stage) -> Result<()> {
    stage.step("Rome imports a knowledge base in five languages, and everyone has it")?;
    let sample = stage.directory().join("sample");
    std::fs::create_dir(&sample)
        .and_then(|()| write_sample(&sample))
        .map_err(|error| file("write", &sample, &error))?;
    let sample = sample.display().to_string();
    let args = ["import", &sample, "--space", SPACE];
    stage.show(Rome, &args).await?;
    let again: Value = stage.ask(Rome, &args).await?;
    let all = SAMPLE.len() as u64;
    stage.claim(
        "importing again changes nothing",
        again["totals"]["unchanged"] == all && again["totals"]["created"] == 0,
    )?;
    synced(stage, Rome).await?;
    let listed = same_listing(stage).await?;
    stage.claim(&format!("all three nodes list the same {all} records, byte for byte"), listed == Some(all))?;
    stage.show(Valletta, &["doc", "list", "--language", "ar"]).await
}

/// Exchanges with all peers now, shown, and insists that everyone is up to date.
async fn synced(stage: &mut Stage, who: Who) -> Result<()> {
    let result: SyncResult = stage.ask(who, &["sync", "--wait", "60s"]).await?;
    stage.claim("all peers have signed receipts for everything", result.complete)
}

/// How many records all three list; none when they differ. Waits until the lists are complete.
async fn same_listing(stage: &Stage) -> Result<Option<u64>> {
    let mut listings = BTreeSet::new();
    for who in Who::CONNECTED {
        complete(stage, who).await?;
        listings.insert(stage.bytes(who, &["doc", "list"]).await?);
    }
    let mut listings = listings.into_iter();
    let (Some(listing), None) = (listings.next(), listings.next()) else { return Ok(None) };
    let listing: Value = serde_json::from_str(&listing).map_err(|error| internal(error.to_string()))?;
    Ok(listing["documents"].as_array().map(|documents| documents.len() as u64))
}

/// Waits until a node's list reflects everything it holds.
async fn complete(stage: &Stage, who: Who) -> Result<()> {
    stage
        .until("the list of records", || async {
            let space: Space = stage.look(who, &["space", "show", SPACE]).await?;
            Ok(space.entries_to_index == 0)
        })
        .await
}

/// Two edits of one text while apart; returns the record's id.
async fn write_apart(stage: &mut Stage) -> Result<String> {
    stage.step("Rome and Tunis change the same text while apart")?;
    let text = stage.write("text.md", TEXT)?;
    let title = "Who to call at night";
    let new = ["doc", "new", "--space", SPACE, "--language", "en", "--title", title, "--body-file", &text];
    let saved: Saved = stage.ask(Rome, &new).await?;
    let record = saved.document.to_string();
    synced(stage, Rome).await?;

    stage.stop(Valletta).await?;
    stage.stop(Tunis).await?;
    let romes = TEXT.replace("partner first.", &format!("partner first. {ROMES_LINE}"));
    edit(stage, Rome, &record, "text-rome.md", &romes, "where the number is").await?;
    stage.stop(Rome).await?;
    stage.start(Tunis).await?;
    let tunisian = TEXT.replace("end of the shift.", &format!("end of the shift. {TUNISIAN_LINE}"));
    edit(stage, Tunis, &record, "text-tunis.md", &tunisian, "languages").await?;
    let apart = body(stage, Tunis, &record).await?;
    stage.claim("Tunis does not know what Rome wrote", !apart.contains(ROMES_LINE) && apart.contains(TUNISIAN_LINE))?;

    stage.step("They meet again, and Valletta comes back as well")?;
    stage.start(Rome).await?;
    stage.start(Valletta).await?;
    for who in Who::CONNECTED {
        connected(stage, who, 2).await?;
    }
    synced(stage, Tunis).await?;
    synced(stage, Rome).await?;
    stage.show(Valletta, &["doc", "show", &record]).await?;
    let mut views = BTreeSet::new();
    for who in Who::CONNECTED {
        let body = body(stage, who, &record).await?;
        let name = stage.actor(who).name;
        let both = body.contains(ROMES_LINE) && body.contains(TUNISIAN_LINE);
        stage.claim(&format!("{name} has what Rome wrote and what Tunis wrote"), both)?;
        views.insert(stage.bytes(who, &["doc", "show", &record]).await?);
    }
    stage.claim("the record is the same on all three, byte for byte", views.len() == 1)?;
    Ok(record)
}

async fn edit(stage: &mut Stage, who: Who, record: &str, name: &str, text: &str, reason: &str) -> Result<()> {
    let path = stage.write(name, text)?;
    let _: Saved = stage.ask(who, &["doc", "edit", record, "--body-file", &path, "--reason", reason]).await?;
    Ok(())
}

async fn body(stage: &Stage, who: Who, record: &str) -> Result<String> {
    let view: DocumentView = stage.look(who, &["doc", "show", record]).await?;
    Ok(view.record.fields.get("body/en").and_then(|value| value.as_str()).unwrap_or_default().to_owned())
}

async fn sign(stage: &mut Stage, record: &str) -> Result<()> {
    stage.step("Who wrote what, by signature")?;
    stage.show(Valletta, &["doc", "history", record]).await?;
    let history: History = stage.look(Valletta, &["doc", "history", record]).await?;
    let (rome, tunis) = (node_id(stage, Rome).await?, node_id(stage, Tunis).await?);
    let signed = |reason: &str, node: NodeId| history.changes.iter().any(|c| c.reason == reason && c.node == node);
    stage.claim("Rome signed its sentence", signed("where the number is", rome))?;
    stage.claim("Tunis signed its own", signed("languages", tunis))
}

async fn receipts(stage: &mut Stage) -> Result<()> {
    stage.step("Who holds what, by signed receipt")?;
    let shared = &*stage;
    shared
        .until("receipts", || async {
            let status: Status = shared.look(Rome, &["status"]).await?;
            Ok(status.peers.iter().all(|peer| peer.spaces.iter().all(|space| space.up_to_date)))
        })
        .await?;
    stage.show(Rome, &["status"]).await?;
    let status: Status = stage.look(Rome, &["status"]).await?;
    let confirmed = status.peers.len() == 2
        && status.peers.iter().all(|peer| {
            let [space] = peer.spaces.as_slice() else { return false };
            space.up_to_date && space.receipt_ms.is_some() && space.entries_receipted == space.entries_held
        });
    stage.claim("Tunis and Valletta have each confirmed every entry that Rome holds", confirmed)
}

/// The removal of Valletta, told so that its late words travel through a partner who does not know yet.
async fn part(stage: &mut Stage, record: &str) -> Result<()> {
    stage.step("Valletta leaves the group while Tunis and Valletta are off line")?;
    let before = body(stage, Rome, record).await?;
    stage.stop(Tunis).await?;
    stage.stop(Valletta).await?;
    let valletta = stage.actor(Valletta).name;
    stage.show(Rome, &["space", "revoke", SPACE, valletta]).await?;
    let text = stage.write("secret.md", "Only those who remain can read this.\n")?;
    let new =
        ["doc", "new", "--space", SPACE, "--language", "en", "--title", "After the farewell", "--body-file", &text];
    let secret: Saved = stage.ask(Rome, &new).await?;
    let secret = secret.document.to_string();
    stage.stop(Rome).await?;

    stage.step("Valletta, which has not heard of it, writes on, and Tunis, which has not either, takes it")?;
    stage.start(Valletta).await?;
    let late = before.replace("by when.", &format!("by when. {LATE_LINE}"));
    edit(stage, Valletta, record, "text-valletta.md", &late, "too late").await?;
    stage.start(Tunis).await?;
    let shared = &*stage;
    shared
        .until("Valletta's line at Tunis", || async { Ok(body(shared, Tunis, record).await?.contains(LATE_LINE)) })
        .await?;
    stage.claim("for now Tunis shows Valletta's late line", true)?;
    stage.stop(Valletta).await?;

    stage.step("Tunis hears of the removal from Rome")?;
    stage.start(Rome).await?;
    let tunis = stage.actor(Tunis).name;
    connected(stage, Rome, 1).await?;
    let _: SyncResult = stage.ask(Rome, &["sync", tunis, "--wait", "60s"]).await?;
    for who in [Rome, Tunis] {
        let shared = &*stage;
        shared
            .until("the quarantine", || async {
                let space: Space = shared.look(who, &["space", "show", SPACE]).await?;
                Ok(space.quarantined > 0 && space.entries_to_index == 0)
            })
            .await?;
        let name = stage.actor(who).name;
        let without = body(stage, who, record).await? == before;
        stage.claim(&format!("{name} holds Valletta's late entry in quarantine and does not show it"), without)?;
        let secret: DocumentView = stage.look(who, &["doc", "show", &secret]).await?;
        stage.claim(&format!("{name} reads what was written after the farewell"), !secret.record.title.is_empty())?;
    }
    stage.show(Tunis, &["space", "show", SPACE]).await?;
    let views = [stage.bytes(Rome, &["doc", "list"]).await?, stage.bytes(Tunis, &["doc", "list"]).await?];
    stage.claim("Rome and Tunis list the same, byte for byte", views[0] == views[1])?;

    stage.step("Valletta comes back, and learns that it is out")?;
    stage.start(Valletta).await?;
    let shared = &*stage;
    shared
        .until("the news of the removal", || async {
            let space: Space = shared.look(Valletta, &["space", "show", SPACE]).await?;
            Ok(space.role.is_none() && space.state == SpaceState::Removed)
        })
        .await?;
    let kind = stage.refused(Valletta, &["doc", "show", &secret]).await?;
    stage.claim("Valletta cannot read what was written after the farewell", kind == ErrorKind::NotFound)?;
    let kind = stage.refused(Valletta, &["doc", "edit", record, "--set", "title=Mine"]).await?;
    stage.claim("Valletta can write no more", kind == ErrorKind::Forbidden)?;
    let kept = body(stage, Valletta, record).await?;
    stage.claim("what Valletta had read before, it keeps: no technique can undo that", kept.contains(ROMES_LINE))?;
    stage.show(Rome, &["space", "members", SPACE]).await
}
