//! `/v1/status`, `/v1/node/...`: this node, its card, and how everything stands.

use std::sync::Arc;

use axum::extract::State;
use portolan_protocol::{
    api::{Caller as CallerInfo, Can, CardAnswer, NodeStatus, ProfileChange, Status, VERSION},
    input::Command,
};

use super::{
    answer::{Answer, Json, blocking, to_the_end, usage},
    caller::Caller,
    shared::Shared,
};
use crate::{
    clock,
    home::{Home, HomeError},
    init::{card_answer, check_profile},
};

pub(super) async fn status(State(shared): State<Arc<Shared>>, caller: Caller) -> Answer<Status> {
    caller.must_somewhere(Can::Read)?;
    let status = shared.engine.status().await?;
    let names = shared.names(&status).await;
    let store = shared.store.clone();
    let card = shared.home.card();
    let (profile, known) = (card.profile(), &caller.0);
    Ok(Json(Status {
        api: VERSION,
        version: env!("CARGO_PKG_VERSION").into(),
        uptime_ms: u64::try_from((clock::monotonic() - shared.started).as_millis()).unwrap_or(u64::MAX),
        store_bytes: blocking(move || store.bytes_on_disk()).await?,
        node: NodeStatus {
            id: card.node(),
            name: profile.name.clone(),
            organisation: profile.organisation_name.clone(),
            country: profile.country.clone(),
            fingerprint: card.fingerprint().to_string(),
            card_version: card.version(),
            addresses: profile.addresses.clone(),
            listen: shared.endpoint.local_addrs().iter().map(ToString::to_string).collect(),
            offline: shared.offline,
            incarnation: status.incarnation,
        },
        you: CallerInfo {
            login: known.login.clone(),
            person: Some(known.person.id),
            name: known.person.name.clone(),
            rights: known.rights.clone(),
        },
        spaces: shared.spaces(&status, &names, &caller).await,
        peers: shared.peers(&status, &names, &caller),
    }))
}

pub(super) async fn card(State(shared): State<Arc<Shared>>, caller: Caller) -> Answer<CardAnswer> {
    caller.must_somewhere(Can::Read)?;
    Ok(Json(card_answer(&shared.home.card())))
}

pub(super) async fn change_profile(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(change): Json<ProfileChange>,
) -> Answer<CardAnswer> {
    caller.must(Can::Admin)?;
    to_the_end(async move {
        // The core takes versions of the card in their order.
        let _changing = shared.changing.lock().await;
        let mut planned = shared.home.card().profile().clone();
        apply(&mut planned, change.clone());
        check_profile(&planned).map_err(usage)?;
        let home = shared.home.clone();
        if let Some(card) = blocking(move || changed(&home, change)).await? {
            shared.engine.command(Command::UpdateCard { card: Box::new(card) }).await?;
        }
        Ok(Json(card_answer(&shared.home.card())))
    })
    .await
}

fn changed(home: &Home, change: ProfileChange) -> Result<Option<portolan_protocol::card::Card>, HomeError> {
    home.change_profile(|profile| apply(profile, change))
}

fn apply(profile: &mut portolan_protocol::card::Profile, change: ProfileChange) {
    let ProfileChange { name, organisation, country, addresses } = change;
    profile.name = name.unwrap_or(std::mem::take(&mut profile.name));
    profile.organisation_name = organisation.unwrap_or(std::mem::take(&mut profile.organisation_name));
    profile.country = country.unwrap_or(std::mem::take(&mut profile.country));
    profile.addresses = addresses.unwrap_or(std::mem::take(&mut profile.addresses));
}
