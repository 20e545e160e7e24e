//! Who is let in: cards, fingerprints, keys, logins. Each refusal is clear, and nothing is exchanged.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use portolan_protocol::{
    api::{CardAnswer, CardText, ErrorKind, Peer, Peers, Saved, SyncResult, SyncState},
    card::{Card, CardError},
};
use portolan_tests::daemons::{Ended, Site, introduce, program, run};
use serde_json::Value;

#[test]
fn a_wrong_fingerprint_or_signature_introduces_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, tunis] = ["rome", "tunis"].map(|name| Site::open(directory.path(), name));
    let (card, fingerprint) = tunis.card();
    let card = card.to_str().unwrap();
    let wrong: String = fingerprint.chars().rev().collect();
    let error = rome.refused(ErrorKind::Forbidden, ["peer", "add", card, "--fingerprint", &wrong]);
    assert!(!error.message.is_empty() && !error.next.is_empty(), "{error:?}");

    // The same card with one bit of its signature turned, as text that is otherwise whole.
    let answer: CardAnswer = tunis.ask(["node", "card"]);
    let forged = directory.path().join("forged.card");
    fs::write(&forged, CardText(unsigned(&answer.card.0)).armour()).unwrap();
    let add = ["peer", "add", forged.to_str().unwrap(), "--fingerprint", &fingerprint];
    let error = rome.refused(ErrorKind::Usage, add);
    assert!(error.message.contains("signature"), "{error:?}");

    assert_eq!(rome.ask::<Peers>(["peer", "list"]), Peers::default());
    // With the digits as they were read out, in Arabic-Indic figures as well, it is another matter.
    let arabic: String = fingerprint.chars().map(arabic_indic).collect();
    let peer: Peer = rome.ask(["peer", "add", card, "--fingerprint", &arabic]);
    assert!(peer.verified);
}

/// The card with the last bit turned that makes its signature wrong, and nothing else.
fn unsigned(card: &[u8]) -> Vec<u8> {
    let turned = |at: usize| {
        let mut bytes = card.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let wrong = |bytes: &Vec<u8>| Card::decode(bytes) == Err(CardError::Signature);
    let mut wrong: Vec<Vec<u8>> = (0..card.len()).map(turned).filter(wrong).collect();
    // Every byte of the signature is one of them; a key that is none would be told in the same words.
    assert!(wrong.len() >= 64, "only {} bytes are signed", wrong.len());
    wrong.pop().unwrap()
}

fn arabic_indic(digit: char) -> char {
    digit.to_digit(10).and_then(|value| char::from_u32('٠' as u32 + value)).unwrap_or(digit)
}

#[test]
fn an_unverified_peer_and_one_with_another_key_exchange_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis, mut mallory] =
        ["rome", "tunis", "mallory"].map(|name| Site::open(directory.path(), name));
    introduce(&rome, &tunis);
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let _: Value = rome.ask(["space", "grant", "Harbours", "tunis", "--role", "writer"]);
    tunis.until("Tunis is let in", || !tunis.status().spaces.is_empty());
    rome.sync();

    // Mallory has Rome's card, Rome has Mallory's and nobody has compared it.
    mallory.meet(&rome);
    let (card, _) = mallory.card();
    let peer: Peer = rome.ask(["peer", "add", card.to_str().unwrap(), "--unverified"]);
    assert!(!peer.verified);
    mallory.until("Rome refuses", || !peer_of(&mallory, "rome").last_error.is_empty());
    assert_eq!(state(&rome, "mallory"), SyncState::Unverified);
    rome.refused(ErrorKind::Conflict, ["space", "grant", "Harbours", "mallory", "--role", "reader"]);
    mallory.stop();

    // Now it answers where Tunis was, with a key of its own.
    tunis.stop();
    let address = peer_of(&rome, "tunis").addresses[0].clone();
    mallory.configure(&format!("listen = [\"{address}\"]\n"));
    mallory.start();
    let title = ["doc", "new", "--space", "Harbours", "--language", "en", "--title", "Not for Mallory"];
    let _: Saved = rome.ask(title);
    let error = rome.refused(ErrorKind::Incomplete, ["sync", "tunis", "--wait", "3s"]);
    assert!(!error.safe.is_empty(), "{error:?}");
    let tunis_at_rome = peer_of(&rome, "tunis");
    assert!(tunis_at_rome.connection.is_none() && !tunis_at_rome.last_error.is_empty(), "{tunis_at_rome:?}");
    assert!(mallory.status().spaces.is_empty());

    // The real one comes back, and has missed nothing.
    mallory.stop();
    tunis.start();
    tunis.sync();
    assert!(tunis.list() == rome.list());
    rome.stop();
}

fn peer_of(site: &Site, name: &str) -> Peer {
    site.status().peers.into_iter().find(|peer| peer.name == name).expect("it is known")
}

fn state(site: &Site, name: &str) -> SyncState {
    let ended = site.run(["sync", name, "--wait", "1s"]);
    assert_eq!(ended.code, Some(ErrorKind::Incomplete.exit_code().into()), "{ended:?}");
    let result: SyncResult = serde_json::from_str(&ended.out).unwrap();
    result.peers[0].state
}

#[test]
fn a_removed_peer_hears_nothing_more_until_it_is_introduced_again() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, tunis] = ["rome", "tunis"].map(|name| Site::open(directory.path(), name));
    introduce(&rome, &tunis);
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let _: Value = rome.ask(["space", "grant", "Harbours", "tunis", "--role", "writer"]);
    tunis.until("Tunis is let in", || !tunis.status().spaces.is_empty());
    tunis.sync();
    let _: Peer = rome.ask(["peer", "remove", "tunis"]);
    tunis.until("Rome has hung up", || peer_of(&tunis, "rome").connection.is_none());
    let _: Saved = rome.ask(["doc", "new", "--space", "Harbours", "--language", "en", "--title", "Apart"]);
    tunis.refused(ErrorKind::Incomplete, ["sync", "--wait", "2s"]);
    assert!(!tunis.list().contains("Apart"));
    rome.refused(ErrorKind::NotFound, ["peer", "show", "tunis"]);
    rome.meet(&tunis);
    tunis.sync();
    assert!(tunis.list() == rome.list());
    assert!(tunis.list().contains("Apart"));
}

/// A login of every system, with no rights on a node unless it is listed.
const NOBODY: &str = "nobody";
const NOBODY_UID: u32 = 65_534;

#[test]
#[ignore = "needs root for a second login"]
fn another_login_is_refused_until_it_is_listed() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(directory.path(), 0o755);
    let mut rome = Site::open(directory.path(), "rome");
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    rome.stop();
    // A login that may not enter the home talks to a socket beside it, with a program that it may run.
    let socket = directory.path().join("portolan.sock");
    let portolan = directory.path().join("portolan");
    fs::copy(program("portolan"), &portolan).unwrap();
    open(&portolan, 0o755);
    rome.configure(&format!("listen = []\nsocket = \"{}\"\n", socket.display()));
    rome.start();
    let as_nobody = |arguments: &[&str]| -> Ended {
        let mut command = Command::new(&portolan);
        command.uid(NOBODY_UID).gid(NOBODY_UID).current_dir("/").env_clear();
        command.arg("--json").arg("--socket").arg(&socket).arg("--home").arg("/nonexistent").args(arguments);
        run(command)
    };
    // The file's mode is the first door: 0660, and nobody is in the group.
    let error = as_nobody(&["status"]).error();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
    assert!(error.message.contains("may not open"), "{error:?}");
    // In the group, it comes to the second door, where it is not listed.
    std::os::unix::fs::chown(&socket, None, Some(NOBODY_UID)).unwrap();
    for arguments in [&["status"][..], &["doc", "list"], &["space", "create", "Mine"]] {
        let error = as_nobody(arguments).error();
        assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
        assert!(!error.message.contains("may not open"), "{error:?}");
    }
    let _: Value = rome.ask(["user", "add", NOBODY, "--name", "A guest", "--can", "read"]);
    assert_eq!(as_nobody(&["status"]).code, Some(0));
    let new = ["doc", "new", "--space", "Harbours", "--language", "en", "--title", "No"];
    assert_eq!(as_nobody(&new).error().kind, ErrorKind::Forbidden);
    let _: Value = rome.ask(["user", "remove", NOBODY]);
    assert_eq!(as_nobody(&["status"]).error().kind, ErrorKind::Forbidden);
    assert_eq!(rome.documents(), Vec::<String>::new());
}
