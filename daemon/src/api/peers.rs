//! `/v1/peers`: cards of other nodes, and which of them people have verified.

use std::sync::Arc;

use axum::extract::State;
use portolan_protocol::{
    api::{AddPeer, ApiError, Can, CardText, ErrorKind, Peer, Peers},
    card::Card,
    id::NodeId,
    input::Command,
};

use super::{
    answer::{Answer, Json, Segments, blocking, forbidden, usage},
    caller::Caller,
    shared::Shared,
};
use crate::kept::KeptError;

/// Cards that are kept unverified, at most: they cost room and nothing else.
const STRANGERS_MAX: usize = 256;

pub(super) async fn list(State(shared): State<Arc<Shared>>, caller: Caller) -> Answer<Peers> {
    caller.must_somewhere(Can::Read)?;
    let status = shared.engine.status().await?;
    let names = shared.names(&status).await;
    Ok(Json(Peers { peers: shared.peers(&status, &names, &caller) }))
}

pub(super) async fn show(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Peer> {
    caller.must_somewhere(Can::Read)?;
    Ok(Json(peer(&shared, path.id(0)?, &caller).await?))
}

async fn peer(shared: &Shared, node: NodeId, caller: &Caller) -> Result<Peer, ApiError> {
    let status = shared.engine.status().await?;
    let names = shared.names(&status).await;
    shared.peer_of(node, &status, &names, caller)
}

pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(request): Json<AddPeer>,
) -> Answer<Peer> {
    caller.must(Can::Admin)?;
    let card = Card::decode(&request.card.0).map_err(|error| {
        usage(format!("this is not a card that can be trusted: {error}"))
            .next("Ask the other administrator for the card again (`portolan node card --out FILE`).")
    })?;
    let node = card.node();
    if node == shared.engine.own() {
        return Err(usage("this is the node's own card").next("Exchange cards: each node adds the other's.").into());
    }
    let typed = request.fingerprint.as_deref();
    if typed.is_some_and(|typed| !card.fingerprint().matches(typed)) {
        return Err(forbidden("the digits are not this card's fingerprint")
            .next("Have them read again. If they still differ, the card was changed on its way: do not use it.")
            .into());
    }
    let verified = shared.engine.status().await?.peers.iter().any(|peer| peer.card.node() == node);
    if typed.is_some() || verified {
        shared.engine.command(Command::AddPeer { card: Box::new(card) }).await?;
        forget(&shared, node).await?;
    } else {
        keep(&shared, node, request.card).await?;
    }
    Ok(Json(peer(&shared, node, &caller).await?))
}

pub(super) async fn remove(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Peer> {
    caller.must(Can::Admin)?;
    let node = path.id(0)?;
    let as_it_was = peer(&shared, node, &caller).await?;
    if as_it_was.verified {
        shared.engine.command(Command::RemovePeer { peer: node }).await?;
    }
    forget(&shared, node).await?;
    Ok(Json(as_it_was))
}

/// Keeps a card that nobody has verified; an older version of one that is kept changes nothing.
async fn keep(shared: &Arc<Shared>, node: NodeId, card: CardText) -> Result<(), ApiError> {
    let shared = shared.clone();
    blocking(move || {
        shared.home.strangers.change(|strangers| {
            if !strangers.contains_key(&node) && strangers.len() >= STRANGERS_MAX {
                let error = ApiError::new(ErrorKind::Conflict, "too many cards wait to be verified");
                return Err(error.safe("Nothing was changed.").next("Verify or remove some of them."));
            }
            let version = |text: &CardText| Card::decode(&text.0).map_or(0, |card| card.version());
            if strangers.get(&node).is_none_or(|held| version(held) < version(&card)) {
                strangers.insert(node, card);
            }
            Ok(())
        })
    })
    .await
}

async fn forget(shared: &Arc<Shared>, node: NodeId) -> Result<(), ApiError> {
    if !shared.home.strangers.value().contains_key(&node) {
        return Ok(());
    }
    let shared = shared.clone();
    blocking(move || {
        shared.home.strangers.change(|strangers| {
            strangers.remove(&node);
            Ok::<_, KeptError>(())
        })
    })
    .await
}
