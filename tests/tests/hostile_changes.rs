//! Changes as a hostile member would sign them, against the pre-validator and the door; and, where that is safe, what
//! Automerge does without them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use automerge::{
    Automerge, Change, ROOT, ReadDoc,
    legacy::{Key, ObjectId, OpId, OpType},
    transaction::Transactable,
};
use portolan_daemon::automerge_door::{Document, Fault, Unfit};
use portolan_daemon::prevalidate::{ChangeRefusal, Kind, SafeChange, change_hash, outline, prevalidate};
use portolan_protocol::change::ChangePayload;
use portolan_protocol::id::DocumentId;
use portolan_protocol::limits::{OP_COUNTER_MAX, OPS_PER_CHANGE_MAX};
use portolan_protocol::record::{RecordDraft, Value};
use portolan_tests::attacks::{self, Act, Forged, signed, unsigned};
use proptest::prelude::*;

const ACTOR: [u8; 32] = [3; 32];

fn document() -> Document {
    Document::new(DocumentId([1; 16]))
}

fn safe(raw: &[u8]) -> SafeChange {
    SafeChange::new(raw.to_vec(), &ACTOR).unwrap()
}

fn draft() -> RecordDraft {
    RecordDraft::new("page", "fr").with("title/fr", "Carte").with("body/fr", "Un texte.\nDeux lignes.\n")
}

/// The refusal, which must come at once whatever the bytes declare.
fn refused(raw: &[u8]) -> ChangeRefusal {
    let before = Instant::now();
    let refusal = prevalidate(raw, &ACTOR).unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(1), "took {:?}", before.elapsed());
    refusal
}

/// What a vector file gives under `name`.
fn golden(file: &str, name: &str) -> Vec<u8> {
    let hex = file.lines().find_map(|line| line.strip_prefix(&format!("good {name} "))).expect(name);
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_changes_in_the_golden_payloads_pass_and_build_a_record() {
    let file = include_str!("../vectors/change.txt");
    let actor: [u8; 32] = golden(include_str!("../vectors/entry.txt"), "actor").try_into().unwrap();
    let payloads = ["creating", "editing"].map(|name| ChangePayload::decode(&golden(file, name)).unwrap());
    let changes = payloads.each_ref().map(|payload| SafeChange::new(payload.change.clone(), &actor).unwrap());
    let mut document = Document::new(payloads[0].document);
    let applied = document.apply(&changes).unwrap();
    assert_eq!(applied.unfit, []);
    assert_eq!(document.view().unwrap().title, "Carte des ports");
}

#[test]
fn a_small_change_that_declares_endless_operations() {
    let raw = attacks::endless(&ACTOR);
    assert!(raw.len() < 128, "{} bytes", raw.len());
    assert_eq!(refused(&raw), ChangeRefusal::TooManyOperations(1 << 40));
}

#[test]
fn a_small_change_with_ten_million_operations() {
    let raw = attacks::crawling(&ACTOR);
    assert!(raw.len() < 128, "{} bytes", raw.len());
    assert_eq!(refused(&raw), ChangeRefusal::TooManyOperations(10_000_000));
    // As many as are allowed cost their sender bytes: the same key over and over is refused.
    let raw = Forged::sets(&ACTOR, 1, OPS_PER_CHANGE_MAX, "x").bytes();
    assert_eq!(refused(&raw), ChangeRefusal::Operation { row: 1, what: "the same key twice" });
}

#[test]
fn counters_past_the_top_panic_automerge_and_are_refused() {
    let raw = attacks::past_the_top(&ACTOR);
    let bare = catch_unwind(AssertUnwindSafe(|| {
        let change = Change::try_from(raw.as_slice()).unwrap();
        Automerge::new().apply_changes([change])
    }));
    assert!(!matches!(bare, Ok(Ok(()))), "Automerge has learned to refuse this");
    assert!(matches!(refused(&raw), ChangeRefusal::Counter { operations: 2, .. }));
}

#[test]
fn a_counter_at_the_top_breaks_later_edits_and_is_refused() {
    let raw = attacks::at_the_top(&ACTOR);
    let mut bare = Automerge::new();
    bare.apply_changes([Change::try_from(raw.as_slice()).unwrap()]).unwrap();
    let edit = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction = bare.transaction();
        transaction.put(ROOT, "y", 1)?;
        transaction.commit();
        Ok::<(), automerge::AutomergeError>(())
    }));
    assert!(!matches!(edit, Ok(Ok(()))), "Automerge has learned to edit this");
    assert!(matches!(refused(&raw), ChangeRefusal::Counter { operations: 1, .. }));
}

#[test]
fn counters_cannot_be_burnt_by_one_change() {
    let raw = attacks::burnt_counters(&ACTOR);
    assert_eq!(prevalidate(&raw, &ACTOR).unwrap().start_op + 1, OP_COUNTER_MAX);
    let mut document = document();
    let applied = document.apply(&[safe(&raw)]).unwrap();
    let unfit = Unfit::Counter { expected: 1, actual: OP_COUNTER_MAX - 1 };
    assert_eq!(applied.unfit, [(change_hash(&raw).unwrap(), unfit)]);
    assert!(document.edit(&draft(), &[4; 32], None).unwrap().is_some());
}

#[test]
fn a_compressed_bomb_is_refused_unopened() {
    let raw = attacks::bomb(100 << 20);
    assert!(raw.len() < 1 << 20, "{} bytes", raw.len());
    assert_eq!(refused(&raw), ChangeRefusal::Compressed);
    // Automerge would take a compressed chunk; a small one shows that this one is such.
    let error = Change::try_from(attacks::bomb(10_000).as_slice()).unwrap_err().to_string();
    assert!(!error.contains("decompress"), "the bomb must inflate: {error}");
    let mut change = Change::try_from(long_change().as_slice()).unwrap();
    let compressed = change.bytes().into_owned();
    assert!(Change::try_from(compressed.as_slice()).is_ok());
    assert_eq!(prevalidate(&compressed, &ACTOR), Err(ChangeRefusal::Compressed));
}

fn long_change() -> Vec<u8> {
    let draft = draft().with("body/fr", "abc ".repeat(1_000));
    document().edit(&draft, &ACTOR, None).unwrap().unwrap().change.raw().to_vec()
}

#[test]
fn a_borrowed_actor_would_block_its_owner_and_is_refused() {
    let victim = [9; 32];
    let raw = attacks::borrowed(&victim);
    let theirs = document().edit(&draft(), &victim, None).unwrap().unwrap().change;
    let mut bare = Automerge::new();
    bare.apply_changes([Change::try_from(raw.as_slice()).unwrap()]).unwrap();
    assert!(bare.apply_changes([Change::try_from(theirs.raw()).unwrap()]).is_err());
    assert_eq!(refused(&raw), ChangeRefusal::Actor);
}

#[test]
fn a_change_without_what_it_builds_on_is_left_out_and_named() {
    let raw = attacks::orphan(&ACTOR);
    let mut bare = Automerge::new();
    bare.apply_changes([Change::try_from(raw.as_slice()).unwrap()]).unwrap();
    assert!(bare.keys(ROOT).next().is_none() && !bare.get_missing_deps(&[]).is_empty(), "queued for ever");
    assert_eq!(prevalidate(&raw, &ACTOR).unwrap().dependencies, [[7; 32]]);
    let mut document = document();
    let applied = document.apply(&[safe(&raw)]).unwrap();
    assert_eq!(applied.unfit, [(change_hash(&raw).unwrap(), Unfit::MissingDependency([7; 32]))]);
    assert_eq!(document.changes(), 0);
}

#[test]
fn one_number_is_used_once_by_an_actor() {
    let first = Forged::sets(&ACTOR, 1, 1, "x").bytes();
    let second = Forged::sets(&ACTOR, 1, 1, "y").bytes();
    let mut document = document();
    assert_eq!(document.apply(&[safe(&first)]).unwrap().applied.len(), 1);
    let applied = document.apply(&[safe(&second)]).unwrap();
    assert_eq!(applied.unfit, [(change_hash(&second).unwrap(), Unfit::Fork(1))]);
    let gap = Forged { seq: 3, start_op: 2, dependencies: vec![change_hash(&first).unwrap()], ..base() }.bytes();
    let applied = document.apply(&[safe(&gap)]).unwrap();
    assert_eq!(applied.unfit, [(change_hash(&gap).unwrap(), Unfit::Sequence(3))]);
}

fn base() -> Forged {
    Forged::sets(&ACTOR, 1, 1, "x")
}

#[test]
fn a_bad_change_does_not_hold_up_the_others() {
    // Deletes a letter that never was, from a Text that never was.
    let good = document().edit(&draft(), &[4; 32], None).unwrap().unwrap();
    let mut bad = base();
    let hash = good.change.facts().hash;
    bad.dependencies = vec![hash];
    bad.start_op = good.change.facts().operations + 1;
    bad.columns = vec![
        (0x01, [signed(-1), unsigned(0)].concat()),
        (0x02, [signed(-1), unsigned(1)].concat()),
        (0x11, [signed(-1), unsigned(0)].concat()),
        (0x13, [signed(-1), signed(2)].concat()),
        (0x34, unsigned(1)),
        (0x42, [signed(-1), unsigned(3)].concat()),
        (0x56, [signed(-1), unsigned(0)].concat()),
        (0x70, [signed(-1), unsigned(1)].concat()),
        (0x71, [signed(-1), unsigned(0)].concat()),
        (0x73, [signed(-1), signed(2)].concat()),
    ];
    let raw = bad.bytes();
    let bad = safe(&raw);
    let next = good.after.edit(&RecordDraft::default().with("tags/x", true), &[5; 32], None).unwrap().unwrap();
    let mut document = document();
    let applied = document.apply(&[bad, next.change.clone(), good.change]).unwrap();
    assert!(applied.applied.contains(&hash) && applied.applied.contains(&next.change.facts().hash), "{applied:?}");
    assert!(matches!(applied.unfit[..], [(_, Unfit::Reference(1))]), "{applied:?}");
    let view = document.view().unwrap();
    assert_eq!(view.title, "Carte");
    assert_eq!(view.fields["tags/x"], Value::Bool(true));
    assert!(document.edit(&draft().with("body/fr", "Autre."), &[6; 32], None).unwrap().is_some());
}

#[test]
fn what_is_not_the_language_of_records_is_refused_by_name() {
    let with = |spec: u64, bytes: Vec<u8>| {
        let mut forged = base();
        forged.columns.retain(|(known, _)| *known != spec);
        forged.columns.push((spec, bytes));
        forged.columns.sort();
        refused(&forged.bytes())
    };
    assert!(matches!(with(0x42, vec![0x7f, 0]), ChangeRefusal::Operation { .. }), "a map");
    assert!(matches!(with(0x42, vec![0x7f, 5]), ChangeRefusal::Operation { .. }), "an increment");
    assert!(matches!(with(0x56, vec![0x7f, 0x16]), ChangeRefusal::Malformed("value")), "a value that is not there");
    assert_eq!(with(0x34, vec![7]), ChangeRefusal::Rows { column: "insert", actual: 7, expected: 1 });
    assert_eq!(with(0x34 | 8, vec![1]), ChangeRefusal::Column(0x3c), "a compressed column");
    assert_eq!(with(0x94, vec![0, 1]), ChangeRefusal::Column(0x94), "a mark");
    assert_eq!(with(0x57, vec![1]), ChangeRefusal::Extra("values of no operation"));
    assert_eq!(with(0x13, vec![]), ChangeRefusal::Column(0x13), "an empty column");
    let changed = |change: fn(&mut Forged)| {
        let mut forged = base();
        change(&mut forged);
        refused(&forged.bytes())
    };
    assert_eq!(changed(|forged| forged.time = 5), ChangeRefusal::Extra("a time"));
    assert_eq!(changed(|forged| forged.message = b"m".to_vec()), ChangeRefusal::Extra("a message"));
    assert_eq!(changed(|forged| forged.extra = vec![0]), ChangeRefusal::Extra("extra bytes"));
    assert_eq!(changed(|forged| forged.columns.swap(0, 1)), ChangeRefusal::Column(0x15));
    assert_eq!(changed(|forged| forged.dependencies = vec![[2; 32], [1; 32]]), ChangeRefusal::List("dependencies"));
    assert_eq!(changed(|forged| forged.other_actors = vec![ACTOR.to_vec()]), ChangeRefusal::List("other actors"));
    let extra = changed(|forged| forged.other_actors = vec![vec![1; 32]]);
    assert_eq!(extra, ChangeRefusal::Extra("actors of no operation"));
    assert!(matches!(changed(|forged| forged.start_op = 0), ChangeRefusal::Counter { .. }));
    assert!(matches!(changed(|forged| forged.seq = 0), ChangeRefusal::Counter { .. }));
    let good = base().bytes();
    assert!(prevalidate(&good, &ACTOR).is_ok());
    assert_eq!(refused(&[&good[..], &[0]].concat()), ChangeRefusal::Trailing);
    assert_eq!(refused(&[&good[..], &good[..]].concat()), ChangeRefusal::Trailing);
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    assert_eq!(refused(&flipped), ChangeRefusal::Checksum);
}

#[test]
fn a_list_that_only_declares_its_length_allocates_nothing() {
    let content = [unsigned(u64::MAX)].concat();
    assert_eq!(refused(&attacks::chunk(1, &content)), ChangeRefusal::List("dependencies"));
    let mut forged = base();
    forged.columns = vec![(0x15, vec![])];
    let mut content = forged.content();
    let last = content.len() - 1;
    content.splice(last.., unsigned(u64::MAX));
    assert!(matches!(refused(&attacks::chunk(1, &content)), ChangeRefusal::Malformed(_)));
}

#[test]
fn bytes_that_automerge_cannot_load_are_a_fault() {
    assert!(matches!(Document::load(DocumentId([1; 16]), b"damaged"), Err(Fault::Failed(_))));
}

const ROME: [u8; 32] = [4; 32];
const TUNIS: [u8; 32] = [5; 32];

/// A record by Rome, and on it, made apart, a change by Tunis and one by the hostile member.
struct Apart {
    record: SafeChange,
    tunis: SafeChange,
    own: SafeChange,
}

impl Apart {
    fn new() -> Self {
        let record = document().edit(&draft(), &ROME, None).unwrap().unwrap();
        let on_record = |draft: RecordDraft, actor| record.after.edit(&draft, &actor, None).unwrap().unwrap().change;
        let tunis = RecordDraft::default().with("body/ar", "abc").with("body/fr", "Un text bref.\nDeux lignes.\n");
        let tunis = on_record(tunis.with("status", "draft"), TUNIS);
        let own = on_record(RecordDraft::default().with("body/en", "Enough letters to come after all others."), ACTOR);
        Self { record: record.change, tunis, own }
    }

    /// The counters of its operations.
    fn counters(change: &SafeChange) -> std::ops::Range<u64> {
        let facts = change.facts();
        facts.start_op..facts.start_op + facts.operations
    }

    /// The hostile member's next change, which builds on `below`.
    fn next(&self, below: &[&SafeChange], act: &Act<'_>) -> SafeChange {
        let start_op = below.iter().map(|change| Self::counters(change).end).max().unwrap();
        let mut dependencies: Vec<_> = below.iter().map(|change| change.facts().hash).collect();
        dependencies.sort();
        safe(&Forged { dependencies, seq: 2, ..Forged::naming(&ACTOR, start_op, act) }.bytes())
    }
}

/// A record as text, what was left out of it, and what failed.
type Received = (String, Vec<([u8; 32], Unfit)>, Vec<[u8; 32]>);

/// What a node shows and leaves out that receives changes in this order, one by one, and what fails there.
fn received(changes: &[&SafeChange]) -> Received {
    let (mut held, mut open) = (Vec::new(), document());
    let (mut unfit, mut faults) = (Vec::new(), Vec::new());
    for change in changes {
        held.push((*change).clone());
        let mut applied = open.apply(&held[held.len() - 1..]).unwrap();
        if !applied.unfit.is_empty() || !unfit.is_empty() || !faults.is_empty() {
            open = document();
            applied = open.apply(&held).unwrap();
        }
        unfit = applied.unfit;
        faults = applied.faults.into_iter().map(|(hash, _)| hash).collect();
        if unfit.is_empty() && faults.is_empty() {
            open = Document::load(open.id(), &open.save().unwrap()).unwrap();
        }
    }
    unfit.sort_by_key(|(hash, _)| *hash);
    faults.sort();
    (serde_json::to_string(&open.view().unwrap()).unwrap(), unfit, faults)
}

/// Every order in which `changes` can come.
fn orders<'a>(changes: &[&'a SafeChange]) -> Vec<Vec<&'a SafeChange>> {
    let mut orders = vec![vec![]];
    for change in changes {
        let longer = |order: &Vec<&'a SafeChange>| {
            let order = order.clone();
            (0..=order.len()).map(move |place| {
                let mut order = order.clone();
                order.insert(place, *change);
                order
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

#[test]
fn what_is_written_at_the_same_time_cannot_be_referred_to() {
    let apart = Apart::new();
    let Apart { record, tunis, own } = &apart;
    // Rome writes `body/fr` and its letters, `schema` and the others; Tunis `body/ar`, then letters.
    let text = |change: &SafeChange, key: &str| {
        let mut inner = Automerge::new();
        inner.apply_changes([record, change].map(|change| Change::try_from(change.raw()).unwrap())).unwrap();
        let (_, object) = inner.get(ROOT, key).unwrap().unwrap();
        object.to_string().split('@').next().unwrap().parse::<u64>().unwrap()
    };
    let (theirs, common) = (text(tunis, "body/ar"), text(tunis, "body/fr"));
    let last = Apart::counters(tunis).end - 1;
    let acts = [
        ("a Text", Act::Insert { text: (&TUNIS, theirs), after: None }),
        ("a letter of such a Text", Act::Insert { text: (&TUNIS, theirs), after: Some((&TUNIS, theirs + 1)) }),
        ("a letter in a common Text", Act::Insert { text: (&ROME, common), after: Some((&TUNIS, theirs + 1)) }),
        ("a letter to delete", Act::Delete { text: (&TUNIS, theirs), letter: (&TUNIS, theirs + 1) }),
        ("a value", Act::Replace { key: "status", value: (&TUNIS, last) }),
        ("nobody's", Act::Replace { key: "status", value: (&[9; 32], 1) }),
        ("its own, of no change", Act::Replace { key: "status", value: (&ACTOR, 1) }),
    ];
    for (what, act) in acts {
        let bad = apart.next(&[own], &act);
        let hash = bad.facts().hash;
        let after =
            Forged { dependencies: vec![hash], seq: 3, ..Forged::sets(&ACTOR, 1 + bad.facts().start_op, 1, "x") };
        let after = safe(&after.bytes());
        let without = received(&[record, tunis, own]).0;
        for order in orders(&[record, tunis, own, &bad, &after]) {
            let (shown, mut unfit, faults) = received(&order);
            assert_eq!(shown, without, "{what}");
            assert!(faults.is_empty(), "{what}: a judgement, not a fault");
            unfit.sort_by_key(|(left_out, _)| *left_out != hash);
            assert!(matches!(unfit[0], (of, Unfit::Reference(_)) if of == hash), "{what}: {unfit:?}");
            assert_eq!(unfit[1..], [(after.facts().hash, Unfit::MissingDependency(hash))], "{what}");
        }
    }
    // On top of it, the same is an honest edit.
    let act = Act::Insert { text: (&TUNIS, theirs), after: Some((&TUNIS, theirs + 1)) };
    let good = apart.next(&[own, tunis], &act);
    for order in orders(&[record, tunis, own, &good]) {
        let (shown, unfit, faults) = received(&order);
        assert!(unfit.is_empty() && faults.is_empty() && shown.contains("a!bc"), "{unfit:?} {shown}");
    }
}

#[test]
fn an_operation_is_named_as_what_it_is() {
    let apart = Apart::new();
    let Apart { record, tunis, own } = &apart;
    let all = [record, tunis, own].map(made).into_iter().flatten().collect::<Vec<_>>();
    let find = |actor: [u8; 32], is: &dyn Fn(&Made) -> bool| {
        let found = all.iter().find(|((of, _), made)| of[..] == actor && is(made)).unwrap();
        (&found.0.0[..], found.0.1)
    };
    let text = |key| move |made: &Made| matches!(made, Made::Text(of) if of == key);
    let value = |key| move |made: &Made| matches!(made, Made::Value(of) if of == key);
    let letter = |(actor, counter): (&[u8], u64)| {
        let (actor, counter) = (actor.to_vec(), counter);
        move |made: &Made| matches!(made, Made::Letter(of, at) if (&of[..], *at) == (&actor[..], counter))
    };
    let french = find(ROME, &text("body/fr"));
    let arabic = find(TUNIS, &text("body/ar"));
    let (in_french, in_arabic) = (find(ROME, &letter(french)), find(TUNIS, &letter(arabic)));
    let (title, status) = (find(ROME, &value("title/fr")), find(TUNIS, &value("status")));
    let deleted = find(TUNIS, &|made| matches!(made, Made::Deletion));
    let wrong = [
        ("a letter for a Text", Act::Insert { text: in_french, after: None }, in_french),
        ("a value for a Text", Act::Insert { text: title, after: None }, title),
        ("a deletion for a Text", Act::Insert { text: deleted, after: None }, deleted),
        ("a letter of another Text", Act::Insert { text: arabic, after: Some(in_french) }, in_french),
        ("a Text for a letter", Act::Insert { text: french, after: Some(french) }, french),
        ("a value for a letter", Act::Insert { text: french, after: Some(status) }, status),
        ("a deletion for a letter", Act::Insert { text: french, after: Some(deleted) }, deleted),
        ("a letter to delete, of another Text", Act::Delete { text: french, letter: in_arabic }, in_arabic),
        ("a Text to delete as a letter", Act::Delete { text: french, letter: arabic }, arabic),
        ("a letter to delete in a letter", Act::Delete { text: in_french, letter: in_french }, in_french),
        ("a value of another key", Act::Replace { key: "status", value: title }, title),
        ("a Text of another key", Act::Replace { key: "body/fr", value: arabic }, arabic),
        ("a letter for a value", Act::Replace { key: "body/fr", value: in_french }, in_french),
        ("a deletion for a value", Act::Replace { key: "status", value: deleted }, deleted),
    ];
    let without = received(&[record, tunis, own]).0;
    for (what, act, named) in wrong {
        let bad = apart.next(&[own, tunis], &act);
        let hash = bad.facts().hash;
        for order in orders(&[record, tunis, own, &bad]) {
            let (shown, unfit, faults) = received(&order);
            assert_eq!((shown, faults), (without.clone(), vec![]), "{what}");
            let why = if order[3].facts().hash == hash { &unfit[..] } else { &unfit[unfit.len() - 1..] };
            assert_eq!(why, [(hash, Unfit::Kind(named.1))], "{what}");
        }
    }
    let right = [
        Act::Insert { text: arabic, after: Some(in_arabic) },
        Act::Insert { text: french, after: None },
        Act::Delete { text: french, letter: in_french },
        Act::Replace { key: "status", value: status },
        Act::Replace { key: "body/fr", value: french },
    ];
    for act in right {
        let good = apart.next(&[own, tunis], &act);
        for order in orders(&[record, tunis, own, &good]) {
            let (_, unfit, faults) = received(&order);
            assert!(unfit.is_empty() && faults.is_empty(), "{act:?}: {unfit:?}");
        }
    }
}

#[test]
fn an_outline_says_what_automerge_says() {
    let Apart { record, tunis, own } = Apart::new();
    for change in [&record, &tunis, &own] {
        let outline = outline(change.raw(), &change.facts().actor).unwrap();
        for ((_, counter), made) in made(change) {
            let same = match (outline.at(counter).unwrap(), &made) {
                (Kind::Text(key), Made::Text(of)) | (Kind::Value(key), Made::Value(of)) => key == of,
                (Kind::Letter((actor, text), counters), Made::Letter(of, at)) => {
                    actor[..] == of[..] && text == *at && counters.contains(&counter)
                }
                (Kind::Deletion, Made::Deletion) => true,
                _ => false,
            };
            assert!(same, "{counter}: {made:?}");
        }
        let counters = Apart::counters(change);
        assert_eq!((outline.at(counters.start - 1), outline.at(counters.end)), (None, None));
        assert!(outline.size_bytes() < 1_000, "{}", outline.size_bytes());
    }
}

#[test]
fn what_a_change_makes_itself_is_named_as_what_it_is() {
    // A value or a Text under one key, then a letter in it.
    let forged = |action: u8, value: Vec<u8>| {
        let columns = vec![
            (0x01, vec![0, 1, 0x7f, 0]),
            (0x02, vec![0, 1, 0x7f, 1]),
            (0x13, vec![0, 1, 0x7f, 0]),
            (0x15, vec![0x7f, 1, b'x', 0, 1]),
            (0x34, vec![1, 1]),
            (0x42, if action == 1 { vec![2, 1] } else { vec![0x7e, action, 1] }),
            (0x56, [vec![0x7e], value, vec![0x16]].concat()),
            (0x57, b"!".to_vec()),
            (0x70, vec![2, 0]),
        ];
        safe(&Forged { columns, ..base() }.bytes())
    };
    let good = forged(4, vec![0]);
    assert_eq!(document().apply(std::slice::from_ref(&good)).unwrap().applied, [good.facts().hash]);
    let bad = forged(1, vec![2]);
    let applied = document().apply(std::slice::from_ref(&bad)).unwrap();
    assert_eq!((applied.unfit, applied.faults), (vec![(bad.facts().hash, Unfit::Kind(1))], vec![]));
}

/// A chunk with some bytes of its content changed, under a right checksum.
fn mutated(raw: &[u8], flips: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let header = 9 + unsigned_length(&raw[9..]);
    let mut content = raw[header..].to_vec();
    for (place, value) in flips {
        // The actor stays: another is refused at once, and nothing behind it would be looked at.
        let place = place.index(content.len());
        let actor = 1 + 32 * usize::from(content[0]) + 1;
        if !(actor - 1..actor + 32).contains(&place) {
            content[place] = *value;
        }
    }
    attacks::chunk(1, &content)
}

fn unsigned_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1
}

fn small() -> impl Strategy<Value = u8> {
    prop_oneof![0..6u8, 0x7a..0x82u8, any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_do_no_harm(
        second in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), small()), 1..4),
    ) {
        let first = document().edit(&draft().with("tags/a", true), &ACTOR, None).unwrap().unwrap();
        let next = RecordDraft::default().with("body/fr", "Un mot.\nDeux lignes!\n").with("title/fr", Value::Null);
        let next = first.after.edit(&next, &ACTOR, None).unwrap().unwrap();
        let raw = if second { mutated(next.change.raw(), &flips) } else { mutated(first.change.raw(), &flips) };
        let before = Instant::now();
        if let Ok(change) = SafeChange::new(raw, &ACTOR) {
            let mut document = if second { first.after.clone() } else { document() };
            let applied = document.apply(&[change]).unwrap();
            prop_assert_eq!(applied.applied.len() + applied.unfit.len() + applied.faults.len(), 1);
            // Whatever came of it, the record is still shown, saved, opened and edited.
            let view = document.view().unwrap();
            let reopened = Document::load(document.id(), &document.save().unwrap()).unwrap();
            prop_assert_eq!(reopened.view().unwrap(), view);
            let edit = RecordDraft::default().with("body/fr", "Rien de tout cela.").with("status", "draft");
            prop_assert!(document.edit(&edit, &[8; 32], None).unwrap().is_some());
        }
        prop_assert!(before.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = prevalidate(&content, &ACTOR);
        let _ = prevalidate(&attacks::chunk(1, &content), &ACTOR);
    }
}

fn op() -> impl Strategy<Value = (usize, u64)> {
    (0..4usize, 1..90u64)
}

proptest! {
    // Each goes through 24 orders.
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_change_refers_to_never_makes_the_order_matter(
        kind in 0..3u8,
        on_both in any::<bool>(),
        first in op(),
        second in op(),
        key in prop::sample::select(vec!["status", "title/fr", "body/fr", "body/ar"]),
    ) {
        let apart = Apart::new();
        let Apart { record, tunis, own } = &apart;
        let below = if on_both { vec![own, tunis] } else { vec![own] };
        let end = below.iter().map(|change| Apart::counters(change).end).max().unwrap();
        let actors: [&[u8]; 4] = [&ROME, &TUNIS, &ACTOR, &[9; 32]];
        let op = |(actor, counter): (usize, u64)| (actors[actor], counter.min(end - 1));
        // Half of the time a Text and what may be a letter of it, or mostly nothing would fit.
        let texts: Vec<_> = [record, tunis, own]
            .into_iter()
            .flat_map(made)
            .filter_map(|(id, made)| matches!(made, Made::Text(_)).then_some(id))
            .collect();
        let text = match first.1 % 2 {
            0 => texts.get(first.1 as usize / 2 % texts.len()).map(|(actor, counter)| (&actor[..], *counter)).unwrap(),
            _ => op(first),
        };
        let act = match kind {
            0 => Act::Insert { text, after: Some(op(second)).filter(|_| second.1 % 8 > 0) },
            1 => Act::Delete { text, letter: op(second) },
            _ => Act::Replace { key, value: op(first) },
        };
        let forged = apart.next(&below, &act);
        let mut seen = orders(&[record, tunis, own, &forged]).iter().map(|order| received(order)).collect::<Vec<_>>();
        seen.dedup();
        prop_assert_eq!(seen.len(), 1, "{:?}", seen);
        prop_assert!(seen[0].2.is_empty(), "a judgement, not a fault");
        let held: BTreeMap<(Vec<u8>, u64), Made> = below.iter().copied().chain([record]).flat_map(made).collect();
        let what = |(actor, counter): (&[u8], u64)| held.get(&(actor.to_vec(), counter));
        let is_text = |text| matches!(what(text), Some(Made::Text(_)));
        let is_letter = |letter, (actor, counter): (&[u8], u64)| {
            matches!(what(letter), Some(Made::Letter(of, at)) if (&of[..], *at) == (actor, counter))
        };
        let (named, fits) = match act {
            Act::Insert { text, after } => {
                (vec![Some(text), after], is_text(text) && after.is_none_or(|letter| is_letter(letter, text)))
            }
            Act::Delete { text, letter } => (vec![Some(text), Some(letter)], is_text(text) && is_letter(letter, text)),
            Act::Replace { key, value } => {
                (vec![Some(value)], matches!(what(value), Some(Made::Text(of) | Made::Value(of)) if of == key))
            }
        };
        let is_below = named.into_iter().flatten().all(|op| what(op).is_some());
        let left_out: Vec<_> = seen[0].1.iter().map(|(_, why)| why.clone()).collect();
        prop_assert_eq!(left_out.is_empty(), fits, "{:?}", left_out);
        let is_right = |why: &Unfit| match why {
            Unfit::Reference(_) => !is_below,
            Unfit::Kind(_) => true,
            _ => false,
        };
        prop_assert!(left_out.iter().all(is_right), "{:?}", left_out);
        prop_assert!(!is_below || left_out.iter().all(|why| matches!(why, Unfit::Kind(_))), "{:?}", left_out);
    }
}

/// What an operation is, as Automerge itself has it.
#[derive(Debug)]
enum Made {
    Text(String),
    Value(String),
    Letter(Vec<u8>, u64),
    Deletion,
}

fn made(change: &SafeChange) -> Vec<((Vec<u8>, u64), Made)> {
    let change = Change::try_from(change.raw()).unwrap();
    let actor = change.actor_id().to_bytes().to_vec();
    let operations = change.decode().operations.into_iter().map(|operation| match (operation.action, operation.obj) {
        (OpType::Delete, _) => Made::Deletion,
        (OpType::Make(_), _) => Made::Text(key(&operation.key)),
        (_, ObjectId::Root) => Made::Value(key(&operation.key)),
        (_, ObjectId::Id(OpId(counter, actor))) => Made::Letter(actor.to_bytes().to_vec(), counter),
    });
    (change.start_op().get()..).map(|counter| (actor.clone(), counter)).zip(operations).collect()
}

fn key(key: &Key) -> String {
    match key {
        Key::Map(key) => key.to_string(),
        Key::Seq(_) => panic!("{key:?}"),
    }
}
