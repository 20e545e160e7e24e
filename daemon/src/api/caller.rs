//! Who asks: the kernel tells the uid of whoever opened the socket, the system its login, the node what the login may do.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use portolan_protocol::{
    api::{ApiError, Can, ErrorKind, VERSION_HEADER},
    id::SpaceId,
};

use super::{
    answer::{Failure, blocking, forbidden, not_found},
    shared::Shared,
};
use crate::{
    logins,
    persons::{Known, Persons},
};

/// Who opened a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uid(pub(super) u32);

/// A listed login and what it may do, as it was when the request came.
#[derive(Clone, Debug)]
pub(super) struct Caller(pub(super) Arc<Known>, Uid);

impl Caller {
    /// Lets pass who may do this everywhere.
    pub(super) fn must(&self, can: Can) -> Result<(), ApiError> {
        if self.0.may(can, None) { Ok(()) } else { Err(self.refusal(can)) }
    }

    /// Lets pass who may do this in a space. Who may not even see it is told that it is not there.
    pub(super) fn must_in(&self, can: Can, space: &SpaceId) -> Result<(), ApiError> {
        if self.0.may(can, Some(space)) {
            return Ok(());
        }
        if self.sees(space) { Err(self.refusal(can)) } else { Err(not_found("this node has no such space")) }
    }

    /// Whether there is anything that the login may read.
    pub(super) fn must_somewhere(&self, can: Can) -> Result<(), ApiError> {
        if self.0.may_somewhere(can) { Ok(()) } else { Err(self.refusal(can)) }
    }

    /// Whether the login sees a space at all.
    pub(super) fn sees(&self, space: &SpaceId) -> bool {
        self.0.may(Can::Read, Some(space))
    }

    /// The spaces that the caller may read and that this node takes part in; or the one that is named, if it is one of them.
    pub(super) async fn readable(&self, shared: &Shared, named: Option<SpaceId>) -> Result<Vec<SpaceId>, ApiError> {
        if let Some(space) = named {
            self.must_in(Can::Read, &space)?;
            shared.must_know(&space)?;
            return Ok(vec![space]);
        }
        self.must_somewhere(Can::Read)?;
        let status = shared.engine.status().await?;
        Ok(status.spaces.iter().map(|status| status.space).filter(|space| self.sees(space)).collect())
    }

    /// The same login with what it may do by now, for requests that last; none when it may not come in any more.
    pub(super) fn now(&self, persons: &Persons) -> Option<Caller> {
        let Caller(before, uid) = self;
        persons.known(uid.0, Some(&before.login)).map(|known| Caller(Arc::new(known), *uid))
    }

    fn refusal(&self, can: Can) -> ApiError {
        let what = match can {
            Can::Read => "read",
            Can::Write => "write",
            Can::Admin => "admin",
        };
        forbidden(format!("the login `{}` does not have the right `{what}` for this", self.0.login))
            .next("Ask an administrator of this node (`portolan user add`).")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(caller.ok_or_else(|| ApiError::new(ErrorKind::Internal, "the request has no caller"))?)
    }
}

/// Stands before every route: finds the caller, refuses strangers, names the release, and turns a panic into an answer.
pub(super) async fn doorkeeper(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let uid = request.extensions().get::<Uid>().copied();
    let mut response = match admit(shared, uid).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            answer.unwrap_or_else(|_| {
                tracing::error!("a request made the daemon panic");
                let error = ApiError::new(ErrorKind::Internal, "a fault of the daemon; see its log");
                Failure(error.safe("What was acknowledged before is kept.")).into_response()
            })
        }
        Err(error) => Failure(error).into_response(),
    };
    response.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    response
}

async fn admit(shared: Arc<Shared>, uid: Option<Uid>) -> Result<Caller, ApiError> {
    if shared.documents.is_full() {
        return Err(crowded());
    }
    let Some(Uid(uid)) = uid else { return Err(forbidden("the system does not say who asks")) };
    let login = blocking(move || {
        logins::login(uid).map_err(|error| {
            ApiError::new(ErrorKind::Unavailable, format!("the system's directory of users does not answer: {error}"))
        })
    });
    let login = login.await?;
    let known = shared.home.persons.known(uid, login.as_deref());
    known.map(|known| Caller(Arc::new(known), Uid(uid))).ok_or_else(|| {
        let login = login.unwrap_or_else(|| format!("uid {uid}"));
        forbidden(format!("the login `{login}` is not listed on this node"))
            .next("Ask an administrator of this node to add it with `portolan user add`.")
    })
}

/// More wait for records than can be answered soon.
fn crowded() -> ApiError {
    ApiError::new(ErrorKind::Unavailable, "too many requests wait for an answer already")
        .safe("Nothing was changed.")
        .next("Try again in a moment, with fewer at a time.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::api::AddUser;

    use super::*;
    use crate::clock;

    #[test]
    fn a_request_that_lasts_loses_the_rights_that_are_taken_away() {
        let home = tempfile::tempdir().unwrap();
        let persons = Persons::create(home.path(), "someone", "Someone", &mut clock::rng())
            .and_then(|_| Persons::open(home.path()))
            .unwrap();
        let add = |can| AddUser { login: "daemon".into(), name: "Amina".into(), can, space: None };
        persons.add(add(Can::Write), &mut clock::rng()).unwrap();
        let caller = Caller(Arc::new(persons.known(1, Some("daemon")).unwrap()), Uid(1));
        assert!(caller.now(&persons).unwrap().must(Can::Write).is_ok());
        persons.add(add(Can::Read), &mut clock::rng()).unwrap();
        assert!(caller.now(&persons).unwrap().must(Can::Write).is_err());
        persons.remove("daemon").unwrap();
        assert!(caller.now(&persons).is_none());
    }
}
