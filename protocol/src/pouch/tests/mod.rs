//! Tests of whole volumes, and the nodes that they are between.
#![allow(clippy::unwrap_used, clippy::panic)]

mod files;
mod liars;
mod volumes;

use std::sync::Arc;

use super::*;
use crate::{
    crypto::{
        sealing::SealingSecret,
        signing::{SigningKey, Verifier},
    },
    entry::{Entry, Header as EntryHeader, Heads, LogKey, LogKind, payload_hash},
    id::{EntryHash, Incarnation, LogId, NodeId, PouchId, SpaceId},
    message::Message,
    page::{LogContext, PageWriter},
    time::Timestamp,
};

const SENDER: NodeId = NodeId([1; 32]);
const RECIPIENT: NodeId = NodeId([2; 32]);
const OTHER: NodeId = NodeId([3; 32]);
const POUCH: PouchId = PouchId([9; 16]);

fn sealing(node: NodeId) -> SealingSecret {
    SealingSecret::from_seed(&node.0).unwrap()
}

fn signing() -> SigningKey {
    SigningKey::from_seed(&SENDER.0)
}

fn senders(node: &NodeId) -> Option<Verifier> {
    (*node == SENDER).then(|| signing().public().verifier().unwrap())
}

fn payload(bytes: usize) -> Message {
    let log = LogKey { author: SENDER, log: LogId([4; 16]) };
    Message::Payload { space: SpaceId([5; 32]), log, seq: 1, payload: vec![6; bytes] }
}

fn held() -> Held {
    Held::sign(PouchId([7; 16]), &[(2, [8; 16])], Incarnation([1; 16]), 1, &signing())
}

/// A run of entries `from..to` in pages of one entry, and what the contents list says of it.
fn run(from: u64, to: u64) -> (Message, Extent) {
    let log = LogKey { author: SENDER, log: LogKind::Data.log_id([4; 16]) };
    let context = LogContext { space: SpaceId([5; 32]), log, kind: LogKind::Data };
    let mut head = EntryHash(if from == 0 { [0; 32] } else { [from as u8; 32] });
    let mut pages = Vec::new();
    for seq in from..to {
        let header = EntryHeader {
            space: context.space,
            log,
            kind: context.kind,
            seq,
            previous: head,
            predecessor: None,
            heads: Arc::new(Heads::default()),
            epoch: None,
            payload_length: 1,
            payload_hash: payload_hash(b"x"),
            time: Timestamp(seq),
        };
        let entry = Entry { signature: header.sign(&signing()), header, payload: Some(b"x".to_vec()) };
        let mut page = PageWriter::new(seq, head);
        page.push(&entry);
        head = entry.hash();
        pages.push(page.into_bytes());
    }
    (Message::run(&context, pages), Extent { log, from, to, head })
}

fn read(volume: &[u8], own: NodeId, step: usize) -> Result<(Vec<Carried>, Closing), PouchError> {
    let mut reader = VolumeReader::new(own, sealing(own));
    let mut carried = Vec::new();
    for bytes in volume.chunks(step) {
        carried.extend(reader.push(bytes, &senders)?);
    }
    let end = reader.finish(&senders)?;
    carried.extend(end.carried);
    Ok((carried, end.closing))
}
