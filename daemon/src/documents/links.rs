//! Links between records, read from both ends.

use portolan_protocol::{
    api::{Incoming, LINKS_MAX, LinkedRecord, Links, Outgoing},
    id::{DocumentId, SpaceId},
    record::{inverse_relation, shortened},
};

use super::{
    error::DocumentError,
    handle::Documents,
    index::Index,
    keys,
    refers::{TOLD_BYTES_MAX, links},
    rows::decode,
};
use crate::store::StoreError;

/// Records that link to one from one space and are looked at, also where they are not shown.
const ROWS_MAX: usize = 4 * LINKS_MAX;

impl Index {
    fn links(&mut self, readable: &[SpaceId], space: SpaceId, id: DocumentId) -> Result<Links, DocumentError> {
        let number = self.document_number(space, id)?;
        let document = self.show(number)?.document;
        if document.changes() == 0 {
            return Err(DocumentError::NotFound(id));
        }
        let record = document.view()?;
        let mut more = links(&record).nth(LINKS_MAX).is_some();
        let mut outgoing = Vec::new();
        for (relation, target) in links(&record).take(LINKS_MAX) {
            let held = match target.parse() {
                Ok(id) => self.found(space, readable, id)?,
                Err(_) => None,
            };
            outgoing.push(Outgoing { relation, target: shortened(target, TOLD_BYTES_MAX), record: held });
        }
        let mut incoming = Vec::new();
        for readable in readable {
            let rows = self.shelf.page(&keys::links(&id, readable), None, ROWS_MAX)?;
            more |= rows.len() == ROWS_MAX;
            for (key, value) in rows {
                let Some(number) = keys::number(&key) else { continue };
                let Some(record) = self.found_in(*readable, self.shelf.name(number)?.id)? else { continue };
                for relation in decode::<Vec<String>>(&value)? {
                    if incoming.len() == LINKS_MAX {
                        more = true;
                        break;
                    }
                    let inverse = inverse_relation(&relation).map(str::to_owned);
                    incoming.push(Incoming { relation, inverse, record: record.clone() });
                }
            }
        }
        Ok(Links { space, document: id, title: record.title, outgoing, incoming, more, entries_to_index: 0 })
    }

    /// A record that people may see: in the space of the one that names it, else in another.
    fn found(&self, space: SpaceId, readable: &[SpaceId], id: DocumentId) -> Result<Option<LinkedRecord>, StoreError> {
        for space in [&space].into_iter().chain(readable) {
            if let Some(record) = self.found_in(*space, id)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn found_in(&self, space: SpaceId, document: DocumentId) -> Result<Option<LinkedRecord>, StoreError> {
        let summary = self.shelf.document(&space, &document)?.and_then(|row| row.summary);
        let shown = summary.filter(|summary| !summary.deleted);
        Ok(shown.map(|summary| LinkedRecord { space, document, kind: summary.kind, title: summary.title }))
    }
}

impl Documents {
    /// What a record links to and what links to it, as far as that is in spaces that are `readable`.
    ///
    /// # Errors
    /// As [`Documents::show`].
    pub async fn links(
        &self,
        readable: Vec<SpaceId>,
        space: SpaceId,
        document: DocumentId,
    ) -> Result<Links, DocumentError> {
        self.ask_level(space, move |index| index.links(&readable, space, document)).await?
    }
}
