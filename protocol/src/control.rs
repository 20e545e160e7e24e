//! Control payloads: what membership and epochs are made of (`docs/spec/membership.md`).
//!
//! They are clear to every member, relays included, and hold ids, keys and roles: no names. A payload is the suite byte, a
//! kind byte, and the body.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    card::SignedHeader,
    codec::{DecodeError, decode_part, encode_part},
    crypto::{hash::Context, sealing::Sealed, signing::PublicKey},
    id::{EntryHash, EpochId, LogId, NodeId, OrganisationId, SpaceId},
    limits::{PAYLOAD_BYTES_MAX, SUITE},
};

/// Why a control payload is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ControlError {
    /// A kind or a suite from the future: the fold stops here until this node is upgraded.
    #[error("control kind {0} is not known to this release; upgrade to take part again")]
    Unknown(u8),
    /// A known kind with a malformed body: it has no effect, on every node.
    #[error("malformed control payload: {0}")]
    Malformed(#[from] DecodeError),
}

/// What a member may do, lowest first. Only [`Role::Root`] and [`Role::Admin`] change membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Holds and forwards what it cannot read.
    Relay,
    /// Reads.
    Reader,
    /// Reads, writes, and may open a new epoch.
    Writer,
    /// Also grants and removes ranks below its own.
    Admin,
    /// Named in the space's first entry.
    Root,
}

impl Role {
    /// Whether content is sealed to this role.
    pub fn reads(self) -> bool {
        self >= Role::Reader
    }

    /// Whether changes of this role are applied.
    pub fn writes(self) -> bool {
        self >= Role::Writer
    }

    /// Whether this role changes membership.
    pub fn administers(self) -> bool {
        self >= Role::Admin
    }
}

/// The space's first entry. Its hash is the space's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// Makes the id unique.
    pub nonce: [u8; 32],
    /// The root keys. This release takes exactly one, the creator's signing key.
    pub roots: Vec<PublicKey>,
    /// How many of the root keys must agree. This release takes 1.
    pub threshold: u8,
    /// The creator's first card header.
    pub creator: SignedHeader,
    /// The creator's organisation.
    pub organisation: OrganisationId,
}

impl Genesis {
    /// The id of the space that this payload founds.
    pub fn space(&self) -> SpaceId {
        SpaceId(Context::SPACE.hash(&[&Control::Genesis(self.clone()).encode()]))
    }
}

/// Makes a node a member, or gives a member a higher role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The member's first card header: its id and its keys, which the granter cannot make up.
    pub member: SignedHeader,
    /// The role; never [`Role::Root`].
    pub role: Role,
    /// The member's organisation, as approvals count it.
    pub organisation: OrganisationId,
    /// Whether the member may read what was written before it came.
    pub history: bool,
    /// The secrets of the maximal epochs, sealed to the member; empty when it may not read, or not what came before.
    pub secrets: Vec<EpochSecretWrap>,
}

/// The secret of one epoch, sealed to one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochSecretWrap {
    /// Which epoch.
    pub epoch: EpochId,
    /// The secret, see [`wrap_info`].
    pub sealed: Sealed,
}

/// Ends every grant of a member that does not descend from this entry, and cuts its logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// Who is removed.
    pub member: NodeId,
    /// The last accepted entry of each log, sorted by log; a log that is not named is cut before its first entry.
    pub cuts: Vec<Cut>,
}

/// The last accepted entry of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cut {
    /// The member's log.
    pub log: LogId,
    /// Place of the last accepted entry.
    pub seq: u64,
    /// Its hash.
    pub hash: EntryHash,
}

/// Opens an epoch: a new content secret, sealed to exactly the readers at the cited heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Who may read, sorted by node.
    pub recipients: Vec<Recipient>,
    /// Commitment to the content key, which recipients check.
    pub content_commitment: [u8; 32],
    /// Commitment to the history key, which recipients check.
    pub history_commitment: [u8; 32],
    /// Every maximal epoch before this one, sorted, its secret encrypted under this epoch's history key.
    pub previous: Vec<PreviousEpoch>,
}

/// One reader of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The reader.
    pub node: NodeId,
    /// The secret, see [`wrap_info`].
    pub sealed: Sealed,
}

/// The secret of an earlier epoch, for those who hold the later epoch's history key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PreviousEpoch {
    /// Which epoch.
    pub epoch: EpochId,
    /// Its secret under AES-256-GCM with the history key; the associated data is the earlier epoch's id.
    pub sealed: Vec<u8>,
}

/// The HPKE `info` of an epoch secret: it binds the space, the reader and the commitment.
pub fn wrap_info(space: &SpaceId, reader: &NodeId, content_commitment: &[u8; 32]) -> Vec<u8> {
    [b"portolan epoch secret v1\0".as_slice(), &space.0, &reader.0, content_commitment].concat()
}

/// A control payload of a known kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Founds the space.
    Genesis(Genesis),
    /// Adds or raises a member.
    Grant(Grant),
    /// Removes a member.
    Remove(Remove),
    /// Changes the content secret.
    Epoch(Epoch),
}

impl Control {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Control::Genesis(body) => (1, encode_part(body)),
            Control::Grant(body) => (2, encode_part(body)),
            Control::Remove(body) => (3, encode_part(body)),
            Control::Epoch(body) => (4, encode_part(body)),
        };
        [[SUITE, kind].as_slice(), &body].concat()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`ControlError`], which says whether the payload is from the future or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Control, ControlError> {
        let (suite, kind, body) = match bytes {
            [suite, kind, body @ ..] => (*suite, *kind, body),
            _ => return Err(ControlError::Malformed(DecodeError::Malformed)),
        };
        if suite != SUITE {
            return Err(ControlError::Unknown(suite));
        }
        Ok(match kind {
            1 => Control::Genesis(decode_part(body, PAYLOAD_BYTES_MAX)?),
            2 => Control::Grant(decode_part(body, PAYLOAD_BYTES_MAX)?),
            3 => Control::Remove(decode_part(body, PAYLOAD_BYTES_MAX)?),
            4 => Control::Epoch(decode_part(body, PAYLOAD_BYTES_MAX)?),
            unknown => return Err(ControlError::Unknown(unknown)),
        })
    }
}
