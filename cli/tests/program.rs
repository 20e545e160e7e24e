//! The program as people run it: exit codes, standard error, editors. Where a daemon is needed, one that answers from a list.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use portolan_protocol::{api::CardText, card::Card};

const SPACE: &str = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq";
const DOCUMENT: &str = "aeaqcaibaeaqcaibaeaqcaibae";

fn portolan(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
    command.env("PORTOLAN_LANG", "C");
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("PORTOLAN_HOME", home);
    command.env("XDG_STATE_HOME", home.join("state"));
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A daemon in `home` that gives each request the next answer; returns what it was asked.
fn daemon(home: &Path, answers: Vec<(&'static str, String)>) -> thread::JoinHandle<Vec<String>> {
    let listener = UnixListener::bind(home.join("portolan.sock")).unwrap();
    thread::spawn(move || {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            requests.push(request(&mut stream));
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
        requests
    })
}

fn request(stream: &mut impl std::io::Read) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = text(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    text(&bytes).to_owned() + text(&body)
}

fn spaces() -> String {
    format!(
        r#"{{"spaces":[{{"id":"{SPACE}","name":"Harbours","role":"writer","state":"active","members":2,"epoch":null,"entries":3,
        "documents":1,"entries_to_index":0,"unreadable":0,"parked":0,"quarantined":1,"gaps":0,"forks":0,"later":true}}]}}"#
    )
}

fn record() -> String {
    format!(
        r#"{{"space":"{SPACE}","record":{{"id":"{DOCUMENT}","type":"page","heads":["ab12"],"title":"T","language":"fr",
        "languages":["fr"],"marking":null,"deleted":false,
        "fields":{{"body/fr":"Un\ndeux","language":"fr","status":"draft","title/fr":"T","type":"page"}},"conflicts":{{}}}},
        "updated":null,"changes":1}}"#
    )
}

fn saved() -> String {
    format!(
        r#"{{"space":"{SPACE}","document":"{DOCUMENT}","outcome":"updated","heads":["cd34"],"merged":true,"warnings":[]}}"#
    )
}

/// A program that stands in for an editor: it runs `script` with the file as `$1`.
fn editor(home: &Path, script: &str) -> String {
    let path = home.join("editor");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn kept(home: &Path) -> Vec<String> {
    let Ok(files) = fs::read_dir(home.join("state/portolan/drafts")) else { return Vec::new() };
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

fn run(mut command: Command) -> Output {
    loop {
        match command.output() {
            // A program just written is busy while a test beside this one starts a process of its own.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => thread::yield_now(),
            ended => return ended.unwrap(),
        }
    }
}

#[test]
fn without_a_daemon_it_says_how_to_start_one() {
    let home = tempfile::tempdir().unwrap();
    let ended = run(portolan(home.path(), &["status"]));
    assert_eq!(ended.status.code(), Some(6));
    assert!(ended.stdout.is_empty());
    let expected = format!(
        "error: the daemon is not running: nobody listens at {0}/portolan.sock\nsafe:  Nothing was changed.\nnext:  Start it \
         with `portoland run --home {0}`, or `systemctl start portoland` where it is a service; or name another home with \
         --home.\n",
        home.path().display()
    );
    assert_eq!(text(&ended.stderr), expected);
    let ended = run(portolan(home.path(), &["--json", "status"]));
    assert_eq!(ended.status.code(), Some(6));
    assert!(text(&ended.stderr).starts_with(r#"{"kind":"unavailable","message":"#), "{}", text(&ended.stderr));
}

#[test]
fn wrong_arguments_exit_with_2() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(run(portolan(home.path(), &["doc", "fly"])).status.code(), Some(2));
    assert_eq!(run(portolan(home.path(), &["sync", "--wait", "soon"])).status.code(), Some(2));
}

#[test]
fn a_space_is_shown_for_people_and_for_programs() {
    let home = tempfile::tempdir().unwrap();
    let served = daemon(home.path(), vec![("200 OK", spaces()), ("200 OK", spaces())]);
    let ended = run(portolan(home.path(), &["space", "list"]));
    let expected = "NAME      ID        ROLE    STATE   MEMBERS  ENTRIES  RECORDS  EPOCH\n\
                    Harbours  aeaqcaib  writer  active  2        3        1        -\n  \
                    Harbours: 1 entry quarantined: held and passed on, not applied\n";
    assert_eq!(text(&ended.stdout), expected);
    let ended = run(portolan(home.path(), &["space", "list", "--json"]));
    assert!(
        text(&ended.stdout).starts_with("{\n  \"spaces\": [\n    {\n      \"id\": \"aeaq"),
        "{}",
        text(&ended.stdout)
    );
    served.join().unwrap();
}

#[test]
fn an_edit_sends_what_differs_and_the_heads_it_saw() {
    let home = tempfile::tempdir().unwrap();
    let answers = vec![("200 OK", spaces()), ("200 OK", record()), ("200 OK", saved())];
    let served = daemon(home.path(), answers);
    let editor = editor(home.path(), "sed -i -e 's/^deux$/trois/' -e '/^status/d' \"$1\"");
    let mut command = portolan(home.path(), &["doc", "edit", DOCUMENT, "--reason", "why"]);
    command.env("EDITOR", editor);
    let ended = run(command);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert_eq!(text(&ended.stdout), format!("{DOCUMENT} changed, merged with what others wrote meanwhile\n"));
    let asked = served.join().unwrap();
    let expected = r#"{"draft":{"fields":{"body/fr":"Un\ntrois","status":null}},"base":["ab12"],"reason":"why"}"#;
    assert!(asked[2].starts_with(&format!("PATCH /v1/spaces/{SPACE}/documents/{DOCUMENT} ")), "{}", asked[2]);
    assert!(asked[2].ends_with(expected), "{}", asked[2]);
    assert!(kept(home.path()).is_empty());
}

#[test]
fn what_was_written_is_kept_when_saving_fails() {
    let home = tempfile::tempdir().unwrap();
    let full = r#"{"kind":"disk_full","message":"no room","safe":"","next":"Make room."}"#.to_owned();
    let answers = vec![("200 OK", spaces()), ("200 OK", record()), ("507 Insufficient Storage", full)];
    let served = daemon(home.path(), answers);
    let editor = editor(home.path(), "echo 'an hour of work' >> \"$1\"");
    let mut command = portolan(home.path(), &["doc", "edit", DOCUMENT]);
    command.env("EDITOR", editor);
    let ended = run(command);
    assert_eq!(ended.status.code(), Some(9));
    let [text_kept] = kept(home.path()).try_into().unwrap();
    assert!(text_kept.ends_with("an hour of work\n"));
    let told = text(&ended.stderr);
    assert!(told.contains("What you wrote is kept in "), "{told}");
    let command = format!("portolan --home '{}' doc edit {DOCUMENT} --space {SPACE}", home.path().display());
    assert!(told.contains(&format!("{command} --base ab12 --from-file ")), "{told}");
    served.join().unwrap();
}

#[test]
fn a_home_that_is_not_there_is_no_stopped_daemon() {
    let home = tempfile::tempdir().unwrap();
    let ended = run(portolan(&home.path().join("gone"), &["status"]));
    assert_eq!(ended.status.code(), Some(3));
    assert!(text(&ended.stderr).contains("Make one with `portolan init`"), "{}", text(&ended.stderr));
}

#[test]
fn a_mistaken_command_line_is_json_where_json_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let ended = run(portolan(home.path(), &["doc", "new", "--json"]));
    assert_eq!(ended.status.code(), Some(2));
    let told: serde_json::Value = serde_json::from_str(text(&ended.stderr)).unwrap();
    assert_eq!(told["kind"], "usage");
    assert!(told["message"].as_str().unwrap().contains("--space"), "{told}");
}

#[test]
fn what_was_piped_in_is_kept_when_there_is_no_daemon() {
    let home = tempfile::tempdir().unwrap();
    let args = ["doc", "new", "--space", "x", "--language", "fr", "--title", "T", "--body-file", "-"];
    let mut command = portolan(home.path(), &args);
    let mut running = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(b"a speech").unwrap();
    let ended = running.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(6));
    assert!(text(&ended.stderr).contains("safe:  What came by standard input is kept in "), "{}", text(&ended.stderr));
    assert_eq!(kept(home.path()), ["a speech"]);
}

#[test]
fn a_failing_editor_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let served = daemon(home.path(), vec![("200 OK", spaces())]);
    let editor = editor(home.path(), "echo 'half a sentence' >> \"$1\"; exit 3");
    let mut command = portolan(home.path(), &["doc", "new", "--space", "Harbours", "--language", "fr"]);
    command.env("EDITOR", editor);
    let ended = run(command);
    assert_eq!(ended.status.code(), Some(10));
    let [text_kept] = kept(home.path()).try_into().unwrap();
    assert!(text_kept.ends_with("half a sentence\n"));
    served.join().unwrap();
}

#[test]
fn a_damaged_card_introduces_nobody() {
    let home = tempfile::tempdir().unwrap();
    let card = home.path().join("x.card");
    fs::write(&card, "-----BEGIN PORTOLAN CARD-----\nAAAA\n-----END PORTOLAN CARD-----\n").unwrap();
    let card = card.display().to_string();
    for (args, code) in [(["peer", "add", &*card, "--unverified"], 2), (["peer", "add", "/nowhere", "--unverified"], 3)]
    {
        let ended = run(portolan(home.path(), &args));
        assert_eq!(ended.status.code(), Some(code), "{}", text(&ended.stderr));
    }
}

/// A good card in a file, and its fingerprint.
fn card(home: &Path) -> (String, String) {
    let vectors = include_str!("../../tests/vectors/card.txt");
    let hex = vectors.lines().find_map(|line| line.strip_prefix("good first ")).unwrap();
    let bytes = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(text(pair), 16).unwrap()).collect();
    let card = CardText(bytes);
    let path = home.join("good.card");
    fs::write(&path, card.armour()).unwrap();
    (path.display().to_string(), Card::decode(&card.0).unwrap().fingerprint().to_string())
}

#[test]
fn a_wrong_fingerprint_is_refused_before_anybody_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let (card, fingerprint) = card(home.path());
    let last = if fingerprint.ends_with('0') { "1" } else { "0" };
    let wrong = format!("{}{last}", &fingerprint[..fingerprint.len() - 1]);
    let ended = run(portolan(home.path(), &["peer", "add", &card, "--fingerprint", &wrong]));
    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("safe:  Nothing was introduced."), "{}", text(&ended.stderr));
    let mut command = portolan(home.path(), &["peer", "add", &card]);
    command.stdin(Stdio::null());
    assert_eq!(run(command).status.code(), Some(2), "without a terminal nobody can type it");
}

#[test]
fn the_fingerprint_goes_to_the_daemon_as_it_was_typed() {
    let home = tempfile::tempdir().unwrap();
    let (card, fingerprint) = card(home.path());
    let arabic: String = fingerprint
        .chars()
        .map(|c| c.to_digit(10).and_then(|digit| char::from_u32(0x0660 + digit)).unwrap_or(c))
        .collect();
    let no = r#"{"kind":"forbidden","message":"not an administrator"}"#.to_owned();
    let served = daemon(home.path(), vec![("403 Forbidden", no)]);
    let ended = run(portolan(home.path(), &["peer", "add", &card, "--fingerprint", &arabic]));
    assert_eq!(ended.status.code(), Some(4));
    assert_eq!(text(&ended.stderr), "error: not an administrator\n");
    let asked = served.join().unwrap();
    assert!(asked[0].starts_with("POST /v1/peers ") && asked[0].contains(&arabic), "{}", asked[0]);
}

/// The program in a directory of its own, beside a `portoland` that is a shell script.
fn beside(home: &Path, portoland: &str, args: &[&str]) -> Command {
    let (program, temporary) = (home.join("bin"), home.join("tmp"));
    fs::create_dir(&program).unwrap();
    fs::create_dir(&temporary).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_portolan"), program.join("portolan")).unwrap();
    fs::write(program.join("portoland"), format!("#!/bin/sh\n{portoland}\n")).unwrap();
    fs::set_permissions(program.join("portoland"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(program.join("portolan"));
    command.env("PORTOLAN_LANG", "C");
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", temporary);
    command
}

#[test]
fn the_demo_does_not_touch_a_directory_that_is_in_use() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("mine"), "x").unwrap();
    let directory = home.path().display().to_string();
    let ended = run(beside(home.path(), "exit 1", &["demo", "--keep", &directory]));
    assert_eq!(ended.status.code(), Some(2), "{}", text(&ended.stderr));
    assert_eq!(fs::read(home.path().join("mine")).unwrap(), b"x");
}

#[test]
fn a_demo_that_fails_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let ended = run(beside(home.path(), "exit 1", &["demo"]));
    assert_eq!(ended.status.code(), Some(5), "{}", text(&ended.stderr));
    assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_demo_that_is_interrupted_stops_its_daemons_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let started = home.path().join("started");
    assert!(Command::new("mkfifo").arg(&started).status().unwrap().success());
    let id = SPACE;
    let card = format!(
        r#"{{"card":"","node":"{id}","fingerprint":"","version":1,"name":"","organisation":"","country":"","addresses":[]}}"#
    );
    let done = format!(
        r#"{{"done":{{"home":"","card":{card},"incarnation":"{DOCUMENT}","login":"","person":"{DOCUMENT}","config":"","recovery_key":""}}}}"#
    );
    let started = started.display().to_string();
    let script =
        format!("[ $1 = init ] && mkdir -p \"$3\" && echo '{done}' && exit\necho $$ > {started}; exec sleep 600");
    let mut demo = beside(home.path(), &script, &["demo", "--json"]).stderr(Stdio::null()).spawn().unwrap();
    // Blocks until the first daemon runs.
    let daemon = fs::read_to_string(&started).unwrap();
    let daemon = Path::new("/proc").join(daemon.trim());
    assert!(daemon.exists());
    assert!(Command::new("kill").arg(demo.id().to_string()).status().unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(7));
    assert!(!daemon.exists());
    assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn completions_are_written_without_a_daemon() {
    let home = tempfile::tempdir().unwrap();
    let mut command = portolan(home.path(), &["completions", "bash"]);
    command.env_remove("PORTOLAN_HOME");
    let ended = run(command);
    assert!(ended.status.success() && text(&ended.stdout).contains("_portolan()"));
}

#[test]
fn what_a_check_found_is_shown_also_where_it_fails() {
    let home = tempfile::tempdir().unwrap();
    let finding =
        r#"{"event":"finding","finding":{"severity":"damage","message":"log 1 is damaged","safe":"","next":""}}"#;
    let failed = r#"{"event":"failed","error":{"kind":"damaged","message":"it cannot go on","safe":"","next":""}}"#;
    let answers = || vec![("200 OK", format!("{finding}\n{failed}\n"))];
    daemon(home.path(), answers());
    let ended = run(portolan(home.path(), &["check"]));
    assert_eq!((ended.status.code(), text(&ended.stdout)), (Some(8), "DAMAGE: log 1 is damaged\n"));
    assert!(text(&ended.stderr).starts_with("error: it cannot go on"), "{}", text(&ended.stderr));
    fs::remove_file(home.path().join("portolan.sock")).unwrap();
    daemon(home.path(), answers());
    let ended = run(portolan(home.path(), &["check", "--json"]));
    assert_eq!(ended.status.code(), Some(8));
    assert!(text(&ended.stdout).starts_with("{\n  \"checked\": null,\n  \"findings\": [\n"), "{}", text(&ended.stdout));
}

#[test]
fn a_list_is_called_complete_only_where_every_page_was() {
    let page = |id: &str, next: &str, behind: u32| {
        format!(
            r#"{{"documents":[{{"id":"{id}","type":"page","title":"T","language":"fr","languages":["fr"],"status":null,"marking":null,
            "tags":[],"areas":[],"countries":[],"programmes":[],"originator":null,"years":[],"created_ms":null,"updated":null,"deleted":false,"conflicts":0,"changes":1}}],
            "next":{next},"entries_to_index":{behind}}}"#
        )
    };
    let second = "aiaqcaibaeaqcaibaeaqcaibae";
    let two = || vec![page(DOCUMENT, r#""more""#, 7), page(second, "null", 0)];
    let list = |pages: Vec<String>, options: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        let answers = std::iter::once(spaces()).chain(pages).map(|body| ("200 OK", body)).collect();
        daemon(home.path(), answers);
        let ended = run(portolan(home.path(), &[&["doc", "list"], options].concat()));
        assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        text(&ended.stdout).to_owned()
    };
    let told = "The list is not complete yet: 7 entries to go.\n";
    assert!(list(two(), &[]).ends_with(told));
    assert!(list(two()[..1].to_vec(), &["--limit", "1"]).ends_with(told));
    assert!(list(two(), &["--json"]).ends_with("\"entries_to_index\": 7\n}\n"));
}

#[test]
fn setting_the_type_or_the_language_to_nothing_is_sent() {
    for (setting, sent) in [("type=", r#""fields":{"type":null}"#), ("language:=null", r#""fields":{"language":null}"#)]
    {
        let home = tempfile::tempdir().unwrap();
        let answers = vec![("200 OK", spaces()), ("200 OK", record()), ("200 OK", saved())];
        let served = daemon(home.path(), answers);
        let ended = run(portolan(home.path(), &["doc", "edit", DOCUMENT, "--set", setting]));
        assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        let requests = served.join().unwrap();
        assert!(requests.last().unwrap().contains(sent), "{requests:?}");
    }
}
