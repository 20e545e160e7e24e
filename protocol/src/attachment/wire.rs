//! What nodes say to each other about attachments, each time on a stream of its own.
//!
//! ```text
//! request  suite 1, wish 1 (0 whether, 1 send), space 32, attachment 32, offset 8
//! answer   suite 1, word 1 (0 held, 1 not held, 2 not allowed, 3 busy), bytes of the ciphertext 8 (0 where it is not held)
//! piece    length 4, and so many bytes: a range of the ciphertext with the hashes that prove it
//! ```
//!
//! Integers are big-endian. Pieces follow an answer that it is held, to a request that it be sent.

use super::layout::{AttachmentError, GROUP_BYTES, Layout};
use crate::{
    id::{AttachmentId, SpaceId},
    limits::{ATTACHMENT_PIECE_BYTES, SUITE},
};

/// Bytes of a request.
pub const REQUEST_BYTES: usize = 74;

/// Bytes of an answer, before pieces.
pub const ANSWER_BYTES: usize = 10;

/// Most bytes of a piece with its proof: two paths of hash pairs through a tree of at most 2^27 groups, and the pairs within.
pub const PIECE_ENCODED_BYTES_MAX: usize = ATTACHMENT_PIECE_BYTES as usize + 64 * (2 * 40 + 16);

/// What is wanted of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Whether it is held.
    Whether,
    /// Its ciphertext from this byte on; the beginning of a group.
    Send {
        /// From where.
        offset: u64,
    },
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// A space of both nodes in which a record refers to it.
    pub space: SpaceId,
    /// Which.
    pub attachment: AttachmentId,
    /// What is wanted.
    pub wish: Wish,
}

/// What is answered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is held whole.
    Held(Layout),
    /// It is not, or no record of the space refers to it here.
    NotHeld,
    /// The one who asks is no reader of the space.
    NotAllowed,
    /// Not now: too much is being sent.
    Busy,
}

impl Request {
    /// The bytes.
    pub fn encode(&self) -> [u8; REQUEST_BYTES] {
        let (wish, offset) = match self.wish {
            Wish::Whether => (0, 0),
            Wish::Send { offset } => (1, offset),
        };
        let mut bytes = [0; REQUEST_BYTES];
        bytes[0] = SUITE;
        bytes[1] = wish;
        bytes[2..34].copy_from_slice(&self.space.0);
        bytes[34..66].copy_from_slice(&self.attachment.0);
        bytes[66..].copy_from_slice(&offset.to_be_bytes());
        bytes
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`AttachmentError::Suite`], [`AttachmentError::Message`].
    pub fn decode(bytes: &[u8; REQUEST_BYTES]) -> Result<Request, AttachmentError> {
        if bytes[0] != SUITE {
            return Err(AttachmentError::Suite(bytes[0]));
        }
        let (mut space, mut attachment) = (SpaceId::default(), AttachmentId::default());
        space.0.copy_from_slice(&bytes[2..34]);
        attachment.0.copy_from_slice(&bytes[34..66]);
        let offset = u64::from_be_bytes(*bytes.last_chunk().ok_or(AttachmentError::Message)?);
        let wish = match bytes[1] {
            0 if offset == 0 => Wish::Whether,
            1 if offset.is_multiple_of(GROUP_BYTES) => Wish::Send { offset },
            _ => return Err(AttachmentError::Message),
        };
        Ok(Request { space, attachment, wish })
    }
}

impl Answer {
    /// The bytes.
    pub fn encode(&self) -> [u8; ANSWER_BYTES] {
        let (word, bytes) = match self {
            Answer::Held(layout) => (0, layout.ciphertext_bytes()),
            Answer::NotHeld => (1, 0),
            Answer::NotAllowed => (2, 0),
            Answer::Busy => (3, 0),
        };
        let mut out = [0; ANSWER_BYTES];
        out[0] = SUITE;
        out[1] = word;
        out[2..].copy_from_slice(&bytes.to_be_bytes());
        out
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`AttachmentError`].
    pub fn decode(bytes: &[u8; ANSWER_BYTES]) -> Result<Answer, AttachmentError> {
        if bytes[0] != SUITE {
            return Err(AttachmentError::Suite(bytes[0]));
        }
        let length = u64::from_be_bytes(*bytes.last_chunk().ok_or(AttachmentError::Message)?);
        match (bytes[1], length) {
            (0, length) => Layout::of_ciphertext(length).map(Answer::Held),
            (1, 0) => Ok(Answer::NotHeld),
            (2, 0) => Ok(Answer::NotAllowed),
            (3, 0) => Ok(Answer::Busy),
            _ => Err(AttachmentError::Message),
        }
    }
}
