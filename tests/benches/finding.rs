//! What it takes to find records: a page of a list, counts, and a search, while nothing else happens; and how long the index of
//! words takes to be level after an import.
//!
//! `cargo bench -p portolan-tests --bench finding -- 100000 300`: records, bytes of prose in each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code)]

use std::{
    env, fs,
    time::{Duration, Instant},
};

use portolan_daemon::{documents::Stage, search::Question};
use portolan_protocol::{
    api::{DocumentQuery, SortBy},
    id::{DocumentId, SpaceId},
    record::{Facet, Filters, RecordDraft},
};

#[path = "../tests/documents/world.rs"]
mod world;

use world::Agency;

/// Questions of one kind.
const ROUNDS: u32 = 200;
/// Different words.
const WORDS: u32 = 20_000;

fn main() {
    let numbers: Vec<u32> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (records, bytes) = (numbers.first().copied().unwrap_or(45_000), numbers.get(1).copied().unwrap_or(300));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(records, bytes as usize));
}

fn id(n: u32) -> DocumentId {
    DocumentId((u128::from(n) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes())
}

/// Words of which a few are in many records and many in few, as in any language.
fn word(seed: u32) -> String {
    let hash = blake3::hash(&seed.to_be_bytes());
    let bytes = hash.as_bytes();
    let share = f64::from(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])) / f64::from(1 << 24);
    named(((f64::from(WORDS) + 1.0).powf(share) - 1.0) as u32)
}

fn named(rank: u32) -> String {
    let syllables = ["ma", "ri", "to", "lan", "dé", "pu", "sor", "ti", "gne", "va"];
    (0..4).map(|place| syllables[(rank / 10_u32.pow(place) % 10) as usize]).collect::<String>()
        + &(rank / 10_000).to_string()
}

fn draft(n: u32, bytes: usize) -> RecordDraft {
    let mut body = String::new();
    let mut seed = n * 1_000;
    while body.len() < bytes {
        body.push_str(&word(seed));
        body.push(' ');
        seed += 1;
    }
    RecordDraft::new(["page", "experience", "practice"][n as usize % 3], "fr")
        .with("title/fr", format!("{} {} {n}", word(n), word(n + 7)))
        .with("body/fr", body)
        .with(&format!("tags/t{}", n % 50), true)
        .with(&format!("areas/a{}", n % 7), true)
        .with(&format!("countries/{}/covered", ["TN", "IT", "FR", "MA", "EG"][n as usize % 5]), true)
        .with("status", ["draft", "published"][n as usize % 2])
}

async fn measure(records: u32, bytes: usize) {
    let rome = Agency::open(1);
    let space = rome.found();
    let start = Instant::now();
    let drafts: Vec<_> = (0..records).map(|n| (id(n), draft(n, bytes))).collect();
    for batch in drafts.chunks(10_000) {
        rome.documents.import(space, batch.to_vec(), rome.person(), false).await.unwrap();
    }
    println!("import of {records} records of {bytes} B, durable and listed: {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    rome.documents.flush(Stage::Searchable).await.unwrap();
    println!("all of them found by their words {:.2} s later", start.elapsed().as_secs_f64());
    let index: u64 =
        fs::read_dir(rome.home().join("search")).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
    println!("the index has {:.1} MB", index as f64 / 1e6);
    println!("peak memory of the process: {} MB", peak_mb());

    let list = |query: DocumentQuery| {
        let rome = rome.clone();
        async move { rome.documents.list(space, query, None, 50).await.unwrap().documents.len() }
    };
    let narrow = |n: u32| DocumentQuery {
        tag: Some(format!("t{}", n % 50)),
        country: Some("TN".into()),
        status: Some("draft".into()),
        ..DocumentQuery::default()
    };
    let by = |sort| DocumentQuery { sort: Some(sort), ..DocumentQuery::default() };
    timed("list, 3 filters, 50 records", |n| list(narrow(n))).await;
    timed("list, all, by last change, 50 records", |_| list(by(SortBy::Updated))).await;
    timed("list, all, by title, 50 records", |_| list(by(SortBy::Title))).await;
    timed("counts of all", |_| async { rome.documents.facets(space, DocumentQuery::default()).await.unwrap() }).await;
    timed("counts, 3 filters", |n| {
        let query = narrow(n);
        let rome = rome.clone();
        async move { rome.documents.facets(space, query).await.unwrap() }
    })
    .await;

    let find = |text: String, filters: Filters| {
        let rome = rome.clone();
        async move { rome.search.find(&question(space, text, filters)).unwrap() }
    };
    let none = Filters::default;
    timed("search, a rare word", |n| find(named(2_000 + n * 37), none())).await;
    timed("search, a frequent word", |n| find(named(n % 20), none())).await;
    timed("search, two words", |n| find(format!("{} {}", named(n % 50), named(n % 13 + 60)), none())).await;
    timed("search, a phrase", |n| find(format!("\"{} {}\"", word(n * 1_000), word(n * 1_000 + 1)), none())).await;
    timed("search, a beginning", |n| find(format!("{}*", &named(n)[..6]), none())).await;
    let filters =
        || Filters::default().with(Facet::Country, Some("TN".into())).with(Facet::Status, Some("draft".into()));
    timed("search, a frequent word, 2 filters", |n| find(named(n % 20), filters())).await;
}

fn question(space: SpaceId, text: String, filters: Filters) -> Question {
    Question { text, language: None, spaces: vec![space], filters, offset: 0, limit: 20 }
}

async fn timed<T, F: Future<Output = T>>(what: &str, mut ask: impl FnMut(u32) -> F) {
    let mut times: Vec<Duration> = Vec::new();
    for n in 0..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(ask(n).await);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99));
}

fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1_024
}
