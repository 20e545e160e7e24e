//! Changes that a hostile member really signs: they reach the daemon, are held back on every node, and nothing stops.

use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

use portolan_daemon::{
    automerge_door::Document,
    documents::{ChangeStanding, Stage},
    prevalidate::SafeChange,
};
use portolan_protocol::{
    api::Outcome,
    change::{ChangePayload, actor_id},
    entry::EntryRef,
    id::{DocumentId, EntryHash, SpaceId},
    limits::DEPENDENCIES_MAX,
    record::RecordDraft,
};
use portolan_tests::attacks::{self, Act, Forged};

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

fn change_hex(change: &SafeChange) -> String {
    change.facts().hash.iter().map(|byte| format!("{byte:02x}")).collect()
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
    // The one with the lower hash comes last: what others may build on already is not taken back by a later one.
    changes.sort_by_key(|change| Reverse(change.facts().hash));
    let first = change_hex(&changes[0]);
    for change in &changes {
        mallory.append(space, vec![payload(mallory, space, vec![], |_| change.raw().to_vec())]);
        sync(mallory, early);
        assert!(early.show(space, document).await.contains("title"));
    }
    sync(mallory, late);
    let shown = late.show(space, document).await;
    assert_eq!(early.show(space, document).await, shown);
    let heads: Vec<_> = late.documents.show(space, document).await.unwrap().record.heads;
    assert_eq!(heads, [first], "{shown}");
    let standings = late.documents.history(space, document).await.unwrap();
    assert_eq!(standings.iter().filter(|item| item.standing.is_applied()).count(), 1);
    assert_eq!(early.documents.history(space, document).await.unwrap(), standings);
}

/// Appends `change` and answers with its entry.
fn sign(member: &Agency, space: SpaceId, dependencies: &[EntryRef], change: &SafeChange) -> EntryRef {
    let raw = change.raw().to_vec();
    member.append(space, vec![payload(member, space, dependencies.to_vec(), |_| raw.clone())])[0]
}

#[tokio::test]
async fn what_was_written_at_the_same_time_cannot_be_referred_to_in_whatever_order_it_comes() {
    let (agencies, space) = partnership(4);
    let [rome, mallory, early, late] = &agencies[..] else { panic!() };
    let id = DocumentId([1; 16]);
    let [ours, theirs] = [rome, mallory].map(|member| actor_id(&member.own_log(space), &id, &[7; 16]));
    let write = |on: &Document, actor, draft: RecordDraft| on.edit(&draft, actor, None).unwrap().unwrap();
    let new = RecordDraft::new("page", "en").with("title/en", "Chart").with("body/en", "Harbours.");
    let record = write(&Document::new(id), &ours, new);
    let body = write(&record.after, &ours, RecordDraft::default().with("body/ar", "abc"));
    let longer = "Letters enough for later counters than all of those.";
    let padding = write(&record.after, &theirs, RecordDraft::default().with("body/fr", longer));
    let end = |change: &SafeChange| change.facts().start_op + change.facts().operations;
    let next = |below: &SafeChange, seq, forged: Forged| {
        let forged = Forged { dependencies: vec![below.facts().hash], seq, start_op: end(below), ..forged };
        SafeChange::new(forged.bytes(), &theirs).unwrap()
    };
    // Into the Text that Rome makes at the same time.
    let text = (&ours[..], body.change.facts().start_op);
    let act = Act::Insert { text, after: None };
    let bad = next(&padding.change, 2, Forged::naming(&theirs, 1, &act));
    let after = next(&bad, 3, Forged::sets(&theirs, 1, 1, "tags/x"));

    let first = sign(rome, space, &[], &record.change);
    for other in [mallory, early, late] {
        sync(rome, other);
    }
    sign(rome, space, &[first], &body.change);
    let mut on = first;
    for change in [&padding.change, &bad, &after] {
        on = sign(mallory, space, &[on], change);
    }
    for (node, order) in [(early, [rome, mallory]), (late, [mallory, rome])] {
        for other in order {
            sync(node, other);
            assert!(node.show(space, id).await.contains("Harbours."));
        }
    }
    assert_eq!(early.everything(space).await, late.everything(space).await);
    let history = early.documents.history(space, id).await.unwrap();
    assert_eq!(late.documents.history(space, id).await.unwrap(), history);
    let left_out: Vec<_> = history.iter().filter(|item| !item.standing.is_applied()).collect();
    assert_eq!(left_out.iter().map(|item| item.entry.log.author).collect::<Vec<_>>(), [mallory.id(); 2]);
    assert!(left_out.iter().all(|item| matches!(item.standing, ChangeStanding::Refused(_))), "{left_out:?}");
    assert_eq!(early.field(space, id, "body/ar").await.as_deref(), Some("abc"));
    for node in [early, late] {
        assert_eq!(node.documents.progress(space).await.unwrap().faults, 0, "a judgement, not a fault");
    }
}

#[tokio::test]
async fn a_record_written_in_more_versions_than_one_change_can_join_is_still_edited_and_deleted() {
    let (agencies, space) = partnership(2);
    let [rome, mallory] = &agencies[..] else { panic!() };
    let chart = rome.create(space, 1, RecordDraft::new("page", "en").with("title/en", "Chart")).await;
    sync(rome, mallory);
    let versions = DEPENDENCIES_MAX as u64 + 100;
    let salt = |number: u64| {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&number.to_be_bytes());
        salt
    };
    let change = |number: u64| {
        let actor = actor_id(&mallory.own_log(space), &chart, &salt(number));
        SafeChange::new(Forged::sets(&actor, 1, 1, &format!("tags/{number}")).bytes(), &actor).unwrap()
    };
    let apart = |number: u64| {
        let (change, salt) = (change(number).raw().to_vec(), salt(number));
        let (person, reason, dependencies) = (mallory.person(), String::new(), vec![]);
        ChangePayload { document: chart, change, person, reason, salt, dependencies, person_signature: None }.encode()
    };
    mallory.append(space, (0..versions).map(apart).collect());
    sync(mallory, rome);
    let heads = async || rome.documents.show(space, chart).await.unwrap().record.heads.len() as u64;
    rome.documents.flush(Stage::Indexed).await.unwrap();
    assert_eq!(heads().await, versions + 1);
    // Each save joins a thousand of them.
    for (status, left) in [("draft", versions - 1021), ("review", 1)] {
        let draft = RecordDraft::default().with("status", status);
        let shown = rome.documents.show(space, chart).await.unwrap().record.heads;
        let saved = rome.documents.edit(space, chart, draft, Some(shown), rome.person(), "edit".into()).await.unwrap();
        assert_eq!((saved.outcome, saved.merged, heads().await), (Outcome::Updated, false, left));
    }
    mallory.append(space, (versions..2 * versions).map(apart).collect());
    sync(mallory, rome);
    // What is in the last version alone is not in the first thousand.
    rome.documents.flush(Stage::Indexed).await.unwrap();
    let last = rome.documents.show(space, chart).await.unwrap().record.heads.pop().unwrap();
    let number = (versions..2 * versions).find(|number| change_hex(&change(*number)) == last).unwrap();
    let (key, before) = (format!("tags/{number}"), heads().await);
    assert_eq!(rome.field(space, chart, &key).await.as_deref(), Some("true"));
    let draft = RecordDraft::default().with(&key, false);
    rome.documents.edit(space, chart, draft, None, rome.person(), "edit".into()).await.unwrap();
    assert_eq!(rome.field(space, chart, &key).await, None);
    assert!(heads().await < before && before > DEPENDENCIES_MAX as u64);
    rome.documents.delete(space, chart, rome.person(), "gone".into()).await.unwrap();
    sync(rome, mallory);
    assert_eq!(rome.show(space, chart).await, mallory.show(space, chart).await);
    assert_eq!(rome.field(space, chart, "deleted").await.as_deref(), Some("true"));
}
