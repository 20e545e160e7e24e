//! What happens, as it happens: `GET /v1/events`, server-sent events whose `data` is one [`Event`] and whose `event` is its
//! name. A listener that is too slow is disconnected rather than waited for; it then asks for the present state.

use serde::{Deserialize, Serialize};

use crate::{
    control::Role,
    id::{DocumentId, NodeId, SpaceId},
};

/// One thing that happened. Names that a client does not know are skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first event of each stream: from here on nothing is missed.
    Listening,
    /// Entries are durable on this node.
    Committed {
        /// The space.
        space: SpaceId,
        /// Who signed them.
        author: NodeId,
        /// How many.
        entries: u64,
    },
    /// A record was saved here, or the list came to know of a change to it.
    Document {
        /// The space.
        space: SpaceId,
        /// The record.
        document: DocumentId,
    },
    /// A peer's receipt arrived.
    Receipt {
        /// Whose.
        peer: NodeId,
        /// Of which space.
        space: SpaceId,
        /// Entries that it covers, among those held here.
        entries_receipted: u64,
        /// Whether it covers everything held here.
        up_to_date: bool,
    },
    /// A peer is connected.
    Connected {
        /// Which.
        peer: NodeId,
        /// At which address.
        address: String,
    },
    /// A peer is no longer connected.
    Disconnected {
        /// Which.
        peer: NodeId,
        /// Why.
        reason: String,
    },
    /// This node's role in a space changed; null when it was removed.
    Role {
        /// The space.
        space: SpaceId,
        /// The role.
        role: Option<Role>,
    },
    /// An author signed two entries for one place.
    Fork {
        /// The space.
        space: SpaceId,
        /// The author.
        author: NodeId,
    },
    /// What a peer sent was refused.
    Refused {
        /// Which.
        peer: NodeId,
        /// Why.
        reason: String,
    },
    /// A space needs a newer release.
    UpgradeNeeded {
        /// The space.
        space: SpaceId,
    },
    /// A name that this release does not know.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// The name of the event, as in the `event` line of the stream.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Listening => "listening",
            Event::Committed { .. } => "committed",
            Event::Document { .. } => "document",
            Event::Receipt { .. } => "receipt",
            Event::Connected { .. } => "connected",
            Event::Disconnected { .. } => "disconnected",
            Event::Role { .. } => "role",
            Event::Fork { .. } => "fork",
            Event::Refused { .. } => "refused",
            Event::UpgradeNeeded { .. } => "upgrade_needed",
            Event::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_name_is_the_tag() {
        let event = Event::UpgradeNeeded { space: SpaceId([1; 32]) };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["event"], event.name());
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }

    #[test]
    fn names_from_the_future_are_no_obstacle() {
        assert_eq!(serde_json::from_str::<Event>(r#"{"event":"eclipse","of":"moon"}"#).unwrap(), Event::Unknown);
    }
}
