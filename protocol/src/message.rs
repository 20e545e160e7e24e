//! Messages between connected nodes, one per frame (`docs/spec/sync.md`).

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, DecodeError},
    entry::{LogKey, LogKind},
    frontier::{BucketDigest, LogFrontier},
    id::{FrontierDigest, Incarnation, SpaceId},
    limits::FRAME_BYTES_MAX,
    page::LogContext,
    receipt::Receipt,
};

/// What one node says to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// The first message on a connection, both ways.
    Hello {
        /// The sender's card as it is now.
        #[serde(with = "serde_bytes")]
        card: Vec<u8>,
        /// The life of the sender's store.
        incarnation: Incarnation,
    },
    /// Opens the sync of a space, both ways.
    Summary {
        /// Which space.
        space: SpaceId,
        /// The digest of the sender's frontier.
        digest: FrontierDigest,
        /// The digests of its buckets.
        buckets: Vec<BucketDigest>,
    },
    /// Answers a summary that differs.
    Frontier {
        /// Which space.
        space: SpaceId,
        /// The buckets that are listed, bit n for bucket n; all others are as the receiver's summary had them.
        mask: u64,
        /// The sender's logs in these buckets.
        logs: Vec<LogFrontier>,
    },
    /// Consecutive entries of one log.
    Run {
        /// Which space.
        space: SpaceId,
        /// Which log.
        log: LogKey,
        /// What the log holds.
        kind: LogKind,
        /// The pages.
        #[serde(with = "crate::codec::byte_strings")]
        pages: Vec<Vec<u8>>,
    },
    /// A payload for an entry that the receiver holds without it.
    Payload {
        /// Which space.
        space: SpaceId,
        /// Which log.
        log: LogKey,
        /// The entry's place.
        seq: u64,
        /// The payload as stored.
        #[serde(with = "serde_bytes")]
        payload: Vec<u8>,
    },
    /// The sender holds everything up to its frontier, durably.
    Receipt {
        /// The signed statement.
        receipt: Receipt,
        /// The logs that changed since the sender last told its frontier on this connection.
        logs: Vec<LogFrontier>,
    },
    /// The receiver is not, or no longer, a member of a space that it asked for.
    NotMember {
        /// Which space.
        space: SpaceId,
    },
    /// Asks for entries of a log from a place on, to find where two branches part.
    Want {
        /// Which space.
        space: SpaceId,
        /// Which log.
        log: LogKey,
        /// What the log holds.
        kind: LogKind,
        /// The first entry.
        from: u64,
        /// The entry after the last.
        to: u64,
    },
    /// Two authentic runs of one log that start at the same place with different entries.
    Fork {
        /// Which space.
        space: SpaceId,
        /// Which log.
        log: LogKey,
        /// What the log holds.
        kind: LogKind,
        /// The pages of the one branch, without payloads.
        #[serde(with = "crate::codec::byte_strings")]
        one: Vec<Vec<u8>>,
        /// The pages of the other.
        #[serde(with = "crate::codec::byte_strings")]
        other: Vec<Vec<u8>>,
    },
    /// The sender let go of entries that waited for others, and can take them now: they are to be offered again.
    Again {
        /// Which space.
        space: SpaceId,
    },
}

impl Message {
    /// A run of pages as a message.
    pub fn run(context: &LogContext, pages: Vec<Vec<u8>>) -> Message {
        Message::Run { space: context.space, log: context.log, kind: context.kind, pages }
    }

    /// The body of a frame.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads the body of a frame.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(frame: &[u8]) -> Result<Message, DecodeError> {
        codec::decode(frame, FRAME_BYTES_MAX)
    }
}
