//! A volume taken apart and checked as it streams by, without any key.
//!
//! ```text
//! block = sealed chunk (65,552; the last one 17 to 65,552), check (32)
//! check = hash of: check before it (32), 1 for the last block and 0 otherwise (1), sealed chunk
//! ```
//!
//! So the last 32 bytes of a file are a hash over all of it. It finds what media and copying do; what an enemy does is found
//! by the seal and the signatures.

use super::{
    error::PouchError,
    header::{CHECK_BYTES, HEADER_BYTES, Header, MARKED_BYTES},
};
use crate::{
    crypto::{
        chunks::{Place, TAG_BYTES},
        hash::Context,
    },
    limits::{CHUNK_BYTES, VOLUME_BYTES_MAX},
};

/// Bytes that a block adds to its chunk.
pub(super) const BLOCK_OVERHEAD_BYTES: usize = TAG_BYTES + CHECK_BYTES;
const BLOCK_BYTES: usize = CHUNK_BYTES + BLOCK_OVERHEAD_BYTES;

/// A part of a volume.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// The header.
    Header(Box<Header>),
    /// A chunk, still sealed.
    Chunk {
        /// Which, from 0.
        number: u32,
        /// Whether it is the last one.
        place: Place,
        /// Where it starts in the file.
        at: u64,
        /// The sealed bytes.
        sealed: Vec<u8>,
    },
    /// A block whose check is wrong. Whoever needs all of the volume has to take it for an error.
    Damaged {
        /// Where it starts in the file.
        at: u64,
        /// The byte after its last.
        end: u64,
    },
}

impl Piece {
    /// Refuses a damaged one.
    ///
    /// # Errors
    /// [`PouchError::Damaged`].
    pub fn sound(self) -> Result<Piece, PouchError> {
        match self {
            Piece::Damaged { at, end } => Err(PouchError::Damaged { at, end }),
            sound => Ok(sound),
        }
    }
}

/// The check of a block.
pub(super) fn check(before: &[u8; CHECK_BYTES], place: Place, sealed: &[u8]) -> [u8; CHECK_BYTES] {
    Context::POUCH_CHECK.hash(&[before, &[u8::from(place == Place::Last)], sealed])
}

/// See the head of the file. Holds at most one block, and what was pushed last.
#[derive(Debug, Default)]
pub struct Scanner {
    buffer: Vec<u8>,
    /// Where the buffer starts in the file.
    at: u64,
    /// The last check, once the header was read.
    check: Option<[u8; CHECK_BYTES]>,
    number: u32,
}

impl Scanner {
    /// A scanner before the first byte.
    pub fn new() -> Scanner {
        Scanner::default()
    }

    /// Takes the next bytes of the file, as many as the caller likes to hold. Behind a damaged block it goes on.
    ///
    /// # Errors
    /// [`PouchError`] when the header is wrong, or it is too long; nothing that comes later counts.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Piece>, PouchError> {
        let total = self.at + self.buffer.len() as u64 + bytes.len() as u64;
        if total > VOLUME_BYTES_MAX {
            return Err(PouchError::Bound("the size of a volume"));
        }
        self.buffer.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        let mut used = 0;
        if self.check.is_none() {
            if self.buffer.len() < HEADER_BYTES {
                self.refuse_early()?;
                return Ok(pieces);
            }
            let header = Header::parse(&self.buffer)?;
            self.check = Some(header.check());
            pieces.push(Piece::Header(Box::new(header)));
            used = HEADER_BYTES;
        }
        // The last block is known by the end of the file alone, so one block is always held back.
        while self.buffer.len() - used > BLOCK_BYTES {
            pieces.push(self.block(used, BLOCK_BYTES, Place::Within));
            used += BLOCK_BYTES;
        }
        self.buffer.drain(..used);
        self.at += used as u64;
        Ok(pieces)
    }

    /// The file ended. Returns the last piece and the hash of the volume.
    ///
    /// # Errors
    /// [`PouchError::Truncated`] when it must have been longer, [`PouchError::Damaged`] when the last block is not as it was
    /// written, which a cut within it causes too.
    pub fn finish(mut self) -> Result<(Piece, [u8; CHECK_BYTES]), PouchError> {
        let length = self.buffer.len();
        if self.check.is_none() {
            return Err(Header::parse(&self.buffer).err().unwrap_or(PouchError::NotAPouch));
        }
        if length <= BLOCK_OVERHEAD_BYTES {
            return Err(PouchError::Truncated { at: self.at + length as u64 });
        }
        let before = self.check;
        let last = self.block(0, length, Place::Last).sound();
        match last {
            Ok(piece) => Ok((piece, self.check.unwrap_or_default())),
            Err(error) => {
                self.check = before;
                match self.block(0, length, Place::Within).sound() {
                    Ok(_) if length == BLOCK_BYTES => Err(PouchError::Truncated { at: self.at + length as u64 }),
                    _ => Err(error),
                }
            }
        }
    }

    /// What does not even start like a volume need not be read to the end of a header.
    fn refuse_early(&self) -> Result<(), PouchError> {
        match Header::parse(&self.buffer) {
            Err(error @ (PouchError::NotAPouch | PouchError::Future(_))) if self.buffer.len() >= MARKED_BYTES => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// The block of `length` bytes that starts at `from` of the buffer.
    fn block(&mut self, from: usize, length: usize, place: Place) -> Piece {
        let at = self.at + from as u64;
        let (sealed, stated) = self.buffer[from..from + length].split_at(length - CHECK_BYTES);
        let check = check(&self.check.unwrap_or_default(), place, sealed);
        let piece = if check == stated {
            Piece::Chunk { number: self.number, place, at, sealed: sealed.to_vec() }
        } else {
            Piece::Damaged { at, end: at + length as u64 }
        };
        // Most often the chunk is damaged and not its check: then the next block goes on from what is stated.
        self.check = stated.try_into().ok();
        self.number += 1;
        piece
    }
}
