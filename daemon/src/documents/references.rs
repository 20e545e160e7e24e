//! Which attachments records refer to, and which records refer to an attachment.

use portolan_protocol::id::{AttachmentId, DocumentId, SpaceId};

use super::{error::DocumentError, handle::Documents, index::Index, keys, refers::Referred, rows::decode};
use crate::store::StoreError;

/// A record that refers to an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// To which.
    pub attachment: AttachmentId,
    /// The space of the record.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// Bytes of the file, as the record says.
    pub size: u64,
}

/// Rows read for one answer.
const PAGE_ROWS: usize = 1_000;
/// Records that are named for one attachment.
const RECORDS_MAX: usize = 256;

impl Index {
    fn references_of(&self, space: SpaceId, document: DocumentId) -> Result<Vec<Reference>, StoreError> {
        let Some(row) = self.shelf.document(&space, &document)? else { return Ok(Vec::new()) };
        let held: Referred = self
            .shelf
            .value(&keys::attached(row.number))?
            .map_or_else(|| Ok(Referred::new()), |bytes| decode(&bytes))?;
        Ok(held.into_iter().map(|(attachment, size)| Reference { attachment, space, document, size }).collect())
    }

    fn referring(&self, attachment: &AttachmentId) -> Result<Vec<Reference>, StoreError> {
        let rows = self.shelf.page(&keys::references(attachment), None, RECORDS_MAX)?;
        rows.iter().map(|(key, value)| self.reference(key, value)).collect()
    }

    fn reference(&self, key: &[u8], value: &[u8]) -> Result<Reference, StoreError> {
        let damaged = || StoreError::Damaged("a reference to an attachment".into());
        let attachment = key.get(1..33).and_then(|id| id.try_into().ok()).map(AttachmentId).ok_or_else(damaged)?;
        let name = self.shelf.name(keys::number(key).ok_or_else(damaged)?)?;
        Ok(Reference { attachment, space: name.space, document: name.id, size: decode(value)? })
    }

    /// A part of all references, after the key `after`, and the key of the last one; none at the end.
    fn all_references(&self, after: Option<&[u8]>) -> Result<(Vec<Reference>, Option<Vec<u8>>), StoreError> {
        let rows = self.shelf.page(keys::REFERENCES, after, PAGE_ROWS)?;
        let last = rows.last().filter(|_| rows.len() == PAGE_ROWS).map(|(key, _)| key.clone());
        let references: Result<Vec<_>, _> = rows.iter().map(|(key, value)| self.reference(key, value)).collect();
        Ok((references?, last))
    }
}

impl Documents {
    /// The attachments that a record refers to, as its summary was last made.
    ///
    /// # Errors
    /// [`DocumentError::Store`], [`DocumentError::Stopped`].
    pub async fn references_of(&self, space: SpaceId, document: DocumentId) -> Result<Vec<Reference>, DocumentError> {
        Ok(self.ask(move |index| index.references_of(space, document)).await??)
    }

    /// The records that refer to an attachment: not more than some hundreds of them.
    ///
    /// # Errors
    /// As [`Documents::references_of`].
    pub async fn referring(&self, attachment: AttachmentId) -> Result<Vec<Reference>, DocumentError> {
        Ok(self.ask(move |index| index.referring(&attachment)).await??)
    }

    /// Hands on every reference there is, in the order of attachments.
    ///
    /// # Errors
    /// As [`Documents::references_of`].
    pub async fn each_reference(&self, mut each: impl FnMut(Reference)) -> Result<(), DocumentError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let from = after.take();
            let (references, last) = self.ask(move |index| index.all_references(from.as_deref())).await??;
            references.into_iter().for_each(&mut each);
            match last {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }
}
