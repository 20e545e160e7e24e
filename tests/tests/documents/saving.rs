//! Saves and imports: made on what the person saw, one after another for each record, shown when they are durable.

use portolan_daemon::documents::{DocumentError, Source};
use portolan_protocol::{
    api::{ImportOutcome, Outcome},
    id::DocumentId,
    record::{RecordDraft, Value},
};

use crate::world::{Agency, partnership, sync};

fn page(title: &str) -> RecordDraft {
    RecordDraft::new("page", "en").with("title/en", title).with("body/en", "One line.\nAnother line.\n")
}

#[tokio::test]
async fn an_edit_is_made_on_what_the_person_saw() {
    let rome = Agency::open(1);
    let space = rome.found();
    let chart = rome.create(space, 1, page("Chart")).await;
    let seen = rome.documents.show(space, chart).await.unwrap().record.heads;
    rome.edit(space, chart, "body/en", "One line, longer.\nAnother line.\n").await;
    let draft = RecordDraft::default().with("body/en", "One line.\nAnother line, longer.\n");
    let saved =
        rome.documents.edit(space, chart, draft, Some(seen.clone()), rome.person(), String::new()).await.unwrap();
    assert!(saved.merged);
    assert_eq!(saved.heads.len(), 2);
    let body = rome.field(space, chart, "body/en").await.unwrap();
    assert_eq!(body, "One line, longer.\nAnother line, longer.\n");
    let history = rome.documents.history(space, chart).await.unwrap();
    assert_eq!(history.len(), 3, "one entry for each save");
    let unknown = Some(vec!["00".repeat(32)]);
    let draft = RecordDraft::default().with("title/en", "x");
    let error = rome.documents.edit(space, chart, draft, unknown, rome.person(), String::new()).await.unwrap_err();
    assert!(matches!(error, DocumentError::UnknownHeads(_)));
    // Whoever gets the entries shows the same.
    rome.documents.rebuild().await.unwrap();
    assert_eq!(rome.field(space, chart, "body/en").await.as_deref(), Some(body.as_str()));
}

#[tokio::test]
async fn a_record_is_shown_as_it_was_and_its_history_names_the_fields() {
    let rome = Agency::open(1);
    let space = rome.found();
    let first = RecordDraft::new("page", "en").with("title/en", "Chart").with("body/en", "Here be dragons.");
    let chart = rome.create(space, 1, first).await;
    let before = rome.documents.show(space, chart).await.unwrap();
    rome.edit(space, chart, "body/en", "Here be no dragons.").await;
    let then = rome.documents.show_at(space, chart, before.record.heads.clone()).await.unwrap();
    assert_eq!(then, before);
    assert_ne!(rome.documents.show(space, chart).await.unwrap().record, before.record);
    let nowhere = rome.documents.show_at(space, chart, vec!["00".repeat(32)]).await;
    assert!(matches!(nowhere, Err(DocumentError::UnknownHeads(_))), "{nowhere:?}");
    let history = rome.documents.history(space, chart).await.unwrap();
    let fields: Vec<_> = history.iter().map(|item| item.fields.join(" ")).collect();
    assert_eq!(fields, ["body/en language schema title/en type", "body/en"]);
}

#[tokio::test]
async fn saves_of_one_record_come_one_after_another() {
    let rome = Agency::open(1);
    let space = rome.found();
    let chart = rome.create(space, 1, page("Chart")).await;
    let edits = (0..30).map(|n| {
        let rome = rome.clone();
        tokio::spawn(async move { rome.edit(space, chart, &format!("tags-{n}"), "set").await })
    });
    for edit in edits.collect::<Vec<_>>() {
        edit.await.unwrap();
    }
    let shown = rome.documents.show(space, chart).await.unwrap();
    assert_eq!(shown.changes, 31);
    assert_eq!(shown.record.heads.len(), 1, "none was made beside another");
    assert_eq!(shown.record.fields.keys().filter(|key| key.starts_with("tags-")).count(), 30);
}

#[tokio::test]
async fn what_is_there_or_not_there_is_said() {
    let rome = Agency::open(1);
    let space = rome.found();
    let chart = rome.create(space, 1, page("Chart")).await;
    let again = rome.documents.create(space, chart, page("Other"), rome.person(), String::new()).await;
    assert!(matches!(again, Err(DocumentError::Exists(_))));
    let absent = DocumentId([9; 16]);
    let edit = rome.documents.edit(space, absent, page("Other"), None, rome.person(), String::new()).await;
    assert!(matches!(edit, Err(DocumentError::NotFound(_))));
    let same = rome.documents.put(space, chart, page("Chart"), rome.person(), String::new()).await.unwrap();
    assert_eq!(same.outcome, Outcome::Unchanged);
    for (marking, lowered) in [("RED", 0), ("AMBER", 1), ("AMBER", 0)] {
        let draft = RecordDraft::default().with("marking", marking);
        let saved = rome.documents.edit(space, chart, draft, None, rome.person(), String::new()).await.unwrap();
        assert_eq!(saved.warnings.len(), lowered, "{marking}: {:?}", saved.warnings);
    }
    let gone = rome.documents.delete(space, chart, rome.person(), "old".into()).await.unwrap();
    assert_eq!(gone.outcome, Outcome::Deleted);
    assert!(rome.documents.show(space, chart).await.unwrap().record.deleted);
    assert_eq!(rome.everything(space).await.len(), 0);
    let long = "x".repeat(2_000);
    let edit = rome.documents.edit(space, chart, page("Chart"), None, rome.person(), long).await;
    assert!(matches!(edit, Err(DocumentError::TooLong { .. })));
}

#[tokio::test]
async fn an_import_writes_what_is_new_and_nothing_twice() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    let id = |n: u16| DocumentId([n.to_be_bytes(); 8].concat().try_into().unwrap());
    let mut items: Vec<_> = (0..500).map(|n| (id(n), page(&format!("Page {n}")))).collect();
    items.push((id(7), page("Page 7, revised")));
    items.push((id(501), RecordDraft::new("page", "en").with("title/XX", "spelt wrongly")));
    let dry = rome.documents.import(space, items.clone(), rome.person(), true).await.unwrap();
    assert_eq!(dry.iter().filter(|item| item.outcome == ImportOutcome::Created).count(), 501);
    assert_eq!(rome.everything(space).await.len(), 0, "a dry run writes nothing");
    let done = rome.documents.import(space, items.clone(), rome.person(), false).await.unwrap();
    let count = |outcome: &ImportOutcome| done.iter().filter(|item| item.outcome == *outcome).count();
    assert_eq!((count(&ImportOutcome::Created), count(&ImportOutcome::Updated)), (500, 1));
    assert!(matches!(done.last().unwrap().outcome, ImportOutcome::Refused { .. }));
    assert_eq!(
        done.iter().map(|item| item.document).collect::<Vec<_>>(),
        items.iter().map(|(id, _)| *id).collect::<Vec<_>>()
    );
    assert_eq!(rome.field(space, id(7), "title/en").await.as_deref(), Some("Page 7, revised"));
    items.truncate(500);
    items.remove(7);
    let again = rome.documents.import(space, items, rome.person(), false).await.unwrap();
    assert!(again.iter().all(|item| item.outcome == ImportOutcome::Unchanged));
    sync(rome, tunis);
    let everything = rome.everything(space).await;
    assert_eq!(everything.len(), 1_000);
    assert_eq!(tunis.everything(space).await, everything);
}

#[tokio::test]
async fn the_type_and_the_language_of_a_record_can_be_taken_away() {
    let rome = Agency::open(1);
    let space = rome.found();
    let chart = rome.create(space, 1, page("Chart")).await;
    let draft = RecordDraft::default().with("type", Value::Null).with("language", Value::Null);
    let saved = rome.documents.edit(space, chart, draft, None, rome.person(), String::new()).await.unwrap();
    assert_eq!(saved.outcome, Outcome::Updated);
    let record = rome.documents.show(space, chart).await.unwrap().record;
    assert_eq!((record.kind.as_str(), record.language), ("", None));
}

#[tokio::test]
async fn a_file_settles_nothing_that_people_left_open() {
    let (agencies, space) = partnership(2);
    let (rome, tunis) = (&agencies[0], &agencies[1]);
    let draft = RecordDraft::new("page", "fr").with("title/fr", "Ports").with("status", "draft");
    let ports = rome.create(space, 1, draft).await;
    sync(rome, tunis);
    rome.edit(space, ports, "status", "review").await;
    tunis.show(space, ports).await;
    tunis.edit(space, ports, "status", "published").await;
    sync(rome, tunis);
    rome.show(space, ports).await;
    let before = rome.documents.show(space, ports).await.unwrap().record;
    assert_eq!(before.conflicts["status"].len(), 2);
    for value in &before.conflicts["status"] {
        let draft = RecordDraft::default().with("title/fr", "Ports").with("status", value.clone());
        let done = rome.documents.import(space, vec![(ports, draft)], rome.person(), false).await.unwrap();
        assert_eq!(done[0].outcome, ImportOutcome::Unchanged);
    }
    assert_eq!(rome.documents.show(space, ports).await.unwrap().record, before);
    // What is none of the values is written as ever.
    let draft = RecordDraft::default().with("status", "archived");
    rome.documents.import(space, vec![(ports, draft)], rome.person(), false).await.unwrap();
    assert_eq!(rome.field(space, ports, "status").await.as_deref(), Some("archived"));
}

#[tokio::test]
async fn a_file_that_was_written_out_changes_what_was_changed_in_it_and_nothing_else() {
    let rome = Agency::open(1);
    let space = rome.found();
    let first = page("Ports").with("body/fr", "Un port.\nUn quai.\n").with("marking", "AMBER").with("status", "draft");
    let ports = rome.create(space, 1, first.clone()).await;
    let base = Some(rome.documents.show(space, ports).await.unwrap().record.heads);
    for (key, value) in [("status", "published"), ("body/fr", "Un port.\nDeux quais.\n"), ("marking", "RED")] {
        rome.edit(space, ports, key, value).await;
    }
    let import = async |draft: RecordDraft| {
        let source = Source { document: ports, draft, base: base.clone() };
        rome.documents.import(space, vec![source], rome.person(), false).await.unwrap().remove(0)
    };
    let said = async || rome.documents.show(space, ports).await.unwrap().record.fields;
    let present = said().await;
    assert_eq!(import(first.clone()).await.outcome, ImportOutcome::Unchanged, "nothing was changed in the file");
    assert_eq!(said().await, present);

    let edited = first.clone().with("body/fr", "Un grand port.\nUn quai.\n").with("marking", "GREEN");
    let done = import(edited.clone()).await;
    assert_eq!(done.outcome, ImportOutcome::Updated);
    assert!(done.warnings.iter().any(|warning| warning.path == "marking"), "{:?}", done.warnings);
    let merged = said().await;
    assert_eq!(merged["body/fr"], Value::from("Un grand port.\nDeux quais.\n"), "both edits are there");
    assert_eq!((&merged["status"], &merged["marking"]), (&"published".into(), &"RED".into()));
    assert_eq!(import(edited).await.outcome, ImportOutcome::Unchanged, "the same file once more");
    assert_eq!(said().await, merged);

    let source = Source { document: ports, draft: first, base: Some(vec!["00".repeat(32)]) };
    let done = rome.documents.import(space, vec![source], rome.person(), false).await.unwrap().remove(0);
    assert_eq!(
        done.outcome,
        ImportOutcome::Updated,
        "from a state that is not held it is compared with the present one"
    );
}
