//! Endpoints on loopback: what passes, what is refused, and by whom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use portolan_protocol::id::NodeId;
use tokio::time::timeout;

use super::*;

mod endpoint;
mod exchange;
mod frames;
mod handshake;
mod rogue;

struct Node {
    id: NodeId,
    identity: Identity,
    allowed: Allowed,
    endpoint: Endpoint,
}

fn node(number: u8, listen: &[&str]) -> Node {
    let identity = Identity::from_seed(&[number; 32]).unwrap();
    let allowed = Allowed::default();
    let listen: Vec<_> = listen.iter().map(|a| a.parse().unwrap()).collect();
    let endpoint = Endpoint::bind(&listen, identity.clone(), allowed.clone()).unwrap();
    Node { id: NodeId([number; 32]), identity, allowed, endpoint }
}

impl Node {
    fn knows(&self, other: &Node) {
        self.allowed.insert(other.identity.key(), other.id);
    }

    fn address(&self) -> SocketAddr {
        self.endpoint.local_addrs()[0]
    }

    async fn call(&self, other: &Node) -> Result<Connection, TransportError> {
        self.endpoint.connect(other.id, other.identity.key(), &[other.address().to_string()]).await
    }
}

/// Two nodes that know one another.
fn pair() -> (Node, Node) {
    let (a, b) = (node(1, &["127.0.0.1:0"]), node(2, &["127.0.0.1:0"]));
    a.knows(&b);
    b.knows(&a);
    (a, b)
}

async fn joined(a: &Node, b: &Node) -> (Connection, Connection) {
    let (called, taken) = tokio::join!(a.call(b), b.endpoint.accept());
    (called.unwrap(), taken.unwrap())
}

/// What must happen without waiting for any timeout of the transport's.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(HANDSHAKE_TIMEOUT / 2, event).await.expect("soon")
}

fn body(length: usize) -> Bytes {
    (0..length).map(|n| (n * 31 % 251) as u8).collect()
}
