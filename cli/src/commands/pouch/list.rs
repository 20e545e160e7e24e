//! `portolan pouch list`: pouches that were sent and taken.

use portolan_protocol::api::{PouchLoad, Pouches, SentPouch};

use super::words;
use crate::{
    context::Context,
    error::Result,
    output::{self, count},
    text, time,
};

pub(super) async fn run(context: &Context) -> Result<()> {
    let pouches: Pouches = context.client()?.get("/pouches").await?;
    context.output.show(&pouches, human)
}

fn human(pouches: &Pouches) -> String {
    let now = time::now();
    let mut out = String::new();
    let sent: Vec<Vec<String>> = pouches.sent.iter().flat_map(|sent| rows(sent, now)).collect();
    if !sent.is_empty() {
        out.push_str(&tr!("Sent\n"));
        out.push_str(&output::table(&["pouch", "packed", "for", "entries", "files", "volumes", "state"], &sent));
    }
    let taken: Vec<Vec<String>> = pouches
        .taken
        .iter()
        .map(|taken| {
            let volumes = count(taken.volumes.len() as u64, "volume", "volumes");
            vec![taken.id.to_string(), time::ago(taken.taken_ms, now), text::shown(&taken.name), volumes]
        })
        .collect();
    if !taken.is_empty() {
        out.push_str(&tr!("Taken\n"));
        out.push_str(&output::table(&["pouch", "taken", "from", "held"], &taken));
    }
    let waiting = pouches.sent.iter().any(|sent| carries(sent) && !arrived(sent));
    out.push_str(&match (pouches.sent.is_empty() && pouches.taken.is_empty(), waiting) {
        (true, _) => crate::messages::word(words::NOTHING_TO_CARRY),
        (false, true) => tr!("What has not arrived counts as not sent: wait for the receipt, or send again."),
        (false, false) => tr!("Everything that was sent has arrived."),
    });
    out.push('\n');
    out
}

fn rows(sent: &SentPouch, now: portolan_protocol::time::Timestamp) -> Vec<Vec<String>> {
    sent.to
        .iter()
        .map(|to| {
            let state = match () {
                () if !sent.complete => tr!("not finished: `portolan pouch resume {} --out DIR`", sent.id),
                () if !carries(sent) && sent.attachments > 0 => tr!("files alone, for which no receipt comes"),
                () if !carries(sent) => tr!("receipts"),
                () if to.received.len() == sent.volumes.len() => tr!("arrived"),
                () if to.received.is_empty() => tr!("no receipt yet"),
                () => tr!("{} of {} arrived", to.received.len(), sent.volumes.len()),
            };
            vec![
                sent.id.to_string(),
                time::ago(sent.created_ms, now),
                text::shown(&to.name),
                sent.entries.to_string(),
                sent.attachments.to_string(),
                sent.volumes.len().to_string(),
                state,
            ]
        })
        .collect()
}

fn carries(sent: &SentPouch) -> bool {
    sent.load != PouchLoad::Receipts && sent.entries + sent.payloads > 0
}

fn arrived(sent: &SentPouch) -> bool {
    sent.complete && sent.to.iter().all(|to| to.received.len() == sent.volumes.len())
}
