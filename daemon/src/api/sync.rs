//! `POST /v1/sync`: asks for a sync now, and waits for what peers sign.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use portolan_protocol::{
    api::{ApiError, Can, ErrorKind, SyncPeer, SyncRequest, SyncResult, SyncState},
    id::NodeId,
    input::Command,
    status::{NodeStatus, PeerStatus},
};
use tokio::time::timeout_at;

use super::{
    answer::{Answer, Json},
    caller::Caller,
    shared::Shared,
};
use crate::{clock, documents::Stage};

/// Longest wait, whatever is asked.
const WAIT_MAX: Duration = Duration::from_secs(3_600);
/// How often it is looked, at the least: connections come without a notice.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Receipts come in showers; one look serves many.
const LOOK_SELDOM: Duration = Duration::from_millis(10);

pub(super) async fn sync(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(request): Json<SyncRequest>,
) -> Answer<SyncResult> {
    caller.must(Can::Admin)?;
    if shared.offline {
        return Err(ApiError::new(ErrorKind::Conflict, "this node is offline: it speaks over no network")
            .safe("Nothing was changed.")
            .next("Let a courier carry a pouch: `portolan pouch export --to PEER --out DIR`.")
            .into());
    }
    let deadline = clock::monotonic() + Duration::from_millis(request.wait_ms).min(WAIT_MAX);
    let mut notices = shared.engine.notices();
    ask(&shared, request.peer).await?;
    loop {
        let result = result(&shared, request.peer, &caller).await?;
        if result.complete {
            // What came is also to be seen.
            let indexed = timeout_at(deadline, shared.documents.flush(Stage::Indexed)).await;
            let indexed = indexed.is_ok_and(|indexed| indexed.is_ok());
            return Ok(Json(SyncResult { complete: indexed, ..result }));
        }
        if clock::monotonic() >= deadline {
            return Ok(Json(result));
        }
        let soon = deadline.min(clock::monotonic() + LOOK_EVERY);
        let _ = timeout_at(soon, notices.recv()).await;
        tokio::time::sleep_until(deadline.min(clock::monotonic() + LOOK_SELDOM)).await;
    }
}

/// Compares with those that are connected, and calls those that are not.
async fn ask(shared: &Shared, peer: Option<NodeId>) -> Result<(), ApiError> {
    shared.engine.command(Command::Sync { peer }).await?;
    let peers = shared.engine.status().await?.peers;
    let asked = peers.iter().filter(|status| peer.is_none_or(|peer| status.card.node() == peer));
    asked.filter(|status| !status.connected).for_each(|status| shared.engine.nudge(status.card.node()));
    Ok(())
}

async fn result(shared: &Shared, only: Option<NodeId>, caller: &Caller) -> Result<SyncResult, ApiError> {
    let status = shared.engine.status().await?;
    let names = shared.names(&status).await;
    let told = match only {
        Some(node) => vec![shared.peer_of(node, &status, &names, caller)?],
        None => shared.peers(&status, &names, caller).into_iter().filter(|peer| peer.verified).collect(),
    };
    let peers: Vec<SyncPeer> = told
        .into_iter()
        .map(|peer| {
            let state = state(&status, peer.node);
            let reason = if state == SyncState::Disconnected { peer.last_error } else { String::new() };
            SyncPeer { node: peer.node, name: peer.name, state, reason, spaces: peer.spaces }
        })
        .collect();
    let complete = if only.is_some() {
        peers.iter().all(|peer| peer.state == SyncState::UpToDate)
    } else {
        peers.iter().all(|peer| matches!(peer.state, SyncState::UpToDate | SyncState::Pouch))
    };
    Ok(SyncResult { complete, peers })
}

fn state(status: &NodeStatus, node: NodeId) -> SyncState {
    let peer = status.peers.iter().find(|peer| peer.card.node() == node);
    match peer {
        None => SyncState::Unverified,
        Some(peer) if !peer.connected && by_pouch_alone(peer) => SyncState::Pouch,
        Some(peer) if !peer.connected => SyncState::Disconnected,
        Some(peer) if settled(status, peer) => SyncState::UpToDate,
        Some(_) => SyncState::Behind,
    }
}

/// Whether pouches have come from it and nothing else ever did, and it cannot be called.
fn by_pouch_alone(peer: &PeerStatus) -> bool {
    peer.pouch.is_some() && peer.heard.is_none() && peer.card.profile().addresses.is_empty()
}

/// Whether nothing is left to be exchanged in the spaces that both are members of.
fn settled(status: &NodeStatus, peer: &PeerStatus) -> bool {
    let shared = status
        .spaces
        .iter()
        .filter(|space| space.role.is_some() && space.members.iter().any(|(member, _)| *member == peer.card.node()));
    shared.into_iter().all(|space| {
        let receipt = peer.receipts.iter().find(|receipt| receipt.space == space.space);
        receipt.is_some_and(|receipt| receipt.up_to_date && receipt.caught_up)
    })
}
