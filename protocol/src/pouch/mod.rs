//! The pouch: a sync that a courier carries, as volumes that anyone may check and only their recipients can open
//! (`docs/spec/pouch.md`). Bytes in and bytes out; files, media and their order are the shell's.
//!
//! ```text
//! volume = header, block...                  header = mark, commitment, 16 slots, check
//! block  = sealed chunk, check               check  = hash over all before it, no key needed
//! chunks = opening (signed), messages and what is held, closing (signed), pieces of attachments, zeros
//! ```

mod code;
mod contents;
mod error;
mod files;
mod frame;
mod header;
mod held;
mod name;
mod packer;
mod padding;
mod plan;
mod reader;
mod scan;
mod statement;
mod tail;
mod writer;

#[cfg(test)]
mod tests;

pub use self::{
    code::{CODE_CHARACTERS_MAX, CodeError, from_code, to_code},
    contents::{Contents, ContentsDigest, Extent, Item, Payloads, SpaceContents, digest_of_volumes},
    error::{PouchError, WriteError},
    files::{FilePiece, FileRange, PouchFile},
    frame::Carried,
    header::{HEADER_BYTES, Header},
    held::{Held, VolumeSet},
    name::{VolumeName, directory_name, parse_directory_name},
    packer::{First, PackError, Packed, Packer, Position, Source},
    padding::{Padding, plaintext_room},
    plan::{Load, Plan, Span},
    reader::{End, Senders, VolumeReader},
    scan::{Piece, Scanner},
    statement::{Closing, Opening},
    writer::{Address, VolumeWriter, Written},
};
