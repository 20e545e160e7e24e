//! One record's document: opened, changed by what others wrote, edited, and read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use automerge::{ActorId, Automerge, Change, ChangeHash, LoadOptions, ReadDoc, TextEncoding};
use portolan_protocol::id::DocumentId;
use portolan_protocol::limits::{ACTOR_BYTES, DEPENDENCIES_MAX, FIELDS_MAX, PAYLOAD_BYTES_MAX, RECORD_BYTES_MAX};
use portolan_protocol::record::{RecordDraft, RecordView, Summary, Updated, Value, check};

use super::{
    fault::{Applied, DOCUMENT_OPS_MAX, EDIT_OPS_MAX, EditError, Fault, failed, guarded},
    reading::{Several, Touched, Writers, several, touched, values},
    trial::{Parsed, Trial},
    writing::write_draft,
};
use crate::causality::{Causality, Hash, Held, Known, Outlines, in_order};

use crate::prevalidate::{ChangeRefusal, SafeChange};

/// Outlines that are kept with an open document, in bytes.
const OUTLINES_BYTES_MAX: usize = 1 << 20;

/// Largest change that an edit makes: it leaves room in the payload for what stands beside it.
const CHANGE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - (DEPENDENCIES_MAX * 128 + (16 << 10));

/// An edit that was made, not yet in the log.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The change; its facts name it and what it builds on.
    pub change: SafeChange,
    /// The document with the change; to take the place of the old one once the change is durable.
    pub after: Document,
}

/// One record's document.
#[derive(Clone, Debug)]
pub struct Document {
    id: DocumentId,
    inner: Automerge,
    /// Of changes that later ones named; asking Automerge for them takes milliseconds.
    outlines: Arc<Outlines>,
}

impl Document {
    /// A document without changes.
    pub fn new(id: DocumentId) -> Self {
        let inner = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
        Self { id, inner, outlines: Arc::default() }
    }

    /// Opens what [`Document::save`] wrote.
    ///
    /// # Errors
    /// [`Fault`] when the bytes are damaged, or another release wrote them.
    pub fn load(id: DocumentId, snapshot: &[u8]) -> Result<Self, Fault> {
        let options = LoadOptions::new().text_encoding(TextEncoding::UnicodeCodePoint);
        let inner = guarded(|| Automerge::load_with_options(snapshot, options).map_err(failed))?;
        Ok(Self { id, inner, outlines: Arc::default() })
    }

    /// The document as bytes for this node's store, compressed.
    ///
    /// # Errors
    /// [`Fault`] when Automerge fails.
    pub fn save(&self) -> Result<Vec<u8>, Fault> {
        guarded(|| Ok(self.inner.save()))
    }

    /// The document's id.
    pub fn id(&self) -> DocumentId {
        self.id
    }

    /// Hashes of the changes that no other builds on, sorted.
    pub fn heads(&self) -> Vec<Hash> {
        self.inner.get_heads().into_iter().map(|hash| hash.0).collect()
    }

    /// The changes that `change` builds on, or `None` when the document does not hold it.
    pub fn deps(&self, change: &Hash) -> Option<Vec<Hash>> {
        let meta = self.inner.get_change_meta_by_hash(&ChangeHash(*change))?;
        Some(meta.deps.iter().map(|hash| hash.0).collect())
    }

    /// Whether the document holds `change`.
    pub fn holds(&self, change: &Hash) -> bool {
        self.inner.get_change_meta_by_hash(&ChangeHash(*change)).is_some()
    }

    /// How many changes the document holds.
    pub fn changes(&self) -> u32 {
        u32::try_from(self.inner.stats().num_changes).unwrap_or(u32::MAX)
    }

    /// An estimate of the memory it takes, for the cache.
    pub fn size_bytes(&self) -> usize {
        let stats = self.inner.stats();
        let outlines = self.outlines.values().map(|outline| 64 + outline.size_bytes() as u64).sum::<u64>();
        let parts = 8_192 + outlines + stats.num_ops.saturating_mul(8) + stats.num_changes.saturating_mul(512);
        usize::try_from(parts).unwrap_or(usize::MAX)
    }

    /// Applies changes that passed the pre-validator, all in one call where nothing goes wrong.
    ///
    /// The order of `changes` does not matter; changes already there are skipped.
    ///
    /// # Errors
    /// [`Fault`] only when nothing could be tried; a fault of single changes is told in [`Applied`].
    pub fn apply(&mut self, changes: &[SafeChange]) -> Result<Applied, Fault> {
        self.apply_up_to(DOCUMENT_OPS_MAX, changes)
    }

    fn apply_up_to(&mut self, most: u64, changes: &[SafeChange]) -> Result<Applied, Fault> {
        let mut outcome = Applied::default();
        let given: BTreeMap<Hash, &SafeChange> = changes.iter().map(|safe| (safe.facts().hash, safe)).collect();
        let unfit = &mut outcome.unfit;
        // It counts operations before Automerge parses a single one: a hundred bytes may stand for 600,000. Those of changes
        // that are left out do not count.
        let (order, outlines) = guarded(|| {
            let mut causality = causality(&self.inner, &self.outlines, most)?;
            let order = in_order(&mut causality, &given, unfit)?;
            Ok((order, causality.into_outlines()))
        })?;
        self.keep(outlines);
        let mut trial = Trial::of(outcome);
        let mut parsed = Vec::with_capacity(order.len());
        for safe in order.iter().filter_map(|hash| given.get(hash)) {
            match guarded(|| Change::try_from(safe.raw()).map_err(failed)) {
                Ok(change) => parsed.push(Parsed { facts: safe.facts(), change }),
                Err(fault) => trial.fail(safe.facts(), fault),
            }
        }
        trial.run(&parsed.iter().collect::<Vec<_>>(), &mut |changes| self.try_all(changes));
        Ok(trial.outcome)
    }

    /// Keeps outlines as long as they are small, as those of a record that people write are.
    fn keep(&mut self, outlines: Outlines) {
        let all = self.outlines.values().chain(outlines.values());
        if !outlines.is_empty() && all.map(|outline| outline.size_bytes()).sum::<usize>() <= OUTLINES_BYTES_MAX {
            Arc::make_mut(&mut self.outlines).extend(outlines);
        }
    }

    fn try_all(&mut self, changes: &[&Parsed<'_>]) -> Result<(), Fault> {
        self.inner = guarded(|| {
            let mut inner = self.inner.clone();
            inner.apply_changes(changes.iter().map(|parsed| parsed.change.clone())).map_err(failed)?;
            if changes.iter().any(|parsed| !parsed.facts.self_contained) {
                still_whole(&inner, &self.inner.get_heads(), changes)?;
            }
            Ok(inner)
        })?;
        Ok(())
    }

    /// Makes the change that turns the present state into what `draft` says, or `None` where nothing would change.
    ///
    /// Texts are compared until `deadline` and replaced from there on. The document itself stays as it is.
    ///
    /// # Errors
    /// [`EditError`] when the draft is refused, the record or the change would be too large, the record has too
    /// much history, or Automerge fails.
    pub fn edit(
        &self,
        draft: &RecordDraft,
        actor: &[u8; ACTOR_BYTES],
        deadline: Option<Instant>,
    ) -> Result<Option<Edited>, EditError> {
        self.edit_up_to(EDIT_OPS_MAX, draft, actor, deadline)
    }

    fn edit_up_to(
        &self,
        most: u64,
        draft: &RecordDraft,
        actor: &[u8; ACTOR_BYTES],
        deadline: Option<Instant>,
    ) -> Result<Option<Edited>, EditError> {
        check(draft)?;
        let heads = self.inner.get_heads();
        if heads.len() >= DEPENDENCIES_MAX {
            return Err(EditError::TooManyHeads(heads.len()));
        }
        let mut after = self.clone();
        let Some(change) = guarded(|| {
            after.inner.set_actor(ActorId::from(actor.as_slice()));
            write_draft(&mut after.inner, draft, deadline).map_err(failed)
        })?
        else {
            return Ok(None);
        };
        after.check_size(self)?;
        // Whoever goes on in another record can still say that this one is no more.
        if draft.entries().keys().any(|key| *key != "deleted") {
            after.check_history(most)?;
        }
        if change.raw_bytes().len() > CHANGE_BYTES_MAX {
            return Err(EditError::Change(ChangeRefusal::TooLong(change.raw_bytes().len())));
        }
        let change = SafeChange::new(change.raw_bytes().to_vec(), actor)?;
        Ok(Some(Edited { change, after }))
    }

    /// Whether this node may write into the record at all.
    ///
    /// # Errors
    /// [`EditError::TooMuchHistory`], or [`EditError::Fault`] when Automerge fails.
    pub fn check_room(&self) -> Result<(), EditError> {
        self.check_history(EDIT_OPS_MAX)
    }

    fn check_history(&self, most: u64) -> Result<(), EditError> {
        let metas = guarded(|| Ok(self.inner.get_changes_meta(&[])))?;
        let operations = metas.iter().map(|meta| meta.max_op.saturating_add(1).saturating_sub(meta.start_op)).sum();
        if operations > most { Err(EditError::TooMuchHistory(operations)) } else { Ok(()) }
    }

    fn check_size(&self, before: &Document) -> Result<(), EditError> {
        let (bytes, fields) = self.extent()?;
        let allowed = bytes <= RECORD_BYTES_MAX && fields <= FIELDS_MAX;
        // What others made too large may still be made smaller.
        if allowed || before.extent()? >= (bytes, fields) { Ok(()) } else { Err(EditError::TooLarge { bytes, fields }) }
    }

    fn extent(&self) -> Result<(usize, usize), Fault> {
        let values = guarded(|| values(&self.inner).map_err(failed))?;
        let bytes = values.iter().map(|(key, values)| key.len() + values.first().map_or(0, Value::size_bytes)).sum();
        Ok((bytes, values.len()))
    }

    /// The record as it is shown.
    ///
    /// # Errors
    /// [`Fault`] when Automerge fails.
    pub fn view(&self) -> Result<RecordView, Fault> {
        let heads = self.inner.get_heads().iter().map(ChangeHash::to_string).collect();
        let values = guarded(|| values(&self.inner).map_err(failed))?;
        Ok(RecordView::new(self.id, heads, values))
    }

    /// The root keys that each change touches, sorted.
    ///
    /// # Errors
    /// [`Fault`] when Automerge fails.
    pub fn touched(&self) -> Result<BTreeMap<Hash, Vec<String>>, Fault> {
        guarded(|| {
            let keys = |touched: Touched| -> BTreeSet<String> { touched.into_iter().map(|(key, _)| key).collect() };
            let all = touched(&self.inner).into_iter();
            Ok(all.map(|(hash, touched)| (hash, keys(touched).into_iter().collect())).collect())
        })
    }

    /// The keys with several values that are there and differ: each value with the changes that set it. Of a Text that is the
    /// change that wrote into it last.
    ///
    /// # Errors
    /// [`Fault`] when Automerge fails.
    pub fn contested(&self) -> Result<BTreeMap<String, BTreeMap<Value, BTreeSet<Hash>>>, Fault> {
        guarded(|| {
            let mut fields = BTreeMap::new();
            for (key, held) in several(&self.inner).map_err(failed)? {
                let distinct: BTreeSet<&Value> = held.iter().map(|(value, _)| value).collect();
                if distinct.len() > 1 {
                    fields.insert(key, held);
                }
            }
            if fields.is_empty() {
                return Ok(BTreeMap::new());
            }
            let writers = Writers::of(&self.inner);
            let by_writer = |(key, held): Several| {
                let mut values: BTreeMap<Value, BTreeSet<Hash>> = BTreeMap::new();
                for (value, made) in held {
                    values.entry(value).or_default().extend(writers.last(&made));
                }
                (key, values)
            };
            Ok(fields.into_iter().map(by_writer).collect())
        })
    }

    /// The record in short; `updated` is what the signed entries say of the last change.
    ///
    /// # Errors
    /// [`Fault`] when Automerge fails.
    pub fn summary(&self, updated: Option<Updated>) -> Result<Summary, Fault> {
        Ok(Summary::new(&self.view()?, updated, None, self.changes()))
    }
}

/// The changes of a document, as far as later ones are judged by them.
fn causality<'a>(document: &'a Automerge, kept: &'a Outlines, most: u64) -> Result<Causality<'a>, Fault> {
    let metas = document.get_changes_meta(&[]).into_iter();
    let known: Result<Vec<Known>, Fault> = metas
        .map(|meta| {
            let actor = meta.actor.to_bytes().try_into().map_err(|_| Fault::Failed("a strange actor".to_owned()))?;
            let dependencies = meta.deps.iter().map(|hash| hash.0).collect();
            Ok(Known { hash: meta.hash.0, actor, start_op: meta.start_op, max_op: meta.max_op, dependencies })
        })
        .collect();
    Ok(Causality::of(known?, document, kept, most)?)
}

impl Held for Automerge {
    fn change(&self, hash: &Hash) -> Option<Vec<u8>> {
        self.get_change_by_hash(&ChangeHash(*hash)).map(|change| change.raw_bytes().to_vec())
    }

    fn changes(&self) -> Vec<(Hash, Vec<u8>)> {
        self.get_changes(&[]).iter().map(|change| (change.hash().0, change.raw_bytes().to_vec())).collect()
    }
}

/// Checks that the document can give back every change it was given since `before`.
///
/// Automerge takes an operation on an object or a letter that is not there and drops it silently; the document then
/// works until its snapshot is opened, which fails for ever.
fn still_whole(document: &Automerge, before: &[ChangeHash], given: &[&Parsed<'_>]) -> Result<(), Fault> {
    let kept: BTreeSet<Hash> = document.get_changes(before).iter().map(|change| change.hash().0).collect();
    match given.iter().find(|parsed| !kept.contains(&parsed.facts.hash)) {
        None => Ok(()),
        Some(lost) => Err(Fault::Failed(format!("change {} did not survive being applied", lost.change.hash()))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::causality::Unfit;

    const ROME: [u8; ACTOR_BYTES] = [4; ACTOR_BYTES];

    fn document() -> Document {
        Document::new(DocumentId([1; 16]))
    }

    fn edited(on: &Document, key: &str, value: impl Into<Value>) -> Edited {
        on.edit(&RecordDraft::default().with(key, value), &ROME, None).unwrap().unwrap()
    }

    #[test]
    fn what_is_left_out_does_not_count_and_what_counts_is_counted_before_it_is_parsed() {
        let small = edited(&document(), "title/fr", "Carte");
        let missing = edited(&document(), "title/en", "Chart");
        let long = edited(&missing.after, "body/en", "a".repeat(500));
        let mut record = document();
        let changes = [small.change.clone(), long.change.clone()];
        let applied = record.apply_up_to(100, &changes).unwrap();
        assert_eq!(applied.applied, [small.change.facts().hash]);
        assert!(matches!(applied.unfit[..], [(_, Unfit::MissingDependency(_))]), "{applied:?}");
        let changes = [missing.change, long.change.clone()];
        assert_eq!(document().apply_up_to(100, &changes), Err(Fault::TooLarge(503)));
        // Letters that were deleted count as well, the same before and after they are in a snapshot.
        let cut = edited(&long.after, "body/en", "");
        assert_eq!(cut.after.check_history(1_002), Err(EditError::TooMuchHistory(1_003)));
        let next = edited(&cut.after, "tags/x", true).change;
        let mut reopened = Document::load(cut.after.id, &cut.after.save().unwrap()).unwrap();
        assert_eq!(reopened.apply_up_to(1_003, std::slice::from_ref(&next)), Err(Fault::TooLarge(1_004)));
        assert_eq!(reopened.apply_up_to(1_004, &[next]).unwrap().applied.len(), 1);
    }
    #[test]
    fn an_edit_leaves_room_for_what_others_write() {
        let record = edited(&document(), "body/en", "a".repeat(90)).after;
        let draft = |letters: usize| RecordDraft::default().with("body/fr", "b".repeat(letters));
        assert!(record.edit_up_to(110, &draft(5), &ROME, None).unwrap().is_some());
        let refused = record.edit_up_to(110, &draft(50), &ROME, None).unwrap_err();
        assert_eq!(refused, EditError::TooMuchHistory(143));
        assert_eq!(record.check_history(91), Err(EditError::TooMuchHistory(92)));
        assert!(record.check_room().is_ok());
        let gone = RecordDraft::default().with("deleted", true);
        assert!(record.edit_up_to(91, &gone, &ROME, None).unwrap().is_some(), "it can still be deleted");
        const { assert!(EDIT_OPS_MAX < DOCUMENT_OPS_MAX) };
    }
    #[test]
    fn what_many_held_changes_made_is_looked_up_in_all_of_them_at_once_and_then_known() {
        let mut record = document();
        for word in 0..40 {
            let text: String = (0..=word).map(|word| format!("word {word}, ")).collect();
            record = edited(&record, "body/en", text.as_str()).after;
        }
        let mut reopened = Document::load(record.id, &record.save().unwrap()).unwrap();
        let cut = edited(&record, "body/en", "");
        assert_eq!(reopened.apply(std::slice::from_ref(&cut.change)).unwrap().applied, [cut.change.facts().hash]);
        assert_eq!(reopened.outlines.len(), 40);
        assert_eq!(reopened.heads(), cut.after.heads());
        // Letters that are gone may still be named.
        let again = edited(&cut.after, "body/en", "no word");
        assert_eq!(reopened.apply(std::slice::from_ref(&again.change)).unwrap().applied, [again.change.facts().hash]);
    }
}
