//! Connections to peers: at most one that counts for each, whoever called.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portolan_protocol::id::NodeId;
use tokio::sync::{mpsc, watch};
use tracing::{debug, info};

use super::{core::Event, outbox::Outbox};
use crate::{
    store::Store,
    transport::{
        CloseCode, Connection, Dialer, Direction, Exchange, FrameReceiver, Handle, Keep, TransportError, prefer,
    },
};

struct Shared {
    own: NodeId,
    store: Store,
    events: mpsc::Sender<Event>,
    dialer: Dialer,
    links: Mutex<BTreeMap<NodeId, Handle>>,
    /// What peers ask on streams of their own.
    exchanges: mpsc::Sender<(NodeId, Exchange)>,
    /// Counts comings and goings.
    moves: watch::Sender<u64>,
}

/// See the head of the file. Clones share them.
#[derive(Clone)]
pub(super) struct Links(Arc<Shared>);

impl Links {
    pub(super) fn new(
        own: NodeId,
        store: Store,
        events: mpsc::Sender<Event>,
        dialer: Dialer,
        exchanges: mpsc::Sender<(NodeId, Exchange)>,
    ) -> Links {
        let (moves, _) = watch::channel(0);
        Links(Arc::new(Shared { own, store, events, dialer, links: Mutex::default(), exchanges, moves }))
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<NodeId, Handle>> {
        self.0.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a connected peer is, and who called, for status.
    pub(super) fn route(&self, peer: &NodeId) -> Option<(std::net::SocketAddr, Direction)> {
        self.links().get(peer).map(|link| (link.remote_address(), link.direction()))
    }

    /// Who is connected.
    pub(super) fn peers(&self) -> Vec<NodeId> {
        self.links().keys().copied().collect()
    }

    /// Changes whenever somebody comes or goes.
    pub(super) fn moves(&self) -> watch::Receiver<u64> {
        self.0.moves.subscribe()
    }

    /// Opens a stream for a request.
    pub(super) async fn exchange(&self, peer: &NodeId) -> Result<Exchange, TransportError> {
        let handle = self.links().get(peer).cloned();
        handle.ok_or(TransportError::Closed)?.open_exchange().await
    }

    /// Hands on what a peer asks. What is more than is answered is given up; the peer asks again.
    async fn answer(self, handle: Handle) {
        while let Ok(exchange) = handle.accept_exchange().await {
            if self.0.exchanges.try_send((handle.peer(), exchange)).is_err() {
                debug!(peer = %handle.peer(), "a request was given up: too many wait");
            }
        }
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
        self.0.moves.send_modify(|count| *count += 1);
        tokio::spawn(self.clone().answer(handle.clone()));
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
            self.0.moves.send_modify(|count| *count += 1);
        }
    }
}
