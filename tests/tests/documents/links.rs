//! A link is read from both ends, by those who may read both.

use portolan_daemon::documents::Stage;
use portolan_protocol::{
    api::Links,
    id::{DocumentId, SpaceId},
    record::{RecordDraft, Value},
};

use crate::world::Agency;

fn page(title: &str) -> RecordDraft {
    RecordDraft::new("page", "en").with("title/en", title)
}

fn link(draft: RecordDraft, name: &str, relation: &str, target: &str) -> RecordDraft {
    let draft = draft.with(&format!("links/{name}/target"), target);
    if relation.is_empty() { draft } else { draft.with(&format!("links/{name}/relation"), relation) }
}

async fn links(one: &Agency, readable: &[SpaceId], space: SpaceId, document: DocumentId) -> Links {
    one.documents.flush(Stage::Summarised).await.unwrap();
    one.documents.links(readable.to_vec(), space, document).await.unwrap()
}

fn outgoing(links: &Links) -> Vec<(&str, Option<&str>)> {
    let outgoing = links.outgoing.iter();
    outgoing.map(|link| (link.relation.as_str(), link.record.as_ref().map(|record| record.title.as_str()))).collect()
}

fn incoming(links: &Links) -> Vec<(Option<&str>, &str)> {
    links.incoming.iter().map(|link| (link.inverse.as_deref(), link.record.title.as_str())).collect()
}

#[tokio::test]
async fn a_link_reads_from_both_ends_and_follows_what_becomes_of_the_records() {
    let rome = Agency::open(1);
    let (space, other) = (rome.found(), rome.found());
    let ports = rome.create(space, 1, page("Ports")).await;
    let target = ports.to_string();
    let gap = link(page("Gap"), "a", "addressed_by", &target);
    let gap = rome.create(space, 2, link(link(gap, "b", "", "https://example.org/"), "c", "see", &target)).await;
    rome.create(other, 3, link(page("Elsewhere"), "a", "likes", &target)).await;

    let both = [space, other];
    let from_gap = links(&rome, &both, space, gap).await;
    assert_eq!(outgoing(&from_gap), [("addressed_by", Some("Ports")), ("see", None), ("see", Some("Ports"))]);
    let to_ports = links(&rome, &both, space, ports).await;
    assert_eq!(incoming(&to_ports), [(Some("addresses"), "Gap"), (Some("see"), "Gap"), (None, "Elsewhere")]);
    assert_eq!(incoming(&links(&rome, &[space], space, ports).await).len(), 2, "not from what one may not read");

    let draft =
        RecordDraft::default().with("links/a/target", Value::Null).with("links/c/target", "https://example.org/");
    rome.documents.edit(space, gap, draft, None, rome.person(), String::new()).await.unwrap();
    assert_eq!(incoming(&links(&rome, &both, space, ports).await), [(None, "Elsewhere")]);
    let rome = rome.restart().await;
    assert_eq!(incoming(&links(&rome, &both, space, ports).await), [(None, "Elsewhere")]);
    rome.documents.delete(other, DocumentId([3; 16]), rome.person(), String::new()).await.unwrap();
    assert_eq!(incoming(&links(&rome, &both, space, ports).await), []);
}
