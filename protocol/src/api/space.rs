//! Spaces and their members.

use serde::{Deserialize, Serialize};

use crate::{
    control::Role,
    id::{EpochId, NodeId, OrganisationId, SpaceId},
};

/// How it stands with a space on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpaceState {
    /// This node takes part.
    Active,
    /// This node knows of the space and is not, or not yet, a member.
    Outside,
    /// This node was removed. What it holds stays readable; what is written after comes no more.
    Removed,
    /// A control entry from the future stops this node from writing until it is upgraded.
    UpgradeNeeded,
    /// A state that a newer daemon knows.
    #[serde(other)]
    Unknown,
}

/// A space: `GET /v1/spaces/{space}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Space {
    /// The space's id.
    pub id: SpaceId,
    /// What this node calls it: the name given here, else the one in the space's settings, else the id's first 8
    /// characters.
    pub name: String,
    /// This node's role; null when it is no member.
    pub role: Option<Role>,
    /// How it stands.
    pub state: SpaceState,
    /// Members at present.
    pub members: u32,
    /// The epoch that this node would write in; null when it holds no epoch that it may use.
    pub epoch: Option<EpochId>,
    /// Entries held, control and data, quarantined ones included.
    pub entries: u64,
    /// Records in the list, deleted ones included.
    pub documents: u64,
    /// Data entries held that the list does not reflect yet; 0 when it is complete.
    pub entries_to_index: u64,
    /// Data entries that this node holds but has no key to read: before it came, or as a relay.
    pub unreadable: u64,
    /// Runs of entries that wait for something before them; nobody was promised them.
    pub parked: u64,
    /// Entries held and passed on, but not applied: their author might not write them, or what they carry is no change that
    /// may be applied.
    pub quarantined: u64,
    /// Entries held without their payload.
    pub gaps: u64,
    /// Logs whose author signed two entries for one place.
    pub forks: u64,
    /// Logs that records are not derived from any further, since stored bytes of them are damaged.
    #[serde(default)]
    pub damaged_logs: u64,
}

/// `GET /v1/spaces`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Spaces {
    /// Sorted by name, then by id.
    pub spaces: Vec<Space>,
}

/// `POST /v1/spaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateSpace {
    /// What this node calls it; no other space of this node may have the name.
    pub name: String,
}

/// `PATCH /v1/spaces/{space}`: what this node calls the space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NameSpace {
    /// The new name.
    pub name: String,
}

/// `POST /v1/spaces/{space}/members`: makes a verified peer a member, or gives a member another role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who; its card must be held and verified.
    pub node: NodeId,
    /// The role; never `root`.
    pub role: Role,
    /// Whether it may read what was written before. True where it is left out.
    #[serde(default = "yes")]
    pub history: bool,
}

fn yes() -> bool {
    true
}

/// A member, or a former one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    /// Who.
    pub node: NodeId,
    /// The node's name where this node holds its card, else null.
    pub name: Option<String>,
    /// The organisation that the grant names.
    pub organisation: OrganisationId,
    /// The role; null when it was removed.
    pub role: Option<Role>,
    /// Whether it may read what was written before it came.
    pub history: bool,
    /// Whether this is the node itself.
    pub own: bool,
}

/// `GET /v1/spaces/{space}/members`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Members {
    /// Present members first, by falling role, then by node; then those who were removed.
    pub members: Vec<Member>,
}

/// `DELETE /v1/spaces/{space}/members/{node}`: the member was removed and a new epoch opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revoked {
    /// Who was removed.
    pub node: NodeId,
    /// The epoch whose secret the member does not have.
    pub epoch: EpochId,
    /// How many members may read it.
    pub recipients: u32,
}

/// `POST /v1/spaces/{space}/epochs`: a new epoch was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rotated {
    /// The new epoch.
    pub epoch: EpochId,
    /// How many members may read it.
    pub recipients: u32,
}
