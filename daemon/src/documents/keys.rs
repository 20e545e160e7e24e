//! The keys of the table that documents are derived into.
//!
//! ```text
//! one table, integers big-endian       key                       value
//!   what the table is                  E                         version, a random id
//!   counters                           G                         the next numbers of logs and documents
//!   how many documents a space has     T, space (32)             u64
//!   a log                              L, log (4)                how far it was taken in, and counts
//!   control heads cited from here on   K, log (4), seq (8)       references
//!   32 entries of a log                S, log (4), seq / 32 (8)  what each is, and its standing
//!   more entries of a document         C, document (8), log (4), first seq (8)   seqs
//!   a document by number               N, document (8)           space, id, its first entries, whether its summary is due
//!   a document by id                   I, space (32), id (16)    number, revision, summary
//!   snapshot                           P, document (8)           as the Automerge door saves it
//!   local fault                        F, document (8)           words
//!   attachments of a document          A, document (8)           ids and sizes
//!   a reference to an attachment       R, attachment (32), document (8)   size
//!   links of a document to others      H, document (8)           ids and relations
//!   a link to a document               B, id (16), space (32), document (8)   relations
//! ```

use portolan_protocol::id::{AttachmentId, DocumentId, SpaceId};

pub(super) const TABLE: &[u8] = b"E";
pub(super) const DOCUMENTS: &[u8] = b"I";
pub(super) const COUNTERS: &[u8] = b"G";
pub(super) const LOGS: &[u8] = b"L";
pub(super) const TOTALS: &[u8] = b"T";
pub(super) const NAMES: &[u8] = b"N";
pub(super) const FAULTS: &[u8] = b"F";

fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[kind], parts.concat().as_slice()].concat()
}

pub(super) fn total(space: &SpaceId) -> Vec<u8> {
    key(b'T', &[&space.0])
}

pub(super) fn log(log: u32) -> Vec<u8> {
    key(b'L', &[&log.to_be_bytes()])
}

pub(super) fn cited(log: u32, seq: u64) -> Vec<u8> {
    key(b'K', &[&log.to_be_bytes(), &seq.to_be_bytes()])
}

pub(super) fn all_cited(log: u32) -> Vec<u8> {
    key(b'K', &[&log.to_be_bytes()])
}

pub(super) fn strip(log: u32, strip: u64) -> Vec<u8> {
    key(b'S', &[&log.to_be_bytes(), &strip.to_be_bytes()])
}

pub(super) fn changes(document: u64, log: u32, first: u64) -> Vec<u8> {
    key(b'C', &[&document.to_be_bytes(), &log.to_be_bytes(), &first.to_be_bytes()])
}

pub(super) fn all_changes(document: u64) -> Vec<u8> {
    key(b'C', &[&document.to_be_bytes()])
}

pub(super) fn name(document: u64) -> Vec<u8> {
    key(b'N', &[&document.to_be_bytes()])
}

pub(super) fn document(space: &SpaceId, id: &DocumentId) -> Vec<u8> {
    key(b'I', &[&space.0, &id.0])
}

/// The space and the id in the key of a document.
pub(super) fn named(key: &[u8]) -> Option<(SpaceId, DocumentId)> {
    let (space, id) = key.get(1..)?.split_first_chunk()?;
    Some((SpaceId(*space), DocumentId(id.try_into().ok()?)))
}

pub(super) fn snapshot(document: u64) -> Vec<u8> {
    key(b'P', &[&document.to_be_bytes()])
}

pub(super) fn fault(document: u64) -> Vec<u8> {
    key(b'F', &[&document.to_be_bytes()])
}

pub(super) const REFERENCES: &[u8] = b"R";

pub(super) fn attached(document: u64) -> Vec<u8> {
    key(b'A', &[&document.to_be_bytes()])
}

pub(super) fn reference(attachment: &AttachmentId, document: u64) -> Vec<u8> {
    key(b'R', &[&attachment.0, &document.to_be_bytes()])
}

pub(super) fn references(attachment: &AttachmentId) -> Vec<u8> {
    key(b'R', &[&attachment.0])
}

pub(super) fn linked(document: u64) -> Vec<u8> {
    key(b'H', &[&document.to_be_bytes()])
}

pub(super) fn link(target: &DocumentId, space: &SpaceId, document: u64) -> Vec<u8> {
    key(b'B', &[&target.0, &space.0, &document.to_be_bytes()])
}

pub(super) fn links(target: &DocumentId, space: &SpaceId) -> Vec<u8> {
    key(b'B', &[&target.0, &space.0])
}

/// The number at the end of a key of [`COUNTERS`]' kind or of a key with a document alone.
pub(super) fn number(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}
