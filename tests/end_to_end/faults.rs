//! What breaks around a daemon: its configuration, its files, its disk, a second one of it. Each says what it is, and loses nothing.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use portolan_protocol::api::{ErrorKind, Saved};
use portolan_tests::daemons::{Ended, Site, introduce, run};
use serde_json::Value;

#[test]
fn a_typing_error_in_the_configuration_is_named_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let mut rome = Site::open(directory.path(), "rome");
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    rome.stop();
    let whole = fs::read_to_string(rome.home.join("config.toml")).unwrap();
    rome.configure("# note\n[data]\nstore_cash_mib = 64\n");
    let ended = rome.try_start().unwrap_err();
    assert_eq!(ended.code, Some(ErrorKind::Usage.exit_code().into()), "{ended:?}");
    let place = format!("{}:3:1: unknown field `store_cash_mib`", rome.home.join("config.toml").display());
    assert!(ended.err.contains(&place) && ended.err.contains("`store_cache_mib`"), "{ended:?}");
    rome.configure(&whole);
    rome.start();
    assert_eq!(rome.space().name, "Harbours");
}

#[test]
fn a_second_daemon_of_a_home_is_refused_and_the_first_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut rome = Site::open(directory.path(), "rome");
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let second = run(rome.portoland());
    assert_eq!(second.code, Some(ErrorKind::Conflict.exit_code().into()), "{second:?}");
    assert!(second.err.contains("Nothing was changed") && second.err.contains("Stop the daemon"), "{second:?}");
    assert!(rome.runs());
    let _: Saved = rome.ask(["doc", "new", "--space", "Harbours", "--language", "en", "--title", "Still here"]);
    let home = rome.home.to_str().unwrap().to_owned();
    let again = rome.run(["init", "--home", &home, "--name", "x", "--organisation", "x", "--country", "IT"]);
    assert_eq!(again.error().kind, ErrorKind::Conflict);
    assert_eq!(rome.documents().len(), 1);
    rome.stop();
}

/// Those that Rome imports, and one of Tunis.
const RECORDS: usize = 201;

/// Rome and Tunis with the same records, both stopped.
fn pair(directory: &Path) -> [Site; 2] {
    let mut sites = ["rome", "tunis"].map(|name| Site::open(directory, name));
    let [rome, tunis] = &sites;
    introduce(rome, tunis);
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let _: Value = rome.ask(["space", "grant", "Harbours", "tunis", "--role", "writer"]);
    tunis.until("Tunis is let in", || !tunis.status().spaces.is_empty() && tunis.space().epoch.is_some());
    let corpus = corpus(directory, RECORDS - 1);
    let _: Value = rome.ask(["import", &corpus, "--space", "Harbours"]);
    let space = tunis.space().id.to_string();
    let _: Saved = tunis.ask(["doc", "new", "--space", &space, "--language", "en", "--title", "From Tunis"]);
    tunis.sync();
    rome.sync();
    assert_eq!(rome.list(), tunis.list());
    sites.iter_mut().for_each(Site::stop);
    sites
}

fn corpus(directory: &Path, files: usize) -> String {
    let corpus = directory.join("corpus");
    fs::create_dir(&corpus).unwrap();
    for number in 0..files {
        // Words that do not repeat, so that they take their room.
        let words: Vec<String> =
            (0..400_u64).map(|word| format!("{:x}", (word + 1) * (number as u64 + 7) * 0x9e37_79b9)).collect();
        let text = format!("---\ntitle: Page {number}\nlanguage: en\n---\n\n{}\n", words.join(" "));
        fs::write(corpus.join(format!("{number}.md")), text).unwrap();
    }
    corpus.to_str().unwrap().to_owned()
}

/// How a store is damaged.
type Damage = fn(&Path);

fn flip(path: &Path, places: impl IntoIterator<Item = u64>) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    for place in places {
        let mut byte = [0];
        file.read_exact_at(&mut byte, place).unwrap();
        file.write_all_at(&[byte[0] ^ 0x55], place).unwrap();
    }
}

fn cut(path: &Path, part: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length / 100 * part).unwrap();
}

/// sled allocates its file ahead; this is where what was written ends, about.
fn written(path: &Path) -> u64 {
    let bytes = fs::read(path).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64
}

/// One byte may fall where nothing is any more; and a journal that is behind the store is what a crash leaves.
const HARMLESS: [&str; 2] = ["one byte flipped in the middle of the store", "the heads journal cut short"];

const DAMAGES: [(&str, Damage); 6] = [
    ("bytes flipped all over the store", |store| {
        let db = store.join("sled/db");
        let end = written(&db);
        flip(&db, (1..40).map(|part| end / 40 * part));
    }),
    ("one byte flipped in the middle of the store", |store| {
        let db = store.join("sled/db");
        let end = written(&db);
        flip(&db, [end / 2]);
    }),
    ("the store cut in half", |store| {
        let db = store.join("sled/db");
        let end = written(&db);
        fs::File::options().write(true).open(&db).unwrap().set_len(end / 2).unwrap();
    }),
    ("the store gone", |store| fs::remove_dir_all(store.join("sled")).unwrap()),
    ("bytes flipped in the heads journal", |store| flip(&store.join("heads"), [5, 40])),
    ("the heads journal cut short", |store| cut(&store.join("heads"), 50)),
];

#[test]
fn a_damaged_store_is_noticed_and_mended_from_a_peer() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis] = pair(directory.path());
    let store = rome.home.join("store");
    let whole = directory.path().join("whole");
    copy(&store, &whole);
    tunis.start();
    for (what, damage) in DAMAGES {
        println!("{what}");
        damage(&store);
        match rome.try_start() {
            Ok(()) => {
                let log = rome.log();
                let told =
                    ["the store is damaged", "less than was acknowledged"].iter().any(|words| log.contains(words));
                let checked = rome.run(["check"]);
                let found = checked.code == Some(ErrorKind::Damaged.exit_code().into());
                assert!(told || found || HARMLESS.contains(&what), "{what}: nobody noticed:\n{log}\n{checked:?}");
                println!("  started: told {told}, found by check {found}");
                if found {
                    rome.stop();
                    start_empty(&mut rome, &store);
                }
            }
            Err(ended) => {
                println!("  {}", ended.err.lines().last().unwrap_or_default());
                clear(&ended);
                start_empty(&mut rome, &store);
            }
        }
        // Peers are in the store as well.
        if rome.status().peers.is_empty() {
            rome.meet(&tunis);
        }
        rome.sync();
        tunis.sync();
        assert!(rome.list() == tunis.list() && rome.documents().len() == RECORDS, "{what}: other lists");
        // It can go on writing, in a new log where it must, and is believed.
        let saved: Saved = rome.ask(["doc", "edit", &rome.documents()[0], "--set", "status=draft"]);
        rome.sync();
        assert!(tunis.bytes(["doc", "show", &saved.document.to_string()]).contains(&saved.heads[0]), "{what}");
        let _: Saved = rome.ask(["doc", "edit", &saved.document.to_string(), "--set", "status="]);
        rome.stop();
        tunis.stop();
        // Each damage is done to what was whole, on both sides: a store that is put back is an older one to its peers.
        fs::remove_dir_all(&store).unwrap();
        copy(&whole, &store);
        tunis.start();
        rome.start();
        rome.sync();
        tunis.sync();
        rome.stop();
    }
}

/// An end that says what is damaged, what is safe, and what to do.
fn clear(ended: &Ended) {
    assert_eq!(ended.code, Some(ErrorKind::Damaged.exit_code().into()), "{ended:?}");
    assert!(ended.err.contains("Peers still hold") && ended.err.contains("by sync"), "{ended:?}");
    assert!(!ended.err.contains("panicked at"), "{ended:?}");
}

/// What the error says to do next.
fn start_empty(site: &mut Site, store: &Path) {
    fs::remove_dir_all(store).unwrap();
    site.start();
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// A file system of a given size, unmounted at the end.
struct Mount(PathBuf);

impl Mount {
    fn new(path: PathBuf, size: &str) -> Mount {
        fs::create_dir(&path).unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", path.to_str().unwrap()]);
        Mount(path)
    }

    fn grow(&self, size: &str) {
        mount(&["-o", &format!("remount,size={size}"), self.0.to_str().unwrap()]);
    }
}

fn mount(arguments: &[&str]) {
    assert!(Command::new("mount").args(arguments).status().unwrap().success());
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs root to mount a small disk"]
fn a_full_disk_refuses_clearly_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Mount::new(directory.path().join("disk"), "36m");
    let mut rome = Site::open(&disk.0, "rome");
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let corpus = corpus(directory.path(), 3_000);
    let ended = rome.run(["import", &corpus, "--space", "Harbours"]);
    let error = ended.error();
    assert_eq!(error.kind, ErrorKind::DiskFull, "{error:?}\n{}", rome.log());
    assert!(!error.safe.is_empty() && !error.next.is_empty(), "{error:?}");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let kept = report["records"].as_array().unwrap();
    let kept: BTreeSet<&str> = kept.iter().map(|record| record["document"].as_str().unwrap()).collect();
    assert!(!kept.is_empty(), "{report}");
    let lists_what_was_kept = |site: &Site| {
        let documents = site.documents();
        let listed: BTreeSet<&str> = documents.iter().map(String::as_str).collect();
        kept.is_subset(&listed)
    };
    restart(&mut rome);
    assert!(lists_what_was_kept(&rome));
    // Still full: it opens, shows, and refuses.
    restart(&mut rome);
    assert!(lists_what_was_kept(&rome));
    disk.grow("400m");
    restart(&mut rome);
    assert!(lists_what_was_kept(&rome));
    let report: Value = rome.ask(["import", &corpus, "--space", "Harbours"]);
    let totals = &report["totals"];
    assert!(totals["unchanged"].as_u64() >= Some(kept.len() as u64), "{report}");
    assert_eq!(totals["unchanged"].as_u64().unwrap() + totals["created"].as_u64().unwrap(), 3_000, "{report}");
    let checked: Value = rome.ask(["check"]);
    assert_eq!(checked["checked"]["damage"], 0, "{checked}");
    rome.stop();
}

/// The daemon ends when a commit fails, and is started again as a service manager would.
fn restart(site: &mut Site) {
    site.kill();
    site.start();
}
