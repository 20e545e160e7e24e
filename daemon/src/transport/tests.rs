//! Endpoints on loopback: what passes, what is refused, and by whom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use portolan_protocol::{id::NodeId, limits::FRAME_BYTES_MAX};
use quinn::{
    EndpointConfig, TokioRuntime, VarInt,
    crypto::rustls::QuicClientConfig,
    rustls::{
        self,
        client::AlwaysResolvesClientRawPublicKeys,
        crypto::{CryptoProvider, aws_lc_rs},
        version::TLS13,
    },
};
use tokio::{net::UdpSocket, sync::watch, time::timeout};

use super::{verify::ExpectServer, *};

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

#[tokio::test]
async fn frames_pass_both_ways_between_proven_peers() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    assert_eq!((called.peer(), taken.peer()), (b.id, a.id));
    assert_eq!((called.handle().direction(), taken.handle().direction()), (Direction::Outbound, Direction::Inbound));
    assert_eq!(called.handle().remote_address(), b.address());
    let ((mut to_b, mut from_b), (mut to_a, mut from_a)) = (called.split(), taken.split());
    for length in [1, 3, 1_200, 70_000, FRAME_BYTES_MAX] {
        let frame = body(length);
        let (sent, received) = tokio::join!(to_b.send(frame.clone()), from_a.recv());
        sent.unwrap();
        assert!(received.unwrap().unwrap() == frame, "{length} bytes");
        let (sent, received) = tokio::join!(to_a.send(frame.clone()), from_b.recv());
        sent.unwrap();
        assert!(received.unwrap().unwrap() == frame, "{length} bytes back");
    }
    // The end of one way leaves the other open.
    let (finished, end) = tokio::join!(to_b.finish(), from_a.recv());
    finished.unwrap();
    assert_eq!(end.unwrap(), None);
    to_a.send(&b"last"[..]).await.unwrap();
    assert_eq!(from_b.recv().await.unwrap().unwrap(), &b"last"[..]);
}

#[tokio::test]
async fn twenty_megabytes_arrive_equal() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    let ((mut to_b, _from_b), (_to_a, mut from_a)) = (called.split(), taken.split());
    let sending = tokio::spawn(async move {
        for n in 0..80u8 {
            let mut frame = body(256 << 10).to_vec();
            frame[0] = n;
            to_b.send(frame).await.unwrap();
        }
        to_b.finish().await.unwrap();
    });
    for n in 0..80u8 {
        let frame = from_a.recv().await.unwrap().unwrap();
        assert!(frame[0] == n && frame[1..] == body(256 << 10)[1..]);
    }
    assert_eq!(from_a.recv().await.unwrap(), None);
    sending.await.unwrap();
}

#[tokio::test]
async fn a_receive_that_is_dropped_midway_loses_nothing() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    let ((mut to_b, _from_b), (_to_a, mut from_a)) = (called.split(), taken.split());
    let frame = body(1 << 20);
    let sent = frame.clone();
    let sending = tokio::spawn(async move {
        to_b.send(sent).await.unwrap();
        to_b.finish().await.unwrap();
    });
    let received = loop {
        // Dropped at every point where it waits.
        if let Some(result) = futures_util::FutureExt::now_or_never(from_a.recv()) {
            break result.unwrap().unwrap();
        }
        tokio::task::yield_now().await;
    };
    assert!(received == frame);
    sending.await.unwrap();
}

#[tokio::test]
async fn a_client_whose_key_is_not_known_is_refused_in_the_handshake() {
    let (a, b) = pair();
    b.allowed.remove(&a.identity.key());
    let error = a.call(&b).await.unwrap_err();
    assert!(matches!(error.cause(), TransportError::KeyRefused), "{error:?}");
    assert_eq!(error.fault(), Fault::Mismatch);
    // Nothing of it reaches the other side's caller.
    b.knows(&a);
    let (_called, taken) = joined(&a, &b).await;
    assert_eq!(taken.peer(), a.id);
}

#[tokio::test]
async fn a_peer_that_is_not_allowed_is_not_called() {
    let (a, b) = (node(1, &[]), node(2, &["127.0.0.1:0"]));
    assert!(matches!(a.call(&b).await, Err(TransportError::NotAllowed(peer)) if peer == b.id));
    a.allowed.insert(b.identity.key(), NodeId([9; 32]));
    assert!(matches!(a.call(&b).await, Err(TransportError::NotAllowed(_))));
}

#[tokio::test]
async fn a_node_with_another_key_than_expected_shows_none() {
    let (a, b) = pair();
    let other = Identity::from_seed(&[9; 32]).unwrap().key();
    a.allowed.insert(other, b.id);
    let error = a.endpoint.connect(b.id, other, &[b.address().to_string()]).await.unwrap_err();
    assert!(matches!(error.cause(), TransportError::WrongName), "{error:?}");
}

/// A caller that does not keep to the rules: what it says and offers can be chosen.
struct Rogue {
    endpoint: quinn::Endpoint,
    config: rustls::ClientConfig,
}

impl Rogue {
    fn new(identity: &Identity, expected: TransportKey, provider: CryptoProvider) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ExpectServer { key: expected, algorithms }))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(identity.certified())));
        config.alpn_protocols = vec![ALPN.to_vec()];
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let endpoint = quinn::Endpoint::new(EndpointConfig::default(), None, udp, Arc::new(TokioRuntime)).unwrap();
        Self { endpoint, config }
    }

    async fn call(&self, to: &Node, name: &str) -> Result<quinn::Connection, TransportError> {
        let crypto = QuicClientConfig::with_initial(Arc::new(self.config.clone()), tls::initial_suite()?).unwrap();
        let config = quinn::ClientConfig::new(Arc::new(crypto));
        Ok(self.endpoint.connect_with(config, to.address(), name).unwrap().await?)
    }
}

fn rogue(a: &Node, b: &Node) -> Rogue {
    Rogue::new(&a.identity, b.identity.key(), tls::provider())
}

#[tokio::test]
async fn a_server_that_shows_another_key_is_refused() {
    let (a, b) = pair();
    // The name is right and the key is not, as if the name had been overheard and the address taken over.
    let deceived = Rogue::new(&a.identity, TransportKey([7; 32]), tls::provider());
    let error = deceived.call(&b, &server_name(&b.identity.key())).await.unwrap_err();
    assert!(matches!(error, TransportError::WrongKey), "{error:?}");
}

#[tokio::test]
async fn a_hello_with_another_name_or_none_is_refused() {
    let (a, b) = pair();
    let mut rogue = rogue(&a, &b);
    for name in ["localhost", &server_name(&a.identity.key()), "127.0.0.1"] {
        let error = rogue.call(&b, name).await.unwrap_err();
        assert!(matches!(error, TransportError::WrongName), "{name}: {error:?}");
    }
    // And before the protocol is looked at: a scanner does not learn what is spoken.
    rogue.config.alpn_protocols = vec![b"h3".to_vec()];
    assert!(matches!(rogue.call(&b, "localhost").await, Err(TransportError::WrongName)));
}

#[tokio::test]
async fn another_protocol_version_is_refused_as_incompatible() {
    let (a, b) = pair();
    let mut rogue = rogue(&a, &b);
    for protocols in [vec![b"portolan/2".to_vec()], vec![]] {
        rogue.config.alpn_protocols = protocols;
        let error = rogue.call(&b, &server_name(&b.identity.key())).await.unwrap_err();
        assert!(matches!(error, TransportError::Incompatible(_)), "{error:?}");
        assert_eq!(error.fault(), Fault::Mismatch);
    }
}

#[tokio::test]
async fn key_exchange_is_hybrid_or_nothing() {
    let (a, b) = pair();
    let name = server_name(&b.identity.key());
    let with = |kx_groups| Rogue::new(&a.identity, b.identity.key(), CryptoProvider { kx_groups, ..tls::provider() });
    let error =
        with(vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1]).call(&b, &name).await.unwrap_err();
    assert!(matches!(error, TransportError::Incompatible(_)), "{error:?}");
    with(vec![aws_lc_rs::kx_group::X25519MLKEM768]).call(&b, &name).await.unwrap();
    // Weaker first and hybrid possible: asked again for the hybrid one.
    with(vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::X25519MLKEM768]).call(&b, &name).await.unwrap();
}

#[tokio::test]
async fn a_caller_may_open_no_stream() {
    let (a, b) = pair();
    let rogue = rogue(&a, &b).call(&b, &server_name(&b.identity.key())).await.unwrap();
    let (_send, _receive) = rogue.accept_bi().await.unwrap();
    let none = Duration::from_millis(50);
    assert!(timeout(none, rogue.open_bi()).await.is_err());
    assert!(timeout(none, rogue.open_uni()).await.is_err());
    assert!(rogue.send_datagram(Bytes::from_static(b"x")).is_err());
}

/// What a node makes of bytes that a proven peer sends after its greeting.
async fn hears(bytes: &[u8], finish: bool) -> (Result<Option<Bytes>, TransportError>, quinn::ConnectionError) {
    let (a, b) = pair();
    let rogue = rogue(&a, &b).call(&b, &server_name(&b.identity.key())).await.unwrap();
    let (mut send, _receive) = rogue.accept_bi().await.unwrap();
    send.write_all(&[0; 4]).await.unwrap();
    send.write_all(bytes).await.unwrap();
    if finish {
        send.finish().unwrap();
    }
    let (_sender, mut receiver) = b.endpoint.accept().await.unwrap().split();
    let heard = soon(receiver.recv()).await;
    (heard, soon(rogue.closed()).await)
}

#[tokio::test]
async fn a_frame_of_a_forbidden_length_closes_the_connection() {
    for length in [0, FRAME_BYTES_MAX as u32 + 1, u32::MAX] {
        let (heard, closed) = hears(&length.to_be_bytes(), false).await;
        assert!(matches!(heard, Err(TransportError::FrameLength(n)) if n == u64::from(length)), "{heard:?}");
        assert!(matches!(closed, quinn::ConnectionError::ApplicationClosed(c) if c.error_code == VarInt::from_u32(3)));
    }
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_is_truncated() {
    for bytes in [&[0, 0][..], &[0, 0, 0, 5, 1, 2]] {
        let (heard, _) = hears(bytes, true).await;
        assert!(matches!(&heard, Err(e @ TransportError::Truncated) if e.fault() == Fault::Peer), "{heard:?}");
    }
}

#[tokio::test]
async fn a_caller_that_does_not_greet_is_not_taken() {
    let (a, b) = pair();
    let rogue = rogue(&a, &b).call(&b, &server_name(&b.identity.key())).await.unwrap();
    let (mut send, _receive) = rogue.accept_bi().await.unwrap();
    send.write_all(&[0, 0, 0, 1, 7]).await.unwrap();
    assert!(matches!(soon(rogue.closed()).await, quinn::ConnectionError::ApplicationClosed(_)));
    let (_called, taken) = joined(&a, &b).await;
    assert_eq!(taken.handle().remote_address(), a.address());
}

#[tokio::test]
async fn what_cannot_be_received_is_not_sent() {
    let (a, b) = pair();
    let (called, _taken) = joined(&a, &b).await;
    let (mut to_b, _from_b) = called.split();
    for length in [0, FRAME_BYTES_MAX + 1] {
        assert!(matches!(to_b.send(vec![0; length]).await, Err(TransportError::Unsendable(_))));
    }
    // Larger than the window, and nobody reads: waits, and is dropped waiting.
    let halves = async {
        for _ in 0..4 {
            to_b.send(vec![1; FRAME_BYTES_MAX]).await.unwrap();
        }
    };
    assert!(timeout(Duration::from_millis(500), halves).await.is_err());
    assert!(matches!(soon(to_b.send(vec![1])).await, Err(TransportError::Unsendable(_))));
}

#[tokio::test]
async fn a_dead_first_address_is_passed_over() {
    let (a, b) = pair();
    // Bound and silent: nothing answers there, and nothing refuses.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let addresses = [silent.local_addr().unwrap(), b.address()].map(|a| a.to_string());
    let (called, taken) = tokio::join!(a.endpoint.connect(b.id, b.identity.key(), &addresses), b.endpoint.accept());
    assert_eq!(called.unwrap().handle().remote_address(), b.address());
    assert_eq!(taken.unwrap().peer(), a.id);
}

#[tokio::test]
async fn two_addresses_of_one_node_give_it_one_connection() {
    let a = node(1, &[]);
    let b = node(2, &["127.0.0.1:0", "[::1]:0"]);
    a.knows(&b);
    b.knows(&a);
    let addresses: Vec<_> = b.endpoint.local_addrs().iter().map(|a| a.to_string()).collect();
    for order in [[0, 1], [1, 0]] {
        let addresses = order.map(|n| addresses[n].clone());
        let (called, taken) = tokio::join!(a.endpoint.connect(b.id, b.identity.key(), &addresses), b.endpoint.accept());
        let (called, taken) = (called.unwrap(), taken.unwrap());
        assert_eq!(called.handle().remote_address().to_string(), addresses[0]);
        let ((mut to_b, _from_b), (_to_a, mut from_a)) = (called.split(), taken.split());
        to_b.send(&b"here"[..]).await.unwrap();
        assert_eq!(from_a.recv().await.unwrap().unwrap(), &b"here"[..]);
    }
}

#[tokio::test]
async fn a_peer_that_is_no_longer_allowed_is_cut_off() {
    for by_key in [true, false] {
        let (a, b) = pair();
        let (called, taken) = joined(&a, &b).await;
        if by_key {
            b.allowed.remove(&a.identity.key())
        } else {
            b.allowed.remove_peer(a.id)
        }
        let here = soon(taken.handle().closed()).await;
        assert!(matches!(here, TransportError::Closed), "{here:?}");
        let there = soon(called.handle().closed()).await;
        assert!(matches!(there, TransportError::ClosedByPeer { code: CloseCode::NotAllowed, .. }), "{there:?}");
        // The caller's own set works the same way, on calls it has made.
        b.knows(&a);
        let (called, _taken) = joined(&a, &b).await;
        a.allowed.replace([(b.identity.key(), NodeId([9; 32]))].into());
        assert!(matches!(soon(called.handle().closed()).await, TransportError::Closed));
    }
}

#[tokio::test]
async fn others_are_not_disturbed_by_a_change_of_the_set() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    b.allowed.insert(TransportKey([8; 32]), NodeId([8; 32]));
    b.allowed.remove_peer(NodeId([8; 32]));
    let ((mut to_b, _from_b), (_to_a, mut from_a)) = (called.split(), taken.split());
    to_b.send(&b"still"[..]).await.unwrap();
    assert_eq!(from_a.recv().await.unwrap().unwrap(), &b"still"[..]);
}

#[tokio::test]
async fn closing_tells_the_peer_and_is_quick() {
    let (a, b) = pair();
    let (called, _taken) = joined(&a, &b).await;
    let start = std::time::Instant::now();
    b.endpoint.close().await;
    assert!(start.elapsed() < Duration::from_secs(2));
    let told = soon(called.handle().closed()).await;
    assert!(matches!(told, TransportError::ClosedByPeer { code: CloseCode::Done, .. }), "{told:?}");
    assert!(b.endpoint.accept().await.is_none());
    assert!(matches!(b.call(&a).await.unwrap_err().cause(), TransportError::Closed));
}

#[tokio::test]
async fn dropping_every_hold_closes() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    drop(called);
    assert!(matches!(soon(taken.handle().closed()).await, TransportError::ClosedByPeer { code: CloseCode::Done, .. }));
}

/// Passes packets between one caller and whatever `target` is at the moment; what others send back is lost. Counts
/// retries.
async fn relay(target: watch::Receiver<SocketAddr>, retries: Arc<AtomicUsize>) -> SocketAddr {
    let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut there, mut here, mut caller) = (vec![0; 65_536], vec![0; 65_536], None);
        loop {
            tokio::select! {
                Ok((length, from)) = front.recv_from(&mut there) => {
                    caller = Some(from);
                    let target = *target.borrow();
                    back.send_to(&there[..length], target).await.unwrap();
                }
                Ok((length, from)) = back.recv_from(&mut here) => {
                    // Long header, packet type 3 (RFC 9000, section 17.2.5).
                    if here[0] & 0b1011_0000 == 0b1011_0000 {
                        retries.fetch_add(1, Ordering::Relaxed);
                    }
                    if let Some(caller) = caller && from == *target.borrow() {
                        front.send_to(&here[..length], caller).await.unwrap();
                    }
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn a_busy_listener_has_addresses_proved_and_still_takes_calls() {
    let (a, b) = pair();
    let (_point, target) = watch::channel(b.address());
    let retries = Arc::new(AtomicUsize::default());
    let address = [relay(target, retries.clone()).await.to_string()];
    let call = async || tokio::join!(a.endpoint.connect(b.id, b.identity.key(), &address), b.endpoint.accept());
    assert!(call().await.0.is_ok());
    assert_eq!(retries.load(Ordering::Relaxed), 0);
    // Callers that finish the handshake and do not greet: known ones, since others get no further than the hello.
    let mut held = Vec::new();
    for number in 0..=HANDSHAKES_BEFORE_RETRY {
        let number = u8::try_from(number).unwrap() / 4 + 20;
        let idle = node(number, &[]);
        b.knows(&idle);
        let rogue = rogue(&idle, &b);
        let connection = rogue.call(&b, &server_name(&b.identity.key())).await.unwrap();
        let streams = soon(connection.accept_bi()).await.unwrap();
        held.push((rogue, connection, streams));
    }
    assert!(call().await.0.is_ok());
    assert_eq!(retries.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_peer_has_no_more_than_its_connections() {
    let (a, b) = pair();
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_PER_PEER_MAX {
        held.push(joined(&a, &b).await);
    }
    // Counted by both: here the caller's own count stops it.
    assert!(a.call(&b).await.is_err());
    let rogue = rogue(&a, &b).call(&b, &server_name(&b.identity.key())).await.unwrap();
    let closed = soon(rogue.closed()).await;
    assert!(matches!(closed, quinn::ConnectionError::ApplicationClosed(c) if c.error_code == VarInt::from_u32(5)));
}

#[tokio::test]
async fn a_restarted_node_resets_old_connections_at_once() {
    let (a, b) = pair();
    let (point, target) = watch::channel(b.address());
    let address = [relay(target, Arc::default()).await.to_string()];
    let (called, taken) = tokio::join!(a.endpoint.connect(b.id, b.identity.key(), &address), b.endpoint.accept());
    let (called, _taken) = (called.unwrap(), taken.unwrap());
    // As if it had been killed and started again: another endpoint with the same key, and no word from the first.
    let again = Endpoint::bind(&["127.0.0.1:0".parse().unwrap()], b.identity.clone(), b.allowed.clone()).unwrap();
    point.send(again.local_addrs()[0]).unwrap();
    let (mut to_b, _from_b) = called.split();
    to_b.send(body(2_000)).await.unwrap();
    let ended = soon(to_b.handle().closed()).await;
    assert!(matches!(ended, TransportError::Restarted), "{ended:?}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let a = node(1, &["127.0.0.1:0"]);
    let error = Endpoint::bind(&[a.address()], a.identity.clone(), a.allowed.clone()).err().unwrap();
    assert!(error.to_string().starts_with(&format!("cannot listen on {}: ", a.address())), "{error}");
    assert_eq!(error.fault(), Fault::Ours);
}

#[tokio::test]
async fn the_dialer_joins_two_nodes() {
    let (a, b) = pair();
    let (made, mut connections) = tokio::sync::mpsc::channel(1);
    let dialer = Dialer::start(a.endpoint.clone(), made);
    dialer.set(b.id, Target { key: b.identity.key(), addresses: vec![b.address().to_string()] });
    let (called, taken) = tokio::join!(connections.recv(), b.endpoint.accept());
    assert_eq!((called.unwrap().peer(), taken.unwrap().peer()), (b.id, a.id));
}
