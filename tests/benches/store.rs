//! The store against a raw write of the same pages to sled, in the same run: 1,000,000 entries of 400 bytes, in runs of 500,
//! over 20 logs. Prints medians of five. Each pass is a process of its own, so that its memory can be told.
//!
//! `cargo bench -p portolan-tests --bench store`

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use portolan_daemon::store::{Options, Store, StoreError};
use portolan_protocol::{
    commit::Commit,
    crypto::signing::{Signature, SigningKey, Verifier},
    entry::{Entry, Header, Heads, LogKey, LogKind, payload_hash},
    id::{Incarnation, LogId, NodeId, SpaceId},
    limits::PAGE_BYTES_AIM,
    page::{AuthenticRun, LogContext, PageWriter, Tip},
    time::Timestamp,
};

const ENTRIES: u64 = 1_000_000;
const RUN: u64 = 500;
const LOGS: u8 = 20;
const PAYLOAD_BYTES: usize = 400;
const PASSES: usize = 5;
const MODES: [&str; 4] = ["raw", "one", "eight", "live"];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("pass"), Some(mode)) => pass(&mode),
        _ => compare(),
    }
}

fn compare() -> Result<()> {
    let mut results = vec![Vec::new(); MODES.len()];
    for _ in 0..PASSES {
        for (mode, results) in MODES.iter().zip(&mut results) {
            let out = Command::new(std::env::current_exe()?).args(["pass", mode]).output()?;
            let text = String::from_utf8(out.stdout)?;
            let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            if numbers.len() != 5 {
                bail!("pass {mode}: {text} {}", String::from_utf8_lossy(&out.stderr));
            }
            results.push(numbers);
        }
    }
    println!("{:<8}{:>14}{:>14}{:>12}{:>14}{:>12}", "", "entries/s", "read/s", "RSS MiB", "after read", "disk MiB");
    for (mode, results) in MODES.iter().zip(&results) {
        let median = |column: usize| {
            let mut values: Vec<f64> = results.iter().map(|numbers| numbers[column]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!(
            "{mode:<8}{:>14.0}{:>14.0}{:>12.0}{:>14.0}{:>12.0}",
            median(0),
            median(1),
            median(2),
            median(3),
            median(4)
        );
    }
    Ok(())
}

/// One pass: entries per second written and read, resident memory after each, bytes on disk.
fn pass(mode: &str) -> Result<()> {
    let home = tempfile::tempdir_in(".")?;
    let (written, read, resident, after, disk) = match mode {
        "raw" => raw(home.path())?,
        "one" => through_store(home.path(), 1, RUN, ENTRIES)?,
        "eight" => through_store(home.path(), 8, RUN, ENTRIES)?,
        "live" => through_store(home.path(), 1, 1, ENTRIES / 50)?,
        other => bail!("no mode {other}"),
    };
    println!("{written} {read} {resident} {after} {disk}");
    Ok(())
}

type Numbers = (f64, f64, f64, f64, f64);

fn raw(home: &Path) -> Result<Numbers> {
    let db = sled::Config::new().path(home).cache_capacity(16 << 20).flush_every_ms(None);
    let db = db.mode(sled::Mode::HighThroughput).open()?;
    let file = std::fs::File::open(home.join("db"))?;
    let tree = db.open_tree("main")?;
    let mut authors = authors()?;
    let (mut spent, mut page_number) = (Duration::ZERO, [0u64; LOGS as usize]);
    for turn in 0..(ENTRIES / RUN) as usize {
        let log = turn % authors.len();
        let run = authors[log].run(RUN)?;
        let start = Instant::now();
        for page in run.pages() {
            let key = [&(log as u32).to_be_bytes()[..], &page_number[log].to_be_bytes()].concat();
            page_number[log] += 1;
            tree.insert(key, page.as_slice())?;
        }
        db.flush()?;
        file.sync_data()?;
        spent += start.elapsed();
    }
    let resident = resident_mib()?;
    let start = Instant::now();
    let mut bytes = 0;
    for found in tree.iter() {
        bytes += found?.1.len();
    }
    assert!(bytes > ENTRIES as usize * PAYLOAD_BYTES);
    let read = ENTRIES as f64 / start.elapsed().as_secs_f64();
    Ok((ENTRIES as f64 / spent.as_secs_f64(), read, resident, resident_mib()?, disk_mib(home)?))
}

fn through_store(home: &Path, batch: usize, run: u64, entries: u64) -> Result<Numbers> {
    let (store, _) = Store::open(&home.join("home"), &Options::new(Incarnation([1; 16])))?;
    let mut authors = authors()?;
    let mut spent = Duration::ZERO;
    let mut turn = 0;
    while (turn as u64) < entries / run {
        let mut commits = Vec::new();
        for _ in 0..batch {
            let log = turn % authors.len();
            commits.push(Commit { runs: vec![authors[log].run(run)?], ..Commit::default() });
            turn += 1;
        }
        let start = Instant::now();
        store.commit(&commits)?;
        spent += start.elapsed();
    }
    let resident = resident_mib()?;
    let start = Instant::now();
    let mut bytes = 0;
    for author in &authors {
        for frame in store.run_frames(&author.context, 0, u64::MAX, 256 << 10) {
            bytes += frame?.iter().map(Vec::len).sum::<usize>();
        }
    }
    assert!(bytes > entries as usize * PAYLOAD_BYTES);
    let read = entries as f64 / start.elapsed().as_secs_f64();
    let after = resident_mib()?;
    let mut count = 0;
    store.for_each(&authors[0].context, 0, u64::MAX, |_| {
        count += 1;
        Ok::<_, StoreError>(())
    })?;
    assert_eq!(count, authors[0].tip.next_seq);
    Ok((entries as f64 / spent.as_secs_f64(), read, resident, after, disk_mib(home)?))
}

fn resident_mib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_024.0)
}

fn disk_mib(path: &Path) -> Result<f64> {
    let mut mib = 0.0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        mib += match entry.file_type()?.is_dir() {
            true => disk_mib(&entry.path())?,
            false if entry.file_name() == "reserve" => 0.0,
            false => std::os::unix::fs::MetadataExt::blocks(&entry.metadata()?) as f64 / 2_048.0,
        };
    }
    Ok(mib)
}

struct Author {
    key: SigningKey,
    verifier: Verifier,
    context: LogContext,
    tip: Tip,
    payload: Vec<u8>,
}

fn authors() -> Result<Vec<Author>> {
    let author = |number: u8| {
        let key = SigningKey::from_seed(&[number; 32]);
        let verifier = key.public().verifier()?;
        let log = LogKey { author: NodeId([number; 32]), log: LogId([number; 16]) };
        let context = LogContext { space: SpaceId([1; 32]), log, kind: LogKind::Data };
        Ok(Author { key, verifier, context, tip: Tip::empty(), payload: vec![number; PAYLOAD_BYTES] })
    };
    (0..LOGS).map(author).collect()
}

impl Author {
    /// A run on pages of the usual size. Only its last entry is signed: that one vouches for all.
    fn run(&mut self, entries: u64) -> Result<AuthenticRun> {
        let heads = Arc::new(Heads::default());
        let mut pages = Vec::new();
        let mut writer: Option<PageWriter> = None;
        for left in (0..entries).rev() {
            let seq = self.tip.next_seq;
            self.payload[..8].copy_from_slice(&seq.to_be_bytes());
            let header = Header {
                space: self.context.space,
                log: self.context.log,
                kind: self.context.kind,
                seq,
                previous: self.tip.hash,
                predecessor: None,
                heads: heads.clone(),
                epoch: None,
                payload_length: PAYLOAD_BYTES as u32,
                payload_hash: payload_hash(&self.payload),
                time: Timestamp(seq),
            };
            let signature = if left == 0 { header.sign(&self.key) } else { Signature([seq as u8; 64]) };
            let entry = Entry { header, signature, payload: Some(self.payload.clone()) };
            let previous = self.tip.hash;
            self.tip = Tip { next_seq: seq + 1, hash: entry.hash(), heads: heads.clone(), epoch: None };
            if writer.as_ref().is_some_and(|writer| writer.bytes().len() + PAYLOAD_BYTES + 80 > PAGE_BYTES_AIM) {
                pages.extend(writer.take().map(PageWriter::into_bytes));
            }
            writer.get_or_insert_with(|| PageWriter::new(seq, previous)).push(&entry);
        }
        pages.extend(writer.map(PageWriter::into_bytes));
        AuthenticRun::verify(self.context, pages, &self.verifier).context("a run of one's own")
    }
}
