//! What is shown depends on the entries held alone: not on their order, not on crashes, not on what was derived before.

use portolan_daemon::documents::{ChangeStanding, Options, Stage, settings_document};
use portolan_protocol::{
    api::DocumentQuery, control::Role, entry::LogKind, id::DocumentId, limits::SPACE_NAME_BYTES_MAX, message::Message,
    record::RecordDraft,
};

use crate::world::{Agency, introduce, partnership, sync, sync_but};

fn page(title: &str) -> RecordDraft {
    RecordDraft::new("page", "en").with("title/en", title).with("body/en", "One line.\nAnother line.\n")
}

#[tokio::test]
async fn the_order_of_arrival_does_not_matter() {
    let (agencies, space) = partnership(4);
    let [rome, tunis, paris, cairo] = &agencies[..] else { panic!() };
    let chart = rome.create(space, 1, page("Chart")).await;
    sync(rome, tunis);
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    for n in 0..12 {
        rome.edit(space, chart, "body/en", &format!("One line from Rome {n}.\nAnother line.\n")).await;
        tunis.edit(space, chart, "body/en", &format!("One line.\nAnother line from Tunis {n}.\n")).await;
    }
    rome.edit(space, chart, "status", "review").await;
    tunis.edit(space, chart, "status", "draft").await;
    tunis.create(space, 2, page("Harbour")).await;
    // Paris sees Rome's first and indexes it before it hears of Tunis; Cairo the other way round.
    sync(paris, rome);
    sync(cairo, tunis);
    let before = paris.show(space, chart).await;
    assert_ne!(before, cairo.show(space, chart).await);
    sync(paris, tunis);
    sync(cairo, rome);
    sync(rome, tunis);
    let everything = rome.everything(space).await;
    assert_eq!(everything.len(), 4);
    assert!(everything[1].contains("from Rome 11") && everything[1].contains("from Tunis 11"), "{}", everything[1]);
    assert!(everything[1].contains(r#""conflicts":{"status":["draft","review"]}"#), "{}", everything[1]);
    for other in [tunis, paris, cairo] {
        assert_eq!(other.everything(space).await, everything, "agency {}", other.number);
    }
    let history = cairo.documents.history(space, chart).await.unwrap();
    assert_eq!(history.len(), 27);
    assert_eq!((history[0].reason.as_str(), history[0].node), ("new", rome.id()));
    assert_eq!(history[0].person, Some(rome.person()));
    assert_eq!(history, paris.documents.history(space, chart).await.unwrap());
}

#[tokio::test]
async fn a_change_waits_for_what_it_stands_on() {
    let (agencies, space) = partnership(3);
    let [rome, tunis, paris] = &agencies[..] else { panic!() };
    let chart = rome.create(space, 1, page("Chart")).await;
    sync(rome, tunis);
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    tunis.edit(space, chart, "title/en", "Chart of Tunis").await;
    let author = rome.id();
    let of_rome =
        |message: &Message| matches!(message, Message::Run { log, kind: LogKind::Data, .. } if log.author == author);
    sync_but(paris, tunis, of_rome);
    let shown = paris.show(space, chart).await;
    assert!(shown.starts_with("there is no record"), "{shown}");
    let history = paris.documents.history(space, chart).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].standing, ChangeStanding::Waiting);
    sync(paris, rome);
    assert_eq!(paris.field(space, chart, "title/en").await.as_deref(), Some("Chart of Tunis"));
    assert_eq!(paris.everything(space).await, tunis.everything(space).await);
}

#[tokio::test]
async fn a_rebuild_gives_the_same_bytes() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    for id in 1..40 {
        let from = if id % 2 == 0 { rome } else { tunis };
        let document = from.create(space, id, page(&format!("Page {id}")).with("tags/sea", true)).await;
        for n in 0..id / 4 {
            from.edit(space, document, "body/en", &format!("Edit {n}")).await;
        }
    }
    sync(rome, tunis);
    let before = rome.everything(space).await;
    assert_eq!(before.len(), 78);
    rome.documents.rebuild().await.unwrap();
    assert_eq!(rome.everything(space).await, before);
    let progress = rome.documents.progress(space).await.unwrap();
    assert_eq!((progress.indexed, progress.total, progress.entries_to_index), (39, 39, 0));
    rome.edit(space, DocumentId([3; 16]), "title/en", "After").await;
    assert_eq!(rome.field(space, DocumentId([3; 16]), "title/en").await.as_deref(), Some("After"));
}

#[tokio::test]
async fn what_was_committed_and_not_derived_is_found_at_the_start() {
    let (mut agencies, space) = partnership(2);
    let (tunis, rome) = (agencies.pop().unwrap(), agencies.pop().unwrap());
    drop(agencies);
    let chart = rome.create(space, 1, page("Chart")).await;
    sync(&rome, &tunis);
    rome.edit(space, chart, "title/en", "Chart, again").await;
    tunis.documents.flush(Stage::Summarised).await.unwrap();
    tunis.mute();
    sync(&rome, &tunis);
    let tunis = tunis.restart().await;
    assert_eq!(tunis.everything(space).await, rome.everything(space).await);
    // And what was derived before is taken up, not made again.
    let tunis = tunis.restart().await;
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    let progress = tunis.documents.progress(space).await.unwrap();
    assert_eq!((progress.indexed, progress.total), (1, 1));
    let chart = tunis.field(space, chart, "title/en").await;
    assert_eq!(chart.as_deref(), Some("Chart, again"));
}

#[tokio::test]
async fn open_documents_stay_within_their_budget() {
    let cache_bytes = 100_000;
    let rome = Agency::with(1, Options { cache_bytes, ..Options::default() });
    let space = rome.found();
    let mut most = 0;
    for id in 1..60 {
        rome.create(space, id, page("Page")).await;
        most = most.max(rome.documents.progress(space).await.unwrap().cache_bytes);
    }
    for id in 1..60 {
        assert!(rome.show(space, DocumentId([id; 16])).await.contains("Page"));
        most = most.max(rome.documents.progress(space).await.unwrap().cache_bytes);
    }
    assert!(most > 0 && most <= cache_bytes as u64, "{most}");
}

#[tokio::test]
async fn many_readers_at_once_get_what_each_asked_for() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    for id in 1..40 {
        rome.create(space, id, page(&format!("Page {id}"))).await;
    }
    sync(rome, tunis);
    // Each twice, and one that is nowhere, all before the first is answered.
    let asked = (1..=40).chain(1..=40).map(|id| {
        let documents = tunis.documents.clone();
        (id, tokio::spawn(async move { documents.show(space, DocumentId([id; 16])).await }))
    });
    for (id, answer) in asked.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(shown) => assert_eq!(shown.record.title_in(&["en"]), Some(format!("Page {id}").as_str())),
            Err(error) => assert_eq!(
                (id, error.to_string()),
                (40, format!("there is no record {} in this space", DocumentId([40; 16])))
            ),
        }
    }
}

#[tokio::test]
async fn lists_are_filtered_paged_and_found_by_prefix() {
    let rome = Agency::open(1);
    let space = rome.found();
    for id in 1..=50 {
        let tag = if id % 5 == 0 { "tags/five" } else { "tags/other" };
        rome.create(space, id, page(&format!("Page {id}")).with(tag, true)).await;
    }
    rome.documents.delete(space, DocumentId([10; 16]), rome.person(), String::new()).await.unwrap();
    rome.documents.flush(Stage::Summarised).await.unwrap();
    let query = DocumentQuery { tag: Some("five".into()), ..DocumentQuery::default() };
    let (mut after, mut ids) = (None, Vec::new());
    loop {
        let part = rome.documents.list(space, query.clone(), after, 4).await.unwrap();
        ids.extend(part.documents.iter().map(|summary| summary.id.0[0]));
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(ids, [5, 15, 20, 25, 30, 35, 40, 45, 50]);
    let deleted = DocumentQuery { deleted: Some(true), ..DocumentQuery::default() };
    assert_eq!(rome.documents.list(space, deleted, None, 10).await.unwrap().documents.len(), 1);
    let id = DocumentId([33; 16]);
    assert_eq!(rome.documents.resolve(space, &id.to_string()[..5], 10).await.unwrap(), [id]);
    assert_eq!(rome.documents.resolve(space, &id.to_string(), 10).await.unwrap(), [id]);
    assert!(rome.documents.resolve(space, "a1", 10).await.is_err());
}

#[tokio::test]
async fn a_space_has_the_name_that_its_settings_say() {
    let (rome, tunis) = (Agency::open(1), Agency::open(2));
    introduce(&rome, &tunis);
    let space = rome.found();
    rome.grant(space, &tunis, Role::Reader);
    let draft = RecordDraft::new("space", "fr").with("title/fr", "Méditerranée").with("title/en", "Mediterranean");
    rome.documents.put(space, settings_document(&space), draft, rome.person(), String::new()).await.unwrap();
    sync(&rome, &tunis);
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    let name = tunis.documents.space_name(space, &["en"]).await.unwrap();
    assert_eq!(name.as_deref(), Some("Mediterranean"));
    assert_eq!(tunis.documents.space_name(space, &[]).await.unwrap().as_deref(), Some("Méditerranée"));
}

#[tokio::test]
async fn no_record_makes_a_list_too_long_to_be_answered() {
    let rome = Agency::open(1);
    let space = rome.found();
    // More than a page holds, though few: 250 tags of 200 bytes each.
    let tagged = (0..250).fold(page(&"x".repeat(200_000)), |draft, tag| draft.with(&format!("tags/{tag:0>200}"), true));
    for id in 0..100 {
        rome.create(space, id, tagged.clone()).await;
    }
    rome.documents.flush(Stage::Summarised).await.unwrap();
    let (mut after, mut ids, mut pages) = (None, Vec::new(), 0);
    loop {
        let part = rome.documents.list(space, DocumentQuery::default(), after, 1_000).await.unwrap();
        assert!(serde_json::to_vec(&part.documents).unwrap().len() < 5 << 20);
        ids.extend(part.documents.iter().map(|summary| summary.id.0[0]));
        (after, pages) = (part.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((ids, pages), ((0..100).collect(), 2));
    let draft = RecordDraft::new("space", "fr").with("title/fr", "é".repeat(1_000).as_str());
    rome.documents.put(space, settings_document(&space), draft, rome.person(), String::new()).await.unwrap();
    let name = rome.documents.space_name(space, &[]).await.unwrap().unwrap();
    assert!(name.len() <= SPACE_NAME_BYTES_MAX && name.ends_with("éé…"), "{name}");
}
