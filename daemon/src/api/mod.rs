//! The local API (`docs/spec/api.md`): HTTP and JSON over a unix socket, and the only door to axum and to hyper's server.
//!
//! Handlers are thin: they ask who may, pass on, and put into words. What is decided is decided by the core.

mod shared;

mod answer;
mod attachments;
mod caller;
mod check;
mod content;
mod documents;
mod events;
mod holders;
mod import;
mod news;
mod node;
mod peers;
mod picture;
mod pouches;
mod presence;
mod revisions;
mod search;
mod socket;
mod spaces;
mod sync;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{delete, get, patch, post},
};
use portolan_protocol::api::{ApiError, PREFIX};
use tokio::sync::{Mutex, watch};

use self::{
    answer::{Failure, not_found, usage},
    presence::Presence,
    shared::Shared,
};
use crate::clock;

pub use events::{Announcer, BACKLOG};
pub use shared::Parts;
pub use socket::Socket;

/// Serves the local API until `stopping` turns true.
pub async fn serve(socket: Socket, parts: Parts, stopping: watch::Receiver<bool>) {
    let Parts { home, engine, documents, search, pouches, attachments, store, endpoint, offline, feed } = parts;
    let shared = Arc::new(Shared {
        home,
        documents,
        search,
        pouches,
        attachments,
        store,
        endpoint,
        offline,
        presence: Presence::default(),
        changing: Mutex::default(),
        started: clock::monotonic(),
        stopping: stopping.clone(),
        feed: feed.clone(),
        engine: engine.clone(),
    });
    let tasks = [
        tokio::spawn(shared.presence.clone().watch(engine.clone(), feed)),
        tokio::spawn(events::translate(shared.clone(), engine.notices())),
    ];
    socket.serve(router(shared), stopping).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}

fn router(shared: Arc<Shared>) -> Router {
    let routes = Router::new()
        .route("/status", get(node::status))
        .route("/node/card", get(node::card))
        .route("/node/profile", patch(node::change_profile))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{login}", delete(users::remove))
        .route("/peers", get(peers::list).post(peers::add))
        .route("/peers/{node}", get(peers::show).delete(peers::remove))
        .route("/spaces", get(spaces::list).post(spaces::create))
        .route("/spaces/{space}", get(spaces::show).patch(spaces::rename))
        .route("/spaces/{space}/members", get(spaces::members).post(spaces::grant))
        .route("/spaces/{space}/members/{node}", delete(spaces::revoke))
        .route("/spaces/{space}/epochs", post(spaces::rotate))
        .route("/spaces/{space}/documents", get(documents::list).post(documents::create))
        .route("/spaces/{space}/facets", get(documents::facets))
        .route(
            "/spaces/{space}/documents/{document}",
            get(documents::show).patch(documents::edit).delete(documents::delete),
        )
        .route("/spaces/{space}/documents/{document}/history", get(documents::history))
        .route("/spaces/{space}/documents/{document}/conflicts", get(revisions::conflicts))
        .route("/spaces/{space}/documents/{document}/settle", post(revisions::settle))
        .route("/spaces/{space}/documents/{document}/diff", get(revisions::diff))
        .route("/spaces/{space}/documents/{document}/translations", get(revisions::translations))
        .route("/spaces/{space}/documents/{document}/links", get(revisions::links))
        .route("/spaces/{space}/documents/{document}/holders", get(holders::holders))
        .route("/spaces/{space}/documents/{document}/provenance", get(holders::provenance))
        .route("/spaces/{space}/documents/{document}/restore", post(revisions::restore))
        .route("/spaces/{space}/documents/{document}/attachments", get(attachments::list).post(attachments::add))
        .route("/spaces/{space}/documents/{document}/attachments/{attachment}", get(content::read))
        .route("/spaces/{space}/documents/{document}/attachments/{attachment}/fetch", post(attachments::fetch))
        .route("/spaces/{space}/documents/{document}/attachments/{attachment}/verify", post(attachments::verify))
        .route("/attachments", get(attachments::held))
        .route("/attachments/check", post(attachments::check))
        .route("/attachments/unreferenced", delete(attachments::prune))
        .route("/spaces/{space}/import", post(import::import))
        .route("/pouches", get(pouches::list).post(pouches::export))
        .route("/pouches/volumes", post(pouches::take))
        .route("/pouches/receipts", post(pouches::receipt))
        .route("/pouches/{pouch}", get(pouches::show))
        .route("/pouches/{pouch}/volumes/{number}", get(pouches::write).post(pouches::verified))
        .route("/new", get(news::fresh).post(news::seen))
        .route("/search", get(search::search))
        .route("/sync", post(sync::sync))
        .route("/check", post(check::check))
        .route("/events", get(events::listen));
    Router::new()
        .nest(PREFIX, routes)
        .fallback(|| async { refuse(not_found("there is no such route")) })
        .method_not_allowed_fallback(|| async { refuse(usage("this route does not know this method")) })
        // Bodies are bounded where they are read: one route reads a stream.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(shared.clone(), caller::doorkeeper))
        .with_state(shared)
}

fn refuse(error: ApiError) -> Failure {
    Failure(error.next("Install the same release of `portolan` and `portoland`."))
}
