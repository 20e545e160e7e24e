//! AES-256-GCM for payloads, with a synthetic nonce.
//!
//! The nonce is a keyed hash of fresh randomness, the associated data and the plaintext: a cloned machine that repeats
//! its randomness still never uses one nonce for two plaintexts.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use thiserror::Error;
use zeroize::Zeroizing;

use super::hash::{Context, keyed};

/// Bytes that sealing adds: the nonce before, the tag behind.
pub const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The bytes were not sealed under this key with this associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the content does not open with this key")]
pub struct CannotOpen;

/// A key that seals and opens. Worth keeping: making one costs a key schedule.
pub struct Key {
    cipher: LessSafeKey,
    nonce_key: Zeroizing<[u8; 32]>,
}

impl Key {
    /// The AEAD key `bytes`.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let unbound = UnboundKey::new(&AES_256_GCM, bytes);
        // Only a wrong length can be refused, and the length is fixed by the type.
        #[allow(clippy::expect_used, reason = "32 bytes are the length of an AES-256 key")]
        let cipher = LessSafeKey::new(unbound.expect("a 32-byte key"));
        Key { cipher, nonce_key: Zeroizing::new(Context::NONCE_KEY.hash(&[bytes])) }
    }

    /// Seals `plaintext`: nonce, ciphertext, tag.
    pub fn seal(&self, randomness: &[u8; 32], associated: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let length = (associated.len() as u64).to_be_bytes();
        let hash = keyed(&self.nonce_key, &[randomness, &length, associated, plaintext]);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let nonce = Nonce::assume_unique_for_key(nonce);
        // AES-GCM refuses only plaintexts of 64 GiB and more; payloads are bounded far below.
        #[allow(clippy::expect_used, reason = "payloads are bounded far below the limit of AES-GCM")]
        let tag = self
            .cipher
            .seal_in_place_separate_tag(nonce, Aad::from(associated), &mut sealed[NONCE_BYTES..])
            .expect("a payload far below 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`Key::seal`] made.
    ///
    /// # Errors
    /// [`CannotOpen`] when key, associated data or bytes differ from those sealed.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(CannotOpen)?;
        let mut buffer = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length =
            self.cipher.open_in_place(nonce, Aad::from(associated), &mut buffer).map_err(|_| CannotOpen)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_data_only() {
        let key = Key::new(&[3; 32]);
        let sealed = key.seal(&[0; 32], b"header", b"secret");
        assert_eq!(key.open(b"header", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(key.open(b"other", &sealed), Err(CannotOpen));
        assert_eq!(Key::new(&[4; 32]).open(b"header", &sealed), Err(CannotOpen));
        assert_eq!(key.open(b"header", &sealed[..20]), Err(CannotOpen));
    }

    #[test]
    fn repeated_randomness_does_not_repeat_a_nonce_for_another_plaintext() {
        let key = Key::new(&[3; 32]);
        let (one, two) = (key.seal(&[0; 32], b"", b"a"), key.seal(&[0; 32], b"", b"b"));
        assert_ne!(one[..NONCE_BYTES], two[..NONCE_BYTES]);
    }
}
