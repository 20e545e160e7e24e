//! Who is connected, since when, and by which connection each peer was last reached. Kept in memory only, and looked at once
//! a second: what is shown of the past is what was seen.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portolan_protocol::{
    api::{Connection, Event, Route},
    id::NodeId,
};
use tokio::sync::broadcast;

use crate::{clock, engine::Engine, transport::Direction};

const EVERY: Duration = Duration::from_secs(1);

/// See the head of the file. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Presence(Arc<Mutex<BTreeMap<NodeId, Seen>>>);

struct Seen {
    last: Connection,
    open: bool,
}

impl Presence {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<NodeId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open connection of a peer, and the last one.
    pub(super) fn of(&self, engine: &Engine, peer: NodeId) -> (Option<Connection>, Option<Connection>) {
        self.look(engine, peer);
        let seen = self.seen();
        let Some(seen) = seen.get(&peer) else { return (None, None) };
        (seen.open.then(|| seen.last.clone()), Some(seen.last.clone()))
    }

    /// Takes note of whether a peer is connected; tells what changed.
    fn look(&self, engine: &Engine, peer: NodeId) -> Option<Event> {
        let now = engine.route(&peer).map(|(address, direction)| (address.to_string(), route(direction)));
        let mut seen = self.seen();
        match (now, seen.get_mut(&peer)) {
            (Some((address, route)), Some(known))
                if known.open && known.last.address == address && known.last.route == route =>
            {
                None
            }
            (Some((address, route)), _) => {
                let last = Connection { address: address.clone(), route, since_ms: clock::now() };
                seen.insert(peer, Seen { last, open: true });
                Some(Event::Connected { peer, address })
            }
            (None, Some(known)) if known.open => {
                known.open = false;
                let reason = engine.trouble(&peer).unwrap_or_default();
                Some(Event::Disconnected { peer, reason })
            }
            (None, _) => None,
        }
    }

    /// Looks until the engine is gone.
    pub(super) async fn watch(self, engine: Engine, feed: broadcast::Sender<Event>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Ok(status) = engine.status().await else { return };
            for peer in status.peers {
                if let Some(event) = self.look(&engine, peer.card.node()) {
                    // Nobody may be listening.
                    let _ = feed.send(event);
                }
            }
        }
    }
}

/// Who called whom.
fn route(direction: Direction) -> Route {
    match direction {
        Direction::Outbound => Route::Outgoing,
        Direction::Inbound => Route::Incoming,
    }
}
