//! The plaintext of a data payload: one change of one record, who made it, and what it stands on (`docs/spec/entry.md`).

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, DecodeError},
    crypto::{hash::Context, signing::Signature},
    entry::{EntryRef, LogKey},
    id::{DocumentId, PersonId},
    limits::{DEPENDENCIES_MAX, PAYLOAD_BYTES_MAX},
};

/// Longest name of a person, in bytes.
pub const PERSON_NAME_BYTES_MAX: usize = 256;
/// Longest reason of a change, in bytes.
pub const REASON_BYTES_MAX: usize = 1_024;

/// A person, vouched for by the node that signs the entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonRef {
    /// Stable within the node.
    pub id: PersonId,
    /// As it was when the change was made.
    pub name: String,
}

/// One change of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePayload {
    /// The record.
    pub document: DocumentId,
    /// One uncompressed Automerge change chunk.
    #[serde(with = "serde_bytes")]
    pub change: Vec<u8>,
    /// Who made it.
    pub person: PersonRef,
    /// Why, in a few words; may be empty.
    pub reason: String,
    /// Drawn when the author's node started; enters the actor, so a restored node cannot collide with its past self.
    pub salt: [u8; 16],
    /// The entries whose changes this one depends on, in the order of the change's own dependencies.
    pub dependencies: Vec<EntryRef>,
    /// Room for a signature of the person; this release writes none and keeps what it finds.
    pub person_signature: Option<Signature>,
}

impl ChangePayload {
    /// The canonical bytes, to be encrypted.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads and bounds a payload.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not one, or a part is longer than it may be.
    pub fn decode(bytes: &[u8]) -> Result<ChangePayload, DecodeError> {
        let payload: ChangePayload = codec::decode(bytes, PAYLOAD_BYTES_MAX)?;
        let within = payload.person.name.len() <= PERSON_NAME_BYTES_MAX
            && payload.reason.len() <= REASON_BYTES_MAX
            && payload.dependencies.len() <= DEPENDENCIES_MAX;
        if within { Ok(payload) } else { Err(DecodeError::Malformed) }
    }
}

/// The Automerge actor that a change in `log` of `document` must carry.
pub fn actor_id(log: &LogKey, document: &DocumentId, salt: &[u8; 16]) -> [u8; 32] {
    Context::ACTOR.hash(&[&log.author.0, &log.log.0, &document.0, salt])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EntryHash, LogId, NodeId};

    #[test]
    fn more_dependencies_than_may_be_are_refused() {
        let log = LogKey { author: NodeId([1; 32]), log: LogId([2; 16]) };
        let payload = |dependencies| ChangePayload {
            document: DocumentId([3; 16]),
            change: Vec::new(),
            person: PersonRef { id: PersonId([4; 16]), name: String::new() },
            reason: String::new(),
            salt: [5; 16],
            dependencies: vec![EntryRef { log, seq: 6, hash: EntryHash([7; 32]) }; dependencies],
            person_signature: None,
        };
        let most = payload(DEPENDENCIES_MAX);
        assert_eq!(ChangePayload::decode(&most.encode()), Ok(most));
        assert_eq!(ChangePayload::decode(&payload(DEPENDENCIES_MAX + 1).encode()), Err(DecodeError::Malformed));
    }
}
