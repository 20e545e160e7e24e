//! A connection to a peer that has proved its key, and which of two connections to one peer is kept.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portolan_protocol::id::NodeId;

use super::{
    Allowed, CONNECTIONS_PER_PEER_MAX, CloseCode, Exchange, FrameReceiver, FrameSender, TransportError, TransportKey,
};

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// This node did.
    Outbound,
    /// The peer did.
    Inbound,
}

/// Which connection stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The one that was there.
    Held,
    /// The new one.
    Fresh,
}

/// Which of two connections between `local` and `peer` stays. Both nodes come to the same answer without a word: of two
/// calls that crossed, the one of the node with the smaller id; of two calls the same way the later one, since a node
/// that calls again has lost the earlier.
pub fn prefer(local: NodeId, peer: NodeId, held: Direction, fresh: Direction) -> Keep {
    let of_smaller = if local < peer { Direction::Outbound } else { Direction::Inbound };
    if held == fresh || fresh == of_smaller { Keep::Fresh } else { Keep::Held }
}

/// How many connections each peer has, shared by all of an endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Census(Arc<Mutex<BTreeMap<NodeId, usize>>>);

/// One place of a peer's, given back when dropped.
#[derive(Debug)]
struct Place(Census, NodeId);

impl Census {
    fn enter(&self, peer: NodeId) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= CONNECTIONS_PER_PEER_MAX {
            return None;
        }
        *count += 1;
        Some(Place(self.clone(), peer))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

struct Link {
    quinn: quinn::Connection,
    peer: NodeId,
    direction: Direction,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.quinn.close(CloseCode::Done.into(), b"");
    }
}

/// A hold on a connection. When the last one is dropped, those inside [`FrameSender`] and [`FrameReceiver`] included,
/// the connection closes.
#[derive(Clone)]
pub struct Handle(Arc<Link>);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link { peer, direction, .. } = &*self.0;
        write!(f, "Handle({peer:?} {direction:?} {})", self.remote_address())
    }
}

impl Handle {
    /// Who the other side is, as its key has proved.
    pub fn peer(&self) -> NodeId {
        self.0.peer
    }

    /// Who called.
    pub fn direction(&self) -> Direction {
        self.0.direction
    }

    /// Where the peer is now; it may move while connected.
    pub fn remote_address(&self) -> SocketAddr {
        let address = self.0.quinn.remote_address();
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }

    /// Best estimate of a round trip.
    pub fn rtt(&self) -> Duration {
        self.0.quinn.rtt()
    }

    /// Whether both are holds on one connection.
    pub fn same(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Closes at once; frames under way may be lost. The first close counts.
    pub fn close(&self, code: CloseCode, reason: &str) {
        self.0.quinn.close(code.into(), reason.as_bytes());
    }

    /// Opens a stream for a request; waits while the peer has as many open as it takes.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn open_exchange(&self) -> Result<Exchange, TransportError> {
        Ok(Exchange::new(self.0.quinn.open_bi().await?))
    }

    /// The next stream on which the peer asks something.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn accept_exchange(&self) -> Result<Exchange, TransportError> {
        Ok(Exchange::new(self.0.quinn.accept_bi().await?))
    }

    /// Waits for the end, and tells why it came.
    pub async fn closed(&self) -> TransportError {
        self.0.quinn.closed().await.into()
    }
}

/// A connection ready for frames.
#[derive(Debug)]
pub struct Connection {
    sender: FrameSender,
    receiver: FrameReceiver,
}

impl Connection {
    /// Puts a finished handshake under watch: the connection ends when the key is withdrawn.
    pub(super) fn adopt(
        quinn: quinn::Connection,
        key: TransportKey,
        peer: NodeId,
        direction: Direction,
        allowed: &Allowed,
        census: &Census,
    ) -> Result<Handle, TransportError> {
        let handle = Handle(Arc::new(Link { quinn: quinn.clone(), peer, direction }));
        let Some(place) = census.enter(peer) else {
            handle.close(CloseCode::Busy, "too many connections of one peer");
            return Err(TransportError::Closed);
        };
        let allowed = allowed.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = quinn.closed() => {}
                () = allowed.withdrawn(key, peer) => quinn.close(CloseCode::NotAllowed.into(), b"no longer allowed"),
            }
            drop(place);
        });
        Ok(handle)
    }

    pub(super) fn new(handle: Handle, send: quinn::SendStream, receive: quinn::RecvStream) -> Self {
        let sender = FrameSender::new(send, handle.clone());
        Self { sender, receiver: FrameReceiver::new(receive, handle) }
    }

    /// Greets and waits to be greeted, in the order that the side of the connection gives.
    pub(super) async fn greet(&mut self) -> Result<(), TransportError> {
        self.sender.greet().await
    }

    pub(super) async fn greeted(&mut self) -> Result<(), TransportError> {
        self.receiver.greeted().await
    }

    /// A hold on the connection.
    pub fn handle(&self) -> &Handle {
        self.sender.handle()
    }

    /// Who the other side is.
    pub fn peer(&self) -> NodeId {
        self.handle().peer()
    }

    /// The two halves, for two tasks.
    pub fn split(self) -> (FrameSender, FrameReceiver) {
        (self.sender, self.receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_crossed_calls_leave_the_same_one_on_both_sides() {
        let (a, b) = (NodeId([1; 32]), NodeId([2; 32]));
        use Direction::{Inbound, Outbound};
        // a's call arrives first, b's second, at each of them.
        assert_eq!(prefer(a, b, Outbound, Inbound), Keep::Held);
        assert_eq!(prefer(b, a, Inbound, Outbound), Keep::Held);
        // b's call first.
        assert_eq!(prefer(a, b, Inbound, Outbound), Keep::Fresh);
        assert_eq!(prefer(b, a, Outbound, Inbound), Keep::Fresh);
        // The same way twice.
        assert_eq!(prefer(a, b, Inbound, Inbound), Keep::Fresh);
        assert_eq!(prefer(b, a, Outbound, Outbound), Keep::Fresh);
    }

    #[test]
    fn a_peer_has_only_so_many_places() {
        let (census, peer) = (Census::default(), NodeId([1; 32]));
        let held: Vec<_> = (0..CONNECTIONS_PER_PEER_MAX).map(|_| census.enter(peer)).collect();
        assert!(held.iter().all(Option::is_some) && census.enter(peer).is_none());
        assert!(census.enter(NodeId([2; 32])).is_some());
        drop(held);
        assert!(census.enter(peer).is_some());
    }
}
