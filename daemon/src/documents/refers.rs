//! What a record refers to: attachments and other records, in rows that are made with its summary and forgotten with it.

use std::collections::BTreeSet;

use portolan_protocol::{
    api::LINKS_MAX,
    attachment::attached,
    id::{AttachmentId, DocumentId, SpaceId},
    record::{RecordView, Value, shortened},
};

use super::{
    index::Index,
    keys,
    rows::{decode, encode},
    shelf::Draft,
};
use crate::store::StoreError;

/// What a link says that does not say it.
const RELATION: &str = "see";
/// Bytes of a relation or a target that are told.
pub(super) const TOLD_BYTES_MAX: usize = 256;

/// Attachments and the bytes that each has.
pub(super) type Referred = Vec<(AttachmentId, u64)>;

/// What a record refers to.
pub(super) fn referred(record: &RecordView) -> Referred {
    attached(record).into_iter().filter_map(|one| Some((one.id, one.layout?.plaintext_bytes()))).collect()
}

/// The records that one links to, each with the relation; the first of them where they are very many.
pub(super) type Linked = BTreeSet<(DocumentId, String)>;

/// The links that a record holds: relation and target, in the order of the links' names.
pub(super) fn links(record: &RecordView) -> impl Iterator<Item = (String, &str)> {
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
    /// Writes down what a document refers to, and that it no longer refers to what it did.
    pub(super) fn refer(&self, draft: &mut Draft<'_>, number: u64, now: &Referred) -> Result<(), StoreError> {
        let key = keys::attached(number);
        let before: Referred = self.shelf.value(&key)?.map_or_else(|| Ok(Referred::new()), |bytes| decode(&bytes))?;
        if *now == before {
            return Ok(());
        }
        for (attachment, _) in before {
            draft.remove(&keys::reference(&attachment, number))?;
        }
        for (attachment, size) in now {
            draft.put(&keys::reference(attachment, number), encode(size))?;
        }
        if now.is_empty() { draft.remove(&key) } else { draft.put(&key, encode(now)) }
    }

    /// Writes down to which records a document links, and that it no longer links to those it did.
    pub(super) fn link(
        &self,
        draft: &mut Draft<'_>,
        space: &SpaceId,
        number: u64,
        now: &Linked,
    ) -> Result<(), StoreError> {
        let key = keys::linked(number);
        let before: Linked = self.shelf.value(&key)?.map_or_else(|| Ok(Linked::new()), |bytes| decode(&bytes))?;
        if *now == before {
            return Ok(());
        }
        for (target, _) in before {
            draft.remove(&keys::link(&target, space, number))?;
        }
        let mut relations: Vec<&String> = Vec::new();
        let mut all = now.iter().peekable();
        while let Some((target, relation)) = all.next() {
            relations.push(relation);
            if all.peek().is_none_or(|(next, _)| next != target) {
                draft.put(&keys::link(target, space, number), encode(&relations))?;
                relations.clear();
            }
        }
        if now.is_empty() { draft.remove(&key) } else { draft.put(&key, encode(now)) }
    }
}
