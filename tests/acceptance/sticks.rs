//! Weeks of work at three sites of which one is reached by stick alone: pages of a real manual, edits on all sides, and many small
//! sticks that are lost, delayed, swapped and brought twice. Started by hand (`docs/testing.md`); `PORTOLAN_SEED` repeats one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{fs, path::PathBuf, time::Instant};

use portolan_protocol::api::{ErrorKind, Saved};
use portolan_tests::daemons::{Site, introduce};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng as _, SeedableRng as _},
};
use serde_json::Value;

const HANDBOOK: &str = "/usr/share/doc/debian-handbook/html";
const LANGUAGES: [&str; 6] = ["ar-MA", "en-US", "es-ES", "fr-FR", "it-IT", "zh-CN"];
/// Things that happen.
const DEEDS: usize = 120;

#[test]
#[ignore = "started by hand: it takes a while, and debian-handbook"]
fn weeks_of_sticks_between_three_sites() {
    let seed = std::env::var("PORTOLAN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let mut dice = |bound: usize| (rng.next_u64() % bound as u64) as usize;
    let directory = tempfile::tempdir().unwrap();
    let mut sites = vec![
        Site::open(directory.path(), "rome"),
        Site::open(directory.path(), "tunis"),
        Site::apart(directory.path(), "lampedusa"),
    ];
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        introduce(&sites[one], &sites[other]);
    }
    let _: Value = sites[0].ask(["space", "create", "Handbook"]);
    for name in ["tunis", "lampedusa"] {
        let _: Value = sites[0].ask(["space", "grant", "Handbook", name, "--role", "writer"]);
    }
    let space = sites[0].space().id.to_string();
    sites[1].until("Tunis is let in", || !sites[1].status().spaces.is_empty() && sites[1].space().epoch.is_some());
    let begun = Instant::now();
    let mut sticks: Vec<PathBuf> = Vec::new();
    let (mut imported, mut written, mut lost, mut taken) = (0, 0, 0, 0);
    let first = directory.path().join("stick-0");
    fs::create_dir(&first).unwrap();
    export(&sites[0], &["lampedusa"], &first, false);
    take(&sites[2], &first);
    for deed in 1..=DEEDS {
        let at = dice(3);
        match dice(12) {
            0 if imported < LANGUAGES.len() => {
                let path = format!("{HANDBOOK}/{}", LANGUAGES[imported]);
                let source = format!("handbook-{}", LANGUAGES[imported]);
                let _: Value = sites[at].ask(["import", &path, "--space", &space, "--source", &source]);
                imported += 1;
            }
            0..=3 => {
                let documents = sites[at].documents();
                for _ in 0..1 + dice(5) {
                    let title = format!("title=Deed {deed} at {}", sites[at].name);
                    match documents.len() {
                        0 => {
                            let new = ["doc", "new", "--space", &space, "--language", "en", "--title", &title];
                            let _: Saved = sites[at].ask(new);
                        }
                        count => {
                            drop(sites[at].ask::<Value>(["doc", "edit", &documents[dice(count)], "--set", &title]))
                        }
                    }
                }
            }
            4..=7 => {
                let stick = directory.path().join(format!("stick-{deed}"));
                fs::create_dir(&stick).unwrap();
                let others: Vec<String> =
                    (0..3).filter(|other| *other != at).map(|other| sites[other].name.clone()).collect();
                let to: Vec<&str> =
                    if dice(3) == 0 { others.iter().map(String::as_str).collect() } else { vec![&others[dice(2)]] };
                export(&sites[at], &to, &stick, dice(5) == 0);
                sticks.push(stick);
                written += 1;
            }
            8..=10 if !sticks.is_empty() => {
                // Kept for another time, or used up.
                let index = dice(sticks.len());
                let stick = if dice(3) == 0 { sticks[index].clone() } else { sticks.swap_remove(index) };
                take(&sites[at], &stick);
                taken += 1;
            }
            11 if !sticks.is_empty() => {
                sticks.swap_remove(dice(sticks.len()));
                lost += 1;
            }
            _ => {}
        }
        truthful(&sites);
    }
    println!(
        "{DEEDS} deeds in {:.0} s: {written} sticks written, {lost} lost, {taken} taken; {imported} imports",
        begun.elapsed().as_secs_f64()
    );
    // A last round, to and from the site that has no link.
    for (from, to) in [(0, 2), (2, 0), (0, 2), (2, 0)] {
        let stick = directory.path().join(format!("last-{from}-{to}-{}", sites[to].space().entries));
        fs::create_dir_all(&stick).unwrap();
        let name = sites[to].name.clone();
        export(&sites[from], &[&name], &stick, false);
        take(&sites[to], &stick);
        let _: Value = sites[1].ask(["sync", "rome", "--wait", "10m"]);
    }
    println!("all sticks and the link at rest after {:.0} s", begun.elapsed().as_secs_f64());
    truthful(&sites);
    let lists: Vec<String> = sites.iter().map(Site::list).collect();
    assert!(lists[0] == lists[1] && lists[0] == lists[2], "the lists differ");
    println!("all listed after {:.0} s", begun.elapsed().as_secs_f64());
    let documents = sites[0].documents();
    println!("{} records, {} entries, the same on all three", documents.len(), sites[0].space().entries);
    for document in documents.iter().step_by(documents.len().div_ceil(200)) {
        let shown: Vec<String> = sites.iter().map(|site| site.bytes(["doc", "show", document])).collect();
        assert!(shown[0] == shown[1] && shown[0] == shown[2], "{document} differs");
    }
    sites.iter_mut().for_each(Site::stop);
}

fn export(from: &Site, to: &[&str], stick: &std::path::Path, full: bool) {
    let mut arguments = vec!["pouch".to_owned(), "export".into(), "--to".into(), to.join(",")];
    arguments.extend(["--out".into(), stick.to_str().unwrap().to_owned()]);
    if full {
        arguments.push("--full".into());
    }
    let ended = from.run(&arguments);
    // Not everybody is known to be a member everywhere yet.
    assert!(ended.code == Some(0), "{ended:?}");
}

/// Takes a stick, or finds that it is for others or waits for more.
fn take(at: &Site, stick: &std::path::Path) {
    let ended = at.run(["pouch", "import", stick.to_str().unwrap()]);
    if ended.code != Some(0) {
        let kind = ended.error().kind;
        assert!(matches!(kind, ErrorKind::Incomplete | ErrorKind::PouchRefused | ErrorKind::NotFound), "{ended:?}");
    }
}

/// Nobody believes that another has more than it has.
fn truthful(sites: &[Site]) {
    for site in sites {
        for peer in site.status().peers {
            let Some(space) = peer.spaces.first() else { continue };
            let other = sites.iter().find(|other| other.name == peer.name).unwrap();
            let held = other.status().spaces.first().map_or(0, |space| space.entries);
            assert!(
                space.entries_receipted <= held,
                "{} believes that {} has {space:?}; it has {held}",
                site.name,
                peer.name
            );
        }
    }
}
