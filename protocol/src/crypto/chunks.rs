//! Chunked AEAD: a long text sealed piece by piece, after STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the number of the
//! piece and whether it is the last one stand in the nonce, so pieces can neither change places nor be left off the end.
//!
//! A key seals one text and no other: nonces are counted, not drawn.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::aead::CannotOpen;

/// Bytes that sealing adds to a chunk.
pub const TAG_BYTES: usize = 16;

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// More follow.
    Within,
    /// None follows.
    Last,
}

/// The key of one text.
pub struct ChunkKey(LessSafeKey);

impl ChunkKey {
    /// The AES-256-GCM key `bytes`.
    pub fn new(bytes: &[u8; 32]) -> Self {
        // Only a wrong length can be refused, and the length is fixed by the type.
        #[allow(clippy::expect_used, reason = "32 bytes are the length of an AES-256 key")]
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("a 32-byte key");
        ChunkKey(LessSafeKey::new(key))
    }

    /// Seals chunk `number`, counted from 0, in place; the tag is appended.
    pub fn seal(&self, number: u32, place: Place, chunk: &mut Vec<u8>) {
        // AES-GCM refuses only plaintexts of 64 GiB and more; chunks are bounded far below.
        #[allow(clippy::expect_used, reason = "chunks are bounded far below the limit of AES-GCM")]
        self.0.seal_in_place_append_tag(nonce(number, place), Aad::empty(), chunk).expect("a chunk far below 64 GiB");
    }

    /// Opens what [`ChunkKey::seal`] made, in place.
    ///
    /// # Errors
    /// [`CannotOpen`] when key, number, place or bytes differ from those sealed. The bytes are of no use then.
    pub fn open(&self, number: u32, place: Place, chunk: &mut Vec<u8>) -> Result<(), CannotOpen> {
        let length = self.0.open_in_place(nonce(number, place), Aad::empty(), chunk).map_err(|_| CannotOpen)?.len();
        chunk.truncate(length);
        Ok(())
    }
}

/// Seven zeros, the number, and 1 for the last.
fn nonce(number: u32, place: Place) -> Nonce {
    let mut bytes = [0; 12];
    bytes[7..11].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(place == Place::Last);
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_opens_at_its_place_only() {
        let key = ChunkKey::new(&[3; 32]);
        let mut sealed = b"chunk".to_vec();
        key.seal(7, Place::Last, &mut sealed);
        assert_eq!(sealed.len(), 5 + TAG_BYTES);
        for (number, place) in [(6, Place::Last), (7, Place::Within)] {
            assert_eq!(key.open(number, place, &mut sealed.clone()), Err(CannotOpen));
        }
        assert_eq!(ChunkKey::new(&[4; 32]).open(7, Place::Last, &mut sealed.clone()), Err(CannotOpen));
        assert_eq!(key.open(7, Place::Last, &mut sealed), Ok(()));
        assert_eq!(sealed, b"chunk");
    }
}
