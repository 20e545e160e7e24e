//! Starting and stopping, and everything that stands against starting.

use std::{
    fs,
    net::UdpSocket,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    time::Duration,
};

use serde_json::{Value, json};

use crate::daemon::{Daemon, Home, request};

#[test]
fn a_node_is_made_runs_and_stops() {
    let home = Home::none();
    let made: Value = serde_json::from_slice(&home.init(&request()).stdout).unwrap();
    let made = &made["done"];
    assert!(made["recovery_key"].as_str().unwrap().starts_with("portolan-recovery-1 "));
    assert!(!home.file("recovery.key").exists(), "the recovery key was handed over and is still there");
    let again = home.init(&request());
    let answer: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((again.status.code(), &answer["failed"]["kind"]), (Some(5), &json!("conflict")));

    let daemon = Daemon::start(&home);
    let socket = home.file("portolan.sock").metadata().unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o660);
    let (status, answer) = daemon.get("/status");
    assert_eq!((status, &answer["node"]["id"]), (200, &made["card"]["node"]));
    assert_eq!(answer["node"]["incarnation"], made["incarnation"]);
    assert_eq!(answer["you"]["person"], made["person"]);
    let (code, took) = daemon.stop();
    assert_eq!(code, 0);
    assert!(took < Duration::from_secs(5), "stopping took {took:?}");
    assert!(!home.file("portolan.sock").exists());
}

#[test]
fn it_stops_while_others_listen_and_dawdle() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let mut listening = daemon.connect();
    std::io::Write::write_all(&mut listening, b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut dawdling = daemon.connect();
    std::io::Write::write_all(&mut dawdling, b"POST /v1/spaces HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        .unwrap();
    let (code, took) = daemon.stop();
    assert_eq!(code, 0);
    assert!(took < Duration::from_secs(5), "stopping took {took:?}");
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let space = daemon.done("POST", "/spaces", &json!({"name": "Harbours"}))["id"].clone();
    let path = format!("/spaces/{}/documents", space.as_str().unwrap());
    let draft = json!({"type": "page", "language": "en", "fields": {"title/en": "Tides"}});
    let saved = daemon.done("POST", &path, &json!({"draft": draft}));
    daemon.kill();
    let daemon = Daemon::start(&home);
    let shown = daemon.done("GET", &format!("{path}/{}", saved["document"].as_str().unwrap()), &json!({}));
    assert_eq!(shown["record"]["fields"]["title/en"], "Tides");
    assert_eq!(daemon.get("/spaces").1["spaces"][0]["name"], "Harbours");
}

#[test]
fn a_second_daemon_on_one_home_is_refused() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let (code, said) = home.refused();
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("in use by process"), "{said}");
    assert_eq!(daemon.get("/status").0, 200, "the first one was disturbed");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let home = Home::new();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _held = UdpSocket::bind(taken).unwrap();
    fs::write(home.file("config.toml"), format!("listen = [\"{taken}\"]\n")).unwrap();
    let (code, said) = home.refused();
    assert_eq!(code, 5, "{said}");
    assert!(said.contains(&taken.to_string()), "{said}");
}

#[test]
fn a_typing_error_in_the_configuration_is_shown_where_it_stands() {
    let home = Home::new();
    fs::write(home.file("config.toml"), "listen = []\n\n[data]\nstore_cash_mib = 64\n").unwrap();
    let (code, said) = home.refused();
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("config.toml:4:1: unknown field `store_cash_mib`"), "{said}");
}

#[test]
fn keys_that_others_can_read_are_refused() {
    let home = Home::new();
    fs::set_permissions(home.file("keys/node.keys"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = home.refused();
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn damage_is_named_and_nothing_is_touched() {
    let home = Home::new();
    assert_eq!(Home::none().refused().0, 3);
    let card = fs::read(home.file("card")).unwrap();
    let mut bad = card.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(home.file("card"), &bad).unwrap();
    let (code, said) = home.refused();
    assert!(code == 8 && said.contains("card"), "{code} {said}");
    fs::write(home.file("card"), &card).unwrap();
    fs::write(home.file("persons.json"), "{").unwrap();
    let (code, said) = home.refused();
    assert!(code == 8 && said.contains("persons.json"), "{code} {said}");
    assert_eq!(fs::read(home.file("persons.json")).unwrap(), b"{");
}

#[test]
fn a_card_of_other_keys_is_refused() {
    let (home, other) = (Home::new(), Home::new());
    fs::copy(other.file("card"), home.file("card")).unwrap();
    let (code, said) = home.refused();
    assert_eq!(code, 8, "{said}");
    assert!(said.contains("keys are not those of the node's card"), "{said}");
}

#[test]
fn a_corrupt_store_is_named() {
    let home = Home::new();
    let conf = home.file("store/sled/conf");
    fs::write(&conf, b"not a configuration").unwrap();
    let (code, said) = home.refused();
    assert!(matches!(code, 8 | 10), "{code} {said}");
    assert!(said.contains("store"), "{said}");
}
