//! How long a ciphertext is, and where its chunks stand.
//!
//! ```text
//! suite   1 byte
//! chunks  each 65,536 bytes of plaintext and a tag of 16; the last has 1 to 65,536, or none where the file is empty
//! ```

use std::ops::Range;

use thiserror::Error;

use crate::{
    crypto::chunks::{Place, TAG_BYTES},
    limits::{ATTACHMENT_BYTES_MAX, ATTACHMENT_CHUNK_BYTES},
};

/// Bytes that can be verified by themselves: a chunk group of the tree.
pub const GROUP_BYTES: u64 = 16 << 10;

const CHUNK: u64 = ATTACHMENT_CHUNK_BYTES as u64;
const TAG: u64 = TAG_BYTES as u64;
const SUITE_BYTES: u64 = 1;

/// Why bytes are no attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AttachmentError {
    /// More than an attachment may have.
    #[error("an attachment has at most {ATTACHMENT_BYTES_MAX} bytes")]
    TooLarge,
    /// No file becomes a ciphertext of this length.
    #[error("no attachment has a ciphertext of {0} bytes")]
    Length(u64),
    /// A suite that this release does not know.
    #[error("the attachment is of format {0}, which this release does not know")]
    Suite(u8),
    /// The key is another, or the bytes are.
    #[error("the attachment does not open with the key that the record gives")]
    CannotOpen,
    /// A message about attachments that is none.
    #[error("not a message about attachments")]
    Message,
}

/// The sizes of one attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(super) plaintext: u64,
}

impl Layout {
    /// Of a file of so many bytes.
    ///
    /// # Errors
    /// [`AttachmentError::TooLarge`].
    pub fn of_plaintext(bytes: u64) -> Result<Layout, AttachmentError> {
        if bytes <= ATTACHMENT_BYTES_MAX { Ok(Layout { plaintext: bytes }) } else { Err(AttachmentError::TooLarge) }
    }

    /// Of a ciphertext of so many bytes.
    ///
    /// # Errors
    /// [`AttachmentError::Length`], [`AttachmentError::TooLarge`].
    pub fn of_ciphertext(bytes: u64) -> Result<Layout, AttachmentError> {
        let wrong = AttachmentError::Length(bytes);
        let body = bytes.checked_sub(SUITE_BYTES).ok_or(wrong)?;
        let (full, rest) = (body / (CHUNK + TAG), body % (CHUNK + TAG));
        let last = match rest {
            0 if full > 0 => 0,
            TAG if full == 0 => 0,
            rest if rest > TAG => rest - TAG,
            _ => return Err(wrong),
        };
        Layout::of_plaintext(full * CHUNK + last)
    }

    /// Bytes of the file.
    pub fn plaintext_bytes(self) -> u64 {
        self.plaintext
    }

    /// Bytes of the ciphertext.
    pub fn ciphertext_bytes(self) -> u64 {
        SUITE_BYTES + self.plaintext + u64::from(self.chunks()) * TAG
    }

    /// Chunks; at least one.
    pub fn chunks(self) -> u32 {
        // At most 2^24, since the plaintext is bounded.
        u32::try_from(self.plaintext.div_ceil(CHUNK).max(1)).unwrap_or(u32::MAX)
    }

    /// The chunk that holds this byte of the file.
    pub fn chunk_of(self, offset: u64) -> u32 {
        u32::try_from(offset / CHUNK).unwrap_or(u32::MAX)
    }

    /// Where the plaintext of a chunk begins in the file.
    pub fn start_of(self, chunk: u32) -> u64 {
        u64::from(chunk) * CHUNK
    }

    /// Where a chunk stands in the ciphertext, and whether it is the last; none where there is no such chunk.
    pub fn sealed(self, chunk: u32) -> Option<(Range<u64>, Place)> {
        let last = self.chunks() - 1;
        let start = SUITE_BYTES + u64::from(chunk) * (CHUNK + TAG);
        match chunk {
            chunk if chunk < last => Some((start..start + CHUNK + TAG, Place::Within)),
            chunk if chunk == last => Some((start..self.ciphertext_bytes(), Place::Last)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_back_and_no_others_are_taken() {
        for plaintext in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7, ATTACHMENT_BYTES_MAX] {
            let layout = Layout::of_plaintext(plaintext);
            let ciphertext = layout.map(Layout::ciphertext_bytes);
            assert_eq!(ciphertext.and_then(Layout::of_ciphertext), layout, "{plaintext}");
        }
        let good = |bytes: &u64| Layout::of_ciphertext(*bytes).is_ok();
        let taken: Vec<u64> = (0..2 * CHUNK + 64).filter(good).collect();
        let made: Vec<u64> = (0..2 * CHUNK).map(|bytes| Layout { plaintext: bytes }.ciphertext_bytes()).collect();
        assert_eq!(taken[..made.len()], made);
        assert_eq!(Layout::of_plaintext(ATTACHMENT_BYTES_MAX + 1), Err(AttachmentError::TooLarge));
        assert!(Layout::of_ciphertext(u64::MAX).is_err());
    }

    #[test]
    fn chunks_follow_one_another_to_the_end() {
        for plaintext in [0, 1, CHUNK, CHUNK + 1, 5 * CHUNK] {
            let layout = Layout { plaintext };
            let mut end = SUITE_BYTES;
            for chunk in 0..layout.chunks() {
                let Some((range, place)) = layout.sealed(chunk) else { break };
                assert_eq!((range.start, place == Place::Last), (end, chunk + 1 == layout.chunks()));
                end = range.end;
            }
            assert_eq!((end, layout.sealed(layout.chunks())), (layout.ciphertext_bytes(), None));
        }
    }
}
