//! A file on its way out: opened chunk by chunk, from any byte on.

use std::{fs::File, ops::Range, os::unix::fs::FileExt as _};

use portolan_protocol::{
    attachment::{Attached, Layout, Opener},
    id::AttachmentId,
};

use super::{error::AttachmentsError, files::Files};

/// Chunks that are opened in one step.
const STEP_CHUNKS: u32 = 8;

/// A file that can be read.
pub struct Content {
    id: AttachmentId,
    file: File,
    opener: Opener,
}

impl Files {
    /// Opens a file with the first of the keys that a record gives which fits. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::Missing`], [`AttachmentsError::Unsaid`], [`AttachmentsError::Attachment`].
    pub fn open_content(&self, attached: &Attached) -> Result<Content, AttachmentsError> {
        let id = attached.id;
        let file = self.data(&id)?;
        let bytes = file.metadata()?.len();
        let mut suite = [0];
        file.read_exact_at(&mut suite, 0).map_err(|_| AttachmentsError::Damaged(id))?;
        let mut why = AttachmentsError::Unsaid("the key", id);
        for key in &attached.keys {
            let content = Content { id, file: file.try_clone()?, opener: Opener::new(key, suite[0], bytes)? };
            match content.chunk(0) {
                Ok(_) => return Ok(content),
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}

impl Content {
    /// The sizes.
    pub fn layout(&self) -> Layout {
        self.opener.layout()
    }

    fn chunk(&self, chunk: u32) -> Result<Vec<u8>, AttachmentsError> {
        let (range, _) = self.layout().sealed(chunk).ok_or(AttachmentsError::Damaged(self.id))?;
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
        self.file.read_exact_at(&mut bytes, range.start)?;
        self.opener.open(chunk, &mut bytes)?;
        Ok(bytes)
    }

    /// The beginning of a range of the file: as much as one step gives. Empty at its end. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::Attachment`] where the bytes are not those that were sealed.
    pub fn step(&self, range: &Range<u64>) -> Result<Vec<u8>, AttachmentsError> {
        let end = range.end.min(self.layout().plaintext_bytes());
        let (first, mut out) = (self.layout().chunk_of(range.start), Vec::new());
        for chunk in first..first.saturating_add(STEP_CHUNKS) {
            let start = self.layout().start_of(chunk);
            if start >= end {
                break;
            }
            let bytes = self.chunk(chunk)?;
            let from = usize::try_from(range.start.saturating_sub(start)).unwrap_or(usize::MAX).min(bytes.len());
            let to = usize::try_from(end - start).unwrap_or(usize::MAX).min(bytes.len());
            out.extend_from_slice(bytes.get(from..to).unwrap_or_default());
        }
        Ok(out)
    }
}
