//! Going through logs again: in steps, to the same end, and without reading what cannot be opened.

use portolan_daemon::documents::Stage;
use portolan_protocol::{control::Role, input::Command, record::RecordDraft};

use crate::world::{Agency, damage_page, introduce, partnership, sync};

/// Entries in a log that takes several steps.
const ENTRIES: u64 = 9_000;

#[tokio::test]
async fn a_long_log_is_gone_through_in_steps_to_the_same_end() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    for _ in 0..ENTRIES / 1_000 {
        tunis.append(space, vec![b"no payload at all".to_vec(); 1_000]);
    }
    sync(rome, tunis);
    rome.documents.flush(Stage::Indexed).await.unwrap();
    // Tunis goes on where Rome does not see it, and is removed meanwhile: Rome holds back what comes then.
    rome.order(Command::Revoke { space, member: tunis.id() }).unwrap();
    tunis.append(space, vec![b"no payload at all".to_vec(); 10]);
    sync(rome, tunis);
    rome.documents.flush(Stage::Indexed).await.unwrap();
    let (documents, views) = rome.taken_up().await;
    let mut seen = vec![documents.progress(space).await.unwrap()];
    documents.views(views);
    while let Some(last) = seen.last().filter(|last| last.entries_to_index > 0) {
        let now = documents.progress(space).await.unwrap();
        assert!(now.entries_to_index <= last.entries_to_index);
        if now != *last {
            seen.push(now);
        }
    }
    assert!(seen[0].entries_to_index >= ENTRIES);
    assert!(seen.len() > 3, "{} steps", seen.len());
    let counts = |at: usize| (seen[at].refused, seen[at].quarantined, seen[at].waiting);
    assert_eq!(counts(0), counts(seen.len() - 1));
    documents.rebuild().await.unwrap();
    documents.flush(Stage::Indexed).await.unwrap();
    let anew = documents.progress(space).await.unwrap();
    assert_eq!((anew.refused, anew.quarantined, anew.waiting), counts(0));
    assert!(anew.refused >= ENTRIES);
}

#[tokio::test]
async fn what_has_no_key_is_not_read_again() {
    let (rome, tunis) = (Agency::open(1), Agency::open(2));
    introduce(&rome, &tunis);
    let space = rome.found();
    rome.grant(space, &tunis, Role::Relay);
    for id in 1..=20 {
        let body = blake3::hash(&[id]).to_hex().repeat(20);
        rome.create(space, id, RecordDraft::new("page", "en").with("body/en", body.as_str())).await;
    }
    sync(&rome, &tunis);
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    assert_eq!(tunis.documents.progress(space).await.unwrap().sealed, 20);
    // Reading a damaged page would be noticed.
    let log = rome.own_log(space);
    let tunis = tunis.restart_after(|home| assert!(!damage_page(home, space, log).is_empty())).await;
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    let progress = tunis.documents.progress(space).await.unwrap();
    assert_eq!((progress.sealed, progress.damaged_logs, progress.entries_to_index), (20, 0, 0));
}
