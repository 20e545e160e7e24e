//! What people type for a space, a peer or a record, made into an id: a name, an id, or the start of one while it is unique.

use portolan_protocol::{
    api::{
        Change, DocumentPage, DocumentQuery, DocumentView, ErrorKind, History, Peer, Peers, Pouches, SentPouch, Space,
        Spaces,
    },
    id::{DocumentId, NodeId, SpaceId},
};

use crate::{
    client::Client,
    error::{ApiError, Result, not_found, usage},
};

/// Digits of a whole hash of a change.
const HASH_DIGITS: usize = 64;
/// Candidates that an error names at the most.
const NAMED_MAX: usize = 5;

/// A thing that may be meant.
#[derive(Clone, Debug)]
struct Candidate<'a, T> {
    id: String,
    name: &'a str,
    value: T,
}

/// Finds the one candidate that `typed` means: by whole id, else by name or the start of its id. Partners choose their names
/// themselves, so a name never goes before the id of another.
fn pick<T: Clone>(what: &str, typed: &str, candidates: &[Candidate<'_, T>]) -> Result<T> {
    let lower = typed.to_ascii_lowercase();
    let by_id = |c: &&Candidate<'_, T>| c.id == lower;
    let by_name = |c: &&Candidate<'_, T>| !c.name.is_empty() && c.name == typed;
    let by_start = |c: &&Candidate<'_, T>| !lower.is_empty() && c.id.starts_with(&lower);
    let mut matches: Vec<&Candidate<'_, T>> = candidates.iter().filter(by_id).collect();
    if matches.is_empty() {
        matches = candidates.iter().filter(|candidate| by_name(candidate) || by_start(candidate)).collect();
    }
    match matches.as_slice() {
        [one] => Ok(one.value.clone()),
        [] => Err(not_found(format!("no {what} is called `{typed}`, and no {what}'s id begins so"))
            .safe("Nothing was changed.")
            .next(format!("`portolan {} list` shows what there is.", noun(what)))),
        several => Err(ambiguous(what, typed, several.iter().map(|c| (c.id.as_str(), c.name)))),
    }
}

fn noun(what: &str) -> &str {
    if what == "record" { "doc" } else { what }
}

fn ambiguous<'a>(what: &str, typed: &str, several: impl Iterator<Item = (&'a str, &'a str)>) -> ApiError {
    let several: Vec<_> = several.collect();
    let mut named: Vec<String> = several
        .iter()
        .take(NAMED_MAX)
        .map(|(id, name)| if name.is_empty() { (*id).to_owned() } else { format!("{id} ({name})") })
        .collect();
    if several.len() > NAMED_MAX {
        named.push(format!("and {} more", several.len() - NAMED_MAX));
    }
    usage(format!("`{typed}` may mean more than one {what}, {} of them: {}", several.len(), named.join(", ")))
        .safe("Nothing was changed.")
        .next("Type more of the id.")
}

/// A space of this node.
///
/// # Errors
/// There is none, or several may be meant; or the daemon cannot be asked.
pub async fn space(client: &Client, typed: &str) -> Result<Space> {
    let spaces: Spaces = client.get("/spaces").await?;
    let candidates: Vec<_> =
        spaces.spaces.iter().map(|s| Candidate { id: s.id.to_string(), name: &s.name, value: s }).collect();
    pick("space", typed, &candidates).cloned()
}

/// A peer of this node.
///
/// # Errors
/// As [`space`].
pub async fn peer(client: &Client, typed: &str) -> Result<Peer> {
    let peers: Peers = client.get("/peers").await?;
    let candidates: Vec<_> =
        peers.peers.iter().map(|p| Candidate { id: p.node.to_string(), name: &p.name, value: p }).collect();
    pick("peer", typed, &candidates).cloned()
}

/// A member of a space, by the id or the name of its node. It need not be a peer any more.
///
/// # Errors
/// As [`space`].
pub async fn member(client: &Client, space: SpaceId, typed: &str) -> Result<NodeId> {
    let members: portolan_protocol::api::Members = client.get(&format!("/spaces/{space}/members")).await?;
    let candidates: Vec<_> = members
        .members
        .iter()
        .map(|m| Candidate { id: m.node.to_string(), name: m.name.as_deref().unwrap_or(""), value: m.node })
        .collect();
    pick("member", typed, &candidates).map_err(|error| {
        if error.kind == ErrorKind::NotFound { error.next("`portolan space members` lists them.") } else { error }
    })
}

/// A pouch that this node sent.
///
/// # Errors
/// As [`space`].
pub async fn pouch(client: &Client, typed: &str) -> Result<SentPouch> {
    let pouches: Pouches = client.get("/pouches").await?;
    let candidates: Vec<_> =
        pouches.sent.iter().map(|sent| Candidate { id: sent.id.to_string(), name: "", value: sent }).collect();
    pick("pouch", typed, &candidates).cloned()
}

/// A record, in `within` or in any space of this node.
///
/// # Errors
/// As [`space`].
pub async fn document(client: &Client, within: Option<&str>, typed: &str) -> Result<(SpaceId, DocumentId)> {
    let spaces = match within {
        Some(typed) => vec![space(client, typed).await?.id],
        None => client.get::<Spaces>("/spaces").await?.spaces.into_iter().map(|space| space.id).collect(),
    };
    if let Ok(id) = typed.parse::<DocumentId>() {
        return whole_document(client, &spaces, id).await;
    }
    let mut found = Vec::new();
    let mut to_index = 0;
    for space in spaces {
        let query = DocumentQuery {
            prefix: Some(typed.to_ascii_lowercase()),
            limit: u32::try_from(NAMED_MAX + 1).ok(),
            ..DocumentQuery::default()
        };
        let page: DocumentPage = client.query(&format!("/spaces/{space}/documents"), &query).await?;
        to_index += page.entries_to_index;
        found.extend(page.documents.into_iter().map(|summary| (space, summary)));
    }
    let candidates: Vec<_> = found
        .iter()
        .map(|(space, summary)| Candidate {
            id: summary.id.to_string(),
            name: &summary.title,
            value: (*space, summary.id),
        })
        .collect();
    pick("record", typed, &candidates).map_err(|error| {
        if error.kind == ErrorKind::NotFound && to_index > 0 {
            error.next(format!("The list is still {to_index} entries behind; wait, or give the whole id."))
        } else {
            error
        }
    })
}

/// Changes of a record by their hashes or the starts of them, none where none are named.
///
/// # Errors
/// As [`space`].
pub async fn changes(
    client: &Client,
    space: SpaceId,
    document: DocumentId,
    typed: &[String],
) -> Result<Option<Vec<String>>> {
    if typed.is_empty() {
        return Ok(None);
    }
    if typed.iter().all(|hash| hash.len() == HASH_DIGITS) {
        return Ok(Some(typed.to_vec()));
    }
    let history: History = client.get(&format!("/spaces/{space}/documents/{document}/history")).await?;
    let of = |change: &Change| Candidate { id: change.hash.clone(), name: "", value: change.hash.clone() };
    let candidates: Vec<_> = history.changes.iter().map(of).collect();
    let found: Result<Vec<String>> = typed.iter().map(|typed| pick("change", typed, &candidates)).collect();
    found.map(Some).map_err(|error| error.next(format!("`portolan doc history {document}` lists the changes.")))
}

/// A whole id needs no list, which may be behind.
async fn whole_document(client: &Client, spaces: &[SpaceId], id: DocumentId) -> Result<(SpaceId, DocumentId)> {
    if let [only] = spaces {
        return Ok((*only, id));
    }
    for space in spaces {
        match client.get::<DocumentView>(&format!("/spaces/{space}/documents/{id}")).await {
            Ok(_) => return Ok((*space, id)),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(not_found(format!("no record {id} in any space of this node")).next("`portolan doc list` shows what there is."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Vec<Candidate<'static, u8>> {
        let candidate = |id: &str, name, value| Candidate { id: id.to_owned(), name, value };
        vec![candidate("abcd", "Harbours", 1), candidate("abce", "cd", 2), candidate("cdcd", "Harbours", 3)]
    }

    fn picked(typed: &str) -> std::result::Result<u8, ErrorKind> {
        pick("space", typed, &candidates()).map_err(|error| error.kind)
    }

    #[test]
    fn ids_may_be_shortened_while_they_are_unique() {
        assert_eq!(picked("abcd"), Ok(1));
        assert_eq!(picked("ABCE"), Ok(2));
        assert_eq!(picked("c"), Ok(3));
        assert_eq!(picked("ab"), Err(ErrorKind::Usage));
        assert_eq!(picked("x"), Err(ErrorKind::NotFound));
        assert_eq!(picked(""), Err(ErrorKind::NotFound));
    }

    #[test]
    fn a_name_never_goes_before_the_start_of_another_id_and_two_of_a_name_are_told_apart() {
        assert_eq!(picked("cd"), Err(ErrorKind::Usage));
        assert_eq!(picked("cdc"), Ok(3));
        let error = pick("space", "Harbours", &candidates()).map_err(|error| error.message);
        assert_eq!(
            error,
            Err("`Harbours` may mean more than one space, 2 of them: abcd (Harbours), cdcd (Harbours)".into())
        );
    }
}
