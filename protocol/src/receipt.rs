//! Receipts: a node's signed word that it holds everything up to a frontier, durably (`docs/spec/sync.md`).

use serde::{Deserialize, Serialize};

use crate::{
    codec,
    crypto::signing::{BadSignature, Purpose, Signature, SigningKey, Verifier},
    id::{FrontierDigest, Incarnation, NodeId, SpaceId},
    time::Timestamp,
};

/// What a receipt says. Headers up to the frontier are held, gaps are listed in it, quarantined entries count, parked do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Who says so.
    pub issuer: NodeId,
    /// Of which space.
    pub space: SpaceId,
    /// The life of the issuer's store: another one voids all earlier receipts. A new one begins when the store is created,
    /// found damaged, or found to have been put back to an earlier state.
    pub incarnation: Incarnation,
    /// Grows with every receipt of an incarnation. The highest counts, even when it says less.
    pub counter: u64,
    /// The digest of the frontier.
    pub digest: FrontierDigest,
    /// When, by the issuer's clock; for people only.
    pub time: Timestamp,
}

/// A signed statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What is said.
    pub statement: Statement,
    signature: Signature,
}

impl Receipt {
    /// Signs a statement.
    pub fn sign(statement: Statement, key: &SigningKey) -> Receipt {
        Receipt { statement, signature: key.sign(Purpose::RECEIPT, &codec::encode(&statement)) }
    }

    /// Checks the signature with the issuer's key.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, issuer: &Verifier) -> Result<(), BadSignature> {
        issuer.verify(Purpose::RECEIPT, &codec::encode(&self.statement), &self.signature)
    }
}
