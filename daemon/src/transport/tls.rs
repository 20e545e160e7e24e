//! TLS 1.3 as narrow as it can be: one key exchange, two ciphers, raw keys on both sides, nothing resumed.

use std::{sync::Arc, time::Duration};

use quinn::{
    ClientConfig, IdleTimeout, ServerConfig, TransportConfig, VarInt,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
    rustls::{
        self,
        client::{AlwaysResolvesClientRawPublicKeys, Resumption},
        crypto::{CryptoProvider, aws_lc_rs},
        quic::Suite,
        server::NoServerSessionStorage,
        version::TLS13,
    },
};

use super::{
    ALPN, Allowed, CONNECTION_WINDOW, EXCHANGES_MAX, HANDSHAKES_MAX, IDLE_TIMEOUT, Identity, KEEP_ALIVE,
    TransportError, TransportKey, WINDOW,
    verify::{AllowedClients, ExpectServer, ShowKeyByName},
};

fn setup(error: impl ToString) -> TransportError {
    TransportError::Setup(error.to_string())
}

/// The cryptography on offer. Hybrid key exchange only: traffic recorded today must stay closed to a quantum computer.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
            aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    }
}

/// The suite that QUIC itself fixes for its first packets, under a key that everybody knows (RFC 9001, section 5.2).
pub(super) fn initial_suite() -> Result<Suite, TransportError> {
    let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    suite.tls13().and_then(|s| s.quic_suite()).ok_or_else(|| setup("no suite for initial packets"))
}

/// Settings of both sides. `streams` are those that the other side may open.
fn transport(streams: u32) -> Result<Arc<TransportConfig>, TransportError> {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(streams))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(u64::from(CONNECTION_WINDOW))
        .max_idle_timeout(Some(IdleTimeout::try_from(IDLE_TIMEOUT).map_err(setup)?))
        .keep_alive_interval(Some(KEEP_ALIVE));
    Ok(Arc::new(config))
}

/// How callers are answered. They open exchanges alone: the listener opens the stream of frames.
pub(super) fn server(identity: &Identity, allowed: &Allowed) -> Result<ServerConfig, TransportError> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(setup)?
        .with_client_cert_verifier(Arc::new(AllowedClients { allowed: allowed.clone(), algorithms }))
        .with_cert_resolver(Arc::new(ShowKeyByName::new(identity)));
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    tls.max_early_data_size = 0;
    let crypto = QuicServerConfig::with_initial(Arc::new(tls), initial_suite()?).map_err(setup)?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config
        .transport_config(transport(EXCHANGES_MAX)?)
        .retry_token_lifetime(Duration::from_secs(10))
        // What arrives before a handshake is taken up waits in memory: little, and of few.
        .max_incoming(HANDSHAKES_MAX)
        .incoming_buffer_size(64 << 10)
        .incoming_buffer_size_total(4 << 20);
    Ok(config)
}

/// How the node with `key` is called.
pub(super) fn client(identity: &Identity, key: TransportKey) -> Result<ClientConfig, TransportError> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ExpectServer { key, algorithms }))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(identity.certified())));
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.resumption = Resumption::disabled();
    tls.enable_early_data = false;
    let crypto = QuicClientConfig::with_initial(Arc::new(tls), initial_suite()?).map_err(setup)?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(transport(1 + EXCHANGES_MAX)?);
    Ok(config)
}
