//! A space as those outside the core see it: an immutable picture, replaced whole when membership, keys or own log change.

use std::sync::Arc;

use crate::{
    control::Role,
    entry::LogKey,
    id::SpaceId,
    membership::{Keyring, Membership},
};

/// See the head of the file.
#[derive(Clone)]
pub struct SpaceView {
    /// Which space.
    pub space: SpaceId,
    /// Who may do what, and what stands.
    pub membership: Arc<Membership>,
    /// The content keys that this node has.
    pub keyring: Arc<Keyring>,
    /// The log that this node's next change goes into; its actors are derived from it.
    pub own_log: LogKey,
    /// This node's role; none when it is no member.
    pub role: Option<Role>,
    /// A control entry from the future stops the fold: nothing may be written.
    pub upgrade_needed: bool,
}
