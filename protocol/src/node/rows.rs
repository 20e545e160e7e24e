//! The core's own small records in the store: their keys and their encoding. Local; no other node ever reads them.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    codec::{decode_part, encode_part},
    entry::{EntryRef, LogKey, LogKind},
    id::{EntryHash, Incarnation, LogId, NodeId, PouchId, SpaceId},
    limits::FRAME_BYTES_MAX,
    pouch::{ContentsDigest, Held},
    time::Timestamp,
};

/// A row to write, or to remove where there is no value.
pub(super) type Row = (Vec<u8>, Option<Vec<u8>>);

/// Names a row. The order of variants is part of the local format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Key {
    /// The end of the block of receipt counters that was set aside.
    Counter,
    /// A peer: [`PeerRow`].
    Peer(NodeId),
    /// The last receipt of a peer in a space: [`ReceiptRow`].
    Receipt(NodeId, SpaceId),
    /// How far that receipt covers one log: `LogFrontier`.
    Held(NodeId, SpaceId, LogKey),
    /// The logs that this node writes in a space: [`OwnRow`].
    Own(SpaceId),
    /// The proof of a fork: [`ForkRow`].
    Fork(SpaceId, LogKey),
    /// The incarnation that counts instead of the store's: [`LifeRow`].
    Life,
    /// The lives of a peer's store: [`LivesRow`].
    Lives(NodeId),
    /// The volumes of a peer's pouch that this node holds: [`VolumesRow`].
    Volumes(NodeId, PouchId),
}

impl Key {
    /// A row that holds `value`.
    pub(super) fn put<T: Serialize>(&self, value: &T) -> Row {
        (encode_part(self), Some(encode_part(value)))
    }

    /// The removal of the row.
    pub(super) fn remove(&self) -> Row {
        (encode_part(self), None)
    }

    /// Reads a key; none when it is not one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Key> {
        decode_part(bytes, 1_024).ok()
    }
}

/// Reads a value; none when it is not one.
pub(super) fn value<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    decode_part(bytes, FRAME_BYTES_MAX).ok()
}

/// Another incarnation than the store's own, drawn when the store turned out to have been put back to an earlier state
/// without knowing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LifeRow {
    /// The store's, when this was drawn: a later one of the store's makes this one void.
    pub(super) store: Incarnation,
    pub(super) drawn: Incarnation,
}

/// A peer that an administrator verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PeerRow {
    pub(super) card: Vec<u8>,
    pub(super) heard: Option<Timestamp>,
}

/// The last receipt of a peer in one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReceiptRow {
    pub(super) incarnation: Incarnation,
    pub(super) counter: u64,
    pub(super) signed: Timestamp,
}

/// The lives of a peer's store that are known, and what couriers brought of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LivesRow {
    /// The present one.
    pub(super) current: Option<Incarnation>,
    /// Those before it, the last one last.
    pub(super) past: Vec<Incarnation>,
    /// The latest time, by the peer's clock, at which a courier was given something said in the present one.
    pub(super) said: Timestamp,
    /// When a volume of its pouches was last taken, by this node's clock.
    pub(super) pouch: Option<Timestamp>,
}

/// The volumes of a peer's pouch that this node holds, as it signed for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VolumesRow {
    /// Their numbers, in order, and the digests of what they held.
    pub(super) volumes: Vec<(u16, ContentsDigest)>,
    pub(super) held: Held,
    pub(super) taken: Timestamp,
}

/// A log that this node writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnLog {
    pub(super) log: LogId,
    /// The heads that its first entry cites, once there is one.
    pub(super) opening: Option<Vec<EntryRef>>,
    /// Where the log before it ended, for its first entry to name.
    pub(super) predecessor: Option<EntryRef>,
}

/// The logs that this node writes in one space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnRow {
    pub(super) control: Option<OwnLog>,
    pub(super) data: Option<OwnLog>,
}

/// Two authentic runs that part at their first entry, payloads left out: the proof that an author forked a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ForkRow {
    /// What the log holds: the fork may be known before any entry is.
    pub(super) kind: LogKind,
    /// Where they part.
    pub(super) seq: u64,
    /// The hash of the last common entry; zero where there is none.
    pub(super) common: EntryHash,
    pub(super) one: Vec<Vec<u8>>,
    pub(super) other: Vec<Vec<u8>>,
}
