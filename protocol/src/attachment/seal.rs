//! From a file to its ciphertext, and back chunk by chunk. Neither holds more than a chunk.

use std::mem;

use super::{
    key::AttachmentKey,
    layout::{AttachmentError, Layout},
};
use crate::{
    crypto::chunks::{ChunkKey, Place},
    limits::{ATTACHMENT_BYTES_MAX, ATTACHMENT_CHUNK_BYTES, SUITE},
};

/// Seals a file that comes in parts of any length.
pub struct Sealer {
    key: ChunkKey,
    number: u32,
    /// Up to a chunk that may be the last.
    pending: Vec<u8>,
    bytes: u64,
}

impl Sealer {
    /// Begins; `out` gets what stands before the first chunk. The key must never have sealed another file.
    pub fn new(key: &AttachmentKey, out: &mut Vec<u8>) -> Sealer {
        out.push(SUITE);
        Sealer { key: ChunkKey::new(key.bytes()), number: 0, pending: Vec::new(), bytes: 0 }
    }

    /// Bytes of the file so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Goes on; `out` gets the chunks that are complete.
    ///
    /// # Errors
    /// [`AttachmentError::TooLarge`].
    pub fn add(&mut self, mut part: &[u8], out: &mut Vec<u8>) -> Result<(), AttachmentError> {
        self.bytes = self.bytes.saturating_add(part.len() as u64);
        if self.bytes > ATTACHMENT_BYTES_MAX {
            return Err(AttachmentError::TooLarge);
        }
        while !part.is_empty() {
            if self.pending.len() == ATTACHMENT_CHUNK_BYTES {
                self.seal(Place::Within, out);
            }
            let (now, later) = part.split_at(part.len().min(ATTACHMENT_CHUNK_BYTES - self.pending.len()));
            self.pending.extend_from_slice(now);
            part = later;
        }
        Ok(())
    }

    /// Ends; `out` gets the last chunk. The sizes of the whole.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Layout {
        self.seal(Place::Last, out);
        // Bounded in `add`.
        Layout { plaintext: self.bytes }
    }

    fn seal(&mut self, place: Place, out: &mut Vec<u8>) {
        let mut chunk = mem::take(&mut self.pending);
        self.key.seal(self.number, place, &mut chunk);
        out.extend_from_slice(&chunk);
        self.number += 1;
        chunk.clear();
        self.pending = chunk;
    }
}

/// Opens the chunks of one ciphertext, in any order.
pub struct Opener {
    key: ChunkKey,
    layout: Layout,
}

impl Opener {
    /// Of a ciphertext of `ciphertext_bytes` that begins with `suite`.
    ///
    /// # Errors
    /// [`AttachmentError::Suite`], [`AttachmentError::Length`], [`AttachmentError::TooLarge`].
    pub fn new(key: &AttachmentKey, suite: u8, ciphertext_bytes: u64) -> Result<Opener, AttachmentError> {
        if suite != SUITE {
            return Err(AttachmentError::Suite(suite));
        }
        let layout = Layout::of_ciphertext(ciphertext_bytes)?;
        Ok(Opener { key: ChunkKey::new(key.bytes()), layout })
    }

    /// The sizes.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Opens a chunk in place.
    ///
    /// # Errors
    /// [`AttachmentError::CannotOpen`]: the bytes are of no use then.
    pub fn open(&self, chunk: u32, bytes: &mut Vec<u8>) -> Result<(), AttachmentError> {
        let (_, place) = self.layout.sealed(chunk).ok_or(AttachmentError::CannotOpen)?;
        self.key.open(chunk, place, bytes).map_err(|_| AttachmentError::CannotOpen)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CHUNK: usize = ATTACHMENT_CHUNK_BYTES;

    fn file(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|place| (place * 7 + place / 251) as u8).collect()
    }

    fn sealed(file: &[u8], parts: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sealer = Sealer::new(&AttachmentKey::new([5; 32]), &mut out);
        file.chunks(parts).for_each(|part| sealer.add(part, &mut out).unwrap());
        assert_eq!(sealer.finish(&mut out).ciphertext_bytes(), out.len() as u64);
        out
    }

    fn opened(ciphertext: &[u8]) -> Result<Vec<u8>, AttachmentError> {
        let (suite, key) = (ciphertext.first().copied().unwrap_or_default(), AttachmentKey::new([5; 32]));
        let opener = Opener::new(&key, suite, ciphertext.len() as u64)?;
        let mut file = Vec::new();
        for chunk in 0..opener.layout().chunks() {
            let (range, _) = opener.layout().sealed(chunk).unwrap();
            let mut bytes = ciphertext[range.start as usize..range.end as usize].to_vec();
            opener.open(chunk, &mut bytes)?;
            file.extend(bytes);
        }
        Ok(file)
    }

    #[test]
    fn every_size_around_the_edges_comes_back_however_it_came() {
        let edges = [0, CHUNK / 4, CHUNK / 2, CHUNK, 2 * CHUNK, 3 * CHUNK];
        for bytes in edges.iter().flat_map(|edge| edge.saturating_sub(2)..=edge + 2) {
            let file = file(bytes);
            let ciphertext = sealed(&file, 1 << 20);
            assert_eq!(sealed(&file, 40_009), ciphertext, "{bytes}");
            assert_eq!(opened(&ciphertext), Ok(file), "{bytes}");
        }
    }

    #[test]
    fn a_flipped_byte_a_cut_and_a_swap_are_found() {
        let ciphertext = sealed(&file(2 * CHUNK + 100), 1 << 20);
        let places = (0..ciphertext.len()).step_by(997).chain([0, 1, 2, CHUNK + 17, ciphertext.len() - 1]);
        for place in places {
            let mut damaged = ciphertext.clone();
            damaged[place] ^= 1;
            assert!(opened(&damaged).is_err(), "{place}");
        }
        for cut in [1, 50, 116, 117, CHUNK] {
            assert!(opened(&ciphertext[..ciphertext.len() - cut]).is_err(), "{cut}");
        }
        let swapped = [&ciphertext[..1], &ciphertext[CHUNK + 17..2 * CHUNK + 33], &ciphertext[1..CHUNK + 17]].concat();
        assert_eq!(opened(&swapped), Err(AttachmentError::CannotOpen));
    }
}
