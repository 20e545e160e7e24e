//! Three nodes in a line: what one holds the third gets through the second, and edits made apart end as the same bytes.

use portolan_cli::sample::write_sample;
use portolan_protocol::api::Saved;
use portolan_tests::daemons::{Site, introduce};
use serde_json::Value;

#[test]
fn three_nodes_in_a_line_hold_and_show_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let mut sites = line(directory.path());
    let corpus = directory.path().join("corpus");
    write_sample(&corpus).unwrap();
    let space = sites[0].space().id.to_string();
    let report: Value = sites[0].ask(["import", corpus.to_str().unwrap(), "--space", &space]);
    assert!(report["totals"]["created"].as_u64() > Some(4) && report["refused"] == Value::Array(vec![]), "{report}");
    meet(&sites);
    same(&sites);

    // Apart: one at a time, so that none hears of the others.
    let document = sites[0].documents().remove(0);
    let before: Value = sites[0].ask(["doc", "show", &document]);
    let language = before["record"]["language"].as_str().unwrap().to_owned();
    let key = format!("body/{language}");
    let body = before["record"]["fields"][&key].as_str().unwrap().to_owned();
    sites.iter_mut().for_each(Site::stop);
    for site in &mut sites {
        site.start();
        let file = directory.path().join("body");
        std::fs::write(&file, format!("{body}\n\nWritten by {}.\n", site.name)).unwrap();
        let saved: Saved = site.ask(["doc", "edit", &document, "--body-file", file.to_str().unwrap()]);
        assert!(!saved.merged);
        let title = format!("title=By {}", site.name);
        let _: Saved = site.ask(["doc", "edit", &document, "--set", &title]);
        let title = format!("Only {}", site.name);
        let _: Saved = site.ask(["doc", "new", "--space", &space, "--language", "en", "--title", &title]);
        site.stop();
    }
    sites.iter_mut().for_each(Site::start);
    meet(&sites);
    same(&sites);
    let after: Value = sites[2].ask(["doc", "show", &document]);
    for site in &sites {
        let line = format!("Written by {}.", site.name);
        assert!(after["record"]["fields"][&key].as_str().unwrap().contains(&line), "{after}");
        assert!(sites[2].list().contains(&format!("Only {}", site.name)));
    }
    sites.iter_mut().for_each(Site::stop);
}

/// Rome knows Tunis, and Tunis knows Valletta, whom it has let in; Rome and Valletta know nothing of one another.
fn line(directory: &std::path::Path) -> [Site; 3] {
    let sites = ["rome", "tunis", "valletta"].map(|name| Site::open(directory, name));
    let [rome, tunis, valletta] = &sites;
    introduce(rome, tunis);
    introduce(tunis, valletta);
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let _: Value = rome.ask(["space", "grant", "Harbours", "tunis", "--role", "admin"]);
    tunis.until("Tunis is let in", || !tunis.status().spaces.is_empty() && tunis.space().epoch.is_some());
    let space = tunis.space().id.to_string();
    let _: Value = tunis.ask(["space", "grant", &space, "valletta", "--role", "writer"]);
    valletta.until("Valletta is let in", || !valletta.status().spaces.is_empty() && valletta.space().epoch.is_some());
    sites
}

/// Lets what each holds reach all.
fn meet(sites: &[Site; 3]) {
    let [rome, tunis, valletta] = sites;
    for site in [valletta, rome, tunis] {
        site.sync();
    }
    // What came to Tunis from one side while it was in step with the other is pushed on at once.
    let entries = || sites.each_ref().map(|site| site.space().entries);
    rome.until("all hold as much", || entries().iter().all(|count| *count == entries()[1]));
    for site in [valletta, rome, tunis] {
        site.sync();
    }
}

/// Lists and records are the same, byte for byte.
fn same(sites: &[Site; 3]) {
    let [rome, others @ ..] = sites;
    let list = rome.list();
    for other in others {
        assert_eq!(other.list(), list, "{}", other.name);
    }
    for document in rome.documents() {
        let shown = rome.bytes(["doc", "show", &document]);
        for other in others {
            assert_eq!(other.bytes(["doc", "show", &document]), shown, "{}", other.name);
        }
    }
}
