//! Where the changes of a record came from, and which partners have signed for each.

use serde::{Deserialize, Serialize};

use crate::{
    entry::EntryRef,
    id::{DocumentId, NodeId, PersonId, PouchId, SpaceId},
    time::Timestamp,
};

/// `GET /v1/spaces/{space}/documents/{document}/provenance`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provenance {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// Its title in the best language.
    pub title: String,
    /// The other members of the space, and partners that were members, by name and then by node.
    pub partners: Vec<Partner>,
    /// The changes that are applied, in the order of `History`.
    pub changes: Vec<ChangeProvenance>,
}

/// A node and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Partner {
    /// The node.
    pub node: NodeId,
    /// Its name where this node holds its card, else null.
    pub name: Option<String>,
}

/// One change: who signed it, how it came here, who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeProvenance {
    /// The hash of the change, as `heads` names it.
    pub change: String,
    /// The signed entry that carries it.
    pub entry: EntryRef,
    /// When, by the author's clock.
    pub time_ms: Timestamp,
    /// The node that signed it.
    pub author: Partner,
    /// The person that the node vouches for.
    pub person: PersonId,
    /// The person's name at the time.
    pub name: String,
    /// How it came here; null where that was not noted.
    pub arrival: Option<Arrival>,
    /// Those of `partners` whose signed receipts cover it, in their order.
    pub held_by: Vec<NodeId>,
}

/// How a change came to this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "way")]
pub enum Arrival {
    /// It was written here.
    Written,
    /// A peer sent it over a link.
    Link {
        /// The peer: the author, or one who passed it on.
        from: Partner,
    },
    /// A courier brought it.
    Pouch {
        /// Whose pouch it was.
        from: Partner,
        /// The pouch.
        pouch: PouchId,
    },
}
