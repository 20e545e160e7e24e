//! `kill -9` in the middle of commits: what was acknowledged is there, and no commit is there by half.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use portolan_protocol::{commit::Commit, entry::LogKind};

use super::{Author, open};

const HOME: &str = "PORTOLAN_TEST_STORE";
const LOGS: u8 = 3;

fn authors() -> Vec<Author> {
    (1..=LOGS).map(|number| Author::new(number, LogKind::Data)).collect()
}

/// Writes until it is killed, saying after each commit what was acknowledged.
#[test]
#[ignore = "started by the test that kills it"]
fn child() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else { return };
    let (store, _) = open(&home);
    let image = store.image().unwrap();
    let mut authors = authors();
    for author in &mut authors {
        if let Some(log) = image.logs.iter().find(|log| log.context == author.context) {
            author.tip = log.tip.clone();
        }
    }
    let mut out = std::io::stdout();
    for round in 0u64.. {
        let mut commit = Commit::default();
        for (author, key) in authors.iter_mut().zip(0u8..) {
            let count = [1, 2, 40][((round + u64::from(key)) % 3) as usize];
            let length = [30, 500, 5_000][(round % 3) as usize];
            commit.runs.extend(author.commit(count, length).runs);
            commit.state.push((vec![b'e', key], Some(author.tip.next_seq.to_be_bytes().to_vec())));
        }
        store.commit(&[commit]).unwrap();
        let ends: Vec<String> = authors.iter().map(|author| author.tip.next_seq.to_string()).collect();
        writeln!(out, "\nacknowledged {}", ends.join(" ")).unwrap();
        out.flush().unwrap();
    }
}

/// Kills a writer after it has acknowledged `count` commits. Says what it acknowledged last.
fn kill_after(home: &Path, count: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store::tests::killed::child", "--exact", "--ignored", "--nocapture"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = lines.map_while(Result::ok).filter_map(|line| {
        line.strip_prefix("acknowledged ").map(|ends| ends.split(' ').map(|end| end.parse().unwrap()).collect())
    });
    let last: Vec<u64> = acknowledged.by_ref().nth(count).expect("the child writes");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it could still say before it died was acknowledged too.
    acknowledged.last().unwrap_or(last)
}

#[test]
fn what_was_acknowledged_survives_and_nothing_is_torn() {
    let home = tempfile::tempdir().unwrap();
    for count in [0, 3, 1, 17, 8, 40] {
        let acknowledged = kill_after(home.path(), count);
        let (store, report) = open(home.path());
        assert_eq!((report.lost, report.damaged), (vec![], vec![]));
        assert!(store.trusted());
        let image = store.image().unwrap();
        assert_eq!(store.check().unwrap().damaged, vec![]);
        for (author, key) in authors().iter().zip(0u8..) {
            let log = image.logs.iter().find(|log| log.context == author.context).unwrap();
            assert!(log.tip.next_seq >= acknowledged[usize::from(key)]);
            assert_eq!(image.state[&vec![b'e', key]], log.tip.next_seq.to_be_bytes(), "a commit is there by half");
        }
    }
}
