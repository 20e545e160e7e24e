//! The pages of this directory are manual and test at once: their commands are run against real daemons, and what the pages say
//! is compared with what the programs say; then everything is run again with `--json`, and compared with `docs/spec/json`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod names;
mod page;
mod schemas;
mod stage;

use std::{collections::BTreeSet, env, fs};

use clap::CommandFactory as _;
use page::{Page, directory};
use portolan_cli::commands::Cli;
use stage::Stage;

/// Writes the pages anew, where it says so.
const OVERWRITE: (&str, &str) = ("PORTOLAN_TRANSCRIPTS", "overwrite");

macro_rules! pages {
    ($($name:ident),*) => {
        const PAGES: &[&str] = &[$(stringify!($name)),*];

        $(mod $name {
            #[test]
            fn tells_what_happens() {
                super::compared(stringify!($name));
            }

            #[test]
            fn answers_scripts_in_the_shapes_that_are_written_down() {
                super::checked(stringify!($name));
            }
        })*
    };
}

pages!(
    attachment,
    check,
    completions,
    doc,
    doctor,
    events,
    export,
    import,
    init,
    man,
    new,
    node,
    peer,
    pouch,
    schema,
    search,
    space,
    status,
    sync,
    user,
    vocabulary
);

fn compared(name: &str) {
    let page = Page::read(name);
    let mut stage = Stage::open(&page);
    let told = page.told(|step| stage.run(step));
    if env::var(OVERWRITE.0).is_ok_and(|value| value == OVERWRITE.1) {
        fs::write(directory().join(format!("{name}.md")), told).unwrap();
        return;
    }
    let differences =
        similar::TextDiff::from_lines(&page.text, &told).unified_diff().header(name, "what happened").to_string();
    assert!(differences.is_empty(), "\n{differences}\nWhere that is right: {}={} cargo test", OVERWRITE.0, OVERWRITE.1);
}

fn checked(name: &str) {
    let page = Page::read(name);
    let mut stage = Stage::open(&page);
    for step in page.steps() {
        stage.check(&step);
    }
}

/// The commands that a page's words may begin with, in the order of the help.
fn commands(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
    for part in command.get_subcommands().filter(|part| !part.is_hide_set()) {
        let words = format!("{before}{}", part.get_name());
        match part.has_subcommands() {
            true => commands(part, &format!("{words} "), found),
            false => drop(found.insert(words)),
        }
    }
}

#[test]
fn every_command_is_shown_and_compared_in_both_forms_and_every_page_shows_a_mistake() {
    let mut wanted = BTreeSet::new();
    commands(&Cli::command(), "", &mut wanted);
    // It is run, and its steps are judged, as the README has it.
    wanted.remove("demo");
    let mut for_scripts = wanted.clone();
    // What it writes is a script.
    for_scripts.remove("completions");
    let mut without_mistake = Vec::new();
    for name in PAGES {
        let steps = Page::read(name).steps();
        for step in steps.iter().filter(|step| step.code == 0) {
            wanted.remove(&step.noun());
            if step.is_for_scripts() {
                for_scripts.remove(&step.noun());
            }
        }
        if steps.iter().all(|step| step.code == 0) {
            without_mistake.push(name);
        }
    }
    assert!(wanted.is_empty(), "no page of tests/transcripts shows these: {wanted:?}");
    assert!(for_scripts.is_empty(), "no page shows these with an answer that can be had as JSON: {for_scripts:?}");
    assert!(without_mistake.is_empty(), "these pages show no mistake: {without_mistake:?}");
}

#[test]
fn every_page_is_run() {
    let files = fs::read_dir(directory()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = files.filter_map(|file| file.strip_suffix(".md").map(str::to_owned)).collect();
    assert_eq!(pages, PAGES.iter().map(|page| (*page).to_owned()).collect());
}
