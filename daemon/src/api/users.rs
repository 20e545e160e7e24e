//! `/v1/users`: the persons of this node, by login.

use std::sync::Arc;

use axum::extract::State;
use portolan_protocol::api::{AddUser, Can, User, Users};

use super::{
    answer::{Answer, Json, Segments, blocking},
    caller::Caller,
    shared::Shared,
};
use crate::{clock, persons::PersonsError};

pub(super) async fn list(State(shared): State<Arc<Shared>>, caller: Caller) -> Answer<Users> {
    caller.must(Can::Admin)?;
    Ok(Json(Users { users: shared.home.persons.list() }))
}

pub(super) async fn add(State(shared): State<Arc<Shared>>, caller: Caller, Json(user): Json<AddUser>) -> Answer<User> {
    caller.must(Can::Admin)?;
    if let Some(space) = &user.space {
        shared.must_know(space)?;
    }
    let home = shared.home.clone();
    Ok(Json(blocking(move || home.persons.add(user, &mut clock::rng())).await?))
}

pub(super) async fn remove(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<User> {
    caller.must(Can::Admin)?;
    let (home, login) = (shared.home.clone(), path.text(0).to_owned());
    let removed = blocking(move || {
        let removed = home.persons.remove(&login)?;
        // Another person may be given the same login.
        home.looks.forget(&login);
        Ok::<_, PersonsError>(removed)
    });
    Ok(Json(removed.await?))
}
