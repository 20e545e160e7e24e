//! Clients that do what no honest client does. The daemon answers or closes, and goes on.

use std::io::{Read as _, Write as _};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::daemon::{Daemon, Home, read_all};

#[test]
fn garbage_is_refused() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let huge_head = format!("GET /v1/status HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let many_headers = format!("GET /v1/status HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    let garbage: [&[u8]; 7] = [
        b"\r\n\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"POST /v1/spaces HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/spaces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        huge_head.as_bytes(),
        many_headers.as_bytes(),
    ];
    for bytes in garbage {
        let mut stream = daemon.connect();
        // It may hang up before everything was sent.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let answer = read_all(&mut stream);
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(daemon.get("/status").0, 200);
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused_with_words() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let body = vec![b' '; (2 << 20) + 1];
    let (status, answer) = daemon.send("POST", "/spaces", &body);
    assert_eq!((status, &answer["kind"]), (400, &json!("usage")));
    assert!(answer["message"].as_str().unwrap().contains("2097152"), "{answer}");
    // At the limit it is read, and found to be no JSON.
    let (_, answer) = daemon.send("POST", "/spaces", &body[1..]);
    assert!(answer["message"].as_str().unwrap().contains("not understood"), "{answer}");
}

#[test]
fn those_who_dawdle_are_closed_and_hold_up_nobody() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let mut dawdlers: Vec<_> = (0..40).map(|_| daemon.connect()).collect();
    for stream in &mut dawdlers {
        stream.write_all(b"GET /v1/st").unwrap();
    }
    assert_eq!(daemon.get("/status").0, 200);
    for stream in &mut dawdlers {
        // The daemon closes; the read ends with or without a last word, and well before our own patience.
        let started = std::time::Instant::now();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        assert!(started.elapsed() < std::time::Duration::from_secs(30), "a dawdler was not closed");
    }
}

/// A body that a route takes, so that what comes of it is close to being taken.
fn honest(space: &str) -> Vec<(&'static str, String, Value)> {
    let draft = json!({"type": "page", "language": "en", "fields": {"title/en": "a", "body/en": "b", "tags/x": true}});
    let document = portolan_protocol::id::DocumentId([1; 16]);
    let node = portolan_protocol::id::NodeId([1; 32]);
    vec![
        ("PATCH", "/node/profile".into(), json!({"name": "Rome", "addresses": ["a:1"]})),
        ("POST", "/users".into(), json!({"login": "no-such-login", "name": "n", "can": "read", "space": space})),
        ("POST", "/peers".into(), json!({"card": "AAAA", "fingerprint": "0"})),
        ("POST", "/spaces".into(), json!({"name": "Harbours"})),
        ("PATCH", format!("/spaces/{space}"), json!({"name": "Harbours"})),
        ("POST", format!("/spaces/{space}/members"), json!({"node": node, "role": "writer", "history": true})),
        ("POST", format!("/spaces/{space}/documents"), json!({"draft": draft, "reason": "r"})),
        (
            "PATCH",
            format!("/spaces/{space}/documents/{document}"),
            json!({"draft": draft, "base": ["00"], "reason": ""}),
        ),
        ("POST", format!("/spaces/{space}/import"), json!({"document": document, "draft": draft, "source": "s"})),
        ("POST", "/sync".into(), json!({"peer": node, "wait_ms": 0})),
        ("POST", "/check".into(), json!({"rebuild": false})),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[a-z]{1,8}/[a-z]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-z/]{0,12}", inner), 0..6).prop_map(|all| Value::Object(Map::from_iter(all))),
        ]
    })
}

/// Puts `graft` in the place of the `at`-th value of `tree`, counted in depth.
fn graft(tree: &mut Value, at: &mut usize, graft: &Value) {
    if *at == 0 {
        *tree = graft.clone();
    }
    *at = at.wrapping_sub(1);
    match tree {
        _ if *at > 1_000 => {}
        Value::Object(all) => all.values_mut().for_each(|value| self::graft(value, at, graft)),
        Value::Array(all) => all.iter_mut().for_each(|value| self::graft(value, at, graft)),
        _ => {}
    }
}

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() })
}

/// One daemon and one space for all cases of a property.
fn world(home: &Home) -> (Daemon, String) {
    let daemon = Daemon::start(home);
    let space = daemon.done("POST", "/spaces", &json!({"name": "Harbours"}))["id"].as_str().unwrap().to_owned();
    (daemon, space)
}

#[test]
fn no_body_makes_the_daemon_fail() {
    let home = Home::new();
    let (daemon, space) = world(&home);
    let routes = honest(&space);
    let cases = (0..routes.len(), 0_usize..10, any_json());
    let property = |(route, at, replaced): (usize, usize, Value)| {
        let (method, path, mut body) = routes[route].clone();
        graft(&mut body, &mut at.clone(), &replaced);
        let (status, answer) = daemon.ask(method, &path, &body);
        prop_assert!(status < 500, "{} {} {}: {} {}", method, path, body, status, answer);
        prop_assert_eq!(daemon.get("/node/card").0, 200);
        Ok(())
    };
    runner().run(&cases, property).unwrap();
}

#[test]
fn no_path_or_query_makes_the_daemon_fail() {
    let home = Home::new();
    let (daemon, space) = world(&home);
    let property = |(path, method): (String, String)| {
        for path in [format!("/{path}"), format!("/spaces/{space}/documents{path}"), format!("/spaces/{space}/{path}")]
        {
            let (status, answer) = daemon.send(&method, &path, b"{}");
            prop_assert!(status < 500, "{} {}: {} {}", method, path, status, answer);
        }
        Ok(())
    };
    runner().run(&("[/a-z0-9%?=&]{0,40}", "GET|DELETE|PATCH|POST|PUT"), property).unwrap();
}
