//! Attachments in a volume: which ranges of which ciphertexts stand behind its closing, and where.
//!
//! ```text
//! behind the closing: for each range of its list, in order, its pieces one after another, then zeros
//! ```
//!
//! How long a piece is follows from the range and from the size of the ciphertext, so each is found also behind one that is
//! damaged. Nothing here is signed: each piece proves itself against the id, which a record names.

use std::{collections::VecDeque, ops::Range};

use serde::{Deserialize, Serialize};

use super::error::PouchError;
use crate::{
    attachment::{Layout, piece_at, piece_bytes, pieces},
    id::AttachmentId,
    limits::{ATTACHMENT_PIECE_BYTES, VOLUME_FILES_MAX},
};

/// Bytes that a range takes in the list, at most.
pub(super) const FILE_RANGE_BYTES: usize = 64;

/// An attachment that a pouch is to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PouchFile {
    /// Which.
    pub attachment: AttachmentId,
    /// Bytes of its ciphertext.
    pub bytes: u64,
}

/// A part of one that a volume carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRange {
    /// Which.
    pub attachment: AttachmentId,
    /// Bytes of its ciphertext, all of it.
    pub bytes: u64,
    /// The first byte that is carried: where a piece begins.
    pub from: u64,
    /// The byte after the last: where a piece ends.
    pub to: u64,
}

/// A piece of an attachment. Its proof was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePiece {
    /// Of which.
    pub attachment: AttachmentId,
    /// Bytes of its ciphertext, all of it.
    pub bytes: u64,
    /// Which bytes.
    pub range: Range<u64>,
    /// These, with their proof.
    pub encoded: Vec<u8>,
}

impl FileRange {
    /// Its sizes.
    ///
    /// # Errors
    /// Where no ciphertext has so many bytes; never for a range that a reader gave out.
    pub fn layout(&self) -> Result<Layout, crate::attachment::AttachmentError> {
        Layout::of_ciphertext(self.bytes)
    }

    /// Its pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = Range<u64>> {
        pieces(self.bytes, self.from..self.to)
    }

    fn is_plausible(&self) -> bool {
        let divided = |place: u64| place.is_multiple_of(ATTACHMENT_PIECE_BYTES);
        self.layout().is_ok()
            && self.from < self.to
            && divided(self.from)
            && (self.to == self.bytes || self.to < self.bytes && divided(self.to))
    }
}

/// Checks what a sender says that a volume carries.
///
/// # Errors
/// [`PouchError::Bound`], [`PouchError::Malformed`].
pub(super) fn check(files: &[FileRange]) -> Result<(), PouchError> {
    if files.len() > VOLUME_FILES_MAX {
        return Err(PouchError::Bound("the attachments in a volume"));
    }
    if files.iter().all(FileRange::is_plausible) { Ok(()) } else { Err(PouchError::Malformed("a range of a file")) }
}

/// Bytes that one range takes in all, its place in the list included, up to as many as there is room for.
///
/// Returns the range and what it takes; none when not one piece fits.
pub(super) fn fit(file: &PouchFile, from: u64, room: u64) -> Option<(FileRange, u64)> {
    let (mut to, mut taken) = (from, FILE_RANGE_BYTES as u64);
    for piece in pieces(file.bytes, from..file.bytes) {
        let with_it = taken + piece_bytes(file.bytes, &piece);
        if with_it > room {
            break;
        }
        (to, taken) = (piece.end, with_it);
    }
    let PouchFile { attachment, bytes } = *file;
    (to > from).then_some((FileRange { attachment, bytes, from, to }, taken))
}

/// Goes through the pieces of a list, one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    ranges: VecDeque<FileRange>,
}

impl Pieces {
    pub(super) fn new(files: &[FileRange]) -> Pieces {
        Pieces { ranges: files.iter().copied().collect() }
    }

    /// The piece that comes now: of which attachment, which bytes, and how long it is with its proof.
    pub(super) fn current(&self) -> Option<(PouchFile, Range<u64>, u64)> {
        let FileRange { attachment, bytes, from, .. } = *self.ranges.front()?;
        let piece = piece_at(bytes, from);
        let length = piece_bytes(bytes, &piece);
        Some((PouchFile { attachment, bytes }, piece, length))
    }

    /// Goes on to the next.
    pub(super) fn advance(&mut self) {
        let Some(range) = self.ranges.front_mut() else { return };
        range.from = piece_at(range.bytes, range.from).end;
        if range.from >= range.to {
            self.ranges.pop_front();
        }
    }
}
