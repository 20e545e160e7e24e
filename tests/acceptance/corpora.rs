//! The two manuals that Debian ships in many languages, whole, between three daemons of which two never meet.
//!
//! It prints what it took; `--release --nocapture` gives the figures. Started by hand (`docs/testing.md`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{path::Path, thread, time::Instant};

use portolan_cli::client::Client;
use portolan_protocol::api::{SOCKET_NAME, Saved};
use portolan_tests::daemons::{Site, introduce};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const HELP: &str = "/usr/share/libreoffice/help";
const LANGUAGES: [&str; 4] = ["en-US", "fr", "es", "pt"];
/// Pages of the help in four languages.
const HELP_PAGES: u64 = 10_244;
/// Pages that hold a frame and no text, in each language; `import` names each.
const EMPTY_PAGES_MAX: u64 = 10;
const HANDBOOK: &str = "/usr/share/doc/debian-handbook/html";
const HANDBOOK_LANGUAGES: usize = 26;
/// One record in so many is also compared as the bytes that a command writes; all are compared as what the daemon answers.
const SAMPLE: usize = 200;

#[test]
#[ignore = "started by hand: it takes a while, and libreoffice-help-en-us, -fr, -es, -pt and debian-handbook"]
fn the_manuals_of_two_projects_on_three_nodes_in_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let mut sites = ["rome", "tunis", "valletta"].map(|name| Site::open(directory.path(), name));
    let space = found(&sites);
    let [rome, tunis, valletta] = &sites;

    let begun = Instant::now();
    let (mut pages, mut empty) = (0, 0);
    for language in LANGUAGES {
        let source = format!("help-{language}");
        let (created, refused) = import(rome, &format!("{HELP}/{language}"), &space, &source);
        pages += created;
        empty += refused;
    }
    assert_eq!(pages + empty, HELP_PAGES);
    assert!(empty <= LANGUAGES.len() as u64 * EMPTY_PAGES_MAX, "{empty} refused");
    let (handbook, refused) = import(rome, HANDBOOK, &space, "debian-handbook");
    assert_eq!(refused, 0);
    assert!(handbook >= HANDBOOK_LANGUAGES as u64 * 120, "{handbook}");
    pages += handbook;
    told("import while two peers listen", begun, pages);
    let begun = Instant::now();
    meet(&sites);
    told("until all receipts are there", begun, pages);
    let begun = Instant::now();
    sites.iter().for_each(Site::settled);
    told("until all are in every list", begun, pages);
    figures(&sites);

    same(&sites, pages);
    for site in [tunis, valletta] {
        let shown: Value = serde_json::from_str(&site.bytes(["doc", "list", "--language", "ar-MA"])).unwrap();
        assert!(shown["documents"].as_array().unwrap().len() >= 120, "Arabic pages are among them");
    }
    // The same again changes nothing.
    let begun = Instant::now();
    let again: Value = rome.ask(["import", HANDBOOK, "--space", &space, "--source", "debian-handbook"]);
    assert_eq!(again["totals"]["unchanged"].as_u64(), Some(handbook), "{}", again["totals"]);
    told("importing the handbook again", begun, handbook);

    let edited = edits_apart(&mut sites, directory.path());
    sites.iter_mut().for_each(Site::start);
    let begun = Instant::now();
    meet(&sites);
    sites.iter().for_each(Site::settled);
    told("edits made apart, joined", begun, edited.len() as u64);
    same(&sites, pages);
    for document in &edited {
        let shown = sites[2].bytes(["doc", "show", document]);
        assert!(["rome", "tunis", "valletta"].iter().all(|name| shown.contains(&format!("Seen in {name}"))), "{shown}");
    }
    same_records(&sites, &space);
    joins_late(directory.path(), &sites[1], &space);
    sites.iter_mut().for_each(Site::stop);
}

/// Rome and Valletta know nothing of one another.
fn found([rome, tunis, valletta]: &[Site; 3]) -> String {
    introduce(rome, tunis);
    introduce(tunis, valletta);
    let _: Value = rome.ask(["space", "create", "Manuals"]);
    let _: Value = rome.ask(["space", "grant", "Manuals", "tunis", "--role", "admin"]);
    let space = rome.space().id.to_string();
    tunis.until("Tunis is let in", || !tunis.status().spaces.is_empty() && tunis.space().epoch.is_some());
    let _: Value = tunis.ask(["space", "grant", &space, "valletta", "--role", "writer"]);
    valletta.until("Valletta is let in", || !valletta.status().spaces.is_empty() && valletta.space().epoch.is_some());
    space
}

/// Imports a directory, and tells how many pages were taken and how many were not: only a page without a word may be refused.
fn import(site: &Site, path: &str, space: &str, source: &str) -> (u64, u64) {
    let begun = Instant::now();
    let ended = site.run(["import", path, "--space", space, "--source", source]);
    let report: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    println!(
        "{path}: {} images {} passed over {}",
        report["totals"], report["images_not_imported"], report["passed_over"]
    );
    let refused = report["refused"].as_array().unwrap();
    assert!(refused.iter().all(|page| page["reason"] == "holds no text"), "{path}: {refused:?}");
    assert_eq!(report["totals"]["refused"].as_u64(), Some(refused.len() as u64));
    let created = report["totals"]["created"].as_u64().unwrap();
    told(path, begun, created);
    (created, refused.len() as u64)
}

fn told(what: &str, begun: Instant, pages: u64) {
    let took = begun.elapsed();
    println!("{what}: {pages} in {:.1} s, {:.0}/s", took.as_secs_f64(), pages as f64 / took.as_secs_f64());
}

fn figures(sites: &[Site]) {
    for site in sites {
        let ((peak, now), status) = (site.memory(), site.status());
        let (entries, bytes) = (status.spaces[0].entries, status.store_bytes);
        println!(
            "{}: peak {} MiB, now {} MiB, {entries} entries, store {} MiB",
            site.name,
            peak >> 10,
            now >> 10,
            bytes >> 20
        );
    }
}

/// Lets what each holds reach all.
fn meet(sites: &[Site; 3]) {
    let [rome, tunis, valletta] = sites;
    for site in [valletta, rome, tunis] {
        site.sync();
    }
    let entries = || sites.each_ref().map(|site| site.space().entries);
    rome.until("all hold as much", || entries().iter().all(|count| *count == entries()[1]));
    for site in [valletta, rome, tunis] {
        site.sync();
    }
}

/// Every node changes the same records, and makes one of its own, while no other runs.
fn edits_apart(sites: &mut [Site; 3], directory: &Path) -> Vec<String> {
    let documents = sites[0].documents();
    let edited: Vec<String> = documents.into_iter().step_by(1_000).collect();
    sites.iter_mut().for_each(Site::stop);
    for site in sites {
        site.start();
        for document in &edited {
            let before: Value = site.ask(["doc", "show", document]);
            let language = before["record"]["language"].as_str().unwrap();
            let body = before["record"]["fields"][format!("body/{language}")].as_str().unwrap();
            let file = directory.join("body.md");
            std::fs::write(&file, format!("Seen in {}.\n\n{body}", site.name)).unwrap();
            let _: Saved = site.ask(["doc", "edit", document, "--body-file", file.to_str().unwrap()]);
        }
        site.stop();
    }
    edited
}

/// One that was never there gets all of it at once, from the second.
fn joins_late(directory: &Path, tunis: &Site, space: &str) {
    let lisbon = Site::open(directory, "lisbon");
    introduce(tunis, &lisbon);
    let begun = Instant::now();
    let _: Value = tunis.ask(["space", "grant", space, "lisbon", "--role", "reader"]);
    let entries = tunis.space().entries;
    lisbon.until("it holds all", || lisbon.status().spaces.first().is_some_and(|space| space.entries == entries));
    told("a cold sync of all", begun, entries);
    lisbon.sync();
    let list = lisbon.list();
    told("a cold sync until all are listed", begun, entries);
    assert_eq!(list, tunis.list());
    figures(std::slice::from_ref(&lisbon));
}

/// Lists are the same bytes, and so are some records as a command shows them.
fn same(sites: &[Site; 3], pages: u64) {
    let [rome, others @ ..] = sites;
    let list = rome.list();
    for other in others {
        assert!(other.list() == list, "{} lists other bytes", other.name);
    }
    let documents = rome.documents();
    assert_eq!(documents.len() as u64, pages);
    for document in documents.iter().step_by(SAMPLE) {
        let shown = rome.bytes(["doc", "show", document]);
        for other in others {
            assert_eq!(other.bytes(["doc", "show", document]), shown, "{}", other.name);
        }
    }
}

/// Every record is the same, heads included.
fn same_records(sites: &[Site; 3], space: &str) {
    let begun = Instant::now();
    let documents = sites[0].documents();
    let homes = sites.each_ref().map(|site| site.home.as_path());
    let digests: Vec<[u8; 32]> = thread::scope(|scope| {
        let (documents, space) = (&documents, space);
        let readers: Vec<_> = homes.map(|home| scope.spawn(move || digest(home, space, documents))).into();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]), "records differ");
    told("showing every record on three nodes", begun, documents.len() as u64 * 3);
    figures(sites);
}

/// A hash over every record as the daemon shows it.
fn digest(home: &Path, space: &str, documents: &[String]) -> [u8; 32] {
    let client = Client::new(home.join(SOCKET_NAME), String::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut hasher = Sha256::new();
    runtime.block_on(async {
        for document in documents {
            let shown: Value = client.get(&format!("/spaces/{space}/documents/{document}")).await.unwrap();
            assert!(!shown["record"]["heads"].as_array().unwrap().is_empty());
            hasher.update(serde_json::to_vec(&shown).unwrap());
        }
    });
    hasher.finalize().into()
}
