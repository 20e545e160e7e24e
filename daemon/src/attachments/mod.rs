//! Attachments on this node: ciphertexts in files, added, served to those who may read them, fetched from those who hold them.
//!
//! What a file becomes and what nodes say to each other is the protocol's (`docs/spec/attachments.md`); which records refer to
//! what is the documents' affair. Memory does not grow with a file.

mod error;
mod tree;

mod files;

mod known;
mod media_type;
mod part;

mod adding;
mod reading;

mod holders;
mod turns;

mod handle;

mod asking;
mod fetching;

mod carrying;

mod held;
mod queue;
mod serving;

mod watching;

pub use adding::{Added, Addition};
pub use carrying::Incoming;
pub use error::AttachmentsError;
pub use fetching::{Fetched, Urgency};
pub use files::{Files, Held};
pub use handle::Attachments;
pub use holders::Told;
pub use media_type::{Sniffed, sniff};
pub use reading::Content;
