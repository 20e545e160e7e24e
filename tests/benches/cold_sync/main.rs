//! Cold sync of a million small entries between two processes, over loopback and by pouch, durable at the receiver, beside its
//! references from the same run: a raw copy of as many bytes with quinn and a raw write of the same pages to sled.
//!
//! `cargo bench -p portolan-tests --bench cold_sync [-- ENTRIES [ROUNDS]]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod pouch;
mod quic;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command as Process, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use portolan_daemon::{
    clock,
    engine::{Engine, Follower, Parts},
    pouches::Pouches,
    store::{Options, Store},
    transport::{Allowed, Endpoint, Identity as TransportIdentity, TransportKey},
};
use portolan_protocol::{
    card::{Card, Profile},
    control::Role,
    crypto::{
        sealing::SealingSecret,
        signing::{PublicKey, SigningKey},
    },
    effects::Appended,
    id::{Incarnation, NodeId, OrganisationId},
    input::{Command, Reply},
    node::{Identity, Node},
    time::Timestamp,
    view::SpaceView,
};
use tokio::sync::watch;

/// Bytes of the stored payload of each entry.
const PAYLOAD: usize = 400;
/// Bytes that the reference writes at a time: what our sender aims at for a run.
const RUN_BYTES: usize = 256 << 10;
/// Changes appended at a time while the log is prepared.
const BATCH: usize = 4_000;

/// Counts the entries that are durable.
struct Counter(watch::Sender<u64>);

impl Follower for Counter {
    fn views(&self, _: &[Arc<SpaceView>]) {}

    fn appended(&self, appended: &[Appended]) {
        self.0.send_modify(|count| *count += appended.iter().map(|new| new.to - new.from).sum::<u64>());
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse().ok());
    match arguments.first().map(String::as_str) {
        Some("node") => node(&arguments[1..]),
        _ => compare(number(0).unwrap_or(1_000_000), number(1).unwrap_or(3)),
    }
}

fn identity(seed: u8) -> (Identity, TransportIdentity) {
    let signing = SigningKey::from_seed(&[seed; 32]);
    let sealing = SealingSecret::from_seed(&[seed; 32]).unwrap();
    let transport = TransportIdentity::from_seed(&[seed; 32]).unwrap();
    let profile = Profile { name: format!("node {seed}"), country: "IT".into(), ..Profile::default() };
    let key = PublicKey(transport.key().0);
    let card = Card::first(&signing, key, &sealing, PublicKey([seed; 32]), profile, Timestamp(0)).unwrap();
    (Identity { card, signing, sealing }, transport)
}

/// A node in a process of its own. It reads orders from standard input and answers on standard output.
fn node(arguments: &[String]) {
    let (home, seed, other): (&str, u8, u8) = match arguments {
        [home, seed, other] => (home, seed.parse().unwrap(), other.parse().unwrap()),
        _ => panic!("node HOME SEED OTHER"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let them = identity(other).0.card.node();
        let (identity, transport) = identity(seed);
        let (store, _) = Store::open(Path::new(home), &Options::new(Incarnation([seed; 16]))).unwrap();
        let keys = (identity.signing.clone(), identity.sealing.clone());
        let node = Node::load(identity, store.image().unwrap(), &mut clock::rng()).unwrap();
        let allowed = Allowed::default();
        let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let endpoint = Endpoint::bind(&[listen], transport, allowed.clone()).unwrap();
        let address = endpoint.local_addrs()[0];
        let (count, counted) = watch::channel(0);
        let follower = Box::new(Counter(count));
        let (engine, _stopped) =
            Engine::start(Parts { node, store: store.clone(), endpoint, allowed, calls: true, follower }).unwrap();
        let pouches = Pouches::open(Path::new(home), keys, engine.clone(), store, None).unwrap();
        say(&format!("listening {address}"));
        let mut orders = BufReader::new(std::io::stdin()).lines();
        while let Some(Ok(order)) = orders.next() {
            let words: Vec<&str> = order.split_whitespace().collect();
            match words[..] {
                ["fill", entries] => fill(&engine, other, entries.parse().unwrap()).await,
                ["meet"] => meet(&engine, other, None).await,
                ["call", address] => call(&engine, other, address, counted.clone()).await,
                ["export", medium] => pouch::export(&pouches, them, Path::new(medium)).await,
                ["import", medium] => {
                    meet(&engine, other, None).await;
                    pouch::import(&pouches, Path::new(medium)).await;
                }
                ["memory"] => say(&peak_memory()),
                _ => break,
            }
        }
    });
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

async fn meet(engine: &Engine, other: u8, address: Option<&str>) {
    let (theirs, transport) = identity(other);
    let profile =
        Profile { addresses: address.map(str::to_owned).into_iter().collect(), ..theirs.card.profile().clone() };
    let card = match address {
        None => theirs.card.clone(),
        Some(_) => theirs.card.with_profile(&theirs.signing, profile, Timestamp(1)).unwrap(),
    };
    let _ = TransportKey(transport.key().0);
    engine.command(Command::AddPeer { card: Box::new(card) }).await.unwrap();
    if address.is_none() {
        say("met");
    }
}

async fn fill(engine: &Engine, other: u8, entries: usize) {
    meet(engine, other, None).await;
    let organisation = OrganisationId([1; 16]);
    let Reply::Space(space) = engine.command(Command::CreateSpace { organisation }).await.unwrap() else { panic!() };
    let member: NodeId = identity(other).0.card.node();
    let grant = Command::Grant { space, member, role: Role::Writer, history: true };
    engine.command(grant).await.unwrap();
    let overhead = portolan_protocol::crypto::aead::OVERHEAD_BYTES;
    for start in (0..entries).step_by(BATCH) {
        let log = engine.view(&space).unwrap().own_log;
        let count = BATCH.min(entries - start);
        let changes = (0..count).map(|n| vec![(start + n) as u8; PAYLOAD - overhead]).collect();
        engine.append(space, log, changes).await.unwrap();
    }
    say("filled");
}

/// Calls the other node and waits until everything it holds is durable here.
async fn call(engine: &Engine, other: u8, address: &str, mut counted: watch::Receiver<u64>) {
    let start = Instant::now();
    meet(engine, other, Some(address)).await;
    let expected = expected();
    counted.wait_for(|count| *count >= expected).await.unwrap();
    say(&format!("synced {}", start.elapsed().as_micros()));
}

fn expected() -> u64 {
    env::var("EXPECTED").unwrap().parse().unwrap()
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    format!("memory {}", peak.split_whitespace().nth(1).unwrap())
}

struct Remote {
    process: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Remote {
    fn start(home: &Path, seed: u8, other: u8, expected: u64) -> (Remote, String) {
        let mut process = Process::new(env::current_exe().unwrap())
            .args(["node", home.to_str().unwrap(), &seed.to_string(), &other.to_string()])
            .env("EXPECTED", expected.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut remote = Remote { process, answers };
        let address = remote.answer("listening");
        (remote, address)
    }

    fn order(&mut self, order: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{order}").unwrap();
    }

    fn answer(&mut self, word: &str) -> String {
        loop {
            let line = self.answers.next().expect("the node ended").unwrap();
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn compare(entries: usize, rounds: usize) {
    let (mut syncs, mut copies, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sender_memory, mut receiver_memory, mut importer_memory) = (0, 0, 0_u64);
    let source = tempfile::tempdir().unwrap();
    // Genesis, first epoch and grant come on top.
    let expected = entries as u64 + 3;
    let (mut sender, address) = Remote::start(source.path(), 1, 2, expected);
    sender.order(&format!("fill {entries}"));
    sender.answer("filled");
    let (mut exports, mut imports, mut pouch_bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let medium = tempfile::tempdir().unwrap();
        sender.order(&format!("export {}", medium.path().display()));
        let [took, bytes] = pouch::figures(&sender.answer("exported"));
        exports.push(Duration::from_micros(took));
        pouch_bytes = bytes;
        let target = tempfile::tempdir().unwrap();
        let (mut receiver, _) = Remote::start(target.path(), 2, 1, expected);
        receiver.order(&format!("import {}", medium.path().display()));
        let [took, new] = pouch::figures(&receiver.answer("imported"));
        assert_eq!(new, expected);
        imports.push(Duration::from_micros(took));
        receiver.order("memory");
        importer_memory = receiver.answer("memory").split_whitespace().next().unwrap().parse().unwrap();
    }
    sender.order("memory");
    let exporter_memory: u64 = sender.answer("memory").split_whitespace().next().unwrap().parse().unwrap();
    for _ in 0..rounds {
        let target = tempfile::tempdir().unwrap();
        let (mut receiver, _) = Remote::start(target.path(), 2, 1, expected);
        receiver.order(&format!("call {address}"));
        syncs.push(Duration::from_micros(receiver.answer("synced").parse().unwrap()));
        receiver.order("memory");
        receiver_memory = receiver.answer("memory").split_whitespace().next().unwrap().parse().unwrap();
        copies.push(raw_copy(entries * (PAYLOAD + 75)));
        writes.push(raw_write(entries));
    }
    sender.order("memory");
    sender_memory += sender.answer("memory").split_whitespace().next().unwrap().parse::<u64>().unwrap();
    let rate = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        entries as f64 / times[times.len() / 2].as_secs_f64()
    };
    let (sync, copy, write) = (rate(&mut syncs), rate(&mut copies), rate(&mut writes));
    println!("entries of {PAYLOAD} B: {entries}, medians of {rounds} rounds");
    println!("cold sync, durable at the receiver   {sync:>10.0} entries/s");
    let (export, import) = (rate(&mut exports), rate(&mut imports));
    println!("export to a pouch, flushed           {export:>10.0} entries/s   {:.2} of the sync", export / sync);
    println!("import of it, verified and durable   {import:>10.0} entries/s   {:.2} of the sync", import / sync);
    let content = (entries * PAYLOAD) as u64;
    println!("bytes of the pouch                   {:.3} of the payloads", pouch_bytes as f64 / content as f64);
    println!("reference: raw copy over QUIC          {copy:>10.0} entries/s   ratio {:.2}", sync / copy);
    println!("reference: raw paged write to sled   {write:>10.0} entries/s   ratio {:.2}", sync / write);
    let (receiver, sender) = (receiver_memory as f64 / 1024.0, sender_memory as f64 / 1024.0);
    println!("peak memory                          receiver {receiver:.0} MiB, sender {sender:.0} MiB");
    let (importer, exporter) = (importer_memory as f64 / 1024.0, exporter_memory as f64 / 1024.0);
    println!("peak memory by pouch                 receiver {importer:.0} MiB, sender {exporter:.0} MiB");
}

/// Copies as many bytes with quinn alone: one stream on loopback, the key exchange, the cipher, the windows and the socket
/// buffers of our transport, and none of its code. The receiver reads into one buffer and forgets it.
fn raw_copy(bytes: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (server, client) = quic::configurations();
        let (listener, caller) = (quic::endpoint(Some(server)), quic::endpoint(None));
        let address = listener.local_addr().unwrap();
        let sending = tokio::spawn(async move {
            let connection = listener.accept().await.unwrap().await.unwrap();
            let mut stream = connection.open_uni().await.unwrap();
            let run = vec![7u8; RUN_BYTES];
            for start in (0..bytes).step_by(RUN_BYTES) {
                stream.write_all(&run[..RUN_BYTES.min(bytes - start)]).await.unwrap();
            }
            stream.finish().unwrap();
            connection.closed().await;
        });
        let start = Instant::now();
        let connection = caller.connect_with(client, address, "reference.invalid").unwrap().await.unwrap();
        let mut stream = connection.accept_uni().await.unwrap();
        let (mut buffer, mut copied) = (vec![0; RUN_BYTES], 0);
        while let Some(read) = stream.read(&mut buffer).await.unwrap() {
            std::hint::black_box(&buffer[..read]);
            copied += read;
        }
        let took = start.elapsed();
        assert_eq!(copied, bytes);
        connection.close(0u8.into(), b"");
        sending.await.unwrap();
        took
    })
}

/// Writes pages of 4 kB under growing keys to a fresh sled, synced every 4,096 entries as our own store does.
fn raw_write(entries: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let tree = sled::Config::new().path(folder.path()).cache_capacity(16 << 20).open().unwrap();
    let file = std::fs::File::open(folder.path().join("db")).unwrap();
    let per_page = 4_000 / (PAYLOAD + 75);
    let start = Instant::now();
    for page in 0..entries.div_ceil(per_page) {
        let value = vec![page as u8; per_page * (PAYLOAD + 75)];
        tree.insert((page as u64).to_be_bytes(), value).unwrap();
        if page % (4_096 / per_page) == 0 {
            tree.flush().unwrap();
            file.sync_data().unwrap();
        }
    }
    tree.flush().unwrap();
    file.sync_data().unwrap();
    start.elapsed()
}
