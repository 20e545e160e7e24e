//! The record that holds the settings of a space.

use portolan_protocol::{
    crypto::hash::keyed,
    id::{DocumentId, SpaceId},
};

/// The record that holds the settings of a space, its name among them (`title/<language>`; the type is `space`).
pub fn settings_document(space: &SpaceId) -> DocumentId {
    let hash = keyed(&space.0, &[b"portolan space settings v1"]);
    DocumentId(hash.first_chunk().copied().unwrap_or_default())
}
