//! What a person waits for, with the real daemons over loopback: a cold sync of records until it is receipted and a hundred
//! of them can be read, until all are listed, and how long an edit takes to reach the partner. Beside it, from the same run,
//! `git clone` of the same texts as files, and the peak memory of each daemon.
//!
//! `cargo build --release && cargo bench -p portolan-tests --bench records [-- RECORDS [ROUNDS]]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use portolan_cli::client::{Client, Events};
use portolan_protocol::{
    api::{CardAnswer, DocumentPage, DocumentQuery, Event, Status},
    id::DocumentId,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use serde_json::{Value, json};

const BODY_BYTES: usize = 2_000;
const SHOWN: usize = 100;
/// Records that are asked for at a time.
const READERS: usize = 8;
const EDITS: usize = 200;

fn main() {
    let numbers: Vec<usize> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(compare(numbers.first().copied().unwrap_or(10_000), numbers.get(1).copied().unwrap_or(3)));
}

/// A daemon of its own, and the API to it.
struct Site {
    home: PathBuf,
    process: Option<Child>,
    client: Client,
}

fn binary(name: &str) -> PathBuf {
    // target/release/deps/records-... stands beside target/release/portoland.
    let path = env::current_exe().unwrap().parent().unwrap().parent().unwrap().join(name);
    assert!(path.exists(), "{} is not there: run `cargo build --release` first", path.display());
    path
}

fn portolan(home: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(binary("portolan"));
    let output = command.arg("--home").arg(home).arg("--json").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

impl Site {
    fn new(folder: &Path, name: &str) -> Site {
        let home = folder.join(name);
        // The card has to name the port, so it is chosen here.
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let listen = ["--organisation", name, "--country", "IT", "--listen", &port, "--address", &port];
        portolan(&home, &[&["init", "--name", name], listen.as_slice()].concat());
        let client = Client::new(home.join("portolan.sock"), "portoland run".into());
        let mut site = Site { home, process: None, client };
        site.start();
        site
    }

    fn start(&mut self) {
        let mut command = Command::new(binary("portoland"));
        let mut process = command.arg("run").arg("--home").arg(&self.home).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let ready = lines.by_ref().find(|line| line.as_ref().is_ok_and(|line| line.contains("ready")));
        assert!(ready.is_some(), "the daemon did not get ready");
        // Read on, or the daemon would wait for its log to be read.
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(process);
    }

    fn peak_memory_mib(&self) -> f64 {
        let id = self.process.as_ref().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn meet(&self, other: &Site) {
        let card = other.home.join("card-for-others.txt");
        let shown = portolan(&other.home, &["node", "card", "--out", card.to_str().unwrap()]);
        let fingerprint = shown["fingerprint"].as_str().unwrap().to_owned();
        portolan(&self.home, &["peer", "add", card.to_str().unwrap(), "--fingerprint", &fingerprint]);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Words that repeat as prose does.
fn text(rng: &mut ChaCha20Rng) -> String {
    const WORDS: [&str; 16] = [
        "patrol", "harbour", "exchange", "training", "border", "analysis", "partner", "evidence", "the", "of", "and",
        "in", "report", "lesson", "method", "network",
    ];
    let mut text = String::new();
    while text.len() < BODY_BYTES {
        text.push_str(WORDS[(rng.next_u32() % 16) as usize]);
        text.push(if rng.next_u32().is_multiple_of(12) { '\n' } else { ' ' });
    }
    text
}

fn write_texts(folder: &Path, records: usize) {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    for record in 0..records {
        let folder = folder.join(format!("{:02}", record % 100));
        fs::create_dir_all(&folder).unwrap();
        let page = format!("---\ntype: page\nlanguage: en\ntitle: Record {record}\n---\n\n{}\n", text(&mut rng));
        fs::write(folder.join(format!("{record}.md")), page).unwrap();
    }
}

/// Waits until the partner has receipted everything that this site holds.
async fn receipted(site: &Site, events: &mut Events, entries: u64) {
    loop {
        let status: Status = site.client.get("/status").await.unwrap();
        let spaces = status.peers.iter().flat_map(|peer| &peer.spaces);
        if spaces.clone().any(|space| space.up_to_date && space.entries_receipted >= entries) {
            return;
        }
        while !matches!(events.next().await.unwrap(), Some(Event::Receipt { .. })) {}
    }
}

async fn listed(client: &Client, space: &str) -> (Vec<DocumentId>, u64) {
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query = DocumentQuery { limit: Some(1_000), cursor: cursor.take(), ..DocumentQuery::default() };
        let page: DocumentPage = client.query(&format!("/spaces/{space}/documents"), &query).await.unwrap();
        ids.extend(page.documents.iter().map(|summary| summary.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return (ids, page.entries_to_index),
        }
    }
}

async fn body(client: Client, space: String, document: DocumentId) -> Option<Value> {
    let path = format!("/spaces/{space}/documents/{document}");
    let view: Value = client.get(&path).await.ok()?;
    Some(view["record"]["fields"]["body/en"].clone())
}

struct Figures {
    receipted: Vec<Duration>,
    readable: Vec<Duration>,
    listed: Vec<Duration>,
    clone: Vec<Duration>,
    edits: Vec<Duration>,
    memory: (f64, f64),
}

async fn compare(records: usize, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let texts = folder.path().join("texts");
    write_texts(&texts, records);
    let repository = folder.path().join("repository");
    git(&["init", "--quiet", repository.to_str().unwrap()]);
    fs::rename(&texts, repository.join("texts")).unwrap();
    let texts = repository.join("texts");
    git(&["-C", repository.to_str().unwrap(), "add", "."]);
    let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
    git(&[&["-C", repository.to_str().unwrap()], who.as_slice(), &["commit", "--quiet", "-m", "texts"]].concat());

    let rome = Site::new(folder.path(), "rome");
    let space = portolan(&rome.home, &["space", "create", "bench"])["id"].as_str().unwrap().to_owned();
    let start = Instant::now();
    portolan(&rome.home, &["import", texts.to_str().unwrap(), "--space", &space]);
    let import = records as f64 / start.elapsed().as_secs_f64();
    let ids = complete(&rome.client, &space, records).await;
    let mut figures = Figures {
        receipted: vec![],
        readable: vec![],
        listed: vec![],
        clone: vec![],
        edits: vec![],
        memory: (0.0, 0.0),
    };
    for round in 0..rounds {
        let tunis = Site::new(folder.path(), &format!("tunis{round}"));
        cold(&rome, &tunis, &space, &ids, records, &mut figures).await;
        live(&rome, &tunis, &space, &ids, &mut figures).await;
        figures.memory = (rome.peak_memory_mib(), tunis.peak_memory_mib());
        portolan(&rome.home, &["space", "revoke", &space, &format!("tunis{round}")]);
        portolan(&rome.home, &["peer", "remove", &format!("tunis{round}")]);
        let target = folder.path().join(format!("clone{round}"));
        let start = Instant::now();
        let source = format!("file://{}", repository.display());
        git(&["clone", "--quiet", &source, target.to_str().unwrap()]);
        figures.clone.push(start.elapsed());
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (readable, listed, clone) =
        (median(&mut figures.readable), median(&mut figures.listed), median(&mut figures.clone));
    figures.edits.sort_unstable();
    let percentile = |share: usize| figures.edits[(figures.edits.len() * share / 100).min(figures.edits.len() - 1)];
    println!("{records} records of {BODY_BYTES} B, medians of {rounds} rounds");
    println!("import of Markdown files                       {import:>8.0} records/s");
    println!("cold sync, receipted                           {:>8.2?}", median(&mut figures.receipted));
    println!("cold sync, receipted and {SHOWN} records shown      {readable:>8.2?}");
    println!("cold sync, all listed                          {listed:>8.2?}");
    let ratio = readable.as_secs_f64() / clone.as_secs_f64();
    println!("reference: git clone of the same as files      {clone:>8.2?}   ratio {ratio:.2}");
    println!("an edit at one node is shown at the other      p50 {:.1?}, p99 {:.1?}", percentile(50), percentile(99));
    println!(
        "peak memory                                    sender {:.0} MiB, receiver {:.0} MiB",
        figures.memory.0, figures.memory.1
    );
}

fn git(arguments: &[&str]) {
    assert!(Command::new("git").args(arguments).status().unwrap().success(), "git {arguments:?}");
}

/// Waits until all records are listed.
async fn complete(client: &Client, space: &str, records: usize) -> Vec<DocumentId> {
    let mut events = client.events().await.unwrap();
    loop {
        let (ids, to_index) = listed(client, space).await;
        if ids.len() >= records && to_index == 0 {
            return ids;
        }
        events.next().await.unwrap();
    }
}

async fn cold(rome: &Site, tunis: &Site, space: &str, ids: &[DocumentId], records: usize, figures: &mut Figures) {
    rome.meet(tunis);
    let name = tunis.home.file_name().unwrap().to_str().unwrap();
    portolan(&rome.home, &["space", "grant", space, name, "--role", "writer"]);
    let card: CardAnswer = rome.client.get("/node/card").await.unwrap();
    let mut rng = ChaCha20Rng::from_seed([2; 32]);
    let shown: Vec<DocumentId> = (0..SHOWN).map(|_| ids[rng.next_u32() as usize % ids.len()]).collect();
    let mut expected = Vec::new();
    for id in &shown {
        expected.push(body(rome.client.clone(), space.to_owned(), *id).await.unwrap());
    }
    let mut receipts = rome.client.events().await.unwrap();
    let request = json!({ "card": card.card, "fingerprint": card.fingerprint });
    let start = Instant::now();
    let _: Value = tunis.client.post("/peers", &request).await.unwrap();
    receipted(rome, &mut receipts, records as u64).await;
    figures.receipted.push(start.elapsed());
    for (ids, expected) in shown.chunks(READERS).zip(expected.chunks(READERS)) {
        let reading: Vec<_> =
            ids.iter().map(|id| tokio::spawn(body(tunis.client.clone(), space.to_owned(), *id))).collect();
        for (body, expected) in reading.into_iter().zip(expected) {
            assert_eq!(body.await.unwrap().as_ref(), Some(expected));
        }
    }
    figures.readable.push(start.elapsed());
    assert_eq!(complete(&tunis.client, space, records).await.len(), ids.len());
    figures.listed.push(start.elapsed());
}

/// Edits at one node, each timed from the call until the other shows it.
async fn live(rome: &Site, tunis: &Site, space: &str, ids: &[DocumentId], figures: &mut Figures) {
    let mut events = tunis.client.events().await.unwrap();
    for (edit, id) in ids.iter().take(EDITS).enumerate() {
        let path = format!("/spaces/{space}/documents/{id}");
        let title = format!("edit {edit} of {}", tunis.home.display());
        let request = json!({ "draft": { "fields": { "title/en": title } } });
        let start = Instant::now();
        let _: Value = rome.client.patch(&path, &request).await.unwrap();
        loop {
            let view: Value = tunis.client.get(&path).await.unwrap();
            if view["record"]["fields"]["title/en"] == json!(title) {
                break;
            }
            while !matches!(events.next().await.unwrap(), Some(Event::Document { document, .. }) if document == *id) {}
        }
        figures.edits.push(start.elapsed());
    }
}
