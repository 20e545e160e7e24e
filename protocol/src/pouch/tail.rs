//! Reads what stands behind the closing of a volume: pieces of attachments, and zeros. Holds one piece.

use super::{
    error::PouchError,
    files::{FilePiece, FileRange, Pieces, PouchFile},
    frame::Carried,
};
use crate::limits::CHUNK_BYTES;

/// See the head of the file. Where the list names attachments, damage costs the pieces that it hits and nothing else. Where it names none, there is nothing
/// but zeros, and whatever is wrong with them is an error.
#[derive(Debug)]
pub(super) struct Tail {
    pieces: Pieces,
    is_strict: bool,
    buffer: Vec<u8>,
    /// Something of the current piece was lost.
    is_holed: bool,
    trouble: Option<PouchError>,
}

impl Tail {
    pub(super) fn new(files: &[FileRange]) -> Tail {
        Tail {
            pieces: Pieces::new(files),
            is_strict: files.is_empty(),
            buffer: Vec::new(),
            is_holed: false,
            trouble: None,
        }
    }

    /// Takes the next plaintext.
    ///
    /// # Errors
    /// [`PouchError::Malformed`] when there are no attachments, and something else than zeros.
    pub(super) fn push(&mut self, mut plaintext: &[u8], carried: &mut Vec<Carried>) -> Result<(), PouchError> {
        while let Some((file, range, length)) = self.pieces.current() {
            let lacking = usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(self.buffer.len());
            let (now, later) = plaintext.split_at(lacking.min(plaintext.len()));
            self.buffer.extend_from_slice(now);
            plaintext = later;
            if now.len() < lacking {
                return Ok(());
            }
            let encoded = std::mem::take(&mut self.buffer);
            if !std::mem::take(&mut self.is_holed) {
                let PouchFile { attachment, bytes } = file;
                carried.push(Carried::Piece(FilePiece { attachment, bytes, range, encoded }));
            }
            self.pieces.advance();
        }
        if plaintext.iter().any(|byte| *byte != 0) {
            return self.note(PouchError::Malformed("something stands behind the closing"));
        }
        Ok(())
    }

    /// A chunk is lost.
    ///
    /// # Errors
    /// What it was lost by, when there are no attachments.
    pub(super) fn lose(&mut self, error: PouchError, carried: &mut Vec<Carried>) -> Result<(), PouchError> {
        self.note(error)?;
        // In its place stand zeros, which are no piece; the piece that goes on behind them is holed too.
        self.is_holed = true;
        let mut zeros = CHUNK_BYTES;
        while zeros > 0
            && let Some((_, _, length)) = self.pieces.current()
        {
            self.is_holed = true;
            let lacking = usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(self.buffer.len());
            let now = lacking.min(zeros);
            self.push(&vec![0; now], carried)?;
            zeros -= now;
        }
        Ok(())
    }

    /// What is wrong with it, once all of it was read.
    pub(super) fn end(self) -> Option<PouchError> {
        let is_short = self.pieces.current().is_some();
        self.trouble.or(is_short.then_some(PouchError::Malformed("it ends before its files do")))
    }

    fn note(&mut self, error: PouchError) -> Result<(), PouchError> {
        if self.is_strict {
            return Err(error);
        }
        self.trouble.get_or_insert(error);
        Ok(())
    }
}
