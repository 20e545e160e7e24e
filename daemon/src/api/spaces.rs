//! `/v1/spaces`: spaces, their names here, members and epochs.

use std::sync::Arc;

use axum::extract::State;
use portolan_protocol::{
    api::{ApiError, Can, CreateSpace, ErrorKind, Grant, Member, Members, NameSpace, Revoked, Rotated, Space, Spaces},
    control::Role,
    id::{EpochId, NodeId, SpaceId},
    input::{Command, Reply},
    limits::SPACE_NAME_BYTES_MAX,
    record::RecordDraft,
    status::PeerStatus,
    view::SpaceView,
};
use serde::Deserialize;

use super::{
    answer::{Answer, Json, Segments, blocking, not_found, to_the_end, usage},
    caller::Caller,
    shared::Shared,
};
use crate::{documents::settings_document, kept::KeptError};

/// The type of a space's settings among records, and the language of a name that says of itself in none.
const SETTINGS_TYPE: &str = "space";
const ANY_LANGUAGE: &str = "und";

/// A request that says nothing but what its route says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

impl Shared {
    /// The present picture of a space.
    pub(super) fn must_know(&self, space: &SpaceId) -> Result<Arc<SpaceView>, ApiError> {
        self.engine.view(space).ok_or_else(|| not_found("this node has no such space"))
    }
}

pub(super) async fn list(State(shared): State<Arc<Shared>>, caller: Caller) -> Answer<Spaces> {
    caller.must_somewhere(Can::Read)?;
    let status = shared.engine.status().await?;
    let names = shared.names(&status).await;
    Ok(Json(Spaces { spaces: shared.spaces(&status, &names, &caller).await }))
}

pub(super) async fn show(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Space> {
    let space = path.id(0)?;
    caller.must_in(Can::Read, &space)?;
    Ok(Json(picture(&shared, &space).await?))
}

async fn picture(shared: &Shared, space: &SpaceId) -> Result<Space, ApiError> {
    let status = shared.engine.status().await?;
    let names = shared.names(&status).await;
    let found = status.spaces.iter().find(|status| status.space == *space);
    Ok(shared.space(found.ok_or_else(|| not_found("this node has no such space"))?, &names).await)
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(request): Json<CreateSpace>,
) -> Answer<Space> {
    caller.must(Can::Admin)?;
    to_the_end(found(shared, caller, request.name)).await
}

async fn found(shared: Arc<Shared>, caller: Caller, name: String) -> Answer<Space> {
    let _changing = shared.changing.lock().await;
    check_name(&shared, &name, None).await?;
    let organisation = shared.home.card().profile().organisation;
    let space = match shared.engine.command(Command::CreateSpace { organisation }).await? {
        Reply::Space(space) => space,
        _ => return Err(ApiError::new(ErrorKind::Internal, "the node did not say which space it founded").into()),
    };
    // The settings tell members what the founder calls it; the name kept here is this node's own.
    let settings = RecordDraft::new(SETTINGS_TYPE, ANY_LANGUAGE).with(&format!("title/{ANY_LANGUAGE}"), &*name);
    let person = caller.0.person.clone();
    shared.documents.put(space, settings_document(&space), settings, person, String::new()).await?;
    keep_name(&shared, space, name).await?;
    Ok(Json(picture(&shared, &space).await?))
}

pub(super) async fn rename(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(request): Json<NameSpace>,
) -> Answer<Space> {
    let space = path.id(0)?;
    caller.must_in(Can::Read, &space)?;
    caller.must(Can::Admin)?;
    shared.must_know(&space)?;
    let _changing = shared.changing.lock().await;
    check_name(&shared, &request.name, Some(space)).await?;
    keep_name(&shared, space, request.name).await?;
    Ok(Json(picture(&shared, &space).await?))
}

/// Refuses a name that cannot be shown, or that another space has.
async fn check_name(shared: &Shared, name: &str, of: Option<SpaceId>) -> Result<(), ApiError> {
    if name.trim().is_empty() || name.len() > SPACE_NAME_BYTES_MAX || name.contains(char::is_control) {
        return Err(usage(format!("a space's name has 1 to {SPACE_NAME_BYTES_MAX} bytes and no control characters")));
    }
    let names = shared.names(&shared.engine.status().await?).await;
    match names.iter().find(|(space, taken)| *taken == name && Some(**space) != of) {
        None => Ok(()),
        Some(_) => Err(ApiError::new(ErrorKind::Conflict, format!("there is a space called `{name}` already"))
            .safe("Nothing was changed.")
            .next("Choose another name.")),
    }
}

async fn keep_name(shared: &Arc<Shared>, space: SpaceId, name: String) -> Result<(), ApiError> {
    let shared = shared.clone();
    blocking(move || {
        shared.home.space_names.change(|names| {
            names.insert(space, name);
            Ok::<_, KeptError>(())
        })
    })
    .await
}

pub(super) async fn members(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Members> {
    let space = path.id(0)?;
    caller.must_in(Can::Read, &space)?;
    let view = shared.must_know(&space)?;
    let peers = shared.engine.status().await?.peers;
    Ok(Json(Members { members: present(&shared, &view, &peers) }))
}

/// The present members, by falling role, then by node.
fn present(shared: &Shared, view: &SpaceView, peers: &[PeerStatus]) -> Vec<Member> {
    let own = shared.engine.own();
    let members = view.membership.members().into_iter();
    let mut members: Vec<Member> = members
        .map(|member| Member {
            node: member.node,
            name: shared.node_name(&member.node, peers),
            organisation: member.organisation,
            role: Some(member.role),
            history: member.history,
            own: member.node == own,
        })
        .collect();
    members.sort_by_key(|member| (std::cmp::Reverse(member.role), member.node));
    members
}

pub(super) async fn grant(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(request): Json<Grant>,
) -> Answer<Member> {
    let space = path.id(0)?;
    caller.must_in(Can::Admin, &space)?;
    let Grant { node, role, history } = request;
    if role == Role::Root {
        return Err(usage("root is named when a space is founded, and is not granted").into());
    }
    let peers = shared.engine.status().await?.peers;
    let member = shared.must_know(&space)?.membership.member(node).is_some();
    if !member && !peers.iter().any(|peer| peer.card.node() == node) {
        let unverified = shared.home.strangers.value().contains_key(&node);
        return Err(match unverified {
            true => ApiError::new(ErrorKind::Conflict, "the node's card was not verified")
                .safe("Nothing was changed.")
                .next("Compare the fingerprint first, with `portolan peer add`."),
            false => not_found("this node has no such peer").next("Introduce it first, with `portolan peer add`."),
        }
        .into());
    }
    shared.engine.command(Command::Grant { space, member: node, role, history }).await?;
    let members = present(&shared, &*shared.must_know(&space)?, &peers);
    let granted = members.into_iter().find(|member| member.node == node);
    Ok(Json(granted.ok_or_else(|| ApiError::new(ErrorKind::Conflict, "the grant has no effect in this space"))?))
}

pub(super) async fn revoke(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Revoked> {
    let space = path.id(0)?;
    caller.must_in(Can::Admin, &space)?;
    let node: NodeId = path.id(1)?;
    if shared.must_know(&space)?.membership.member(node).is_none() {
        return Err(not_found("this node is no member of the space").into());
    }
    shared.engine.command(Command::Revoke { space, member: node }).await?;
    let (epoch, recipients) = epoch(&shared, &space).await?;
    Ok(Json(Revoked { node, epoch, recipients }))
}

pub(super) async fn rotate(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(Empty {}): Json<Empty>,
) -> Answer<Rotated> {
    let space = path.id(0)?;
    caller.must_in(Can::Admin, &space)?;
    shared.must_know(&space)?;
    shared.engine.command(Command::Rotate { space }).await?;
    let (epoch, recipients) = epoch(&shared, &space).await?;
    Ok(Json(Rotated { epoch, recipients }))
}

/// The epoch that would be written in now, and how many members may read it.
async fn epoch(shared: &Shared, space: &SpaceId) -> Result<(EpochId, u32), ApiError> {
    let status = shared.engine.status().await?;
    let found = status.spaces.iter().find(|status| status.space == *space);
    let status = found.ok_or_else(|| not_found("this node has no such space"))?;
    let readers = status.members.iter().filter(|(_, role)| role.reads()).count();
    let none = || ApiError::new(ErrorKind::Conflict, "no epoch may be written in now").next("Try again.");
    Ok((status.epoch.ok_or_else(none)?, u32::try_from(readers).unwrap_or(u32::MAX)))
}
