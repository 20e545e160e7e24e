//! A damaged page of the store: the check names it and comes to its end.

use portolan_protocol::entry::LogKind;
use serde_json::json;

use crate::daemon::{Daemon, Home, values};

/// Overwrites a page in the middle of the only data log.
fn damage_page(home: &Home) {
    let db = sled::Config::new().path(home.file("store/sled")).open().unwrap();
    let main = db.open_tree("main").unwrap();
    let logs: Vec<_> = main.scan_prefix([2]).map(Result::unwrap).collect();
    let (log, _) = logs.iter().find(|(_, name)| name.last() == Some(&LogKind::Data.byte())).unwrap();
    let pages: Vec<_> = main.scan_prefix([&[3], &log[1..5]].concat()).map(|page| page.unwrap().0).collect();
    main.insert(&pages[pages.len() / 2], vec![0; 20]).unwrap();
    db.flush().unwrap();
}

#[test]
fn a_damaged_page_is_a_finding_and_ends_no_check() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let space = daemon.done("POST", "/spaces", &json!({"name": "Harbours"}))["id"].as_str().unwrap().to_owned();
    for number in 0..20 {
        let body = blake3::hash(&[number]).to_hex().repeat(20);
        let fields = json!({"title/en": format!("Page {number}"), "body/en": body});
        let draft = json!({"draft": {"type": "page", "language": "en", "fields": fields}});
        daemon.done("POST", &format!("/spaces/{space}/documents"), &draft);
    }
    assert_eq!(daemon.stop().0, 0);
    damage_page(&home);
    let daemon = Daemon::start(&home);
    for rebuild in [false, true] {
        let told = values(daemon.ask("POST", "/check", &json!({"rebuild": rebuild})).1.as_str().unwrap());
        let (last, damage) =
            (told.last().unwrap(), |event: &&serde_json::Value| event["finding"]["severity"] == "damage");
        assert_eq!(last["checked"]["damage"], 1, "{told:?}");
        assert_eq!(told.iter().filter(damage).count(), 1, "{told:?}");
    }
    let status = daemon.get("/status").1;
    assert_eq!(status["spaces"][0]["damaged_logs"], 1);
    assert!(status["spaces"][0]["documents"].as_u64() < Some(20), "{status}");
}
