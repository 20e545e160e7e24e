//! Which connections there are: found, replaced, cut off, closed, reset.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use quinn::VarInt;
use tokio::{net::UdpSocket, sync::watch};

use super::{rogue::rogue, *};

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
