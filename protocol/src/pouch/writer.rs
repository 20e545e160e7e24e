//! Writes one volume as a stream: frames in, bytes of the file out, bounded memory, nothing ever rewritten.

use std::ops::Range;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{
    contents::Contents,
    error::WriteError,
    files::{FILE_RANGE_BYTES, FileRange, Pieces, PouchFile},
    frame::{Frame, LENGTH_BYTES, is_carried, item},
    header::{Header, Secret, commitment},
    held::Held,
    padding::{Padding, plaintext_room},
    scan::check,
    statement::{Closing, Opening, Signed, frames_hasher},
};
use crate::{
    attachment::piece_bytes,
    codec,
    crypto::{
        chunks::{ChunkKey, Place},
        hash::{Context, Hasher},
        sealing::SealingPublicKey,
        signing::SigningKey,
    },
    id::{AttachmentId, NodeId, PouchId},
    limits::CHUNK_BYTES,
    message::Message,
    time::Timestamp,
};

/// Bytes of a closing beside its contents list, at most.
const CLOSING_BYTES: usize = 256;

/// From whom a volume is, and to whom.
pub struct Address<'a> {
    /// The pouch.
    pub pouch: PouchId,
    /// The volume's number, from 1.
    pub volume: u16,
    /// The sender.
    pub sender: NodeId,
    /// Its signing key.
    pub key: &'a SigningKey,
    /// For whom it is: 1 to [`crate::limits::POUCH_SLOTS`] nodes and their sealing keys, in any order.
    pub recipients: Vec<(NodeId, SealingPublicKey)>,
    /// When.
    pub time: Timestamp,
}

/// What is known of a volume once it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Its contents list, which the sender keeps.
    pub contents: Contents,
    /// The parts of attachments behind these.
    pub files: Vec<FileRange>,
    /// Its last 32 bytes: the hash of the file.
    pub hash: [u8; 32],
}

impl Written {
    /// Bytes of attachments, their proofs not counted.
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.to - file.from).sum()
    }
}

/// See the head of the file.
pub struct VolumeWriter<'a> {
    address: Address<'a>,
    key: ChunkKey,
    /// The last check written.
    check: [u8; 32],
    number: u32,
    /// Plaintext that is not sealed yet: a chunk at most once a call returns, and never none of it.
    plaintext: Vec<u8>,
    /// Bytes of plaintext so far, and how many there may be.
    written: u64,
    most: u64,
    frames: Hasher,
    contents: Contents,
    /// What stands behind the closing, and which piece of it comes now. None before the closing.
    behind: Option<(Vec<FileRange>, Pieces)>,
}

impl<'a> VolumeWriter<'a> {
    /// Begins a volume of at most `volume_bytes`; its first bytes go to `out`.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn begin(
        mut address: Address<'a>,
        volume_bytes: u64,
        rng: &mut dyn CryptoRng,
        out: &mut Vec<u8>,
    ) -> Result<VolumeWriter<'a>, WriteError> {
        address.recipients.sort_by_key(|(node, _)| *node);
        address.recipients.dedup_by_key(|(node, _)| *node);
        let mut opening = Opening {
            pouch: address.pouch,
            volume: address.volume,
            commitment: [0; 32],
            sender: address.sender,
            recipients: address.recipients.iter().map(|(node, _)| *node).collect(),
            time: address.time,
        };
        let secret = draw(&opening, rng);
        opening.commitment = commitment(&secret);
        let header = Header::seal(address.pouch, address.volume, &secret, &address.recipients, rng)?;
        out.extend_from_slice(header.bytes());
        let opening = Frame::Opening(Signed::sign(opening, address.key));
        let mut writer = VolumeWriter {
            key: header.chunk_key(&secret),
            address,
            check: header.check(),
            number: 0,
            plaintext: Vec::new(),
            written: 0,
            most: plaintext_room(volume_bytes),
            frames: frames_hasher(),
            contents: Contents::default(),
            behind: None,
        };
        writer.put(&opening.encode()?, out)?;
        Ok(writer)
    }

    /// Writes a message. Entries and payloads are noted in the contents list.
    ///
    /// # Errors
    /// [`WriteError`]; then nothing was written of it, and after [`WriteError::Full`] the volume can be closed.
    pub fn message(&mut self, message: Message, out: &mut Vec<u8>) -> Result<(), WriteError> {
        if !is_carried(&message) {
            return Err(WriteError::Message);
        }
        let noted = item(&message).map_err(|_| WriteError::Pages)?;
        if noted.is_some() && !self.contents.has_room() {
            return Err(WriteError::Full);
        }
        self.put(&Frame::Message(message).encode()?, out)?;
        if let Some((space, item)) = noted {
            self.contents.add(space, item);
        }
        Ok(())
    }

    /// Writes which volumes of a pouch the sender holds.
    ///
    /// # Errors
    /// [`WriteError::Full`].
    pub fn held(&mut self, held: Held, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.put(&Frame::Held(held).encode()?, out)
    }

    /// Writes which attachments the sender holds, in order.
    ///
    /// # Errors
    /// [`WriteError::Full`].
    pub fn files(&mut self, files: Vec<AttachmentId>, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.put(&Frame::Files(files).encode()?, out)
    }

    /// What it holds so far.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Bytes of plaintext so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Bytes of plaintext that may still be written, the closing apart.
    pub fn room(&self) -> u64 {
        let closing = (LENGTH_BYTES + CLOSING_BYTES + self.contents.bytes_most(1)) as u64;
        self.most.saturating_sub(self.written).saturating_sub(closing)
    }

    /// Writes the closing. Behind it come the pieces of `files`, for which there has to be room, and nothing else. `last` says that
    /// the pouch has no volume after this one.
    ///
    /// # Errors
    /// [`WriteError::Full`] where there is no room for them.
    pub fn end_entries(&mut self, files: Vec<FileRange>, last: bool, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let closing = Closing {
            pouch: self.address.pouch,
            volume: self.address.volume,
            frames: *self.frames.finalize().as_bytes(),
            contents: self.contents.clone(),
            files: files.clone(),
            last,
        };
        let ranges = (files.len() * FILE_RANGE_BYTES) as u64;
        let length: u64 =
            files.iter().flat_map(|file| file.pieces().map(|piece| piece_bytes(file.bytes, &piece))).sum();
        if self.behind.is_some() || ranges + length > self.room() {
            return Err(WriteError::Full);
        }
        let frame = Frame::Closing(Signed::sign(closing, self.address.key)).encode()?;
        self.add(&frame, out);
        let pieces = Pieces::new(&files);
        self.behind = Some((files, pieces));
        Ok(())
    }

    /// The piece of an attachment that is to be written now.
    pub fn next_piece(&self) -> Option<(PouchFile, Range<u64>)> {
        let (file, piece, _) = self.behind.as_ref()?.1.current()?;
        Some((file, piece))
    }

    /// Writes the piece that comes now: zeros in its place, which nobody takes for it, where it cannot be read.
    pub fn piece(&mut self, encoded: Option<Vec<u8>>, out: &mut Vec<u8>) {
        let Some((_, pieces)) = &mut self.behind else { return };
        let Some((_, _, length)) = pieces.current() else { return };
        pieces.advance();
        match encoded.filter(|encoded| encoded.len() as u64 == length) {
            Some(encoded) => self.add(&encoded, out),
            None => self.zeros(length, out),
        }
    }

    /// Closes the volume: writes the closing, unless it is there, and what pads. `last` says that the pouch has none after it.
    ///
    /// # Errors
    /// [`WriteError`] never for a volume that [`VolumeWriter::begin`] had room for.
    pub fn close(mut self, last: bool, padding: Padding, out: &mut Vec<u8>) -> Result<Written, WriteError> {
        if self.behind.is_none() {
            self.end_entries(Vec::new(), last, out)?;
        }
        while self.next_piece().is_some() {
            self.piece(None, out);
        }
        let zeros = padding.fill(self.written, self.most) - self.written;
        self.zeros(zeros, out);
        let rest = std::mem::take(&mut self.plaintext);
        self.seal(rest, Place::Last, out);
        let files = self.behind.map(|(files, _)| files).unwrap_or_default();
        Ok(Written { contents: self.contents, files, hash: self.check })
    }

    fn zeros(&mut self, mut zeros: u64, out: &mut Vec<u8>) {
        while zeros > 0 {
            let some = zeros.min(CHUNK_BYTES as u64);
            self.add(&vec![0; usize::try_from(some).unwrap_or(CHUNK_BYTES)], out);
            zeros -= some;
        }
    }

    fn put(&mut self, frame: &[u8], out: &mut Vec<u8>) -> Result<(), WriteError> {
        if self.behind.is_some() || frame.len() as u64 > self.room() {
            return Err(WriteError::Full);
        }
        self.frames.update(frame);
        self.add(frame, out);
        Ok(())
    }

    fn add(&mut self, plaintext: &[u8], out: &mut Vec<u8>) {
        self.written += plaintext.len() as u64;
        self.plaintext.extend_from_slice(plaintext);
        // The last chunk is never empty, so a full one waits until something follows.
        while self.plaintext.len() > CHUNK_BYTES {
            let rest = self.plaintext.split_off(CHUNK_BYTES);
            let chunk = std::mem::replace(&mut self.plaintext, rest);
            self.seal(chunk, Place::Within, out);
        }
    }

    fn seal(&mut self, mut chunk: Vec<u8>, place: Place, out: &mut Vec<u8>) {
        self.key.seal(self.number, place, &mut chunk);
        self.check = check(&self.check, place, &chunk);
        self.number += 1;
        out.extend_from_slice(&chunk);
        out.extend_from_slice(&self.check);
    }
}

/// The secret of a volume: of fresh randomness and of what is to be said first, so that a cloned machine that repeats its
/// randomness does not repeat a secret.
fn draw(opening: &Opening, rng: &mut dyn CryptoRng) -> Secret {
    let mut randomness = Secret::default();
    rng.fill_bytes(&mut randomness[..]);
    Secret::new(Context::POUCH_SECRET.hash(&[&randomness[..], &codec::encode(opening)]))
}
