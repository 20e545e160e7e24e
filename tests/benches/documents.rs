//! What derived data costs: an import, taking in entries (the first stage), making all summaries (the second), opening.
//!
//! `cargo bench -p portolan-tests --bench documents -- 10000 2000`: records, bytes of prose in each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code)]

use std::{env, time::Instant};

use portolan_daemon::documents::Stage;
use portolan_protocol::{control::Role, id::DocumentId, record::RecordDraft};
use portolan_tests::attacks::unsigned;

#[path = "../tests/documents/world.rs"]
mod world;

use world::{Agency, introduce, sync};

fn main() {
    let numbers: Vec<u32> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (records, bytes) = (numbers.first().copied().unwrap_or(10_000), numbers.get(1).copied().unwrap_or(2_000));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(records, bytes as usize));
}

fn id(n: u32) -> DocumentId {
    // Spread over all ids, as random ones are.
    DocumentId((u128::from(n) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes())
}

fn draft(n: u32, bytes: usize) -> RecordDraft {
    let word: String = unsigned(u64::from(n)).iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let prose: String = format!("{word} and what was learned of the harbours.\n").repeat(bytes.div_ceil(38) + 1);
    RecordDraft::new("page", "en")
        .with("title/en", format!("Page {n}"))
        .with("body/en", &prose[..bytes])
        .with("tags/sea", true)
}

async fn measure(records: u32, bytes: usize) {
    let (rome, tunis) = (Agency::open(1), Agency::open(2));
    introduce(&rome, &tunis);
    let space = rome.found();
    rome.grant(space, &tunis, Role::Writer);
    sync(&rome, &tunis);
    let drafts: Vec<_> = (0..records).map(|n| (id(n), draft(n, bytes))).collect();
    let count = f64::from(records);

    let start = Instant::now();
    rome.documents.import(space, drafts.clone(), rome.person(), false).await.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "import of {records} records of {bytes} B, durable and listed: {seconds:.2} s, {:.0} records/s",
        count / seconds
    );

    let start = Instant::now();
    rome.documents.import(space, drafts, rome.person(), false).await.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("the same again, unchanged: {seconds:.2} s, {:.0} records/s", count / seconds);

    tunis.mute();
    sync(&rome, &tunis);
    let tunis = tunis.restart().await;
    let start = Instant::now();
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("first stage: {seconds:.3} s, {:.1} us an entry", seconds * 1e6 / count);
    let start = Instant::now();
    for n in 0..100 {
        tunis.documents.show(space, id(n * (records / 100).max(1))).await.unwrap();
    }
    println!("100 records shown beside it: {:.1} ms each", start.elapsed().as_secs_f64() * 10.0);
    let start = Instant::now();
    tunis.documents.flush(Stage::Summarised).await.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("second stage: {seconds:.2} s, {:.0} us a record", seconds * 1e6 / count);
}
