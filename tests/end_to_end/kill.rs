//! `kill -9`, again and again, at moments that a seed draws: what was acknowledged is there afterwards, and sync comes to its end.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, SystemTime},
};

use portolan_protocol::api::{ErrorKind, Saved};
use portolan_tests::daemons::{Site, introduce, run};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng as _, SeedableRng as _},
};
use serde_json::Value;

const KILLS: usize = 20;
/// Files of one import; it takes about as long as the latest kill.
const FILES: usize = 200;
const LATEST_KILL_MS: u64 = 1_200;

/// What was acknowledged: records by id, with the title that they were last known to have.
type Acknowledged = Vec<(String, String)>;

#[test]
fn what_was_acknowledged_survives_kill_9_and_sync_completes() {
    let seed = seed();
    println!("PORTOLAN_SEED={seed}");
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut sites = ["rome", "tunis"].map(|name| Site::open(directory.path(), name));
    introduce(&sites[0], &sites[1]);
    let _: Value = sites[0].ask(["space", "create", "Harbours"]);
    let _: Value = sites[0].ask(["space", "grant", "Harbours", "tunis", "--role", "writer"]);
    sites[1].until("Tunis is let in", || !sites[1].status().spaces.is_empty() && sites[1].space().epoch.is_some());
    let mut known: [Acknowledged; 2] = Default::default();
    let mut cut = 0;
    for round in 0..KILLS {
        let victim = (rng.next_u32() % 2) as usize;
        let moment = Duration::from_millis(u64::from(rng.next_u32()) % LATEST_KILL_MS);
        let corpus = corpus(directory.path(), round);
        let (import, writers) = begin(&sites, &corpus, round);
        // Not waiting for anything: the moment itself is what the seed has drawn.
        thread::sleep(moment);
        sites[victim].kill();
        let (report, code) = import();
        cut += u64::from(code != Some(0));
        let imported = imported(&report, round);
        assert!(code != Some(0) || imported.len() == FILES, "{report}");
        known[0].extend(imported);
        for (known, writer) in known.iter_mut().zip(writers) {
            known.extend(writer.join().unwrap());
        }
        sites[victim].start();
        assert!(!sites[victim].log().contains("less than was acknowledged"), "{}", sites[victim].log());
        verify(&sites[victim], &known[victim]);
    }
    println!(
        "{cut} of {KILLS} imports were cut; {} records were acknowledged",
        known.iter().map(Vec::len).sum::<usize>()
    );
    for site in &sites {
        site.sync();
    }
    assert!(sites[0].list() == sites[1].list());
    for (site, known) in sites.iter().zip(&known) {
        verify(site, known);
        sound(site);
    }
    sites.iter_mut().for_each(Site::stop);
}

fn seed() -> u64 {
    let given = std::env::var("PORTOLAN_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64)
}

fn corpus(directory: &Path, round: usize) -> String {
    let corpus = directory.join(format!("corpus-{round}"));
    fs::create_dir(&corpus).unwrap();
    for number in 0..FILES {
        let text = format!("---\ntitle: Imported {round}/{number}\nlanguage: en\n---\n\n{}", "A line.\n\n".repeat(60));
        fs::write(corpus.join(format!("{number}.md")), text).unwrap();
    }
    corpus.to_str().unwrap().to_owned()
}

type Report = Box<dyn FnOnce() -> (Value, Option<i32>)>;
type Writer = thread::JoinHandle<Acknowledged>;

/// Begins an import in Rome, and records written one after the other in both places until somebody is killed.
fn begin(sites: &[Site; 2], corpus: &str, round: usize) -> (Report, Vec<Writer>) {
    let space = sites[0].space().id.to_string();
    let import = sites[0].portolan(["import", corpus, "--space", &space]);
    let import = thread::spawn(move || run(import));
    let writers = sites.iter().map(|site| {
        let create =
            |title: &str| site.portolan(["doc", "new", "--space", &space, "--language", "en", "--title", title]);
        let titles: Vec<String> = (0..4).map(|number| format!("{} {round}/{number}", site.name)).collect();
        let commands: Vec<Command> = titles.iter().map(|title| create(title)).collect();
        let home = site.portolan([""; 0]);
        thread::spawn(move || write(commands, titles, &home))
    });
    let writers = writers.collect();
    let import = move || {
        let ended = import.join().unwrap();
        (serde_json::from_str(&ended.out).unwrap_or_default(), ended.code)
    };
    (Box::new(import), writers)
}

/// Runs the commands, each followed by an edit of what it made, and tells what was acknowledged.
fn write(commands: Vec<Command>, titles: Vec<String>, portolan: &Command) -> Acknowledged {
    let mut acknowledged = Vec::new();
    for (command, title) in commands.into_iter().zip(titles) {
        let ended = run(command);
        if ended.code != Some(0) {
            assert_eq!(ended.error().kind, ErrorKind::Unavailable, "{ended:?}");
            break;
        }
        let saved: Saved = ended.answer();
        let document = saved.document.to_string();
        let edited = format!("{title}, edited");
        let mut edit = Command::new(portolan.get_program());
        edit.args(portolan.get_args()).args(["doc", "edit", &document, "--set", &format!("title={edited}")]);
        let ended = run(edit);
        if ended.code == Some(0) {
            acknowledged.push((document, edited));
        } else {
            // It may have become durable without the answer having got through; then it does not matter which title it has.
            assert_eq!(ended.error().kind, ErrorKind::Unavailable, "{ended:?}");
            acknowledged.push((document, title));
            break;
        }
    }
    acknowledged
}

/// What an import reported before it ended or was cut off.
fn imported(report: &Value, round: usize) -> Acknowledged {
    let text = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
    let title = |record: &Value| format!("Imported {round}/{}", text(record, "source").trim_end_matches(".md"));
    let records = report["records"].as_array().map(Vec::as_slice).unwrap_or_default();
    records.iter().map(|record| (text(record, "document"), title(record))).collect()
}

/// Everything acknowledged is there.
fn verify(site: &Site, known: &Acknowledged) {
    let list: Value = serde_json::from_str(&site.list()).unwrap();
    let documents = list["documents"].as_array().unwrap();
    let titles = documents.iter().map(|document| (document["id"].as_str(), document["title"].as_str()));
    let titles: BTreeMap<_, _> = titles.collect();
    for (id, title) in known {
        let shown = titles.get(&Some(id.as_str())).copied().flatten();
        assert!(shown.is_some_and(|shown| shown.starts_with(title)), "{}: {title}: {shown:?}", site.name);
    }
}

/// `portolan check` finds nothing damaged.
fn sound(site: &Site) {
    let checked: Value = site.ask(["check"]);
    assert_eq!(checked["checked"]["damage"], 0, "{checked}");
    assert!(checked["checked"]["entries"].as_u64() > Some(0), "{checked}");
}
