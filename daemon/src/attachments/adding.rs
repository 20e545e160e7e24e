//! A file on its way in: sealed as it comes, durable before anybody hears of it.

use std::io::Write as _;

use portolan_protocol::{
    attachment::{AttachmentKey, Layout, Sealer},
    crypto::hash::Hasher,
    id::{AttachmentId, SpaceId},
};
use rand_core::Rng as _;

use super::{
    error::AttachmentsError,
    files::{New, Settled},
    handle::Attachments,
    media_type::LOOKED_AT_BYTES,
};
use crate::clock;

/// Bytes after which it is looked again whether the disk has room.
const LOOK_BYTES: u64 = 16 << 20;

/// See the head of the file. Dropped before its end, it leaves nothing.
pub struct Addition {
    attachments: Attachments,
    space: SpaceId,
    announced: Option<u64>,
    new: New,
    key: AttachmentKey,
    sealer: Sealer,
    known: Hasher,
    start: Vec<u8>,
    sealed: Vec<u8>,
    looked_at: u64,
}

/// A file that was added.
#[derive(Clone, Debug)]
pub struct Added {
    /// Which it is.
    pub id: AttachmentId,
    /// What opens it.
    pub key: AttachmentKey,
    /// Its sizes.
    pub layout: Layout,
    /// Whether it was here already, in the same space.
    pub reused: bool,
}

impl Attachments {
    /// Begins to add a file to a space. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::NoRoom`] where its size is told and too much.
    pub fn add(&self, space: SpaceId, announced: Option<u64>) -> Result<Addition, AttachmentsError> {
        let layout = Layout::of_plaintext(announced.unwrap_or_default())?;
        self.files().must_have_room(layout.ciphertext_bytes())?;
        let mut key = [0; 32];
        clock::rng().fill_bytes(&mut key);
        let key = AttachmentKey::new(key);
        let mut sealed = Vec::new();
        let sealer = Sealer::new(&key, &mut sealed);
        Ok(Addition {
            attachments: self.clone(),
            space,
            announced,
            new: self.files().begin()?,
            key,
            sealer,
            known: blake3::Hasher::new_keyed(&self.known().secret()?),
            start: Vec::new(),
            sealed,
            looked_at: 0,
        })
    }
}

impl Addition {
    /// Adds what came. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::NoRoom`], [`AttachmentsError::Length`], [`AttachmentsError::File`].
    pub fn part(&mut self, part: &[u8]) -> Result<(), AttachmentsError> {
        let room = LOOKED_AT_BYTES.saturating_sub(self.start.len());
        self.start.extend_from_slice(&part[..part.len().min(room)]);
        self.sealer.add(part, &mut self.sealed)?;
        self.known.update(part);
        if let Some(announced) = self.announced.filter(|announced| *announced < self.bytes()) {
            return Err(AttachmentsError::Length { came: self.bytes(), announced });
        }
        if self.bytes() - self.looked_at >= LOOK_BYTES {
            self.looked_at = self.bytes();
            self.attachments.files().must_have_room(0)?;
            // Little by little, so that records need not wait for much to reach the disk.
            self.new.file.sync_data()?;
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), AttachmentsError> {
        self.new.file.write_all(&self.sealed)?;
        self.sealed.clear();
        Ok(())
    }

    /// Bytes that came.
    pub fn bytes(&self) -> u64 {
        self.sealer.bytes()
    }

    /// The first bytes.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// Ends: afterwards the file is durable under its name. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::Length`], [`AttachmentsError::File`].
    pub fn finish(mut self) -> Result<Added, AttachmentsError> {
        let came = self.bytes();
        if let Some(announced) = self.announced.filter(|announced| *announced != came) {
            return Err(AttachmentsError::Length { came, announced });
        }
        let mut sealed = std::mem::take(&mut self.sealed);
        let layout = self.sealer.finish(&mut sealed);
        self.new.file.write_all(&sealed)?;
        let hash = *self.known.finalize().as_bytes();
        let (files, known) = (self.attachments.files(), self.attachments.known());
        if let Some((id, key)) = known.find(&self.space, &hash)?
            && files.held(&id) == Some(layout.ciphertext_bytes())
        {
            files.touch(&id)?;
            return Ok(Added { id, key, layout, reused: true });
        }
        let Settled::Held(id) = files.settle(self.new, None)? else { return Err(AttachmentsError::Unexpected) };
        known.remember(&self.space, &hash, &id, &self.key)?;
        Ok(Added { id, key: self.key, layout, reused: false })
    }
}
