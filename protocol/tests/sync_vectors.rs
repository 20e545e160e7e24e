//! Golden vectors of what nodes say to one another: messages, receipts, digests of frontiers (`tests/vectors/README.md`).
//! When one fails it prints what the file would have to hold; to put that there is to change the format.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by panicking")]

use std::fmt::Debug;

use data_encoding::HEXLOWER;
use portolan_protocol::{
    codec,
    crypto::signing::SigningKey,
    entry::{LogKey, LogKind},
    frontier::{Frontier, LogFrontier},
    id::{EntryHash, FrontierDigest, Incarnation, NodeId, SpaceId},
    message::Message,
    receipt::{Receipt, Statement},
    time::Timestamp,
};

/// One line of a vector file: `good NAME HEX`, or `bad NAME HEX ERROR`.
type Line = (String, Vec<u8>, Option<String>);

fn check<T, E: Debug>(held: &str, lines: &[Line], read: impl Fn(&[u8]) -> Result<T, E>) {
    let text: String = lines
        .iter()
        .map(|(name, bytes, error)| match error {
            None => format!("good {name} {}\n", HEXLOWER.encode(bytes)),
            Some(error) => format!("bad {name} {} {error}\n", HEXLOWER.encode(bytes)),
        })
        .collect();
    let held: String = held.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert!(held == text, "the bytes changed; they would be:\n{text}");
    for (name, bytes, error) in lines {
        assert_eq!(read(bytes).err().map(|error| format!("{error:?}")), *error, "{name}");
    }
}

fn good(name: &str, bytes: Vec<u8>) -> Line {
    (name.into(), bytes, None)
}

fn bad(name: &str, bytes: Vec<u8>, error: &str) -> Line {
    (name.into(), bytes, Some(error.into()))
}

fn space() -> SpaceId {
    SpaceId([1; 32])
}

fn log(id: u8, kind: LogKind, next_seq: u64) -> LogFrontier {
    let log = LogKey { author: NodeId([2; 32]), log: kind.log_id([id; 16]) };
    LogFrontier { log, kind, next_seq, hash: EntryHash([4; 32]), gaps: vec![], forked: false }
}

fn receipt() -> Receipt {
    let mut frontier = Frontier::default();
    frontier.set(log(3, LogKind::Control, 300));
    let statement = Statement {
        issuer: NodeId([2; 32]),
        space: space(),
        incarnation: Incarnation([7; 16]),
        counter: 70_000,
        digest: frontier.digest(),
        time: Timestamp(1_800_000_000_000),
    };
    Receipt::sign(statement, &SigningKey::from_seed(&[1; 32]))
}

#[test]
fn messages() {
    let with_gaps = LogFrontier { gaps: vec![(1, 2), (9, 1)], ..log(3, LogKind::Data, 300) };
    let forked = LogFrontier { forked: true, ..log(5, LogKind::Data, 0) };
    let (space, log_key) = (space(), with_gaps.log);
    let pages = || vec![vec![1, 2, 3], vec![4]];
    let hello = Message::Hello { card: vec![9; 5], incarnation: Incarnation([7; 16]) }.encode();
    let buckets = Frontier::default().buckets();
    let messages = [
        ("summary", Message::Summary { space, digest: FrontierDigest([8; 32]), buckets }),
        ("frontier", Message::Frontier { space, mask: 1 << 63 | 5, logs: vec![with_gaps, forked] }),
        ("run", Message::Run { space, log: log_key, kind: LogKind::Data, pages: pages() }),
        ("payload", Message::Payload { space, log: log_key, seq: 128, payload: vec![6; 3] }),
        ("receipt", Message::Receipt { receipt: receipt(), logs: vec![log(3, LogKind::Control, 300)] }),
        ("not-member", Message::NotMember { space }),
        ("want", Message::Want { space, log: log_key, kind: LogKind::Data, from: 1, to: 4_097 }),
        ("fork", Message::Fork { space, log: log_key, kind: LogKind::Data, one: pages(), other: vec![vec![5]] }),
        ("again", Message::Again { space }),
    ];
    let mut lines = vec![good("hello", hello.clone())];
    lines.extend(messages.iter().map(|(name, message)| good(name, message.encode())));
    lines.extend([
        bad("empty", vec![], "Malformed"),
        bad("suite-2", [&[2], &hello[1..]].concat(), "Suite(2)"),
        bad("unknown-kind", vec![1, 200, 1], "Malformed"),
        bad("cut-short", hello[..hello.len() - 1].to_vec(), "Malformed"),
        bad("trailing-byte", [hello.as_slice(), &[0]].concat(), "NotCanonical"),
        bad("overlong-integer", [&hello[..2], &[0x85, 0x00], &hello[3..]].concat(), "NotCanonical"),
    ]);
    check(include_str!("../../tests/vectors/message.txt"), &lines, Message::decode);
}

#[test]
fn receipts() {
    let bytes = codec::encode(&receipt());
    let key = SigningKey::from_seed(&[1; 32]).public().verifier().unwrap();
    let flipped = |place: usize| {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1;
        bytes
    };
    let lines = [
        good("receipt", bytes.clone()),
        bad("another-space", flipped(40), "BadSignature"),
        bad("another-counter", flipped(82), "BadSignature"),
        bad("another-digest", flipped(100), "BadSignature"),
        bad("another-signature", flipped(bytes.len() - 1), "BadSignature"),
    ];
    check(include_str!("../../tests/vectors/receipt.txt"), &lines, |bytes| {
        codec::decode::<Receipt>(bytes, 1_024).unwrap().verify(&key)
    });
}

#[test]
fn digests_of_frontiers() {
    let logs = [
        log(3, LogKind::Control, 300),
        log(67, LogKind::Data, 1),
        LogFrontier { gaps: vec![(0, 1), (4, 2)], ..log(200, LogKind::Data, 9) },
        LogFrontier { forked: true, hash: EntryHash::default(), ..log(255, LogKind::Data, 0) },
    ];
    let mut lines = vec![good("no-log", Frontier::default().digest().0.to_vec())];
    let mut frontier = Frontier::default();
    for (count, log) in (1..).zip(logs) {
        lines.push(good(&format!("log-{count}"), codec::encode_part(&log)));
        frontier.set(log);
        lines.push(good(&format!("digest-of-{count}"), frontier.digest().0.to_vec()));
        lines.push(good(&format!("buckets-of-{count}"), frontier.buckets().concat()));
    }
    check(include_str!("../../tests/vectors/frontier.txt"), &lines, |_| Ok::<(), ()>(()));
}
