//! What stands in the chunks of a volume: frames, one after another. Behind the last stands what `files.rs` tells of.
//!
//! ```text
//! frame = length (4, big-endian, 1 to 4,194,304), body
//! ```

use serde::{Deserialize, Serialize};

use super::{
    contents::{Extent, Item},
    error::{PouchError, WriteError},
    files::FilePiece,
    held::Held,
    statement::{Closing, Opening, Signed, frames_hasher},
};
use crate::{
    codec::{decode_part, encode_part},
    crypto::hash::Hasher,
    id::{AttachmentId, SpaceId},
    limits::{FRAME_BYTES_MAX, RUN_ENTRIES_MAX},
    message::Message,
    page::{LogContext, PageReader, RunError},
};

/// Bytes of the length of a frame.
pub(super) const LENGTH_BYTES: usize = 4;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Frame {
    /// The first one, and only that.
    Opening(Signed<Opening>),
    /// What would be said on a connection too.
    Message(Message),
    /// The sender holds volumes of pouches that it was sent.
    Held(Held),
    /// The last one, and only that.
    Closing(Signed<Closing>),
    /// Attachments that the sender holds, in order.
    Files(Vec<AttachmentId>),
}

/// What a recipient gets out of a volume, in the order in which it was put in. It comes from the sender that the opening named,
/// and is judged like what that peer says on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A message: greeting, frontier, run, payload, receipt or proof of a fork.
    Message(Message),
    /// The sender holds volumes of a pouch.
    Held(Held),
    /// The sender holds these attachments, and of others that it could have named it holds none. At most once.
    Files(Vec<AttachmentId>),
    /// A piece of an attachment. It comes behind the closing.
    Piece(FilePiece),
}

impl Frame {
    /// Length and body.
    ///
    /// # Errors
    /// [`WriteError::Message`] when it is longer than a frame may be.
    pub(super) fn encode(&self) -> Result<Vec<u8>, WriteError> {
        let body = encode_part(self);
        if body.len() > FRAME_BYTES_MAX {
            return Err(WriteError::Message);
        }
        let length = u32::try_from(body.len()).map_err(|_| WriteError::Message)?;
        Ok([length.to_be_bytes().as_slice(), &body].concat())
    }
}

/// Whether a message has a place in a pouch: those that ask for an answer have none.
pub(super) fn is_carried(message: &Message) -> bool {
    match message {
        Message::Hello { .. }
        | Message::Frontier { .. }
        | Message::Run { .. }
        | Message::Payload { .. }
        | Message::Receipt { .. }
        | Message::Fork { .. } => true,
        Message::Summary { .. } | Message::NotMember { .. } | Message::Want { .. } | Message::Again { .. } => false,
    }
}

/// What a message adds to the contents list, with its space; none for other messages than runs and payloads. Of a run only the
/// last page is read whole, and nothing is verified.
///
/// # Errors
/// [`RunError`] when the pages are none.
pub(super) fn item(message: &Message) -> Result<Option<(SpaceId, Item)>, RunError> {
    let (space, log, kind, pages) = match message {
        Message::Payload { space, log, seq, .. } => return Ok(Some((*space, Item::Payload(*log, *seq)))),
        Message::Run { space, log, kind, pages } => (*space, *log, *kind, pages),
        _ => return Ok(None),
    };
    if pages.len() > RUN_ENTRIES_MAX || pages.iter().any(Vec::is_empty) {
        return Err(RunError::Length);
    }
    let context = LogContext { space, log, kind };
    let (Some(first), Some(last)) = (pages.first(), pages.last()) else { return Err(RunError::Length) };
    let from = PageReader::new(&context, first)?.next_seq();
    let mut last = PageReader::new(&context, last)?;
    while last.next()?.is_some() {}
    let (to, head) = (last.next_seq(), last.previous());
    if from >= to {
        return Err(RunError::Length);
    }
    Ok(Some((space, Item::Entries(Extent { log, from, to, head }))))
}

/// Cuts plaintext into frames. Holds no more than one frame and what was pushed last.
#[derive(Default)]
pub(super) struct FrameReader {
    buffer: Vec<u8>,
    hasher: Option<Hasher>,
    closed: bool,
}

impl FrameReader {
    /// Takes the next plaintext, and gives each whole frame to `each`, with the hash of all frames before it.
    ///
    /// # Errors
    /// [`PouchError::Bound`], [`PouchError::Frame`], [`PouchError::Malformed`], and what `each` refuses.
    pub(super) fn push(
        &mut self,
        plaintext: &[u8],
        mut each: impl FnMut(Frame, [u8; 32]) -> Result<(), PouchError>,
    ) -> Result<(), PouchError> {
        self.buffer.extend_from_slice(plaintext);
        let mut used = 0;
        while !self.closed {
            let rest = &self.buffer[used..];
            let Some(length) = rest.first_chunk::<LENGTH_BYTES>() else { break };
            let length = u32::from_be_bytes(*length) as usize;
            if !(1..=FRAME_BYTES_MAX).contains(&length) {
                return Err(PouchError::Bound("the length of a frame"));
            }
            let Some(body) = rest.get(LENGTH_BYTES..LENGTH_BYTES + length) else { break };
            let frame: Frame = decode_part(body, FRAME_BYTES_MAX).map_err(PouchError::Frame)?;
            let hasher = self.hasher.get_or_insert_with(frames_hasher);
            self.closed = matches!(frame, Frame::Closing(_));
            let before = if self.closed { *hasher.finalize().as_bytes() } else { [0; 32] };
            hasher.update(&rest[..LENGTH_BYTES + length]);
            used += LENGTH_BYTES + length;
            each(frame, before)?;
        }
        self.buffer.drain(..used);
        Ok(())
    }

    /// What came behind the closing, once there was one.
    pub(super) fn behind_closing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }
}
