//! The engine: one thread owns the `Node`, one carries its effects out, and tasks move frames between peers and both.

mod committer;
mod core;
mod links;
mod outbox;
mod roster;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use portolan_protocol::{
    effects::Notice,
    entry::{EntryRef, LogKey},
    id::{NodeId, SpaceId},
    input::{Command, CommandError, Reply},
    node::Node,
    status::{Holding, NodeStatus},
    view::SpaceView,
};
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use self::{
    committer::Committer,
    core::{Event, Job},
    links::Links,
    roster::Roster,
};
use crate::{
    clock,
    store::{Store, StoreError},
    transport::{Allowed, Dialer, Direction, Endpoint, Exchange, PeerState, TransportError},
};

pub use committer::{Follower, Views};

/// Events that may wait for the core; frames of peers beyond it wait in QUIC.
const EVENTS_MAX: usize = 64;
/// Effects that may wait for the committer.
const JOBS_MAX: usize = 64;
/// Notices kept for a follower that is slow; it then misses the oldest.
const NOTICES_MAX: usize = 1_024;

/// Requests of peers that may wait to be answered.
const EXCHANGES_MAX: usize = 64;

/// What peers ask on streams of their own.
pub type Exchanges = mpsc::Receiver<(NodeId, Exchange)>;

/// Why a command has no answer.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The node refuses; nothing was changed.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// The engine has stopped: the service is shutting down, or a commit failed and it starts anew.
    #[error("the service is stopping; whether the change was kept shows when it runs again")]
    Stopped,
    /// The service is stopping because of it.
    #[error("the disk is full; whether the change was kept shows when the service runs again")]
    Full,
}

/// What the engine is made of.
pub struct Parts {
    /// Taken up from the store.
    pub node: Node,
    /// The store.
    pub store: Store,
    /// Bound already.
    pub endpoint: Endpoint,
    /// The endpoint's.
    pub allowed: Allowed,
    /// Whether peers are called.
    pub calls: bool,
    /// Whoever derives documents.
    pub follower: Box<dyn Follower>,
}

/// The door to a running engine. Clones share it.
#[derive(Clone)]
pub struct Engine {
    own: NodeId,
    events: mpsc::Sender<Event>,
    views: watch::Receiver<Views>,
    notices: broadcast::Sender<Notice>,
    links: Links,
    dialer: Dialer,
    full: Arc<AtomicBool>,
    exchanges: Arc<Mutex<Option<Exchanges>>>,
}

/// A command that was given and not answered yet.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Reply, CommandError>>);

/// Resolves when the engine has stopped: with the failure of the commit that stopped it, if one did.
pub type Stopped = oneshot::Receiver<Option<StoreError>>;

impl Engine {
    /// Starts the threads and the tasks. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(parts: Parts) -> std::io::Result<(Engine, Stopped)> {
        let Parts { node, store, endpoint, allowed, calls, follower } = parts;
        let (events, events_in) = mpsc::channel(EVENTS_MAX);
        let (jobs, jobs_in) = std::sync::mpsc::sync_channel::<Job>(JOBS_MAX);
        let (connections, connections_in) = mpsc::channel(16);
        let views = node.views();
        follower.views(&views);
        let (views, views_out) = watch::channel(views.into_iter().map(|view| (view.space, view)).collect());
        let (notices, _) = broadcast::channel(NOTICES_MAX);
        let dialer = Dialer::start(endpoint.clone(), connections);
        let roster = Roster { allowed, calls, dialer: dialer.clone() };
        node.peer_cards().for_each(|card| roster.add(card));
        let own = node.id();
        let (exchanges, exchanges_in) = mpsc::channel(EXCHANGES_MAX);
        let exchanges_in = Arc::new(Mutex::new(Some(exchanges_in)));
        let links = Links::new(own, store.clone(), events.clone(), dialer.clone(), exchanges);
        let full = Arc::new(AtomicBool::new(false));
        let committer = Committer {
            full: Arc::clone(&full),
            store,
            events: events.downgrade(),
            views,
            notices: notices.clone(),
            follower,
            roster,
            runtime: tokio::runtime::Handle::current(),
        };
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new().name("core".into()).spawn(move || core::run(node, events_in, &jobs))?;
        thread::Builder::new().name("committer".into()).spawn(move || {
            let _ = stop.send(committer.run(&jobs_in).err());
        })?;
        tokio::spawn(take_connections(endpoint, connections_in, links.clone()));
        Ok((Engine { own, events, views: views_out, notices, links, dialer, full, exchanges: exchanges_in }, stopped))
    }

    /// Gives the node a command and waits until what it did is durable.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn command(&self, command: Command) -> Result<Reply, EngineError> {
        let pending = self.submit(command).await?;
        self.answer(pending).await
    }

    /// Gives the node a command and does not wait for the answer. Commands are carried out in the order in which they are given.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn submit(&self, command: Command) -> Result<Pending, EngineError> {
        let (answer, answered) = oneshot::channel();
        self.events.send(Event::Command { command, answer }).await.map_err(|_| self.gone())?;
        Ok(Pending(answered))
    }

    /// Waits until what a command did is durable.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn answer(&self, pending: Pending) -> Result<Reply, EngineError> {
        Ok(pending.0.await.map_err(|_| self.gone())??)
    }

    /// Why there is no answer any more.
    fn gone(&self) -> EngineError {
        if self.full.load(Ordering::Acquire) { EngineError::Full } else { EngineError::Stopped }
    }

    /// Appends changes to this node's log of a space.
    ///
    /// # Errors
    /// [`EngineError`]; on [`CommandError::LogChanged`] the changes are to be made again for the present log.
    pub async fn append(
        &self,
        space: SpaceId,
        log: LogKey,
        changes: Vec<Vec<u8>>,
    ) -> Result<Vec<EntryRef>, EngineError> {
        match self.command(Command::Append { space, log, changes }).await? {
            Reply::Appended(entries) => Ok(entries),
            _ => Err(EngineError::Stopped),
        }
    }

    /// How the node stands.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub async fn status(&self) -> Result<NodeStatus, EngineError> {
        match self.command(Command::Status).await? {
            Reply::Status(status) => Ok(*status),
            _ => Err(EngineError::Stopped),
        }
    }

    /// What others have signed for of `entries`, as far as this node knows.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn holdings(&self, space: SpaceId, entries: Vec<EntryRef>) -> Result<Vec<Holding>, EngineError> {
        match self.command(Command::Holdings { space, entries }).await? {
            Reply::Holdings(holdings) => Ok(holdings),
            _ => Err(EngineError::Stopped),
        }
    }

    /// The node's id.
    pub fn own(&self) -> NodeId {
        self.own
    }

    /// The present picture of a space.
    pub fn view(&self, space: &SpaceId) -> Option<Arc<SpaceView>> {
        self.views.borrow().get(space).cloned()
    }

    /// The present pictures of all spaces.
    pub fn views(&self) -> Vec<Arc<SpaceView>> {
        self.views.borrow().values().cloned().collect()
    }

    /// What happens from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Where a connected peer is, and who called.
    pub fn route(&self, peer: &NodeId) -> Option<(SocketAddr, Direction)> {
        self.links.route(peer)
    }

    /// Who is connected.
    pub fn connected(&self) -> Vec<NodeId> {
        self.links.peers()
    }

    /// Changes whenever somebody connects, or is no longer connected.
    pub fn moves(&self) -> watch::Receiver<u64> {
        self.links.moves()
    }

    /// Opens a stream of its own to ask a connected peer something.
    ///
    /// # Errors
    /// When the peer is not connected any more.
    pub async fn exchange(&self, peer: &NodeId) -> Result<Exchange, TransportError> {
        self.links.exchange(peer).await
    }

    /// What peers ask on streams of their own, for the one who answers; none for a second.
    pub fn exchanges(&self) -> Option<Exchanges> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How long it is until a peer is called again; none where no call is planned.
    pub fn next_call(&self, peer: &NodeId) -> Option<Duration> {
        match self.dialer.state(*peer)? {
            PeerState::Waiting { until, .. } => Some(until.saturating_duration_since(clock::monotonic())),
            _ => None,
        }
    }

    /// Why a peer is not connected, in words; none when it is, or is not called.
    pub fn trouble(&self, peer: &NodeId) -> Option<String> {
        match self.dialer.state(*peer)? {
            PeerState::Waiting { error, .. } => error.map(|error| error.to_string()),
            _ => None,
        }
    }

    /// Calls a peer now instead of at the end of its wait.
    pub fn nudge(&self, peer: NodeId) {
        self.dialer.nudge(peer);
    }

    /// Stops the core; what it has decided is still carried out.
    pub async fn stop(&self) {
        let _ = self.events.send(Event::Stop).await;
    }
}

async fn take_connections(endpoint: Endpoint, mut called: mpsc::Receiver<crate::transport::Connection>, links: Links) {
    loop {
        let connection = tokio::select! {
            Some(connection) = called.recv() => connection,
            Some(connection) = endpoint.accept() => connection,
            else => return,
        };
        links.adopt(connection).await;
    }
}
