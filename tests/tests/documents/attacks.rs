//! Changes that a hostile member really signs: they reach the daemon, are held back on every node, and nothing stops.

use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

use portolan_daemon::automerge_door::Document;
use portolan_protocol::{
    change::{ChangePayload, actor_id},
    entry::EntryRef,
    id::{DocumentId, EntryHash, SpaceId},
    record::RecordDraft,
};
use portolan_tests::attacks;

use crate::world::{Agency, partnership, sync};

/// A payload with `change`, which is made for the actor it has to carry.
fn payload(member: &Agency, space: SpaceId, dependencies: Vec<EntryRef>, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let document = DocumentId([1; 16]);
    let salt = [7; 16];
    let actor = actor_id(&member.own_log(space), &document, &salt);
    let (person, reason) = (member.person(), "an attack".to_owned());
    ChangePayload { document, change: change(&actor), person, reason, salt, dependencies, person_signature: None }
        .encode()
}

#[tokio::test]
async fn signed_attacks_are_held_back_and_the_daemon_goes_on() {
    let (agencies, space) = partnership(3);
    let [rome, mallory, paris] = &agencies[..] else { panic!() };
    let draft = RecordDraft::new("page", "en").with("title/en", "Chart");
    let chart = rome.create(space, 1, draft).await;
    let nowhere = EntryRef { log: mallory.own_log(space), seq: 900, hash: EntryHash([9; 32]) };
    let changes = vec![
        payload(mallory, space, vec![], attacks::endless),
        payload(mallory, space, vec![], attacks::crawling),
        payload(mallory, space, vec![], attacks::past_the_top),
        payload(mallory, space, vec![], attacks::at_the_top),
        payload(mallory, space, vec![], attacks::burnt_counters),
        payload(mallory, space, vec![], |_| attacks::bomb(100 << 20)),
        payload(mallory, space, vec![], |_| attacks::borrowed(&[5; 32])),
        payload(mallory, space, vec![nowhere], attacks::orphan),
        payload(mallory, space, vec![], attacks::orphan),
        b"no payload at all".to_vec(),
    ];
    let count = changes.len() as u64;
    mallory.append(space, changes);
    sync(mallory, rome);
    sync(mallory, paris);
    let before = Instant::now();
    assert_eq!(rome.field(space, chart, "title/en").await.as_deref(), Some("Chart"));
    rome.edit(space, chart, "title/en", "Chart, edited").await;
    sync(rome, paris);
    assert_eq!(paris.field(space, chart, "title/en").await.as_deref(), Some("Chart, edited"));
    assert!(before.elapsed() < Duration::from_secs(5), "took {:?}", before.elapsed());
    for one in [rome, paris] {
        let progress = one.documents.progress(space).await.unwrap();
        // Two pass the look at their bytes: one does not fit the document, one waits for ever.
        assert_eq!(progress.refused, count - 2, "agency {}", one.number);
        assert_eq!((progress.faults, progress.entries_to_index), (0, 0));
        let history = one.documents.history(space, chart).await.unwrap();
        assert_eq!(history.len() as u64, count + 1);
        assert_eq!(history.iter().filter(|item| item.standing.is_applied()).count(), 2);
    }
    assert_eq!(rome.everything(space).await, paris.everything(space).await);
    mallory.edit(space, chart, "status", "draft").await;
    sync(mallory, rome);
    assert_eq!(rome.field(space, chart, "status").await.as_deref(), Some("draft"), "good work of it is taken");
}

#[tokio::test]
async fn of_two_changes_for_one_place_every_node_takes_the_same() {
    let (agencies, space) = partnership(3);
    let [mallory, early, late] = &agencies[..] else { panic!() };
    let document = DocumentId([1; 16]);
    let actor = actor_id(&mallory.own_log(space), &document, &[7; 16]);
    let make = |title: &str| {
        let draft = RecordDraft::new("page", "en").with("title/en", title);
        Document::new(document).edit(&draft, &actor, None).unwrap().unwrap().change
    };
    let mut changes = [make("One"), make("Other")];
    // The one that a node which has both takes first comes last.
    changes.sort_by_key(|change| Reverse(change.facts().hash));
    for change in &changes {
        mallory.append(space, vec![payload(mallory, space, vec![], |_| change.raw().to_vec())]);
        sync(mallory, early);
        assert!(early.show(space, document).await.contains("title"));
    }
    sync(mallory, late);
    let shown = late.show(space, document).await;
    assert_eq!(early.show(space, document).await, shown);
    let heads: Vec<_> = late.documents.show(space, document).await.unwrap().record.heads;
    assert_eq!(heads.len(), 1, "{shown}");
    let standings = late.documents.history(space, document).await.unwrap();
    assert_eq!(standings.iter().filter(|item| item.standing.is_applied()).count(), 1);
    assert_eq!(early.documents.history(space, document).await.unwrap(), standings);
}
