//! `/v1/spaces/{space}/documents/{document}/holders`: which partners have signed for the changes of a record.

use std::sync::Arc;

use axum::extract::State;
use portolan_protocol::{
    api::{Can, Holders, Holds, RecordHolder},
    entry::EntryRef,
    status::{Holding, PeerStatus},
};

use super::{
    answer::{Answer, Json, Segments},
    caller::Caller,
    documents::space,
    shared::Shared,
};

pub(super) async fn holders(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Holders> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let document = path.id(1)?;
    let title = shared.documents.show(space, document).await?.record.title;
    let items = shared.documents.history(space, document).await?;
    let entries: Vec<EntryRef> =
        items.iter().filter(|item| item.standing.is_applied()).map(|item| item.entry).collect();
    let changes = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let peers = shared.engine.status().await?.peers;
    let holdings = shared.engine.holdings(space, entries).await?;
    let mut holders: Vec<RecordHolder> = holdings.iter().map(|holding| holder(&shared, &peers, holding)).collect();
    holders.sort_by(|one, other| (&one.name, one.node).cmp(&(&other.name, other.node)));
    Ok(Json(Holders { space, document, title, changes, holders }))
}

fn holder(shared: &Shared, peers: &[PeerStatus], holding: &Holding) -> RecordHolder {
    let confirmed = holding.held.iter().filter(|held| **held).count();
    let holds = match confirmed {
        _ if !holding.peer => Holds::Unknown,
        0 => Holds::Nothing,
        all if all == holding.held.len() => Holds::All,
        _ => Holds::Part,
    };
    RecordHolder {
        node: holding.node,
        name: shared.node_name(&holding.node, peers),
        role: holding.role,
        holds,
        changes: u32::try_from(confirmed).unwrap_or(u32::MAX),
        last_heard_ms: holding.heard,
        receipt_ms: holding.signed,
    }
}
