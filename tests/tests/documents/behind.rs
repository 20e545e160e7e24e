//! What is durable counts although it is not taken in yet: a single record is never behind.

use portolan_daemon::documents::Stage;
use portolan_protocol::{
    api::{ImportOutcome, Outcome},
    id::{DocumentId, SpaceId},
    record::RecordDraft,
};

use crate::world::{Agency, partnership, sync};

/// More than is taken in at once, several times.
const RECORDS: u16 = 900;

fn id(number: u16) -> DocumentId {
    DocumentId([number.to_be_bytes(); 8].concat().try_into().unwrap())
}

fn page(number: u16) -> RecordDraft {
    RecordDraft::new("page", "en").with("title/en", format!("Page {number}").as_str())
}

/// Rome and Tunis. Tunis has taken in the first record as Rome made it; of what came since it hears when it is unmuted.
async fn behind() -> (Agency, Agency, SpaceId) {
    let (mut agencies, space) = partnership(2);
    let (tunis, rome) = (agencies.pop().unwrap(), agencies.pop().unwrap());
    rome.documents.put(space, id(0), page(0), rome.person(), String::new()).await.unwrap();
    sync(&rome, &tunis);
    tunis.documents.flush(Stage::Summarised).await.unwrap();
    tunis.mute();
    let items = (1..RECORDS).map(|number| (id(number), page(number))).collect();
    rome.documents.import(space, items, rome.person(), false).await.unwrap();
    rome.edit(space, id(0), "title/en", "Page 0, edited").await;
    sync(&rome, &tunis);
    (rome, tunis, space)
}

#[tokio::test]
async fn a_record_is_shown_with_everything_that_is_durable() {
    let (rome, tunis, space) = behind().await;
    tunis.unmute();
    let shown = tunis.documents.show(space, id(0)).await.unwrap();
    assert_eq!(shown.record.title, "Page 0, edited");
    assert_eq!(shown, rome.documents.show(space, id(0)).await.unwrap());
}

#[tokio::test]
async fn its_history_and_what_it_was_are_whole_too() {
    let (rome, tunis, space) = behind().await;
    let heads = rome.documents.show(space, id(0)).await.unwrap().record.heads;
    tunis.unmute();
    let then = tunis.documents.show_at(space, id(0), heads).await.unwrap();
    assert_eq!(then.record.title, "Page 0, edited");
    let tunis = tunis.restart().await;
    assert_eq!(tunis.documents.history(space, id(0)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_edit_finds_a_record_that_has_just_come() {
    let (_rome, tunis, space) = behind().await;
    tunis.unmute();
    let draft = RecordDraft::default().with("status", "review");
    let last = id(RECORDS - 1);
    let saved = tunis.documents.edit(space, last, draft, None, tunis.person(), String::new()).await.unwrap();
    assert_eq!((saved.outcome, saved.heads.len()), (Outcome::Updated, 1));
    let (_rome, tunis, space) = behind().await;
    tunis.unmute();
    let saved = tunis.documents.delete(space, last, tunis.person(), String::new()).await.unwrap();
    assert_eq!(saved.outcome, Outcome::Deleted);
}

#[tokio::test]
async fn an_import_meets_the_records_that_there_are() {
    let (_rome, tunis, space) = behind().await;
    let items = (RECORDS - 20..RECORDS).map(|number| (id(number), page(number))).collect();
    tunis.unmute();
    let done = tunis.documents.import(space, items, tunis.person(), false).await.unwrap();
    let anew: Vec<_> = done.iter().filter(|item| item.outcome != ImportOutcome::Unchanged).collect();
    assert!(anew.is_empty(), "{} of {}", anew.len(), done.len());
    assert_eq!(tunis.documents.history(space, id(RECORDS - 1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_is_not_complete_before_its_entries_were_judged_again() {
    let rome = Agency::open(1);
    let space = rome.found();
    for number in 0..3 {
        rome.documents.put(space, id(number), page(number), rome.person(), String::new()).await.unwrap();
    }
    rome.documents.flush(Stage::Summarised).await.unwrap();
    let (documents, views) = rome.taken_up().await;
    assert_eq!(documents.progress(space).await.unwrap().entries_to_index, 3);
    documents.views(views);
    documents.flush(Stage::Indexed).await.unwrap();
    assert_eq!(documents.progress(space).await.unwrap().entries_to_index, 0);
}
