//! Who may come in: needs the superuser, who alone can run clients as somebody else. These tests run by name:
//! `cargo test -p portolan-daemon --test service -- --ignored`.

use std::{
    env, fs,
    os::unix::{fs::PermissionsExt as _, net::UnixStream, process::CommandExt as _},
    process::Command,
};

use serde_json::{Value, json};

use crate::daemon::{Daemon, Home, send};

/// The uid and the login that nothing belongs to.
const UID: u32 = 65_534;
const LOGIN: &str = "nobody";

/// Not a test of itself: the client that [`Stranger`] runs under another uid.
#[test]
#[ignore = "started by the others under a second uid"]
fn client() {
    let Ok(asked) = env::var("ASK") else { return };
    let asked: Vec<Value> = serde_json::from_str(&asked).unwrap();
    let text = |at: usize| asked[at].as_str().unwrap();
    if UnixStream::connect(text(0)).is_err() {
        println!("\nANSWER [0, null]");
        return;
    }
    let (status, answer) = send(text(0).as_ref(), text(1), text(2), asked[3].to_string().as_bytes());
    println!("\nANSWER {}", json!([status, answer]));
}

struct Stranger<'a> {
    home: &'a Home,
    gid: u32,
}

impl Stranger<'_> {
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u64, Value) {
        let socket = self.home.file("portolan.sock");
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "logins::client", "--ignored", "--nocapture"])
            .env("ASK", json!([socket, method, path, body]).to_string())
            .uid(UID)
            .gid(self.gid)
            .current_dir("/")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let answer = said.lines().find_map(|line| line.strip_prefix("ANSWER ")).unwrap_or_else(|| panic!("{said}"));
        let answer: Value = serde_json::from_str(answer).unwrap();
        (answer[0].as_u64().unwrap(), answer[1].clone())
    }
}

#[test]
#[ignore = "needs root for a second uid"]
fn a_login_may_do_what_it_was_given() {
    let home = Home::new();
    fs::set_permissions(home.path.parent().unwrap(), fs::Permissions::from_mode(0o711)).unwrap();
    let daemon = Daemon::start(&home);
    let nothing = json!({});
    // Not in the socket's group: the system already says no.
    assert_eq!(Stranger { home: &home, gid: UID }.ask("GET", "/status", &nothing).0, 0);
    let stranger = Stranger { home: &home, gid: 0 };
    let (status, answer) = stranger.ask("GET", "/status", &nothing);
    assert_eq!((status, &answer["kind"]), (403, &json!("forbidden")));
    assert!(answer["message"].as_str().unwrap().contains("not listed"), "{answer}");

    let mine = daemon.done("POST", "/spaces", &json!({"name": "Harbours"}))["id"].clone();
    let other = daemon.done("POST", "/spaces", &json!({"name": "Cellars"}))["id"].clone();
    let user = json!({"login": LOGIN, "name": "Amina", "can": "write", "space": mine});
    let person = daemon.done("POST", "/users", &user)["person"].clone();
    let (status, answer) = stranger.ask("GET", "/status", &nothing);
    assert_eq!((status, &answer["you"]["person"]), (200, &person));
    assert_eq!(answer["spaces"].as_array().unwrap().len(), 1, "{answer}");
    let documents = |space: &Value| format!("/spaces/{}/documents", space.as_str().unwrap());
    let draft = json!({"draft": {"type": "page", "language": "en", "fields": {"title/en": "Tides"}}});
    assert_eq!(stranger.ask("POST", &documents(&mine), &draft).0, 200);
    assert_eq!(stranger.ask("POST", &documents(&other), &draft).0, 404);
    assert_eq!(stranger.ask("GET", &documents(&other), &nothing).0, 404);
    for (method, path, body) in [
        ("POST", "/spaces", json!({"name": "Mine"})),
        ("GET", "/users", json!({})),
        ("POST", "/users", user.clone()),
        ("PATCH", "/node/profile", json!({"name": "Mine"})),
        ("POST", "/sync", json!({})),
        ("POST", "/check", json!({})),
    ] {
        assert_eq!(stranger.ask(method, path, &body).0, 403, "{method} {path}");
    }
    daemon.done("DELETE", &format!("/users/{LOGIN}"), &nothing);
    assert_eq!(stranger.ask("GET", "/status", &nothing).0, 403);
}
