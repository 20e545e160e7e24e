//! What is contested in a record and by whom, what changed in it, and the way back: nothing is hidden, nothing rewritten.

use portolan_daemon::documents::DocumentError;
use portolan_protocol::{
    api::{Choice, DocumentQuery, PieceKind, RestoreDocument, SettleField},
    id::{DocumentId, SpaceId},
    record::{RecordDraft, Value},
};

use portolan_protocol::{
    effects::Way,
    input::{Command, Reply},
    status::Holding,
};

use crate::world::{Agency, partnership, sync};

/// A record that both hold, and what both wrote into it apart.
async fn apart(
    rome: &Agency,
    tunis: &Agency,
    space: SpaceId,
    ours: &[(&str, &str)],
    theirs: &[(&str, &str)],
) -> DocumentId {
    let draft = RecordDraft::new("page", "fr").with("title/fr", "Ports").with("marking", "GREEN");
    let ports = rome.create(space, 1, draft).await;
    sync(rome, tunis);
    for (agency, fields) in [(rome, ours), (tunis, theirs)] {
        for (key, value) in fields {
            agency.show(space, ports).await;
            agency.edit(space, ports, key, value).await;
        }
    }
    sync(rome, tunis);
    rome.show(space, ports).await;
    ports
}

fn settle(field: &str, choice: Choice, heads: &[String]) -> SettleField {
    SettleField { field: field.to_owned(), choice, heads: heads.to_vec(), reason: "agreed".to_owned() }
}

#[tokio::test]
async fn each_contested_value_is_told_with_its_author_and_one_of_them_is_left() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    let ours = [("status", "draft"), ("body/fr", "De Rome."), ("body/fr", "De Rome, encore.")];
    let ports = apart(rome, tunis, space, &ours, &[("status", "review"), ("body/fr", "De Tunis.")]).await;
    let contests = rome.documents.contests(space, ports).await.unwrap();
    assert_eq!(contests, tunis.documents.contests(space, ports).await.unwrap(), "the same on both");
    let told: Vec<String> = contests
        .fields
        .iter()
        .flat_map(|field| field.values.iter().map(|held| (&field.field, held)))
        .map(|(field, held)| {
            let names: Vec<&str> = held.written.iter().map(|written| written.name.as_str()).collect();
            format!("{field}: {} by {}", held.value, names.join(", "))
        })
        .collect();
    let expected = [
        "body/fr: De Rome, encore. by Person 1",
        "body/fr: De Tunis. by Person 2",
        "status: draft by Person 1",
        "status: review by Person 2",
    ];
    assert_eq!(told, expected);
    assert!(contests.fields.iter().all(|field| field.joined.is_none()));
    // Of a text the last that wrote into it, whose hash is one of the heads here.
    assert!(contests.heads.contains(&contests.fields[0].values[0].written[0].change));
    rome.everything(space).await;
    let listed = |contested| {
        let query = DocumentQuery { contested: Some(contested), ..DocumentQuery::default() };
        async { rome.documents.list(space, query, None, 10).await.unwrap().documents.len() }
    };
    assert_eq!((listed(true).await, listed(false).await), (1, 0));

    // Tunis writes on while Rome settles: what nobody saw stays beside a choice that is written anew.
    let first = rome.documents.show(space, ports).await.unwrap().record.fields["status"].clone();
    let place = contests.fields[1].values.iter().position(|held| held.value != first).unwrap();
    let chosen = contests.fields[1].values[place].value.clone();
    tunis.edit(space, ports, "status", "published").await;
    let take = Choice::Take(u32::try_from(place).unwrap() + 1);
    for (field, choice) in [("status", take), ("body/fr", Choice::Value("De tous deux.".into()))] {
        rome.documents.settle_field(space, ports, settle(field, choice, &contests.heads), rome.person()).await.unwrap();
    }
    rome.everything(space).await;
    assert_eq!((listed(true).await, listed(false).await), (0, 1));
    sync(rome, tunis);
    for agency in [rome, tunis] {
        agency.show(space, ports).await;
        let record = agency.documents.show(space, ports).await.unwrap().record;
        assert_eq!(record.fields["body/fr"], Value::from("De tous deux."));
        assert_eq!(record.conflicts.keys().collect::<Vec<_>>(), ["status"]);
        let mut both = vec![chosen.clone(), Value::from("published")];
        both.sort();
        assert_eq!(record.conflicts["status"], both);
    }
    // The value that is shown first stays as it was written; the others go.
    let now = rome.documents.contests(space, ports).await.unwrap();
    let first = rome.documents.show(space, ports).await.unwrap().record.fields["status"].clone();
    let keep = settle("status", Choice::Value(first.clone()), &now.heads);
    rome.documents.settle_field(space, ports, keep, rome.person()).await.unwrap();
    let record = rome.documents.show(space, ports).await.unwrap().record;
    assert_eq!((record.conflicts.len(), &record.fields["status"]), (0, &first));
}

#[tokio::test]
async fn what_is_not_contested_is_not_settled_and_a_marking_is_never_lowered() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    let ports =
        apart(rome, tunis, space, &[("marking", "AMBER"), ("status", "draft")], &[("marking", "AMBER+STRICT")]).await;
    let contests = rome.documents.contests(space, ports).await.unwrap();
    let [marking] = &contests.fields[..] else { panic!("{contests:?}") };
    assert_eq!((marking.field.as_str(), &marking.joined), ("marking", &Some(Value::from("AMBER+STRICT"))));
    let tried = async |field: &str, choice| {
        let request = settle(field, choice, &contests.heads);
        rome.documents.settle_field(space, ports, request, rome.person()).await
    };
    for lower in [Choice::Take(1), Choice::Value("CLEAR".into()), Choice::Value(Value::Null)] {
        let refused = tried("marking", lower).await;
        assert!(matches!(refused, Err(DocumentError::Lowers { .. })), "{refused:?}");
    }
    assert!(matches!(tried("marking", Choice::Take(3)).await, Err(DocumentError::NoSuchValue { count: 2, .. })));
    assert!(matches!(tried("status", Choice::Take(1)).await, Err(DocumentError::NotContested(_))));
    tried("marking", Choice::Value("RED".into())).await.unwrap();
    assert!(rome.documents.contests(space, ports).await.unwrap().fields.is_empty());
    assert_eq!(rome.field(space, ports, "marking").await.as_deref(), Some("RED"));
}

#[tokio::test]
async fn the_difference_is_that_of_the_last_change_or_of_any_two_states() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    let first = RecordDraft::new("page", "fr").with("body/fr", "Un petit port au sud.").with("status", "draft");
    let ports = rome.create(space, 1, first).await;
    let whole = rome.documents.difference(space, ports, None, None).await.unwrap();
    assert!(whole.from.is_empty() && whole.fields.iter().all(|field| field.before.is_empty()), "{whole:?}");
    let start = whole.to;
    sync(rome, tunis);
    tunis.show(space, ports).await;
    tunis.edit(space, ports, "status", "review").await;
    rome.edit(space, ports, "body/fr", "Un grand port au sud.").await;
    sync(rome, tunis);
    rome.show(space, ports).await;
    // Of two changes made apart the last is undone alone.
    let last = rome.documents.difference(space, ports, None, None).await.unwrap();
    assert_eq!((last.from.len(), last.to.len(), last.fields.len()), (1, 2, 1), "{last:?}");
    let all = rome.documents.difference(space, ports, Some(start.clone()), None).await.unwrap();
    assert_eq!(all.fields.iter().map(|field| field.field.as_str()).collect::<Vec<_>>(), ["body/fr", "status"]);
    let pieces: Vec<_> = all.fields[0].pieces.iter().map(|piece| (piece.kind, piece.text.as_str())).collect();
    let expected = [
        (PieceKind::Same, "Un "),
        (PieceKind::Removed, "petit"),
        (PieceKind::Added, "grand"),
        (PieceKind::Same, " port au sud."),
    ];
    assert_eq!(pieces, expected);
    assert_eq!((&all.fields[1].before, &all.fields[1].after), (&vec!["draft".into()], &vec!["review".into()]));
    let back = rome.documents.difference(space, ports, Some(all.to), Some(start)).await.unwrap();
    assert_eq!(back.fields[1].before, [Value::from("review")]);
    let nowhere = rome.documents.difference(space, ports, Some(vec!["00".repeat(32)]), None).await;
    assert!(matches!(nowhere, Err(DocumentError::UnknownHeads(_))), "{nowhere:?}");
}

#[tokio::test]
async fn an_earlier_state_comes_back_as_a_new_change_beside_what_others_write_meanwhile() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    let ports = apart(rome, tunis, space, &[], &[]).await;
    rome.edit(space, ports, "body/fr", "Un port.\nDeux ports.\n").await;
    let good = rome.documents.show(space, ports).await.unwrap().record;
    sync(rome, tunis);
    for (key, value) in [("body/fr", "Rien.\n"), ("status", "review"), ("marking", "RED"), ("title/fr", "Riens")] {
        rome.edit(space, ports, key, value).await;
    }
    tunis.show(space, ports).await;
    tunis.edit(space, ports, "summary/fr", "De Tunis.").await;
    let request = |dry_run| RestoreDocument { to: good.heads.clone(), heads: None, reason: String::new(), dry_run };
    let before = rome.documents.show(space, ports).await.unwrap();
    let dry = rome.documents.restore(space, ports, request(true), rome.person()).await.unwrap();
    assert_eq!(dry.saved, None);
    assert_eq!(rome.documents.show(space, ports).await.unwrap(), before, "a dry run changes nothing");
    let done = rome.documents.restore(space, ports, request(false), rome.person()).await.unwrap();
    assert_eq!((&done.difference, &done.left), (&dry.difference, &dry.left));
    let fields: Vec<_> = done.difference.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["body/fr", "status", "title/fr"]);
    assert_eq!(done.left.iter().map(|note| note.path.as_str()).collect::<Vec<_>>(), ["marking"]);
    let after = rome.documents.show(space, ports).await.unwrap();
    assert_eq!(after.changes, before.changes + 1, "nothing is rewritten");
    let mut expected = good.fields.clone();
    expected.insert("marking".into(), "RED".into());
    assert_eq!(after.record.fields, expected);
    let reason = rome.documents.history(space, ports).await.unwrap().pop().unwrap().reason;
    assert_eq!(reason, format!("restored to {}", &good.heads[0][..8]));
    // The difference that was told is the one that came about.
    let told = rome.documents.difference(space, ports, None, None).await.unwrap();
    assert_eq!(told.fields, done.difference.fields);
    let again = rome.documents.restore(space, ports, request(false), rome.person()).await.unwrap();
    assert!(again.saved.is_none() && again.difference.fields.is_empty(), "{again:?}");
    sync(rome, tunis);
    assert_eq!(rome.field(space, ports, "summary/fr").await.as_deref(), Some("De Tunis."));
    assert_eq!(rome.show(space, ports).await, tunis.show(space, ports).await);
}

#[tokio::test]
async fn a_restoration_does_what_its_dry_run_showed_also_when_somebody_writes_between() {
    let rome = Agency::open(1);
    let space = rome.found();
    let ports = rome.create(space, 1, RecordDraft::new("page", "fr").with("title/fr", "Ports")).await;
    let good = rome.documents.show(space, ports).await.unwrap().record.heads;
    rome.edit(space, ports, "title/fr", "Riens").await;
    let request = |heads, dry_run| RestoreDocument { to: good.clone(), heads, reason: String::new(), dry_run };
    let dry = rome.documents.restore(space, ports, request(None, true), rome.person()).await.unwrap();
    rome.edit(space, ports, "summary/fr", "Entre-temps.").await;
    let seen = Some(dry.difference.from.clone());
    let done = rome.documents.restore(space, ports, request(seen, false), rome.person()).await.unwrap();
    assert_eq!(done.difference, dry.difference);
    assert_eq!(rome.field(space, ports, "title/fr").await.as_deref(), Some("Ports"));
    assert_eq!(rome.field(space, ports, "summary/fr").await.as_deref(), Some("Entre-temps."));
}

#[tokio::test]
async fn a_translation_is_behind_by_the_changes_of_the_original_since_it_was_made() {
    let rome = Agency::open(1);
    let space = rome.found();
    let first = RecordDraft::new("page", "fr").with("title/fr", "Ports").with("body/fr", "Un port.");
    let ports = rome.create(space, 1, first).await;
    let made = rome.documents.show(space, ports).await.unwrap().record.heads.join(",");
    let translated = RecordDraft::default()
        .with("title/ar", "\u{645}")
        .with("translations/ar/from", made.as_str())
        .with("translations/ar/state", "draft")
        .with("title/en", "Ports")
        .with("title/pt", "Portos")
        .with("translations/pt/from", "00".repeat(32));
    rome.documents.edit(space, ports, translated, None, rome.person(), String::new()).await.unwrap();
    let behind = async || {
        let found = rome.documents.translations(space, ports).await.unwrap();
        found.translations.into_iter().map(|one| (one.language, one.behind)).collect::<Vec<_>>()
    };
    let expected = |ar| [("ar", Some(ar)), ("en", None), ("pt", None)].map(|(tag, behind)| (tag.to_owned(), behind));
    assert_eq!(behind().await, expected(0), "the translation itself does not count");
    for (key, value) in
        [("body/fr", "Deux ports."), ("status", "review"), ("title/en", "Harbours"), ("title/fr", "Les ports")]
    {
        rome.edit(space, ports, key, value).await;
    }
    assert_eq!(behind().await, expected(2));
    let now = rome.documents.show(space, ports).await.unwrap().record.heads.join(",");
    rome.edit(space, ports, "translations/ar/from", &now).await;
    assert_eq!(behind().await, expected(0));
}

#[tokio::test]
async fn what_others_hold_of_a_record_is_what_they_signed_for() {
    let (agencies, space) = partnership(3);
    let [rome, tunis, amman] = &agencies[..] else { panic!() };
    let holdings = async |record| -> Vec<Holding> {
        let entries = rome.documents.history(space, record).await.unwrap().iter().map(|item| item.entry).collect();
        match rome.order(Command::Holdings { space, entries }) {
            Ok(Reply::Holdings(holdings)) => holdings,
            other => panic!("{other:?}"),
        }
    };
    let held =
        |holdings: &[Holding], of: &Agency| holdings.iter().find(|one| one.node == of.id()).unwrap().held.clone();
    let ports = rome.create(space, 1, RecordDraft::new("page", "fr").with("title/fr", "Ports")).await;
    sync(rome, tunis);
    rome.edit(space, ports, "status", "review").await;
    let told = holdings(ports).await;
    assert_eq!(told.len(), 2, "this node is not among them: {told:?}");
    assert_eq!((held(&told, tunis), held(&told, amman)), (vec![true, false], vec![false, false]));
    assert!(told.iter().all(|one| one.peer && one.role.is_some()));
    sync(rome, amman);
    sync(rome, tunis);
    rome.order(Command::Revoke { space, member: amman.id() }).unwrap();
    let told = holdings(ports).await;
    assert_eq!((held(&told, tunis), held(&told, amman)), (vec![true, true], vec![true, true]));
    let amman_now = told.iter().find(|one| one.node == amman.id()).unwrap();
    assert_eq!((amman_now.role, amman_now.peer), (None, true), "what it has it keeps");
}

#[tokio::test]
async fn every_node_knows_by_which_way_each_change_came() {
    let (agencies, space) = partnership(3);
    let [rome, tunis, amman] = &agencies[..] else { panic!() };
    let ports = rome.create(space, 1, RecordDraft::new("page", "fr").with("title/fr", "Ports")).await;
    sync(rome, tunis);
    tunis.show(space, ports).await;
    tunis.edit(space, ports, "status", "review").await;
    // Amman hears of both from Tunis.
    sync(tunis, amman);
    sync(tunis, rome);
    rome.show(space, ports).await;
    let history = rome.documents.history(space, ports).await.unwrap();
    let ways = |agency: &Agency| history.iter().map(|item| agency.way(space, &item.entry)).collect::<Vec<_>>();
    assert_eq!(ways(rome), [Some(Way::Written), Some(Way::Link(tunis.id()))]);
    assert_eq!(ways(tunis), [Some(Way::Link(rome.id())), Some(Way::Written)]);
    assert_eq!(ways(amman), [Some(Way::Link(tunis.id())); 2]);
    rome.documents.rebuild().await.unwrap();
    assert_eq!(ways(rome)[1], Some(Way::Link(tunis.id())), "it is not forgotten with what is derived");
}
