//! Pouches: what is written on media for partners, and what is taken from them.

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::{
    id::{AttachmentId, NodeId, PouchId, SpaceId},
    time::Timestamp,
};

/// How much a pouch carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PouchLoad {
    /// What the recipients have not receipted.
    #[default]
    Missing,
    /// Everything.
    Everything,
    /// Receipts, and no entries.
    Receipts,
}

/// Which attachments a pouch carries, by the size of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PouchAttachments {
    /// Every one.
    All,
    /// None.
    None,
    /// Those of fewer bytes.
    Below(u64),
}

impl Default for PouchAttachments {
    /// Below 64 MiB, as nodes fetch by themselves where nothing else is said.
    fn default() -> PouchAttachments {
        PouchAttachments::Below(64 << 20)
    }
}

/// How many attachments that records name a pouch is not to carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentsLeftOut {
    /// All recipients said that they hold these.
    pub known: u64,
    /// These are not held here.
    pub missing: u64,
    /// These are larger than was asked for.
    pub larger: u64,
    /// These are more than one pouch carries.
    pub too_many: u64,
    /// Which there are is not known, since records could not be looked at: it carries none.
    pub is_unknown: bool,
}

/// `POST /v1/pouches`: names what is to go into a pouch. Its volumes are written by asking for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// For whom: 1 to 16 verified peers.
    pub to: Vec<NodeId>,
    /// This space alone; otherwise all that this node and all recipients share.
    #[serde(default)]
    pub space: Option<SpaceId>,
    /// How much.
    #[serde(default)]
    pub load: PouchLoad,
    /// Bytes of a volume, at most; otherwise as many as the format allows.
    #[serde(default)]
    pub volume_bytes: Option<u64>,
    /// Hide how much there is, at the cost of at most an eighth more.
    #[serde(default)]
    pub padded: bool,
    /// Which attachments.
    #[serde(default)]
    pub attachments: PouchAttachments,
}

/// A volume that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PouchVolume {
    /// Its number, from 1.
    pub number: u16,
    /// Its size.
    pub bytes: u64,
    /// The hash that its file ends with, in hexadecimal digits.
    pub hash: String,
    /// Entries in it.
    pub entries: u64,
    /// Payloads in it, of entries that a recipient holds without them.
    pub payloads: u64,
    /// Attachments of which it carries something.
    pub attachments: u64,
    /// Bytes of them.
    pub attachment_bytes: u64,
    /// Those of which something could not be read when it was written.
    pub unread: Vec<AttachmentId>,
    /// Whether whoever wrote it to a medium has read it again and found it whole.
    pub verified: bool,
}

/// For whom a pouch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PouchRecipient {
    /// Whom.
    pub node: NodeId,
    /// What it is called; empty where it is no peer any more.
    pub name: String,
    /// Volumes of which it has receipted every entry, by whatever route.
    pub received: Vec<u16>,
}

/// A pouch of this node. The answer to `POST /v1/pouches` and `GET /v1/pouches/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SentPouch {
    /// Its id, and the name of its directory.
    pub id: PouchId,
    /// When it was packed.
    pub created_ms: Timestamp,
    /// For whom.
    pub to: Vec<PouchRecipient>,
    /// How much it was to carry.
    pub load: PouchLoad,
    /// Entries that were named for it.
    pub entries: u64,
    /// Payloads that were, of entries that a recipient holds without them.
    pub payloads: u64,
    /// Entries that the volume being written holds so far, and all before it.
    pub entries_written: u64,
    /// Attachments that were named for it.
    pub attachments: u64,
    /// Bytes of them.
    pub attachment_bytes: u64,
    /// Bytes of them that the volume being written holds so far, and all before it.
    pub attachment_bytes_written: u64,
    /// Attachments that it is not to carry.
    pub left_out: AttachmentsLeftOut,
    /// The volumes that were written to their end.
    pub volumes: Vec<PouchVolume>,
    /// Whether the last of them is the last of the pouch, and all were verified on a medium.
    pub complete: bool,
}

/// A pouch of a peer of which this node holds volumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TakenPouch {
    /// Its id.
    pub id: PouchId,
    /// Who sent it.
    pub from: NodeId,
    /// What that is called.
    pub name: String,
    /// When a volume of it was last taken.
    pub taken_ms: Timestamp,
    /// The volumes that are held.
    pub volumes: Vec<u16>,
    /// This node's word for them, for the sender, as a code.
    pub code: String,
}

/// The answer to `GET /v1/pouches`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pouches {
    /// Those of this node, the latest first.
    pub sent: Vec<SentPouch>,
    /// Those of peers, the latest first.
    pub taken: Vec<TakenPouch>,
}

/// The query of `POST /v1/pouches/volumes`, whose body is the file of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VolumeQuery {
    /// The size of the file.
    pub bytes: u64,
    /// Read it, say what it would bring, and take nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /v1/pouches/{id}/volumes/{number}`: the volume was read again from the medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VolumeVerified {
    /// The hash that its file ends with there.
    pub hash: String,
}

/// What is being done with a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VolumeStage {
    /// It comes, and is kept beside the store.
    Staging,
    /// It is checked from the first byte to the last.
    Verifying,
    /// Its entries are taken.
    Taking,
    /// A stage that a newer daemon knows.
    #[serde(other)]
    Unknown,
}

/// One line of the answer. The last one is `done`, `not_for_this_node` or `failed`; a stream that ends without either was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum VolumeEvent {
    /// How far it is.
    Progress {
        /// With what.
        stage: VolumeStage,
        /// Bytes of the volume.
        bytes: u64,
    },
    /// The volume was taken, or looked at.
    Done {
        /// What came of it.
        taken: TakenVolume,
    },
    /// It is sealed to others. Nothing is wrong with that: one medium may carry pouches for many.
    NotForThisNode,
    /// It was not. What was taken before stays, and taking it again adds nothing twice.
    Failed {
        /// Why.
        error: ApiError,
    },
}

/// Entries of a volume that are not held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LackingEntries {
    /// Of which space.
    pub space: SpaceId,
    /// Whose.
    pub author: NodeId,
    /// The first entry that the volume brought.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
    /// How far the log is held.
    pub held: u64,
    /// Why they are not taken, empty where they wait for what is between.
    pub refused: String,
    /// Peers that are known to hold what is between, by name.
    pub suppliers: Vec<String>,
}

/// An attachment of a volume that is not here to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LackingAttachment {
    /// Which.
    pub id: AttachmentId,
    /// Its name, as a record has it; empty where none is known.
    pub name: String,
    /// Bytes of its ciphertext.
    pub bytes: u64,
    /// Bytes that are here.
    pub held: u64,
    /// Why not all that the volume carries of it was taken; none where it goes on in another volume.
    pub error: Option<ApiError>,
}

/// What came of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TakenVolume {
    /// Of which pouch.
    pub pouch: PouchId,
    /// Its number.
    pub number: u16,
    /// Whether the pouch has none after it.
    pub last: bool,
    /// Who sent it.
    pub from: NodeId,
    /// What that is called.
    pub name: String,
    /// When it was written, by the sender's clock.
    pub written_ms: Timestamp,
    /// Entries in it.
    pub entries: u64,
    /// Payloads in it, of entries that were held without them.
    pub payloads: u64,
    /// Entries and payloads that are held since, those that had waited included. In a dry run: those that are not held yet.
    pub new: u64,
    /// Entries that wait or were refused, a few of them.
    pub lacking: Vec<LackingEntries>,
    /// How many ranges of them there are.
    pub lacking_ranges: u64,
    /// Attachments of which it carries something.
    pub attachments: u64,
    /// Bytes of them.
    pub attachment_bytes: u64,
    /// Attachments that are here to their end since. In a dry run: those that are not here yet.
    pub attachments_new: u64,
    /// Those that are not, a few of them.
    pub attachments_lacking: Vec<LackingAttachment>,
    /// How many there are of which not all that the volume carries was taken.
    pub attachments_failed: u64,
    /// How many go on in another volume.
    pub attachments_going_on: u64,
    /// What is wrong with the volume where its attachments are, also where all of them are here by other routes.
    pub attachments_damage: Option<String>,
    /// This node's word for the volumes of the pouch that it holds, as a code for the sender; none while something of this one is
    /// lacking, or in a dry run.
    pub code: Option<String>,
}

/// `POST /v1/pouches/receipts`: a partner's word for volumes of a pouch of this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReceiptRequest {
    /// As it was shown, in any case, with or without line breaks.
    pub code: String,
}

/// What the word says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceiptAnswer {
    /// The pouch that it speaks of, as it is known now.
    pub pouch: SentPouch,
    /// Whose word it is.
    pub node: NodeId,
    /// What that is called.
    pub name: String,
    /// The volumes that it says are held.
    pub volumes: Vec<u16>,
    /// Whether it says more than was known.
    pub news: bool,
}
