//! A member that signs what would hang or break a careless reader: the daemon holds it back, says so, and goes on serving.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use portolan_daemon::{
    clock,
    config::Config,
    engine::{Engine, Follower, Parts},
    home::Home,
    store::{Options, Store},
    transport::{Allowed, Endpoint},
};
use portolan_protocol::{
    api::Saved,
    change::{ChangePayload, PersonRef, actor_id},
    effects::Appended,
    entry::{EntryRef, LogKey},
    id::{DocumentId, EntryHash, Incarnation, PersonId, SpaceId},
    node::Node,
    view::SpaceView,
};
use portolan_tests::{
    attacks,
    daemons::{Site, introduce},
};
use serde_json::Value;

/// A member's node without the part that would refuse to write such changes.
struct Malicious {
    engine: Engine,
}

/// It derives nothing.
struct Deaf;

impl Follower for Deaf {
    fn views(&self, _: &[std::sync::Arc<SpaceView>]) {}
    fn appended(&self, _: &[Appended]) {}
}

impl Malicious {
    /// Takes over the home of a daemon that has stopped: its keys, its store, its membership, its address.
    fn take_over(home: &Path) -> Malicious {
        let config = Config::load(home).unwrap();
        let home = Home::open(home).unwrap();
        let (store, _) = Store::open(&home.store(), &Options::new(Incarnation([9; 16]))).unwrap();
        let node = Node::load(home.identity(), store.image().unwrap(), &mut clock::rng()).unwrap();
        let allowed = Allowed::default();
        let endpoint = Endpoint::bind(&config.listen, home.transport(), allowed.clone()).unwrap();
        let parts = Parts { node, store, endpoint, allowed, calls: true, follower: Box::new(Deaf) };
        let (engine, _stopped) = Engine::start(parts).unwrap();
        Malicious { engine }
    }

    fn log(&self, space: SpaceId) -> LogKey {
        self.engine.view(&space).unwrap().own_log
    }

    /// Signs payloads as they are.
    async fn sign(&self, space: SpaceId, payloads: Vec<Vec<u8>>) {
        self.engine.append(space, self.log(space), payloads).await.unwrap();
    }
}

/// The ways of `tests/src/attacks.rs`, and payloads that are none.
fn payloads(log: LogKey, document: DocumentId) -> Vec<Vec<u8>> {
    let salt = [7; 16];
    let actor = actor_id(&log, &document, &salt);
    let nowhere = EntryRef { log, seq: 900, hash: EntryHash([9; 32]) };
    let payload = |change: Vec<u8>, dependencies: Vec<EntryRef>| {
        let person = PersonRef { id: PersonId([6; 16]), name: "Mallory".into() };
        ChangePayload {
            document,
            change,
            person,
            reason: "an attack".into(),
            salt,
            dependencies,
            person_signature: None,
        }
        .encode()
    };
    vec![
        payload(attacks::endless(&actor), vec![]),
        payload(attacks::crawling(&actor), vec![]),
        payload(attacks::past_the_top(&actor), vec![]),
        payload(attacks::at_the_top(&actor), vec![]),
        payload(attacks::bomb(100 << 20), vec![]),
        payload(attacks::borrowed(&[5; 32]), vec![]),
        payload(attacks::orphan(&actor), vec![]),
        payload(attacks::burnt_counters(&actor), vec![]),
        payload(attacks::orphan(&actor), vec![nowhere]),
        b"no payload at all".to_vec(),
    ]
}

/// Of these, the last but one waits for what never comes, and the one before does not fit its document: neither is refused by its bytes.
const HELD_BACK: u64 = 8;

#[test]
fn hostile_changes_are_held_back_by_a_running_daemon_which_goes_on_serving() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, tunis, mut mallory] = ["rome", "tunis", "mallory"].map(|name| Site::open(directory.path(), name));
    introduce(&rome, &tunis);
    introduce(&rome, &mallory);
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    for member in [&tunis, &mallory] {
        let _: Value = rome.ask(["space", "grant", "Harbours", &member.name, "--role", "writer"]);
        member.until("it is let in", || !member.status().spaces.is_empty() && member.space().epoch.is_some());
    }
    let new = ["doc", "new", "--space", "Harbours", "--language", "en", "--title", "Chart"];
    let chart = rome.ask::<Saved>(new);
    mallory.sync();
    let before = rome.space();
    assert_eq!(before.quarantined, 0);
    mallory.stop();

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let space = before.id;
    let (malicious, attacks) = runtime.block_on(async {
        let malicious = Malicious::take_over(&mallory.home);
        let payloads = payloads(malicious.log(space), chart.document);
        let attacks = payloads.len() as u64;
        malicious.sign(space, payloads).await;
        (malicious, attacks)
    });
    rome.until("the attacks have come", || rome.space().entries == before.entries + attacks);
    tunis.until("they have gone on to Tunis", || tunis.space().entries == before.entries + attacks);

    // Both still show, save and exchange, at once.
    let begun = Instant::now();
    let id = chart.document.to_string();
    for (site, title) in [(&rome, "Chart of Rome"), (&tunis, "Chart of Tunis")] {
        let saved: Saved = site.ask(["doc", "edit", &id, "--set", &format!("title={title}")]);
        let other = if site.name == "rome" { &tunis } else { &rome };
        other.until("the edit has come", || other.bytes(["doc", "show", &id]).contains(&saved.heads[0]));
        assert!(other.bytes(["doc", "show", &id]).contains(title));
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "took {:?}", begun.elapsed());
    for site in [&rome, &tunis] {
        site.settled();
        // `status` is what an administrator looks at.
        let status = site.status();
        assert_eq!(status.spaces[0].quarantined, HELD_BACK, "{}: {:?}", site.name, status.spaces[0]);
        let list = site.list();
        assert!(list.contains("Chart of Tunis") && !list.contains("an attack"), "{list}");
    }
    assert!(rome.list() == tunis.list());
    let shown = rome.bytes(["doc", "show", &id]);
    assert_eq!(shown, tunis.bytes(["doc", "show", &id]));
    // They were signed: that they came is not forgotten, and a restart and a rebuild end at the same.
    runtime.block_on(malicious.engine.stop());
    assert!(rome.runs());
    rome.stop();
    rome.start();
    let rebuilt: Value = rome.ask(["check", "--rebuild"]);
    assert_eq!(rebuilt["checked"]["damage"], 0, "{rebuilt}");
    assert_eq!(rome.bytes(["doc", "show", &id]), shown);
    assert_eq!(rome.space().quarantined, HELD_BACK);
    rome.stop();
}
