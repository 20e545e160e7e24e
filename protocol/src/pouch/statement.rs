//! What the sender of a volume signs: whom it is for, before anything else, and what it held, at the end.

use serde::{Deserialize, Serialize};

use super::{
    contents::Contents,
    error::PouchError,
    files::FileRange,
    header::{Header, SECRET_BYTES},
};
use crate::{
    codec,
    crypto::{
        hash::{Context, Hasher},
        signing::{Purpose, Signature, SigningKey, Verifier},
    },
    id::{NodeId, PouchId},
    limits::POUCH_SLOTS,
    time::Timestamp,
};

/// The first words of a volume: from whom, to whom, and in which envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The pouch, as on the outside.
    pub pouch: PouchId,
    /// The volume, as on the outside.
    pub volume: u16,
    /// The commitment to the volume's secret, as on the outside.
    pub commitment: [u8; SECRET_BYTES],
    /// Who sends it.
    pub sender: NodeId,
    /// All for whom it is, in the order of their ids. One who seals it again to somebody else cannot change this.
    pub recipients: Vec<NodeId>,
    /// When, by the sender's clock; for people only.
    pub time: Timestamp,
}

impl Opening {
    /// Checks that the sender sealed this to `own`, in this envelope.
    ///
    /// # Errors
    /// [`PouchError::Malformed`], [`PouchError::Readdressed`].
    pub(super) fn check(&self, header: &Header, own: &NodeId) -> Result<(), PouchError> {
        let count = (1..=POUCH_SLOTS).contains(&self.recipients.len());
        if !count || !self.recipients.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(PouchError::Malformed("the list of recipients"));
        }
        let outside = (header.pouch, header.volume, header.commitment);
        if (self.pouch, self.volume, self.commitment) != outside || !self.recipients.contains(own) {
            return Err(PouchError::Readdressed(self.sender));
        }
        Ok(())
    }
}

/// The last words of a volume: what it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The pouch.
    pub pouch: PouchId,
    /// The volume.
    pub volume: u16,
    /// The hash of all frames before this one, the opening among them.
    pub frames: [u8; 32],
    /// Which entries the volume holds.
    pub contents: Contents,
    /// Which parts of attachments stand behind this.
    pub files: Vec<FileRange>,
    /// Whether the pouch has no volume after this one.
    pub last: bool,
}

/// A statement and its author's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signed<T> {
    pub(super) statement: T,
    signature: Signature,
}

/// What can be signed here, and for what.
pub(super) trait Statement: Serialize {
    const PURPOSE: Purpose;
}

impl Statement for Opening {
    const PURPOSE: Purpose = Purpose::POUCH_OPENING;
}

impl Statement for Closing {
    const PURPOSE: Purpose = Purpose::POUCH_CLOSING;
}

impl<T: Statement> Signed<T> {
    pub(super) fn sign(statement: T, key: &SigningKey) -> Signed<T> {
        let signature = key.sign(T::PURPOSE, &codec::encode(&statement));
        Signed { statement, signature }
    }

    /// # Errors
    /// [`PouchError::BadSignature`], which names `sender`.
    pub(super) fn verify(&self, key: &Verifier, sender: NodeId) -> Result<(), PouchError> {
        key.verify(T::PURPOSE, &codec::encode(&self.statement), &self.signature)
            .map_err(|_| PouchError::BadSignature(sender))
    }
}

/// Starts the hash of all frames.
pub(super) fn frames_hasher() -> Hasher {
    Context::POUCH_FRAMES.hasher()
}
