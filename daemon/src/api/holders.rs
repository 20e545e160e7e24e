//! `/v1/spaces/{space}/documents/{document}/...`: which partners have signed for the changes of a record, and how each came here.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use axum::extract::State;
use data_encoding::HEXLOWER;
use portolan_protocol::{
    api::{Arrival, Can, ChangeProvenance, Holders, Holds, Partner, Provenance, RecordHolder},
    effects::Way,
    entry::{EntryRef, LogKey},
    id::NodeId,
    status::{Holding, PeerStatus},
};

use super::{
    answer::{Answer, Json, Segments},
    caller::Caller,
    documents::space,
    shared::Shared,
};
use crate::{
    arrivals::{Arrivals, Ways},
    documents::HistoryItem,
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

pub(super) async fn provenance(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
) -> Answer<Provenance> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let document = path.id(1)?;
    let title = shared.documents.show(space, document).await?.record.title;
    let items = shared.documents.history(space, document).await?;
    let items: Vec<HistoryItem> = items.into_iter().filter(|item| item.standing.is_applied()).collect();
    let peers = shared.engine.status().await?.peers;
    let partner = |node: NodeId| Partner { node, name: shared.node_name(&node, &peers) };
    let mut holdings = shared.engine.holdings(space, items.iter().map(|item| item.entry).collect()).await?;
    holdings.sort_by_cached_key(|holding| (shared.node_name(&holding.node, &peers), holding.node));
    let arrivals = Arrivals::new(shared.store.clone());
    let mut ways: BTreeMap<LogKey, Ways> = BTreeMap::new();
    let mut changes = Vec::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        let (Some(change), Some(person)) = (item.change, item.person) else { continue };
        let log = item.entry.log;
        let ways = match ways.entry(log) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(arrivals.ways(&space, &log)?),
        };
        let arrival = ways.of(item.entry.seq).map(|way| match way {
            Way::Written => Arrival::Written,
            Way::Link(peer) => Arrival::Link { from: partner(peer) },
            Way::Pouch(peer, pouch) => Arrival::Pouch { from: partner(peer), pouch },
        });
        let has = |holding: &&Holding| holding.held.get(place).copied().unwrap_or_default();
        changes.push(ChangeProvenance {
            change: HEXLOWER.encode(&change),
            entry: item.entry,
            time_ms: item.time_ms,
            author: partner(item.node),
            person: person.id,
            name: person.name,
            arrival,
            held_by: holdings.iter().filter(has).map(|holding| holding.node).collect(),
        });
    }
    let partners = holdings.iter().map(|holding| partner(holding.node)).collect();
    Ok(Json(Provenance { space, document, title, partners, changes }))
}
