//! Files that were added here before, so that the same file in the same space is one attachment. Derived: losing it costs room,
//! nothing else.
//!
//! A file is known by a hash under a key that never leaves the node, so that who sees the table alone cannot try out guesses.

use portolan_protocol::{
    attachment::AttachmentKey,
    crypto::hash::keyed,
    id::{AttachmentId, SpaceId},
};
use rand_core::Rng as _;

use crate::{
    clock,
    store::{DerivedBatch, Store, StoreError, Table},
};

const TABLE: &str = "attachments";
const SECRET: &[u8] = b"S";

/// See the head of the file.
#[derive(Clone)]
pub(super) struct Known(Store);

impl Known {
    pub(super) fn new(store: Store) -> Known {
        Known(store)
    }

    /// Opened each time: a rebuild drops all tables.
    fn table(&self) -> Result<Table, StoreError> {
        self.0.derived().open_table(TABLE)
    }

    /// The key of the hashes.
    pub(super) fn secret(&self) -> Result<[u8; 32], StoreError> {
        let table = self.table()?;
        if let Some(secret) = table.value(SECRET)?.and_then(|secret| secret.try_into().ok()) {
            return Ok(secret);
        }
        let mut secret = [0; 32];
        clock::rng().fill_bytes(&mut secret);
        self.put(&table, SECRET, secret.to_vec())?;
        Ok(secret)
    }

    /// The attachment that a file with this hash became.
    pub(super) fn find(
        &self,
        space: &SpaceId,
        hash: &[u8; 32],
    ) -> Result<Option<(AttachmentId, AttachmentKey)>, StoreError> {
        let value = self.table()?.value(&key(space, hash))?;
        Ok(value.and_then(|value| {
            let (id, key) = value.split_first_chunk()?;
            Some((AttachmentId(*id), AttachmentKey::new(key.try_into().ok()?)))
        }))
    }

    pub(super) fn remember(
        &self,
        space: &SpaceId,
        hash: &[u8; 32],
        id: &AttachmentId,
        opens: &AttachmentKey,
    ) -> Result<(), StoreError> {
        self.put(&self.table()?, &key(space, hash), [&id.0[..], opens.bytes()].concat())
    }

    fn put(&self, table: &Table, key: &[u8], value: Vec<u8>) -> Result<(), StoreError> {
        let mut batch = DerivedBatch::default();
        batch.put(table, key, value)?;
        self.0.derived().apply(batch)
    }
}

fn key(space: &SpaceId, hash: &[u8; 32]) -> Vec<u8> {
    [b"K", &keyed(hash, &[&space.0])[..]].concat()
}
