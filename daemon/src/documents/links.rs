//! Links between records, read from both ends: what a record links to is in it, what links to it in a row for each link that is made
//! with the summary of the other.

use std::collections::BTreeSet;

use portolan_protocol::{
    api::{Incoming, LINKS_MAX, LinkedRecord, Links, Outgoing},
    id::{DocumentId, SpaceId},
    record::{RecordView, Value, inverse_relation, shortened},
};

use super::{
    error::DocumentError,
    handle::Documents,
    index::Index,
    keys,
    rows::{decode, encode},
    shelf::Draft,
};
use crate::store::StoreError;

/// What a link says that does not say it.
const RELATION: &str = "see";
/// Bytes of a relation or a target that are told.
const TOLD_BYTES_MAX: usize = 256;

/// The records that one links to, each with the relation; the first of them where they are very many.
pub(super) type Linked = BTreeSet<(DocumentId, String)>;

/// The links that a record holds: relation and target, in the order of the links' names.
fn links(record: &RecordView) -> impl Iterator<Item = (String, &str)> {
    record.fields.iter().filter_map(|(key, value)| {
        let link = key.strip_prefix("links/")?.strip_suffix("/target")?;
        let relation = record.fields.get(&format!("links/{link}/relation")).and_then(Value::as_str);
        Some((shortened(relation.unwrap_or(RELATION), TOLD_BYTES_MAX), value.as_str()?))
    })
}

/// The records that a record links to.
pub(super) fn linked(record: &RecordView) -> Linked {
    let records = links(record).filter_map(|(relation, target)| Some((target.parse().ok()?, relation)));
    records.take(LINKS_MAX).collect()
}

impl Index {
    /// Writes down to which records a document links, and that it no longer links to those it did.
    pub(super) fn link(&self, draft: &mut Draft<'_>, number: u64, now: &Linked) -> Result<(), StoreError> {
        let key = keys::linked(number);
        let before: Linked = self.shelf.value(&key)?.map_or_else(|| Ok(Linked::new()), |bytes| decode(&bytes))?;
        if *now == before {
            return Ok(());
        }
        for (target, _) in before {
            draft.remove(&keys::link(&target, number))?;
        }
        let mut relations: Vec<&String> = Vec::new();
        let mut all = now.iter().peekable();
        while let Some((target, relation)) = all.next() {
            relations.push(relation);
            if all.peek().is_none_or(|(next, _)| next != target) {
                draft.put(&keys::link(target, number), encode(&relations))?;
                relations.clear();
            }
        }
        if now.is_empty() { draft.remove(&key) } else { draft.put(&key, encode(now)) }
    }

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
                Ok(id) => self.found(readable, id)?,
                Err(_) => None,
            };
            outgoing.push(Outgoing { relation, target: shortened(target, TOLD_BYTES_MAX), record: held });
        }
        let mut incoming = Vec::new();
        let mut after = None;
        'all: loop {
            let rows = self.shelf.page(&keys::links(&id), after.as_deref(), LINKS_MAX)?;
            for (key, value) in &rows {
                let Some(number) = keys::number(key) else { continue };
                let name = self.shelf.name(number)?;
                let Some(record) = self.found_in(readable, name.space, name.id)? else { continue };
                for relation in decode::<Vec<String>>(value)? {
                    more |= incoming.len() == LINKS_MAX;
                    if more {
                        break 'all;
                    }
                    let inverse = inverse_relation(&relation).map(str::to_owned);
                    incoming.push(Incoming { relation, inverse, record: record.clone() });
                }
            }
            after = rows.last().filter(|_| rows.len() == LINKS_MAX).map(|(key, _)| key.clone());
            if after.is_none() {
                break;
            }
        }
        Ok(Links { space, document: id, title: record.title, outgoing, incoming, more, entries_to_index: 0 })
    }

    /// A record that people may see in one of these spaces.
    fn found(&self, readable: &[SpaceId], id: DocumentId) -> Result<Option<LinkedRecord>, StoreError> {
        for space in readable {
            if let Some(record) = self.found_in(readable, *space, id)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn found_in(
        &self,
        readable: &[SpaceId],
        space: SpaceId,
        document: DocumentId,
    ) -> Result<Option<LinkedRecord>, StoreError> {
        if !readable.contains(&space) {
            return Ok(None);
        }
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
