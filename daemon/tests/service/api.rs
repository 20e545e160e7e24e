//! What the routes do, beyond what the command line's own tests show.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use crate::daemon::{Daemon, Home, read_all, values};

fn space(daemon: &Daemon, name: &str) -> String {
    daemon.done("POST", "/spaces", &json!({"name": name}))["id"].as_str().unwrap().to_owned()
}

fn item(number: u8, title: &str) -> Value {
    let document = portolan_protocol::id::DocumentId([number; 16]).to_string();
    let draft = json!({"type": "page", "language": "en", "fields": {"title/en": title}});
    json!({"document": document, "draft": draft, "source": format!("{number}.md")})
}

#[test]
fn spaces_have_names_members_and_epochs() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let id = space(&daemon, "Harbours");
    assert_eq!(daemon.ask("POST", "/spaces", &json!({"name": "Harbours"})).0, 409);
    assert_eq!(daemon.ask("POST", "/spaces", &json!({"name": " "})).0, 400);
    assert_eq!(daemon.ask("POST", "/spaces", &json!({"name": "x", "colour": "red"})).0, 400);
    let renamed = daemon.done("PATCH", &format!("/spaces/{id}"), &json!({"name": "Ports"}));
    assert_eq!(
        (&renamed["name"], &renamed["role"], &renamed["documents"]),
        (&json!("Ports"), &json!("root"), &json!(0))
    );
    let members = daemon.done("GET", &format!("/spaces/{id}/members"), &json!({}));
    assert_eq!((&members["members"][0]["name"], &members["members"][0]["own"]), (&json!("Rome Academy"), &json!(true)));
    let rotated = daemon.done("POST", &format!("/spaces/{id}/epochs"), &json!({}));
    assert_ne!(rotated["epoch"], renamed["epoch"]);
    assert_eq!(rotated["recipients"], 1);
    let stranger = portolan_protocol::id::NodeId([9; 32]);
    let grant = json!({"node": stranger, "role": "writer"});
    assert_eq!(daemon.ask("POST", &format!("/spaces/{id}/members"), &grant).0, 404);
    let other = portolan_protocol::id::SpaceId([9; 32]);
    assert_eq!(daemon.get(&format!("/spaces/{other}")).0, 404);
    // Names and epochs come back after a restart.
    assert_eq!(daemon.stop().0, 0);
    let daemon = Daemon::start(&home);
    let again = daemon.done("GET", &format!("/spaces/{id}"), &json!({}));
    assert_eq!((&again["name"], &again["epoch"]), (&json!("Ports"), &rotated["epoch"]));
}

#[test]
fn a_card_is_kept_unverified_until_its_fingerprint_is_typed() {
    let (home, other) = (Home::new(), Home::new());
    let (daemon, peer) = (Daemon::start(&home), Daemon::start(&other));
    let card = peer.get("/node/card").1;
    let path = format!("/peers/{}", card["node"].as_str().unwrap());
    let wrong = json!({"card": card["card"], "fingerprint": "00000 00000 00000 00000 00000 00000 00000 00000"});
    assert_eq!(daemon.ask("POST", "/peers", &wrong).0, 403);
    assert_eq!(daemon.get(&path).0, 404);
    assert_eq!(daemon.done("POST", "/peers", &json!({"card": card["card"]}))["verified"], false);
    let id = space(&daemon, "Harbours");
    let grant = json!({"node": card["node"], "role": "writer"});
    assert_eq!(daemon.ask("POST", &format!("/spaces/{id}/members"), &grant).0, 409);
    let asked = daemon.done("POST", "/sync", &json!({"peer": card["node"]}));
    assert_eq!(asked["peers"][0]["state"], "unverified");
    let right = json!({"card": card["card"], "fingerprint": card["fingerprint"]});
    assert_eq!(daemon.done("POST", "/peers", &right)["verified"], true);
    assert_eq!(daemon.get("/peers").1["peers"].as_array().unwrap().len(), 1);
    assert_eq!(daemon.done("POST", &format!("/spaces/{id}/members"), &grant)["role"], "writer");
    let own = json!({"card": daemon.get("/node/card").1["card"]});
    assert_eq!(daemon.ask("POST", "/peers", &own).0, 400);
    daemon.done("DELETE", &path, &json!({}));
    assert_eq!(daemon.get(&path).0, 404);
}

#[test]
fn two_nodes_sync_and_say_so_truly() {
    let homes = [Home::new(), Home::new()];
    let [rome, tunis] = homes.each_ref().map(Daemon::start);
    // The addresses are only known now: the system chose the ports.
    let listen = rome.get("/status").1["node"]["listen"].clone();
    rome.done("PATCH", "/node/profile", &json!({"addresses": listen}));
    for (here, there) in [(&rome, &tunis), (&tunis, &rome)] {
        let card = there.get("/node/card").1;
        here.done("POST", "/peers", &json!({"card": card["card"], "fingerprint": card["fingerprint"]}));
    }
    let id = space(&rome, "Harbours");
    let node = tunis.get("/node/card").1["node"].clone();
    rome.done("POST", &format!("/spaces/{id}/members"), &json!({"node": node, "role": "writer"}));
    let path = format!("/spaces/{id}/documents");
    let draft = json!({"type": "page", "language": "en", "fields": {"title/en": "Tides"}});
    let saved = rome.done("POST", &path, &json!({"draft": draft, "reason": "first"}));
    let synced = rome.done("POST", "/sync", &json!({"wait_ms": 60_000}));
    assert_eq!((&synced["complete"], &synced["peers"][0]["state"]), (&json!(true), &json!("up_to_date")));
    let record = format!("{path}/{}", saved["document"].as_str().unwrap());
    assert_eq!(tunis.done("GET", &record, &json!({}))["record"]["fields"]["title/en"], "Tides");
    assert_eq!(tunis.get("/spaces").1["spaces"][0]["name"], "Harbours");
    let history = tunis.done("GET", &format!("{record}/history"), &json!({}));
    assert_eq!(
        (&history["changes"][0]["node_name"], &history["changes"][0]["reason"]),
        (&json!("Rome Academy"), &json!("first"))
    );
    assert_eq!(tunis.stop().0, 0);
    let synced = rome.done("POST", "/sync", &json!({"wait_ms": 0}));
    assert_eq!(synced["complete"], false);
}

#[test]
fn imports_stream_and_end_with_the_line_that_makes_no_sense() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let id = space(&daemon, "Harbours");
    let import = |query: &str, lines: &[String]| {
        let mut stream = daemon.connect();
        let head = format!(
            "POST /v1/spaces/{id}/import{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        for line in lines {
            // Cut in the middle: a line is not a chunk.
            let (a, b) = line.split_at(line.len() / 2);
            for part in [a, &format!("{b}\n")] {
                stream.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).unwrap();
            }
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        values(&read_all(&mut stream))
    };
    let lines: Vec<String> = (0..3).map(|number| item(number, "Tides").to_string()).collect();
    let looked = import("?dry_run=true", &lines);
    assert_eq!(looked.last().unwrap()["totals"]["created"], 3, "{looked:?}");
    assert_eq!(daemon.get(&format!("/spaces/{id}")).1["documents"], 0);
    let done = import("", &lines);
    assert_eq!(
        (&done.last().unwrap()["event"], &done.last().unwrap()["totals"]["created"]),
        (&json!("done"), &json!(3))
    );
    let again = import("", &lines);
    assert_eq!(again.last().unwrap()["totals"]["unchanged"], 3, "{again:?}");
    let other = portolan_protocol::id::SpaceId([9; 32]);
    let lines = item(8, "Nowhere").to_string().repeat(5_000);
    let (status, refused) = daemon.send("POST", &format!("/spaces/{other}/import"), lines.as_bytes());
    assert_eq!((status, &refused["kind"]), (404, &json!("not_found")));
    let bad = [item(7, "New").to_string(), "{\"document\": 1}".into()];
    let failed = import("", &bad);
    assert_eq!(failed.last().unwrap()["event"], "failed", "{failed:?}");
    assert_eq!(failed.last().unwrap()["error"]["kind"], "usage");
}

#[test]
fn events_tell_what_happens() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let mut listening = daemon.connect();
    listening.write_all(b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut lines = BufReader::new(listening.try_clone().unwrap()).lines().map(Result::unwrap);
    let mut hear = |name: &str| {
        let wanted = format!("event: {name}");
        assert!(lines.any(|line| line == wanted), "no {name}");
    };
    hear("listening");
    let id = space(&daemon, "Harbours");
    hear("committed");
    let draft = json!({"type": "page", "language": "en", "fields": {"title/en": "Tides"}});
    daemon.done("POST", &format!("/spaces/{id}/documents"), &json!({"draft": draft}));
    hear("document");
}

#[test]
fn a_check_looks_at_everything_and_a_rebuild_loses_nothing() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let id = space(&daemon, "Harbours");
    let draft = json!({"type": "page", "language": "en", "fields": {"title/en": "Tides"}});
    daemon.done("POST", &format!("/spaces/{id}/documents"), &json!({"draft": draft}));
    let list =
        |daemon: &Daemon| daemon.done("GET", &format!("/spaces/{id}/documents"), &json!({}))["documents"].clone();
    let check = |rebuild: bool| {
        let mut stream = daemon.connect();
        let body = json!({"rebuild": rebuild}).to_string();
        let length = body.len();
        let head = format!(
            "POST /v1/check HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        values(&read_all(&mut stream)).pop().unwrap()
    };
    let checked = check(false);
    assert_eq!((&checked["event"], &checked["checked"]["damage"]), (&json!("done"), &json!(0)), "{checked}");
    assert!(checked["checked"]["entries"].as_u64().unwrap() >= 4, "{checked}");
    let before = list(&daemon);
    assert_eq!(before.as_array().unwrap().len(), 1);
    assert_eq!(check(true)["checked"]["damage"], 0);
    assert_eq!(list(&daemon), before);
}

#[test]
fn the_profile_makes_a_new_version_of_the_card() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let before = daemon.get("/node/card").1;
    let after = daemon.done("PATCH", "/node/profile", &json!({"addresses": ["rome.example:7443"]}));
    assert_eq!((&after["version"], &after["fingerprint"]), (&json!(2), &before["fingerprint"]));
    assert_eq!(daemon.done("PATCH", "/node/profile", &json!({}))["version"], 2);
    assert_eq!(daemon.ask("PATCH", "/node/profile", &json!({"addresses": ["rome"]})).0, 400);
    assert_eq!(daemon.ask("PATCH", "/node/profile", &json!({"country": "Italy"})).0, 400);
    daemon.kill();
    let daemon = Daemon::start(&home);
    assert_eq!(daemon.get("/node/card").1, after);
}
