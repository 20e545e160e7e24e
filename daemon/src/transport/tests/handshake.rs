//! Who is refused, and by whom: strangers, deceivers, and peers that do not keep to the protocol.

use std::time::Duration;

use bytes::Bytes;
use portolan_protocol::limits::FRAME_BYTES_MAX;
use quinn::{
    VarInt,
    rustls::crypto::{CryptoProvider, aws_lc_rs},
};

use super::{
    rogue::{Rogue, rogue},
    *,
};

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
async fn a_caller_may_open_so_many_streams_for_requests_and_nothing_else() {
    let (a, b) = pair();
    let rogue = rogue(&a, &b).call(&b, &server_name(&b.identity.key())).await.unwrap();
    let (_send, _receive) = rogue.accept_bi().await.unwrap();
    let none = Duration::from_millis(50);
    let mut held = Vec::new();
    for _ in 0..EXCHANGES_MAX {
        held.push(timeout(none, rogue.open_bi()).await.unwrap().unwrap());
    }
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
