//! Entries: the signed links of a log (`docs/spec/entry.md`). This file knows one entry; runs of them are in `page`.
//!
//! ```text
//! header, all of it signed and hashed; integers big-endian
//!   0   1 suite            82   8 seq               166  1+32 epoch (0, or 1 and the id)
//!   1  32 space            90  32 previous          199  1+88 predecessor (0, or 1 and a reference)
//!  33  32 author          122   8 time, ms          288  32   hash of the cited control heads
//!  65  16 log             130   4 payload length    320
//!  81   1 kind            134  32 payload hash
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    crypto::{
        hash::Context,
        signing::{Purpose, Signature, SigningKey},
    },
    id::{EntryHash, EpochId, LogId, NodeId, PayloadHash, SpaceId},
    limits::SUITE,
    time::Timestamp,
};

/// Bytes of an encoded header.
pub const HEADER_BYTES: usize = 320;
/// Bytes of an encoded [`EntryRef`].
pub const REF_BYTES: usize = 88;

/// What a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LogKind {
    /// Membership and epochs, clear to every member.
    Control,
    /// Changes of documents, encrypted.
    Data,
}

impl LogKind {
    /// The byte that stands for it.
    pub fn byte(self) -> u8 {
        match self {
            LogKind::Control => 0,
            LogKind::Data => 1,
        }
    }

    /// The id of a log of this kind, of 16 random bytes.
    pub fn log_id(self, random: [u8; LogId::BYTES]) -> LogId {
        let mut id = LogId(random);
        id.0[0] = (id.0[0] & !DATA_BIT) | if self == LogKind::Data { DATA_BIT } else { 0 };
        id
    }
}

/// The first bit of a log id: 0 for control, 1 for data. So an author cannot use one id for logs of both kinds, and whatever
/// names a log by its id alone says what it holds.
const DATA_BIT: u8 = 0x80;

/// A log within a space. Ids are random, so the author is part of the name: nobody can occupy another's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogKey {
    /// Who writes it.
    pub author: NodeId,
    /// Which of the author's logs.
    pub log: LogId,
}

impl LogKey {
    /// What the log holds, as its id says.
    pub fn kind(&self) -> LogKind {
        if self.log.0[0] & DATA_BIT == 0 { LogKind::Control } else { LogKind::Data }
    }
}

/// One exact entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EntryRef {
    /// Its log.
    pub log: LogKey,
    /// Its place in the log, from 0.
    pub seq: u64,
    /// Its hash.
    pub hash: EntryHash,
}

impl EntryRef {
    /// Appends the 88 bytes of the reference.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.log.author.0);
        out.extend_from_slice(&self.log.log.0);
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.hash.0);
    }

    /// Reads what [`EntryRef::write`] wrote.
    pub fn read(bytes: &[u8; REF_BYTES]) -> EntryRef {
        let mut reference = EntryRef {
            log: LogKey { author: NodeId::default(), log: LogId::default() },
            seq: 0,
            hash: EntryHash::default(),
        };
        reference.log.author.0.copy_from_slice(&bytes[..32]);
        reference.log.log.0.copy_from_slice(&bytes[32..48]);
        reference.seq = bytes[48..56].iter().fold(0, |seq, byte| (seq << 8) | u64::from(*byte));
        reference.hash.0.copy_from_slice(&bytes[56..]);
        reference
    }
}

/// The control entries that an author had seen and none of which another one cites: sorted, without repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    entries: Vec<EntryRef>,
    hash: [u8; 32],
}

impl Default for Heads {
    /// No head: only the first entry of a space cites none.
    fn default() -> Heads {
        Heads::new(Vec::new())
    }
}

impl Heads {
    /// The set of `entries`, in canonical order.
    pub fn new(mut entries: Vec<EntryRef>) -> Heads {
        entries.sort_unstable();
        entries.dedup();
        let mut bytes = Vec::with_capacity(entries.len() * REF_BYTES);
        for entry in &entries {
            entry.write(&mut bytes);
        }
        Heads { hash: Context::HEADS.hash(&[&bytes]), entries }
    }

    /// The hash of the set, as headers carry it.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The entries, sorted.
    pub fn entries(&self) -> &[EntryRef] {
        &self.entries
    }
}

/// Everything about an entry but its payload and its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The space it belongs to.
    pub space: SpaceId,
    /// The log it continues.
    pub log: LogKey,
    /// What the log holds.
    pub kind: LogKind,
    /// Its place in the log, from 0.
    pub seq: u64,
    /// The hash of the entry before it; zero at 0.
    pub previous: EntryHash,
    /// At 0 only: where the author's preceding log of this kind ended, as far as the author knows.
    pub predecessor: Option<EntryRef>,
    /// The control heads that the author had seen.
    pub heads: Arc<Heads>,
    /// The epoch whose secret encrypts the payload; none for control entries.
    pub epoch: Option<EpochId>,
    /// Bytes of the payload as stored.
    pub payload_length: u32,
    /// Hash of the payload as stored.
    pub payload_hash: PayloadHash,
    /// When the author wrote it, by the author's clock.
    pub time: Timestamp,
}

impl Header {
    /// The canonical bytes, which are signed and hashed.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = self.without_payload();
        bytes[130..134].copy_from_slice(&self.payload_length.to_be_bytes());
        bytes[134..166].copy_from_slice(&self.payload_hash.0);
        bytes
    }

    /// The associated data under which the payload is encrypted: the header with payload length and hash left zero.
    pub fn associated_data(&self) -> [u8; HEADER_BYTES] {
        self.without_payload()
    }

    fn without_payload(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = SUITE;
        bytes[1..33].copy_from_slice(&self.space.0);
        bytes[33..65].copy_from_slice(&self.log.author.0);
        bytes[65..81].copy_from_slice(&self.log.log.0);
        bytes[81] = self.kind.byte();
        bytes[82..90].copy_from_slice(&self.seq.to_be_bytes());
        bytes[90..122].copy_from_slice(&self.previous.0);
        bytes[122..130].copy_from_slice(&self.time.0.to_be_bytes());
        if let Some(epoch) = &self.epoch {
            bytes[166] = 1;
            bytes[167..199].copy_from_slice(&epoch.0);
        }
        if let Some(predecessor) = &self.predecessor {
            bytes[199] = 1;
            let mut reference = Vec::with_capacity(REF_BYTES);
            predecessor.write(&mut reference);
            bytes[200..288].copy_from_slice(&reference);
        }
        bytes[288..].copy_from_slice(&self.heads.hash);
        bytes
    }

    /// Signs the header.
    pub fn sign(&self, key: &SigningKey) -> Signature {
        key.sign(Purpose::ENTRY, &self.encode())
    }
}

/// The hash of an entry: of its encoded header and its signature, so that nobody on the way can exchange either.
pub fn entry_hash(header: &[u8; HEADER_BYTES], signature: &Signature) -> EntryHash {
    EntryHash(Context::ENTRY.hash(&[header, &signature.0]))
}

/// The hash of a payload as stored.
pub fn payload_hash(payload: &[u8]) -> PayloadHash {
    PayloadHash(Context::PAYLOAD.hash(&[payload]))
}

/// An entry as it is stored and sent. That it is here says nothing about its being genuine: `page::AuthenticRun` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position and bindings.
    pub header: Header,
    /// By the author's signing key over the header.
    pub signature: Signature,
    /// The payload, or none where it is a gap.
    pub payload: Option<Vec<u8>>,
}

impl Entry {
    /// The entry's hash.
    pub fn hash(&self) -> EntryHash {
        entry_hash(&self.header.encode(), &self.signature)
    }

    /// The reference to it.
    pub fn reference(&self) -> EntryRef {
        EntryRef { log: self.header.log, seq: self.header.seq, hash: self.hash() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_comes_back() {
        let reference = EntryRef {
            log: LogKey { author: NodeId([1; 32]), log: LogId([2; 16]) },
            seq: 0x0102_0304_0506_0708,
            hash: EntryHash([3; 32]),
        };
        let mut bytes = Vec::new();
        reference.write(&mut bytes);
        assert_eq!(bytes.first_chunk().map(EntryRef::read), Some(reference));
    }

    #[test]
    fn heads_are_a_set() {
        let one =
            EntryRef { log: LogKey { author: NodeId([1; 32]), log: LogId([2; 16]) }, seq: 1, hash: EntryHash([3; 32]) };
        let two = EntryRef { seq: 0, ..one };
        assert_eq!(Heads::new(vec![one, two, one]), Heads::new(vec![two, one]));
    }
}
