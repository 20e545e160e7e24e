//! What each side checks in the handshake. Raw public keys (RFC 7250) have no issuer, date or name: a key is the one
//! expected, or in the set, or refused.

use std::{fmt, sync::Arc};

use quinn::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        ClientHello, ResolvesServerCert,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};

use super::{Allowed, Identity, TransportKey, server_name};

fn check_signature(
    message: &[u8],
    key: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    if signed.scheme != SignatureScheme::ED25519 {
        return Err(Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon));
    }
    verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(key.as_ref()), signed, algorithms)
}

fn no_tls12() -> Error {
    Error::PeerIncompatible(PeerIncompatible::Tls13RequiredForQuic)
}

/// What both traits ask for in the same words: Ed25519 over TLS 1.3 with a raw key, by the `algorithms` of the one who asks.
macro_rules! signatures_of_raw_keys {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _cert: &CertificateDer<'_>,
            _dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(no_tls12())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            check_signature(message, cert, dss, &self.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

/// The caller's check: the one key expected.
#[derive(Debug)]
pub(super) struct ExpectServer {
    pub key: TransportKey,
    pub algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for ExpectServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if intermediates.is_empty() && TransportKey::of_spki(end_entity) == Some(self.key) {
            return Ok(ServerCertVerified::assertion());
        }
        // Becomes the alert `access_denied`, by which our own error is known again.
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    signatures_of_raw_keys!();
}

/// The listener's check: a key of the allowed set.
#[derive(Debug)]
pub(super) struct AllowedClients {
    pub allowed: Allowed,
    pub algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AllowedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let known = TransportKey::of_spki(end_entity).is_some_and(|key| self.allowed.peer(&key).is_some());
        if intermediates.is_empty() && known {
            return Ok(ClientCertVerified::assertion());
        }
        // Becomes the alert `unknown_ca`, by which the caller knows that its key is not known here.
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    signatures_of_raw_keys!();
}

/// Shows our key to callers that already know it, and to nobody else. The TLS library asks here before it answers for
/// protocol or key exchange, so a scanner learns neither.
pub(super) struct ShowKeyByName {
    name: String,
    certified: Arc<CertifiedKey>,
}

impl ShowKeyByName {
    pub(super) fn new(identity: &Identity) -> Self {
        Self { name: server_name(&identity.key()), certified: identity.certified() }
    }
}

impl fmt::Debug for ShowKeyByName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShowKeyByName({})", self.name)
    }
}

impl ResolvesServerCert for ShowKeyByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (hello.server_name() == Some(self.name.as_str())).then(|| self.certified.clone())
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }
}
