//! Tests of the store: an author that writes logs, and what is done to the store that keeps them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damage;
mod full;
mod killed;
mod loss;
mod power;
mod round_trip;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use portolan_protocol::{
    commit::Commit,
    crypto::signing::{Signature, SigningKey},
    entry::{Entry, Header, Heads, LogKey, LogKind, payload_hash},
    id::{EpochId, Incarnation, LogId, NodeId, SpaceId},
    page::{AuthenticRun, LogContext, PageWriter, Tip},
    time::Timestamp,
};

use super::{OpenReport, Options, Store, StoreError};

/// Writes one log; everything it writes follows from its number and the place.
struct Author {
    key: SigningKey,
    context: LogContext,
    tip: Tip,
}

impl Author {
    fn new(number: u8, kind: LogKind) -> Author {
        let log = LogKey { author: NodeId([number; 32]), log: LogId([number; 16]) };
        let context = LogContext { space: SpaceId([9; 32]), log, kind };
        Author { key: SigningKey::from_seed(&[number; 32]), context, tip: Tip::empty() }
    }

    /// The payload at `seq`, when it has `length` bytes.
    fn payload(&self, seq: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new()
            .update(&self.context.log.log.0)
            .update(&seq.to_be_bytes())
            .finalize_xof()
            .fill(&mut bytes);
        bytes
    }

    fn entry(&mut self, length: usize, held: bool) -> Entry {
        let seq = self.tip.next_seq;
        let payload = self.payload(seq, length);
        // Heads and epoch change now and then, so that pages have to state them.
        let cited = self.context.log;
        let heads = (0..seq / 7).map(|seq| reference(cited, seq)).take(3).collect();
        let header = Header {
            space: self.context.space,
            log: self.context.log,
            kind: self.context.kind,
            seq,
            previous: self.tip.hash,
            predecessor: None,
            heads: Arc::new(Heads::new(heads)),
            epoch: (seq % 11 > 5).then_some(EpochId([1; 32])),
            payload_length: length as u32,
            payload_hash: payload_hash(&payload),
            time: Timestamp(1_000_000 + seq * 3),
        };
        let signature: Signature = header.sign(&self.key);
        let entry = Entry { header, signature, payload: held.then_some(payload) };
        let (heads, epoch) = (entry.header.heads.clone(), entry.header.epoch);
        self.tip = Tip { next_seq: seq + 1, hash: entry.hash(), heads, epoch };
        entry
    }

    /// A run of these entries on pages of about `aim` bytes.
    fn run(&self, entries: &[Entry], aim: usize) -> AuthenticRun {
        let mut pages = Vec::new();
        let mut writer: Option<PageWriter> = None;
        for entry in entries {
            if writer.as_ref().is_some_and(|writer| writer.bytes().len() >= aim) {
                pages.extend(writer.take().map(PageWriter::into_bytes));
            }
            let new = || PageWriter::new(entry.header.seq, entry.header.previous);
            writer.get_or_insert_with(new).push(entry);
        }
        pages.extend(writer.map(PageWriter::into_bytes));
        AuthenticRun::verify(self.context, pages, &self.key.public().verifier().unwrap()).unwrap()
    }

    /// A commit of `count` new entries, all held.
    fn commit(&mut self, count: usize, length: usize) -> Commit {
        let entries: Vec<Entry> = (0..count).map(|_| self.entry(length, true)).collect();
        Commit { runs: vec![self.run(&entries, 4_000)], ..Commit::default() }
    }
}

fn reference(log: LogKey, seq: u64) -> portolan_protocol::entry::EntryRef {
    portolan_protocol::entry::EntryRef { log, seq, hash: portolan_protocol::id::EntryHash([seq as u8; 32]) }
}

fn options(life: u8) -> Options {
    Options { reserve_bytes: 0, cache_bytes: 1 << 20, ..Options::new(Incarnation([life; 16])) }
}

fn open(home: &Path) -> (Store, OpenReport) {
    open_with(home, &options(1))
}

/// Opens a store that this process has just closed. A process that another test starts at this moment holds a copy of the
/// lock until it executes its program, which is no business of the store's.
fn open_with(home: &Path, options: &Options) -> (Store, OpenReport) {
    let start = Instant::now();
    loop {
        match Store::open(home, options) {
            Err(StoreError::Locked { .. }) if start.elapsed() < Duration::from_secs(10) => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

/// Copies a directory.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
