//! `GET /v1/events`: what happens, as it happens; and the tasks that find it out.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use portolan_protocol::{
    api::{Can, Event},
    effects::{Appended, Notice},
    id::SpaceId,
    view::SpaceView,
};
use tokio::sync::broadcast::{self, error::RecvError};

use super::{answer::Failure, caller::Caller, shared::Shared};
use crate::engine::Follower;

/// Events that a slow listener may be behind; then it is disconnected.
pub const BACKLOG: usize = 16_384;
/// A comment now and then shows either side that the other is there.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Passes on what the engine tells a follower, and makes events of it.
pub struct Announcer {
    follower: Box<dyn Follower>,
    feed: broadcast::Sender<Event>,
}

impl Announcer {
    /// Stands before `follower`.
    pub fn new(follower: Box<dyn Follower>, feed: broadcast::Sender<Event>) -> Announcer {
        Announcer { follower, feed }
    }
}

impl Follower for Announcer {
    fn views(&self, views: &[Arc<SpaceView>]) {
        self.follower.views(views);
    }

    fn appended(&self, appended: &[Appended]) {
        self.follower.appended(appended);
        for Appended { context, from, to, .. } in appended {
            let entries = to.saturating_sub(*from);
            // Nobody may be listening.
            let _ = self.feed.send(Event::Committed { space: context.space, author: context.log.author, entries });
        }
    }
}

/// Makes events of the core's notices, until the engine is gone.
pub(super) async fn translate(shared: Arc<Shared>, mut notices: broadcast::Receiver<Notice>) {
    loop {
        let notice = match notices.recv().await {
            Ok(notice) => notice,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if shared.feed.receiver_count() > 0
            && let Some(event) = event(&shared, notice).await
        {
            shared.announce(event);
        }
    }
}

async fn event(shared: &Shared, notice: Notice) -> Option<Event> {
    Some(match notice {
        Notice::Refused { peer, reason } => Event::Refused { peer, reason },
        Notice::Fork { context, .. } => Event::Fork { space: context.space, author: context.log.author },
        Notice::Joined { space } | Notice::Removed { space } => {
            Event::Role { space, role: shared.engine.view(&space)?.role }
        }
        Notice::UpgradeNeeded { space } => Event::UpgradeNeeded { space },
        Notice::Receipted { peer, space } => {
            let status = shared.engine.status().await.ok()?;
            let of_peer = status.peers.into_iter().find(|status| status.card.node() == peer)?;
            let receipt = of_peer.receipts.into_iter().find(|receipt| receipt.space == space)?;
            let (entries_receipted, up_to_date) = (receipt.entries, receipt.up_to_date);
            Event::Receipt { peer, space, entries_receipted, up_to_date }
        }
        Notice::TooManyLogs { .. } | Notice::PeerCard { .. } | Notice::PeerGone { .. } => return None,
    })
}

/// The space that an event is about.
fn space(event: &Event) -> Option<&SpaceId> {
    match event {
        Event::Committed { space, .. }
        | Event::Document { space, .. }
        | Event::Receipt { space, .. }
        | Event::Role { space, .. }
        | Event::Fork { space, .. }
        | Event::UpgradeNeeded { space } => Some(space),
        Event::Listening
        | Event::Connected { .. }
        | Event::Disconnected { .. }
        | Event::Refused { .. }
        | Event::Unknown => None,
    }
}

pub(super) async fn listen(State(shared): State<Arc<Shared>>, caller: Caller) -> Result<Response, Failure> {
    caller.must_somewhere(Can::Read)?;
    let (feed, stopping) = (shared.feed.subscribe(), shared.stopping.clone());
    let start = Listener { shared, feed, stopping, caller, first: true };
    let events = futures_util::stream::unfold(start, |mut listener| async move {
        let event = listener.next().await?;
        let data = serde_json::to_string(&event).ok()?;
        Some((Ok::<_, Infallible>(sse::Event::default().event(event.name()).data(data)), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)).into_response())
}

struct Listener {
    shared: Arc<Shared>,
    feed: broadcast::Receiver<Event>,
    stopping: tokio::sync::watch::Receiver<bool>,
    caller: Caller,
    first: bool,
}

impl Listener {
    /// The next event that the caller may see; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.first) {
            return Some(Event::Listening);
        }
        loop {
            let event = tokio::select! {
                event = self.feed.recv() => event.ok()?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
            };
            // A listener stays for days; its rights may have been taken away since.
            let caller = self.caller.now(&self.shared.home.persons)?;
            if caller.must_somewhere(Can::Read).is_err() {
                return None;
            }
            if space(&event).is_none_or(|space| caller.sees(space)) {
                return Some(event);
            }
        }
    }
}
