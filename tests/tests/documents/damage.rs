//! A damaged page costs what stands on it: every other record is derived, listed, shown and changed.

use portolan_daemon::documents::{DocumentError, Stage};
use portolan_protocol::{
    control::Role,
    id::{DocumentId, SpaceId},
    record::RecordDraft,
};

use crate::world::{Agency, damage_page, partnership, sync};

fn page(title: &str) -> RecordDraft {
    let body = blake3::hash(title.as_bytes()).to_hex().repeat(20);
    RecordDraft::new("page", "en").with("title/en", title).with("body/en", body.as_str())
}

async fn titles(one: &Agency, space: SpaceId) -> Vec<String> {
    one.documents.flush(Stage::Summarised).await.unwrap();
    let listed = one.documents.list(space, Default::default(), None, 100).await.unwrap();
    listed.documents.into_iter().map(|summary| summary.title).collect()
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_set_aside_and_all_others_are_derived() {
    let (mut agencies, space) = partnership(2);
    let (tunis, rome) = (agencies.pop().unwrap(), agencies.pop().unwrap());
    drop(agencies);
    let other = rome.found();
    rome.grant(other, &tunis, Role::Writer);
    sync(&rome, &tunis);
    tunis.mute();
    for id in 1..=20 {
        rome.create(space, id, page(&format!("Page {id}"))).await;
        rome.create(other, id, page(&format!("Other {id}"))).await;
    }
    sync(&rome, &tunis);
    let log = rome.own_log(space);
    let mut lost = 0..0;
    let tunis = tunis.restart_after(|home| lost = damage_page(home, space, log)).await;
    assert_eq!(titles(&tunis, other).await.len(), 20);
    let before: Vec<String> = (1..=lost.start).map(|id| format!("Page {id}")).collect();
    assert!(!before.is_empty() && before.len() < 20);
    assert_eq!(titles(&tunis, space).await, before);
    let aside = tunis.documents.set_aside(space).await.unwrap();
    assert_eq!(aside.iter().map(|aside| (aside.log, aside.next)).collect::<Vec<_>>(), [(log, lost.start)]);
    let progress = tunis.documents.progress(space).await.unwrap();
    assert_eq!((progress.damaged_logs, progress.entries_to_index), (1, 20 - lost.start));
    assert_eq!(tunis.documents.progress(other).await.unwrap().damaged_logs, 0);
    // Work goes on, and what membership takes away is taken away from what was read before.
    tunis.create(space, 50, page("From Tunis")).await;
    tunis.edit(space, DocumentId([1; 16]), "title/en", "Page 1, edited").await;
    assert_eq!(tunis.field(space, DocumentId([1; 16]), "title/en").await.as_deref(), Some("Page 1, edited"));
    tunis.documents.rebuild().await.unwrap();
    assert_eq!(titles(&tunis, space).await.len(), before.len() + 1);
    assert_eq!(tunis.documents.progress(space).await.unwrap().damaged_logs, 1);
}

#[tokio::test]
async fn a_record_with_a_damaged_entry_holds_up_no_other() {
    let (mut agencies, space) = partnership(2);
    let (tunis, rome) = (agencies.pop().unwrap(), agencies.pop().unwrap());
    drop(agencies);
    for id in 1..=20 {
        rome.create(space, id, page(&format!("Page {id}"))).await;
    }
    sync(&rome, &tunis);
    assert_eq!(titles(&tunis, space).await.len(), 20);
    let log = rome.own_log(space);
    let mut lost = 0..0;
    let tunis = tunis.restart_after(|home| lost = damage_page(home, space, log)).await;
    for id in 1..=20 {
        rome.edit(space, DocumentId([id; 16]), "title/en", &format!("Edited {id}")).await;
    }
    sync(&rome, &tunis);
    let edited: Vec<bool> = titles(&tunis, space).await.iter().map(|title| title.starts_with("Edited")).collect();
    let sound: Vec<bool> = (0..20).map(|seq| !lost.contains(&seq)).collect();
    assert_eq!(edited, sound, "a record that cannot be opened is listed as it was");
    let progress = tunis.documents.progress(space).await.unwrap();
    assert_eq!((progress.faults, progress.damaged_logs), (lost.end - lost.start, 0));
    let damaged = tunis.documents.show(space, DocumentId([u8::try_from(lost.start + 1).unwrap(); 16])).await;
    assert!(matches!(damaged, Err(DocumentError::Store(_))), "{damaged:?}");
}

#[tokio::test]
async fn nothing_is_written_to_a_log_of_its_own_that_cannot_be_read() {
    let rome = Agency::open(1);
    let space = rome.found();
    for id in 1..=20 {
        rome.create(space, id, page(&format!("Page {id}"))).await;
    }
    let log = rome.own_log(space);
    let rome = rome.restart_after(|home| assert!(!damage_page(home, space, log).is_empty())).await;
    rome.documents.rebuild().await.unwrap();
    rome.documents.flush(Stage::Indexed).await.unwrap();
    let entries = rome.documents.progress(space).await.unwrap().entries_to_index;
    let saved = rome.documents.create(space, DocumentId([50; 16]), page("New"), rome.person(), String::new()).await;
    assert!(matches!(saved, Err(DocumentError::Store(_))), "{saved:?}");
    assert_eq!(rome.documents.progress(space).await.unwrap().entries_to_index, entries, "and none was appended");
}
