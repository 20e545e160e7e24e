//! Keeps calling the peers that should be connected. The plan decides when; this carries it out.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portolan_protocol::id::NodeId;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::sleep_until,
};
use tracing::{debug, info};

use super::{
    Connection, Endpoint, TransportError,
    plan::{PeerState, Plan, Target},
};
use crate::clock;

/// Whatever can call a peer.
pub trait Dial: Clone + Send + Sync + 'static {
    /// What a successful call gives.
    type Connection: Send + 'static;

    /// Calls a peer.
    fn dial(
        &self,
        peer: NodeId,
        target: Target,
    ) -> impl Future<Output = Result<Self::Connection, TransportError>> + Send;
}

impl Dial for Endpoint {
    type Connection = Connection;

    async fn dial(&self, peer: NodeId, target: Target) -> Result<Connection, TransportError> {
        self.connect(peer, target.key, &target.addresses).await
    }
}

#[derive(Debug, Default)]
struct Shared {
    plan: Mutex<Plan>,
    changed: Notify,
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The peers to keep connected. Clones share them; when the last one is dropped the calling stops.
///
/// Whoever holds the connections says [`Dialer::connected`] for each that a peer has made, and [`Dialer::disconnected`]
/// when the last one to a peer has ended. Connections made by the dialer itself it knows of.
#[derive(Clone, Debug)]
pub struct Dialer {
    shared: Arc<Shared>,
    /// Closed, by being dropped, to stop the task.
    _alive: mpsc::Sender<()>,
}

impl Dialer {
    /// Starts calling. Connections go to `connections`; each must be told of when it ends.
    pub fn start<D: Dial>(dial: D, connections: mpsc::Sender<D::Connection>) -> Self {
        let shared = Arc::new(Shared::default());
        let (alive, dropped) = mpsc::channel(1);
        tokio::spawn(run(shared.clone(), dial, connections, dropped));
        Self { shared, _alive: alive }
    }

    /// Adds a peer, or changes its key or addresses; what is new is tried at once.
    pub fn set(&self, peer: NodeId, target: Target) {
        self.change(|plan| plan.set(peer, target, clock::monotonic()));
    }

    /// Calls a peer no more.
    pub fn remove(&self, peer: NodeId) {
        self.change(|plan| plan.remove(peer));
    }

    /// Calls a peer now rather than when its wait is over.
    pub fn nudge(&self, peer: NodeId) {
        self.change(|plan| plan.nudge(peer, clock::monotonic()));
    }

    /// The peer has called and is connected.
    pub fn connected(&self, peer: NodeId) {
        self.change(|plan| plan.connected(peer, clock::monotonic()));
    }

    /// No connection to the peer is left.
    pub fn disconnected(&self, peer: NodeId) {
        self.change(|plan| plan.disconnected(peer, clock::monotonic(), &mut clock::rng()));
    }

    /// What is being done about a peer; `None` for one that is not called.
    pub fn state(&self, peer: NodeId) -> Option<PeerState> {
        self.shared.plan().state(peer)
    }

    fn change(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.shared.plan());
        self.shared.changed.notify_one();
    }
}

async fn run<D: Dial>(
    shared: Arc<Shared>,
    dial: D,
    connections: mpsc::Sender<D::Connection>,
    mut dropped: mpsc::Receiver<()>,
) {
    let mut calls = JoinSet::new();
    loop {
        let (due, next) = {
            let mut plan = shared.plan();
            (plan.due(clock::monotonic()), plan.next())
        };
        for (peer, target) in due {
            let (dial, shared, connections) = (dial.clone(), shared.clone(), connections.clone());
            calls.spawn(async move {
                match dial.dial(peer, target).await {
                    Ok(connection) => {
                        debug!(%peer, "call answered");
                        // Before it is handed on, or its end could be told before its beginning.
                        shared.plan().connected(peer, clock::monotonic());
                        // Fails only when nobody takes connections any more.
                        let _ = connections.send(connection).await;
                    }
                    Err(error) => {
                        info!(%peer, %error, "call failed");
                        shared.plan().failed(peer, error, clock::monotonic(), &mut clock::rng());
                    }
                }
            });
        }
        tokio::select! {
            // Dropping the calls under way ends them.
            _ = dropped.recv() => return,
            () = connections.closed() => return,
            () = shared.changed.notified() => {}
            Some(_) = calls.join_next() => {}
            () = async { match next { Some(next) => sleep_until(next).await, None => std::future::pending().await } } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::transport::{TransportKey, plan};

    const PEER: NodeId = NodeId([1; 32]);

    /// Tells of each call, and answers those to the address "up".
    #[derive(Clone)]
    struct Fake(mpsc::UnboundedSender<Instant>);

    impl Dial for Fake {
        type Connection = NodeId;

        async fn dial(&self, peer: NodeId, target: Target) -> Result<NodeId, TransportError> {
            self.0.send(clock::monotonic()).unwrap();
            if target.addresses == ["up"] { Ok(peer) } else { Err(TransportError::TimedOut) }
        }
    }

    struct World {
        dialer: Dialer,
        calls: mpsc::UnboundedReceiver<Instant>,
        connections: mpsc::Receiver<NodeId>,
    }

    fn world() -> World {
        let ((calls_in, calls), (made, connections)) = (mpsc::unbounded_channel(), mpsc::channel(4));
        World { dialer: Dialer::start(Fake(calls_in), made), calls, connections }
    }

    fn target(address: &str) -> Target {
        Target { key: TransportKey([1; 32]), addresses: vec![address.into()] }
    }

    #[tokio::test(start_paused = true)]
    async fn failed_calls_are_repeated_ever_more_slowly() {
        let mut world = world();
        world.dialer.set(PEER, target("down"));
        let mut last = world.calls.recv().await.unwrap();
        for n in 1..12 {
            let call = world.calls.recv().await.unwrap();
            let (waited, most) = (call - last, plan::wait(n));
            // The timer's grain is a millisecond.
            assert!(waited >= most / 2 && waited <= most + Duration::from_millis(2), "{n}: {waited:?}");
            last = call;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_nudge_and_a_new_address_call_at_once() {
        let mut world = world();
        world.dialer.set(PEER, target("down"));
        for _ in 0..10 {
            world.calls.recv().await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        let now = clock::monotonic();
        world.dialer.nudge(PEER);
        assert_eq!(world.calls.recv().await, Some(now));
        world.dialer.set(PEER, target("up"));
        assert_eq!(world.connections.recv().await, Some(PEER));
        assert_eq!(clock::monotonic(), now);
        assert!(matches!(world.dialer.state(PEER), Some(PeerState::Connected { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_connection_is_made_again() {
        let mut world = world();
        world.dialer.set(PEER, target("up"));
        world.connections.recv().await.unwrap();
        tokio::time::sleep(plan::STABLE).await;
        let now = clock::monotonic();
        world.dialer.disconnected(PEER);
        world.connections.recv().await.unwrap();
        assert!(now.elapsed() <= plan::WAIT_MIN + Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_has_called_is_not_called() {
        let mut world = world();
        world.dialer.connected(PEER);
        world.dialer.set(PEER, target("down"));
        world.calls.recv().await.unwrap();
        world.dialer.connected(PEER);
        assert!(tokio::time::timeout(Duration::from_secs(900), world.calls.recv()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_dialer_or_a_peer_stops_the_calls() {
        let mut world = world();
        world.dialer.set(PEER, target("down"));
        world.calls.recv().await.unwrap();
        world.dialer.remove(PEER);
        assert!(tokio::time::timeout(Duration::from_secs(900), world.calls.recv()).await.is_err());
        drop(world.dialer);
        assert_eq!(world.calls.recv().await, None);
    }
}
