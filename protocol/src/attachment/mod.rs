//! Attachments (`docs/spec/attachments.md`): how a file becomes a ciphertext that any holder can pass on and anybody can check,
//! what a record says of it, and what nodes say about it to each other. Pure: no file is opened here.

mod key;
mod layout;
mod piece;

mod attached;
mod seal;
mod wire;

pub use attached::{Attached, attached};
pub use key::{AttachmentKey, NotAKey};
pub use layout::{AttachmentError, GROUP_BYTES, Layout};
pub use piece::{piece_at, piece_bytes, pieces};
pub use seal::{Opener, Sealer};
pub use wire::{ANSWER_BYTES, Answer, PIECE_ENCODED_BYTES_MAX, REQUEST_BYTES, Request, Wish};
