//! Sealing a secret to a node: HPKE base mode (RFC 9180) with the X-Wing KEM (X25519 and ML-KEM-768), HKDF-SHA256 and
//! AES-256-GCM.

use hpke::{Deserializable, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::XWing};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

type PrivateKey = <XWing as hpke::Kem>::PrivateKey;
type HpkePublicKey = <XWing as hpke::Kem>::PublicKey;
type EncappedKey = <XWing as hpke::Kem>::EncappedKey;

/// Bytes of a sealing public key.
pub const PUBLIC_KEY_BYTES: usize = 1216;

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealingError {
    /// The recipient's key is not an X-Wing public key.
    #[error("not a usable sealing key")]
    BadKey,
    /// The bytes were not sealed to this key, or for this purpose.
    #[error("the sealed bytes do not open with this node's key")]
    CannotOpen,
}

/// The secret half of a sealing key.
#[derive(Clone)]
pub struct SealingSecret(PrivateKey);

impl SealingSecret {
    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SealingError> {
        PrivateKey::from_bytes(seed).map(SealingSecret).map_err(|_| SealingError::BadKey)
    }

    /// The public half.
    pub fn public(&self) -> SealingPublicKey {
        SealingPublicKey(<XWing as hpke::Kem>::sk_to_pk(&self.0).to_bytes().to_vec())
    }

    /// Opens `sealed`, which was made for `info`.
    ///
    /// # Errors
    /// [`SealingError::CannotOpen`].
    pub fn open(&self, info: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let encapsulated = EncappedKey::from_bytes(&sealed.encapsulated).map_err(|_| SealingError::CannotOpen)?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            info,
            &sealed.ciphertext,
            &[],
        )
        .map(Zeroizing::new)
        .map_err(|_| SealingError::CannotOpen)
    }
}

/// The public half of a sealing key: 1,216 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SealingPublicKey(Vec<u8>);

impl std::fmt::Debug for SealingPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingPublicKey({} bytes)", self.0.len())
    }
}

impl SealingPublicKey {
    /// Checks that the bytes are a usable key.
    ///
    /// # Errors
    /// [`SealingError::BadKey`].
    pub fn check(&self) -> Result<(), SealingError> {
        HpkePublicKey::from_bytes(&self.0).map(|_| ()).map_err(|_| SealingError::BadKey)
    }

    /// Seals `secret` to this key for `info`.
    ///
    /// # Errors
    /// [`SealingError::BadKey`] when this is not a usable key.
    pub fn seal(&self, info: &[u8], secret: &[u8], mut rng: &mut dyn CryptoRng) -> Result<Sealed, SealingError> {
        let key = HpkePublicKey::from_bytes(&self.0).map_err(|_| SealingError::BadKey)?;
        let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
            &OpModeS::Base,
            &key,
            info,
            secret,
            &[],
            &mut rng,
        )
        .map_err(|_| SealingError::BadKey)?;
        Ok(Sealed { encapsulated: encapsulated.to_bytes().to_vec(), ciphertext })
    }
}

/// A secret sealed to one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The encapsulated key: 1,120 bytes.
    pub encapsulated: Vec<u8>,
    /// The secret and a 16-byte tag.
    pub ciphertext: Vec<u8>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    #[test]
    fn only_the_recipient_opens_and_only_for_the_same_purpose() {
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let (one, two) = (SealingSecret::from_seed(&[1; 32]).unwrap(), SealingSecret::from_seed(&[2; 32]).unwrap());
        let sealed = one.public().seal(b"info", b"secret", &mut rng).unwrap();
        assert_eq!(one.open(b"info", &sealed).unwrap().as_slice(), b"secret");
        assert!(one.open(b"other", &sealed).is_err());
        assert!(two.open(b"info", &sealed).is_err());
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(SealingPublicKey(vec![0; 7]).check(), Err(SealingError::BadKey));
    }
}
