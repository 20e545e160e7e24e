//! Transport keys: Ed25519, shown as raw public keys, and the server name that only those who know a key can say.

use std::{fmt, sync::Arc};

use data_encoding::BASE32_NOPAD;
use quinn::rustls::{
    crypto::aws_lc_rs::sign::any_eddsa_type,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SigningKey},
};
use zeroize::Zeroizing;

use super::TransportError;

/// SubjectPublicKeyInfo of Ed25519 up to the key (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// PKCS #8 of Ed25519 up to the seed (RFC 8410).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const NAME_CONTEXT: &str = "portolan transport 1 server name";
const RESET_CONTEXT: &str = "portolan transport 1 stateless reset";
/// 160 bits: more than enough that nobody guesses it, and one label of a host name.
const TAG_BYTES: usize = 20;

/// The public half of a node's transport key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransportKey(pub [u8; 32]);

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = BASE32_NOPAD.encode(&self.0).to_ascii_lowercase();
        write!(f, "TransportKey({})", text.get(..8).unwrap_or_default())
    }
}

impl TransportKey {
    /// The key of a SubjectPublicKeyInfo, if it is exactly one of Ed25519.
    pub(super) fn of_spki(spki: &[u8]) -> Option<Self> {
        spki.strip_prefix(&SPKI_PREFIX)?.try_into().ok().map(Self)
    }

    pub(super) fn spki(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.0].concat()
    }
}

/// The server name by which a node with this key is called. Nobody who does not know the key can say it.
pub fn server_name(key: &TransportKey) -> String {
    let tag = blake3::derive_key(NAME_CONTEXT, &key.0);
    let mut name = BASE32_NOPAD.encode(tag.split_at(TAG_BYTES).0).to_ascii_lowercase();
    name.push_str(".invalid");
    name
}

/// This node as its peers see it.
#[derive(Clone)]
pub struct Identity {
    key: TransportKey,
    certified: Arc<CertifiedKey>,
    reset: Arc<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?})", self.key)
    }
}

impl Identity {
    /// The identity of a 32-byte Ed25519 seed.
    ///
    /// # Errors
    /// When the TLS library cannot use the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, TransportError> {
        let setup = |what: &str| TransportError::Setup(what.into());
        let der = Zeroizing::new([&PKCS8_PREFIX[..], seed].concat());
        // The library copies what it needs and wipes its copy; ours is wiped here.
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.as_slice()));
        let PrivateKeyDer::Pkcs8(pkcs8) = &private else { return Err(setup("key form")) };
        let signer: Arc<dyn SigningKey> = any_eddsa_type(pkcs8).map_err(|e| TransportError::Setup(e.to_string()))?;
        let spki = signer.public_key().ok_or_else(|| setup("the key has no public half"))?;
        let key = TransportKey::of_spki(&spki).ok_or_else(|| setup("the key is not Ed25519"))?;
        let certified = Arc::new(CertifiedKey::new(vec![CertificateDer::from(key.spki())], signer));
        let reset = Arc::new(Zeroizing::new(blake3::derive_key(RESET_CONTEXT, seed)));
        Ok(Self { key, certified, reset })
    }

    /// The public half.
    pub fn key(&self) -> TransportKey {
        self.key
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        self.certified.clone()
    }

    /// The key of stateless resets, the same after a restart: so peers learn at their next packet that their
    /// connection is gone, and need not wait for it to time out.
    pub(super) fn reset_key(&self) -> &[u8; 32] {
        &self.reset
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_public_half_is_that_of_rfc_8032() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap();
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(Identity::from_seed(&seed).unwrap().key(), TransportKey(public));
    }

    #[test]
    fn server_names_are_fixed_by_the_key() {
        assert_eq!(server_name(&TransportKey([0; 32])), "ievltogsruxe2oihzugjxm4j3aa7yqzc.invalid");
        assert_ne!(server_name(&TransportKey([0; 32])), server_name(&TransportKey([1; 32])));
    }

    #[test]
    fn only_an_exact_ed25519_key_is_read() {
        let spki = TransportKey([9; 32]).spki();
        assert_eq!(TransportKey::of_spki(&spki), Some(TransportKey([9; 32])));
        assert_eq!(TransportKey::of_spki(&spki[..43]), None);
        assert_eq!(TransportKey::of_spki(&[&spki[..], &[0]].concat()), None);
        let mut x25519 = spki;
        x25519[8] = 0x6e;
        assert_eq!(TransportKey::of_spki(&x25519), None);
    }
}
