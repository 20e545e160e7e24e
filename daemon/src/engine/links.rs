//! Connections to peers: at most one that counts for each, whoever called.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portolan_protocol::id::NodeId;
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::{core::Event, outbox::Outbox};
use crate::{
    store::Store,
    transport::{CloseCode, Connection, Dialer, Direction, FrameReceiver, Handle, Keep, prefer},
};

struct Shared {
    own: NodeId,
    store: Store,
    events: mpsc::Sender<Event>,
    dialer: Dialer,
    links: Mutex<BTreeMap<NodeId, Handle>>,
}

/// See the head of the file. Clones share them.
#[derive(Clone)]
pub(super) struct Links(Arc<Shared>);

impl Links {
    pub(super) fn new(own: NodeId, store: Store, events: mpsc::Sender<Event>, dialer: Dialer) -> Links {
        Links(Arc::new(Shared { own, store, events, dialer, links: Mutex::default() }))
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<NodeId, Handle>> {
        self.0.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a connected peer is, and who called, for status.
    pub(super) fn route(&self, peer: &NodeId) -> Option<(std::net::SocketAddr, Direction)> {
        self.links().get(peer).map(|link| (link.remote_address(), link.direction()))
    }

    /// Takes up a connection, unless one that both sides prefer is open already.
    pub(super) async fn adopt(&self, connection: Connection) {
        let handle = connection.handle().clone();
        let peer = handle.peer();
        let outbox = Outbox::default();
        {
            let mut links = self.links();
            if let Some(held) = links.get(&peer)
                && prefer(self.0.own, peer, held.direction(), handle.direction()) == Keep::Held
            {
                handle.close(CloseCode::Duplicate, "another connection is open");
                return;
            }
            if let Some(old) = links.insert(peer, handle.clone()) {
                old.close(CloseCode::Duplicate, "another connection is open");
            }
        }
        info!(%peer, address = %handle.remote_address(), "connected");
        self.0.dialer.connected(peer);
        let (sender, receiver) = connection.split();
        tokio::spawn(outbox.clone().run(self.0.store.clone(), sender));
        if self.0.events.send(Event::Connected { link: handle.clone(), outbox }).await.is_ok() {
            tokio::spawn(self.clone().read(receiver, handle));
        }
    }

    /// Hands frames to the core, as fast as it takes them: a peer that sends faster is slowed down by QUIC.
    async fn read(self, mut receiver: FrameReceiver, handle: Handle) {
        let peer = handle.peer();
        loop {
            match receiver.recv().await {
                Ok(Some(frame)) => {
                    let event = Event::Frame { link: handle.clone(), frame: frame.into() };
                    if self.0.events.send(event).await.is_err() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    debug!(%peer, %error, "receiving ended");
                    break;
                }
            }
        }
        handle.close(CloseCode::Done, "");
        self.forget(&handle);
        let _ = self.0.events.send(Event::Disconnected { link: handle }).await;
    }

    fn forget(&self, handle: &Handle) {
        let peer = handle.peer();
        let mut links = self.links();
        if links.get(&peer).is_some_and(|link| link.same(handle)) {
            links.remove(&peer);
            drop(links);
            info!(%peer, "disconnected");
            self.0.dialer.disconnected(peer);
        }
    }
}
