//! A ciphertext while it is fetched: verified from the first byte up to where it was reached, also after a crash.

use std::{
    fs::{File, OpenOptions},
    ops::Range,
    os::unix::fs::OpenOptionsExt as _,
    sync::Arc,
};

use portolan_protocol::{
    attachment::{GROUP_BYTES, Layout},
    id::AttachmentId,
};

use super::{error::AttachmentsError, files::Files, tree};

/// Bytes after which what came is made durable: it bounds what a power cut costs, and what the disk has to write at once while
/// records wait for it.
const SYNC_BYTES: u64 = 8 << 20;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    id: AttachmentId,
    layout: Layout,
    file: Arc<File>,
}

impl Files {
    /// Goes on with a ciphertext, or begins it. Tells where it was reached: at the beginning of a group, or at the end.
    pub(super) fn part(&self, id: AttachmentId, layout: Layout) -> Result<(Part, u64), AttachmentsError> {
        self.make_shard(&id)?;
        let mut options = OpenOptions::new();
        let path = self.part_path(&id);
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let held = file.metadata()?.len();
        let reached = match held {
            held if held == layout.ciphertext_bytes() => held,
            held if held < layout.ciphertext_bytes() => held - held % GROUP_BYTES,
            // Of another size than the records say by now.
            _ => 0,
        };
        file.set_len(reached)?;
        self.must_have_room(layout.ciphertext_bytes() - reached)?;
        Ok((Part { id, layout, file: Arc::new(file) }, reached))
    }
}

impl Part {
    /// Takes a range with its proof. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::File`], of kind `InvalidData` where the range is false.
    pub(super) fn take(&self, range: &Range<u64>, encoded: &[u8]) -> Result<(), AttachmentsError> {
        tree::decode(self.id, self.layout.ciphertext_bytes(), range, encoded, &self.file)?;
        if range.end / SYNC_BYTES != range.start / SYNC_BYTES {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Has it found under its name, once all of it came. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::Damaged`] where a crash has damaged what was there; then it begins anew.
    pub(super) fn settle(&self, files: &Files) -> Result<(), AttachmentsError> {
        files.settle_part(self.id, &self.file)
    }
}
