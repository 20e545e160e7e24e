//! The house rules, checked over the whole tree: floors, circles, doors, layout, own words, links.
#![allow(missing_docs, clippy::expect_used, clippy::panic)]

use std::fs;

use portolan_tests::tidy::{
    CLI, DAEMON, DOORS, PROTOCOL, Source, Violation, circles, crates_apart, doors, files_with, floors, heads, links,
    own_words, read_crate, top_level, workspace,
};

const CRATES: [&str; 4] = ["protocol", "daemon", "cli", "tests"];

fn sources(name: &str) -> Vec<Source> {
    let sources = read_crate(name).expect("the sources can be read");
    assert!(!sources.is_empty(), "no sources of {name}");
    sources
}

fn none(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn imports_lead_downstairs() {
    none(&floors(&sources("protocol"), PROTOCOL));
    none(&floors(&sources("daemon"), DAEMON));
    none(&floors(&sources("cli"), CLI));
}

#[test]
fn no_imports_in_a_circle() {
    none(&CRATES.map(|name| circles(&sources(name))).concat());
}

#[test]
fn one_door_for_each_library() {
    none(&CRATES.map(|name| doors(&sources(name), DOORS)).concat());
}

#[test]
fn crates_keep_apart() {
    none(&crates_apart(&files_with(&["cli", "daemon", "protocol"], &["rs", "toml"]).expect("readable")));
}

#[test]
fn the_top_level_is_as_agreed() {
    let names = fs::read_dir(workspace()).expect("readable");
    let names: Vec<_> =
        names.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    none(&top_level(&names));
}

#[test]
fn every_file_says_what_it_is() {
    none(&heads(&files_with(&CRATES, &["rs"]).expect("readable")));
}

#[test]
fn the_house_speaks_of_itself_alone() {
    none(&own_words(&files_with(&["."], &["*"]).expect("readable")));
}

#[test]
fn links_lead_somewhere() {
    let documents = files_with(&["."], &["md"]).expect("readable");
    none(&links(&documents, |path| workspace().join(path).exists()));
}
