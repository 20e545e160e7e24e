//! Ed25519 signatures (RFC 8032), always checked with `verify_strict`, always over bytes that begin with their purpose.

use ed25519_dalek::Signer as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use zeroize::Zeroizing;

/// What is signed. The tag stands before the signed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Purpose(&'static [u8]);

impl Purpose {
    /// An entry's header.
    pub const ENTRY: Purpose = Purpose(b"portolan entry v1\0");
    /// A card's header.
    pub const CARD: Purpose = Purpose(b"portolan card v1\0");
    /// A receipt.
    pub const RECEIPT: Purpose = Purpose(b"portolan receipt v1\0");
    /// Who sends a volume of a pouch, and to whom.
    pub const POUCH_OPENING: Purpose = Purpose(b"portolan pouch opening v1\0");
    /// What a volume of a pouch holds.
    pub const POUCH_CLOSING: Purpose = Purpose(b"portolan pouch closing v1\0");
    /// Which volumes of a pouch are held.
    pub const POUCH_HELD: Purpose = Purpose(b"portolan pouch held v1\0");

    fn message(self, bytes: &[u8]) -> Vec<u8> {
        [self.0, bytes].concat()
    }
}

/// The signature is not one of this key over these bytes, or the key is not a usable one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// A signing key.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, for the keystore.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `bytes` for `purpose`.
    pub fn sign(&self, purpose: Purpose, bytes: &[u8]) -> Signature {
        Signature(self.0.sign(&purpose.message(bytes)).to_bytes())
    }
}

/// A public key as bytes; [`PublicKey::verifier`] makes it usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The key made ready for checking: worth keeping, since it costs a decompression.
    ///
    /// # Errors
    /// [`BadSignature`] when the bytes are no point of the curve, or one of small order.
    pub fn verifier(&self) -> Result<Verifier, BadSignature> {
        match ed25519_dalek::VerifyingKey::from_bytes(&self.0) {
            Ok(key) if !key.is_weak() => Ok(Verifier(key)),
            _ => Err(BadSignature),
        }
    }
}

/// A public key ready for checking.
#[derive(Clone, Debug)]
pub struct Verifier(ed25519_dalek::VerifyingKey);

impl Verifier {
    /// Checks `signature` over `bytes` for `purpose`, strictly.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, purpose: Purpose, bytes: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        self.0
            .verify_strict(&purpose.message(bytes), &ed25519_dalek::Signature::from_bytes(&signature.0))
            .map_err(|_| BadSignature)
    }
}

/// A signature: 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature(pub [u8; 64]);

impl Serialize for Signature {
    /// Serde knows arrays of up to 32 elements; a signature travels as two of them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut halves = ([0; 32], [0; 32]);
        halves.0.copy_from_slice(&self.0[..32]);
        halves.1.copy_from_slice(&self.0[32..]);
        halves.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (first, second) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&first);
        bytes[32..].copy_from_slice(&second);
        Ok(Signature(bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_signature_holds_for_its_purpose_only() {
        let key = SigningKey::from_seed(&[1; 32]);
        let signature = key.sign(Purpose::CARD, b"x");
        let verifier = key.public().verifier().unwrap();
        assert_eq!(verifier.verify(Purpose::CARD, b"x", &signature), Ok(()));
        assert_eq!(verifier.verify(Purpose::ENTRY, b"x", &signature), Err(BadSignature));
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(PublicKey(identity).verifier().is_err());
    }
}
