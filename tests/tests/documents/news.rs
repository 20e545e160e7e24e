//! What is new is new in the order in which it came, and nothing that came is passed over.

use portolan_daemon::{
    documents::{Asking, Fresh, Stage},
    looks::{Look, Mark},
};
use portolan_protocol::{
    api::Novelty,
    id::{NodeId, PersonId, SpaceId},
    record::RecordDraft,
    time::Timestamp,
};

use crate::world::{Agency, partnership, sync};

fn page(title: &str) -> RecordDraft {
    RecordDraft::new("page", "en").with("title/en", title)
}

fn look(space: SpaceId, mark: Mark, time: u64) -> Look {
    Look { spaces: [(space, mark)].into(), time_ms: Timestamp(time) }
}

async fn fresh(one: &Agency, space: SpaceId, since: Option<Look>, own: (NodeId, PersonId)) -> Fresh {
    one.documents.flush(Stage::Summarised).await.unwrap();
    one.documents.fresh(Asking { spaces: vec![space], since, own, limit: 10 }).await.unwrap()
}

fn nobody() -> (NodeId, PersonId) {
    (NodeId([0; 32]), PersonId([0; 16]))
}

fn told(fresh: &Fresh) -> Vec<(u8, Novelty)> {
    fresh.records.iter().map(|record| (record.summary.id.0[0], record.news)).collect()
}

#[tokio::test]
async fn what_a_partner_wrote_long_ago_is_new_when_it_comes() {
    let (agencies, space) = partnership(2);
    let (rome, tunis) = (&agencies[0], &agencies[1]);
    let known = rome.create(space, 1, page("known")).await;
    let gone = rome.create(space, 2, page("gone")).await;
    tunis.create(space, 3, page("written before anybody looked")).await;
    let first = fresh(rome, space, None, nobody()).await;
    assert_eq!(told(&first), [(2, Novelty::Created), (1, Novelty::Created)], "the last that came is first");
    let seen = look(space, first.until, u64::MAX);
    let nothing = fresh(rome, space, Some(seen.clone()), nobody()).await;
    assert!(nothing.exact && nothing.records.is_empty() && nothing.spaces.is_empty());
    sync(rome, tunis);
    rome.edit(space, known, "title/en", "changed").await;
    rome.documents.delete(space, gone, rome.person(), String::new()).await.unwrap();
    let second = fresh(rome, space, Some(seen.clone()), nobody()).await;
    let mut news = told(&second);
    news.sort_unstable_by_key(|(id, _)| *id);
    assert_eq!(news, [(1, Novelty::Changed), (2, Novelty::Deleted), (3, Novelty::Created)]);
    let own = fresh(rome, space, Some(seen.clone()), (rome.id(), rome.person().id)).await;
    assert_eq!((told(&own), own.spaces[0].own), (vec![(3, Novelty::Created)], 2));
}

#[tokio::test]
async fn what_others_changed_is_news_also_where_one_changed_it_later_oneself() {
    let (agencies, space) = partnership(2);
    let (rome, tunis) = (&agencies[0], &agencies[1]);
    let [apart, below, own] = [1, 2, 3];
    for id in [apart, below, own] {
        rome.create(space, id, page("Ports")).await;
    }
    sync(rome, tunis);
    let me = (rome.id(), rome.person().id);
    let all = fresh(rome, space, None, me).await;
    assert_eq!((told(&all), all.spaces[0].own), (vec![], 3));
    let seen = look(space, all.until, u64::MAX);
    let record = |id| portolan_protocol::id::DocumentId([id; 16]);
    for id in [apart, below] {
        tunis.show(space, record(id)).await;
        tunis.edit(space, record(id), "summary/en", "Of Tunis").await;
    }
    // Made apart, and by its author's clock later than what the partner wrote.
    rome.edit(space, record(apart), "title/en", "Ports of Rome").await;
    sync(rome, tunis);
    // Made on top of what the partner wrote, which nobody was told of.
    rome.show(space, record(below)).await;
    rome.edit(space, record(below), "title/en", "Ports of Rome").await;
    rome.edit(space, record(own), "title/en", "Ports of Rome").await;
    let second = fresh(rome, space, Some(seen.clone()), me).await;
    let mut news = told(&second);
    news.sort_unstable_by_key(|(id, _)| *id);
    assert_eq!(news, [(apart, Novelty::Changed), (below, Novelty::Changed)]);
    assert_eq!(second.spaces[0].own, 1);
    let seen = look(space, second.until, u64::MAX);
    rome.edit(space, record(below), "title/en", "Ports").await;
    // The edit stands on both heads and joins them.
    rome.edit(space, record(apart), "title/en", "Ports").await;
    let third = fresh(rome, space, Some(seen.clone()), me).await;
    assert_eq!((told(&third), third.spaces[0].own), (vec![], 2), "all that others wrote was told");
}

#[tokio::test]
async fn a_place_in_the_order_outlives_a_restart_and_a_new_derivation_is_told() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("before")).await;
    let first = fresh(&rome, space, None, nobody()).await;
    let seen = look(space, first.until, 0);
    let rome = rome.restart().await;
    let begun = rome.documents.begun().await.unwrap();
    assert_eq!((begun.table, begun.revision), (first.until.table, first.until.revision));
    rome.create(space, 2, page("after")).await;
    let second = fresh(&rome, space, Some(seen.clone()), nobody()).await;
    assert_eq!((second.exact, told(&second)), (true, vec![(2, Novelty::Created)]));
    rome.documents.rebuild().await.unwrap();
    let third = fresh(&rome, space, Some(seen.clone()), nobody()).await;
    assert!(!third.exact, "marks of another derivation cannot be compared");
    assert_eq!(third.records.len(), 2, "by the clock both were written after the look");
}
