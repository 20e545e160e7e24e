//! Terms as a person at a shell meets them: loaded twice they are there once, changed ones change, labels follow the language; and
//! a record that was written out is imported as it was.

use std::process::Command;

use portolan_protocol::{api::ErrorKind, record::TYPES};
use portolan_tests::daemons::{Site, program, run};
use serde_json::{Value, json};

#[test]
fn a_vocabulary_is_loaded_once_however_often_and_listed_in_each_language() {
    let directory = tempfile::tempdir().unwrap();
    let mut site = Site::open(directory.path(), "rome");
    let created: Value = site.ask(["space", "create", "Harbours"]);
    let space = created["id"].as_str().unwrap().to_owned();

    let first: Value = site.ask(["vocabulary", "load", "--space", &space]);
    assert_eq!((&first["totals"]["created"], &first["warnings"]), (&json!(83), &json!([])), "{first}");
    // What a colleague raises stays raised.
    let listed: Value = site.ask(["vocabulary", "list", "--space", &space, "--scheme", "areas", "--language", "fr"]);
    let concepts = listed.as_array().unwrap();
    let cybercrime = concepts.iter().find(|concept| concept["notation"] == "cybercrime").unwrap();
    assert_eq!(cybercrime["label"], "Cybercriminalité");
    let document = cybercrime["document"].as_str().unwrap().to_owned();
    let _: Value = site.ask(["doc", "edit", &document, "--set", "marking=AMBER"]);
    let again: Value = site.ask(["vocabulary", "load", "--space", &space]);
    assert_eq!(again["totals"], json!({"created": 0, "updated": 0, "unchanged": 83, "refused": 0}));
    let shown: Value = site.ask(["doc", "show", &document]);
    assert_eq!((&shown["record"]["marking"], &shown["record"]["title"]), (&json!("AMBER"), &json!("Cybercrime")));

    // A file of one's own changes what it names.
    let file = directory.path().join("terms.yaml");
    std::fs::write(&file, "notation: cybercrime\nscheme: areas\ntitle: {fr: Cybermenaces}\n---\nnotation: ports\nscheme: areas\ntitle: Ports\n")
        .unwrap();
    let file = file.to_str().unwrap();
    let own: Value = site.ask(["vocabulary", "load", file, "--space", &space, "--default", "originator=Rome"]);
    assert_eq!(own["totals"], json!({"created": 1, "updated": 1, "unchanged": 0, "refused": 0}));
    let listed: Value = site.ask(["vocabulary", "list", "--space", &space, "--scheme", "areas", "--language", "fr"]);
    let labels: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|concept| concept["label"].as_str()).collect();
    assert!(labels.contains(&"Cybermenaces") && labels.contains(&"Ports"), "{labels:?}");
    std::fs::write(file, "title: no notation\n").unwrap();
    let error = site.refused(ErrorKind::Usage, ["vocabulary", "load", file, "--space", &space]);
    assert!(error.message.contains("line 1"), "{}", error.message);

    // Written out and imported as another record: the same fields, save where it comes from.
    let mut command = Command::new(program("portolan"));
    command.arg("--home").arg(&site.home).args(["doc", "show", &document, "--markdown"]);
    let markdown = run(command).out;
    let copies = directory.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    std::fs::write(copies.join("copy.md"), &markdown).unwrap();
    let report: Value = site.ask(["import", copies.to_str().unwrap(), "--space", &space]);
    let copy = report["records"][0]["document"].as_str().unwrap();
    let fields = |document: &str| {
        let shown: Value = site.ask(["doc", "show", document]);
        let mut fields = shown["record"]["fields"].as_object().unwrap().clone();
        fields.retain(|key, _| !key.starts_with("source/"));
        fields
    };
    assert_eq!(fields(copy), fields(&document), "{markdown}");
    site.stop();
}

#[test]
fn the_schema_is_told_without_a_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::of(&directory.path().join("nothing"), "nobody");
    let types: Value = site.ask(["schema"]);
    assert_eq!(types["types"].as_array().unwrap().len(), TYPES.len());
    let programme: Value = site.ask(["schema", "programme"]);
    let own = programme["own"].as_array().unwrap();
    assert!(own.iter().any(|row| row["key"] == "budget/<id>/amount" && row["kind"] == "decimal"));
    let error = site.refused(ErrorKind::Usage, ["schema", "programmes"]);
    assert!(error.message.contains("programmes") && error.message.contains("assistance_request"), "{}", error.message);
}
