//! Runs are written, verified, cut and split; whatever was altered is refused.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::{
    crypto::signing::SigningKey,
    entry::{Heads, LogKey, LogKind},
    id::{EntryHash, EpochId, NodeId, SpaceId},
    time::Timestamp,
};

fn context() -> LogContext {
    LogContext {
        space: SpaceId([1; 32]),
        log: LogKey { author: NodeId([2; 32]), log: LogKind::Data.log_id([3; 16]) },
        kind: LogKind::Data,
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn run(count: u64) -> AuthenticRun {
    let key = key();
    let mut writer = RunWriter::new(context(), &Tip::empty(), None, &key);
    for n in 0..count {
        let epoch = Some(EpochId([(n / 100) as u8; 32]));
        writer.push(Arc::new(Heads::default()), epoch, Timestamp(1_000 + n), |_| vec![n as u8; 300]).unwrap();
    }
    writer.finish().unwrap()
}

fn verify(pages: Vec<Vec<u8>>) -> Result<AuthenticRun, RunError> {
    AuthenticRun::verify(context(), pages, &key().public().verifier().unwrap())
}

#[test]
fn a_run_that_was_written_verifies() {
    let run = run(250);
    let read = verify(run.pages().to_vec()).unwrap();
    assert_eq!((read.hashes(), read.tip(), read.count()), (run.hashes(), run.tip(), 250));
    assert!(run.pages().iter().all(|page| page.len() < 5_000));
}

#[test]
fn every_flipped_byte_of_a_run_is_refused() {
    let pages = run(3).pages().to_vec();
    assert!(verify(pages.clone()).is_ok());
    for index in 0..pages[0].len() {
        let mut forged = pages.clone();
        forged[0][index] ^= 0x10;
        assert!(verify(forged).is_err(), "byte {index}");
    }
}

#[test]
fn a_run_cut_short_by_one_page_still_ends_at_a_signed_entry() {
    let mut pages = run(50).pages().to_vec();
    pages.pop();
    assert!(verify(pages).unwrap().count() < 50);
}

#[test]
fn both_parts_of_a_split_verify_and_join() {
    let run = run(50);
    let [before, after] = split(&context(), run.pages(), 20).unwrap();
    assert_eq!(verify(before.clone()).unwrap().tip().next_seq, 20);
    assert_eq!(verify(after.clone()).unwrap().hashes(), &run.hashes()[20..]);
    assert_eq!(verify([before, after].concat()).unwrap().hashes(), run.hashes());
    assert_eq!(run.clone().after(20).unwrap().hashes(), &run.hashes()[20..]);
    assert!(run.after(50).is_none());
}

#[test]
fn pages_that_do_not_follow_one_another_are_refused() {
    let mut pages = run(50).pages().to_vec();
    pages.remove(1);
    assert_eq!(verify(pages).map(|_| ()), Err(RunError::Broken));
}

#[test]
fn a_page_is_taken_up_where_it_ended() {
    let run = run(5);
    let mut reader = PageReader::new(&context(), &run.pages()[0]).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        entries.push(entry);
    }
    let mut writer = PageWriter::new(0, EntryHash::default());
    for entry in &entries[..3] {
        writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
    }
    let mut writer = PageWriter::resume(&context(), writer.into_bytes()).unwrap();
    for entry in &entries[3..] {
        writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
    }
    assert_eq!(writer.bytes(), run.pages()[0]);
}

#[test]
fn an_entry_cannot_claim_that_its_payload_is_elsewhere() {
    let run = run(1);
    let mut reader = PageReader::new(&context(), &run.pages()[0]).unwrap();
    let entry = reader.next().unwrap().unwrap();
    let mut writer = PageWriter::new(0, EntryHash::default());
    writer.push_parts(&entry.header, &entry.signature, entry.hash, PagePayload::Elsewhere);
    assert_eq!(verify(vec![writer.into_bytes()]).map(|_| ()), Err(RunError::Malformed));
}
