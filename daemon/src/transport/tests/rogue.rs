//! A caller that speaks QUIC and TLS and keeps to no rule of ours.

use std::sync::Arc;

use quinn::{
    EndpointConfig, TokioRuntime,
    crypto::rustls::QuicClientConfig,
    rustls::{self, client::AlwaysResolvesClientRawPublicKeys, crypto::CryptoProvider, version::TLS13},
};

use super::{super::verify::ExpectServer, Node, *};

/// A caller that does not keep to the rules: what it says and offers can be chosen.
pub(super) struct Rogue {
    endpoint: quinn::Endpoint,
    pub(super) config: rustls::ClientConfig,
}

impl Rogue {
    pub(super) fn new(identity: &Identity, expected: TransportKey, provider: CryptoProvider) -> Self {
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

    pub(super) async fn call(&self, to: &Node, name: &str) -> Result<quinn::Connection, TransportError> {
        let crypto = QuicClientConfig::with_initial(Arc::new(self.config.clone()), tls::initial_suite()?).unwrap();
        let config = quinn::ClientConfig::new(Arc::new(crypto));
        Ok(self.endpoint.connect_with(config, to.address(), name).unwrap().await?)
    }
}

pub(super) fn rogue(a: &Node, b: &Node) -> Rogue {
    Rogue::new(&a.identity, b.identity.key(), tls::provider())
}
