//! The one door to Automerge: a record's document, changed by drafts and by changes that passed the pre-validator.
//!
//! Nothing that Automerge does with a stranger's change escapes from here: work is done on a clone inside
//! `catch_unwind`, and a failure is a local fault that leaves the document as it was. It neither reads the clock nor
//! stores anything; who wrote a change, when and why stands in the signed entry.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use automerge::{
    ActorId, Automerge, Change, ChangeHash, LoadOptions, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, TextEncoding,
    Value as Stored, legacy,
    transaction::{CommitOptions, Transactable, Transaction},
};
use portolan_protocol::id::DocumentId;
use portolan_protocol::limits::{ACTOR_BYTES, DEPENDENCIES_MAX, FIELDS_MAX, PAYLOAD_BYTES_MAX, RECORD_BYTES_MAX};
use portolan_protocol::record::{
    Kind, RecordDraft, RecordView, Refusal, SCHEMA_VERSION, Summary, Updated, Value, check, field_of,
};
use thiserror::Error;

use crate::causality::{Causality, Entangled, Halt, Held, Known, Outlines, in_order};
use crate::guard::guard;
use crate::prevalidate::{ChangeFacts, ChangeRefusal, SafeChange};
use crate::text_diff::hunks;

/// Texts created apart under one key that an edit keeps in step; beyond, it replaces them by one.
const TEXTS_IN_STEP_MAX: usize = 16;

/// Operations that one document may hold on this node before it is left unopened: a local limit.
const DOCUMENT_OPS_MAX: u64 = 8_000_000;

/// Operations up to which this node itself writes into a document: what others write meanwhile must still open.
const EDIT_OPS_MAX: u64 = DOCUMENT_OPS_MAX - DOCUMENT_OPS_MAX / 8;

/// Changes that fail tried by themselves, in one call, before the rest is left for another time: each costs several copies of
/// the document.
const FAULTS_MAX: usize = 32;

/// Outlines that are kept with an open document, in bytes.
const OUTLINES_BYTES_MAX: usize = 1 << 20;

/// Largest change that an edit makes: it leaves room in the payload for what stands beside it.
const CHANGE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - (DEPENDENCIES_MAX * 128 + (16 << 10));

pub use crate::causality::{Hash, Unfit};

/// What went wrong here, on this node: a library's fault or a local limit, never a judgement on a change.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Automerge gave up.
    #[error("Automerge failed: {0}")]
    Failed(String),
    /// Automerge panicked; the document is as it was.
    #[error("Automerge panicked: {0}")]
    Panicked(String),
    /// The document would outgrow what this node opens.
    #[error("the document would have {0} operations; this node opens at most {DOCUMENT_OPS_MAX}")]
    TooLarge(u64),
    /// Too much in the document was written at the same time.
    #[error(transparent)]
    Entangled(#[from] Entangled),
}

impl From<Halt> for Fault {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Entangled(entangled) => Fault::Entangled(entangled),
            Halt::TooLarge(operations) => Fault::TooLarge(operations),
            Halt::Lost(hash) => Fault::Failed(format!("change {} is not there as it was", ChangeHash(hash))),
        }
    }
}

/// Why an edit was not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// The draft would break something.
    #[error(transparent)]
    Draft(#[from] Refusal),
    /// The record would become too large.
    #[error(
        "the record would have {bytes} bytes in {fields} fields; at most {RECORD_BYTES_MAX} in {FIELDS_MAX} are allowed"
    )]
    TooLarge {
        /// Bytes it would have.
        bytes: usize,
        /// Fields it would have.
        fields: usize,
    },
    /// The change would be refused by the others.
    #[error("the edit is too large for one save; make it in steps ({0})")]
    Change(#[from] ChangeRefusal),
    /// More unjoined versions than one change may name.
    #[error("{0} versions to join at once; at most {DEPENDENCIES_MAX} are allowed")]
    TooManyHeads(usize),
    /// The document is nearly as large as this node opens.
    #[error("the record has too much history on this node: {0} operations; it is written to up to {EDIT_OPS_MAX}")]
    TooMuchHistory(u64),
    /// A local fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What came of applying changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Changes that are new in the document, in the order they were applied.
    pub applied: Vec<Hash>,
    /// Changes that do not fit what they build on; left out.
    pub unfit: Vec<(Hash, Unfit)>,
    /// Changes that Automerge failed on here; left out, worth another try after an upgrade.
    pub faults: Vec<(Hash, Fault)>,
}

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
        let mut trial = Trial { outcome, ..Trial::default() };
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

/// A change that fits, as Automerge has it.
struct Parsed<'a> {
    facts: &'a ChangeFacts,
    change: Change,
}

/// Changes under trial: all at once, and by halves where that fails, so that a bad one does not hold up the others.
#[derive(Default)]
struct Trial {
    outcome: Applied,
    /// What failed, and what builds on it.
    failed: BTreeSet<Hash>,
    /// How many failed tried by themselves.
    faults: usize,
}

impl Trial {
    /// Each of `changes` comes after those it builds on. `attempt` takes all it is given, or none.
    fn run(&mut self, changes: &[&Parsed<'_>], attempt: &mut impl FnMut(&[&Parsed<'_>]) -> Result<(), Fault>) {
        let ready: Vec<&Parsed<'_>> = changes.iter().copied().filter(|parsed| self.is_ready(parsed.facts)).collect();
        match &ready[..] {
            [] => {}
            changes => match (attempt(changes), changes) {
                (Ok(()), _) => self.outcome.applied.extend(changes.iter().map(|parsed| parsed.facts.hash)),
                (Err(fault), [only]) => {
                    self.faults += 1;
                    self.fail(only.facts, fault);
                }
                (Err(_), _) => {
                    let (first, second) = changes.split_at(changes.len() / 2);
                    self.run(first, attempt);
                    self.run(second, attempt);
                }
            },
        }
    }

    /// Whether a change is worth trying; one that is not is told as a fault.
    fn is_ready(&mut self, facts: &ChangeFacts) -> bool {
        let why = if facts.dependencies.iter().any(|hash| self.failed.contains(hash)) {
            "not tried, since it builds on a change that failed"
        } else if self.faults >= FAULTS_MAX {
            "not tried, since too many others had failed"
        } else {
            return true;
        };
        self.fail(facts, Fault::Failed(why.to_owned()));
        false
    }

    fn fail(&mut self, facts: &ChangeFacts, fault: Fault) {
        self.failed.insert(facts.hash);
        self.outcome.faults.push((facts.hash, fault));
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

/// Root keys, each with the operation that made the Text in which something was written; none for the key itself.
type Touched = BTreeSet<(String, Option<Operation>)>;

/// An operation by its counter and its actor.
type Operation = (u64, Vec<u8>);

/// What each change touches, in the order in which they were applied.
fn touched(document: &Automerge) -> Vec<(Hash, Touched)> {
    // An object is known by the operation that made it.
    let mut roots: BTreeMap<Operation, String> = BTreeMap::new();
    let mut all = Vec::new();
    for change in document.get_changes(&[]) {
        let actor = change.actor_id().to_bytes().to_vec();
        let mut places = Touched::new();
        for (counter, operation) in (change.start_op().get()..).zip(change.decode().operations) {
            match (&operation.obj, &operation.key) {
                (legacy::ObjectId::Root, legacy::Key::Map(key)) => {
                    if matches!(operation.action, legacy::OpType::Make(_)) {
                        roots.insert((counter, actor.clone()), key.to_string());
                    }
                    places.insert((key.to_string(), None));
                }
                (legacy::ObjectId::Id(legacy::OpId(counter, actor)), _) => {
                    let made = (*counter, actor.to_bytes().to_vec());
                    places.extend(roots.get(&made).cloned().map(|key| (key, Some(made))));
                }
                (legacy::ObjectId::Root, legacy::Key::Seq(_)) => {}
            }
        }
        all.push((change.hash().0, places));
    }
    all
}

/// A key with its values, each with the operation that set it.
type Several = (String, Vec<(Value, ObjId)>);

/// The keys that hold several values which are there.
fn several(document: &Automerge) -> Result<Vec<Several>, automerge::AutomergeError> {
    let mut keys = Vec::new();
    for key in document.keys(ROOT) {
        let all = document.get_all(ROOT, key.as_str())?;
        if all.len() < 2 {
            continue;
        }
        let mut held = Vec::with_capacity(all.len());
        for (value, made) in all {
            held.push((shown(document, &value, &made)?, made));
        }
        held.retain(|(value, _)| !value.is_absent());
        keys.push((key, held));
    }
    Ok(keys)
}

/// Which change made each operation, and which wrote last into each Text.
struct Writers {
    /// By actor and last operation: the first operation and the change.
    made: BTreeMap<(Vec<u8>, u64), (u64, Hash)>,
    wrote: BTreeMap<Operation, (u64, Hash)>,
}

impl Writers {
    fn of(document: &Automerge) -> Self {
        let metas = document.get_changes_meta(&[]);
        let ends: BTreeMap<Hash, u64> = metas.iter().map(|meta| (meta.hash.0, meta.max_op)).collect();
        let made = metas.iter().map(|meta| {
            let actor = meta.actor.to_bytes().to_vec();
            ((actor, meta.max_op), (meta.start_op, meta.hash.0))
        });
        let mut wrote: BTreeMap<Operation, (u64, Hash)> = BTreeMap::new();
        for (hash, places) in touched(document) {
            // What builds on a change has higher counters, and of others every node picks the same.
            let mark = (ends.get(&hash).copied().unwrap_or_default(), hash);
            for text in places.into_iter().filter_map(|(_, text)| text) {
                let last = wrote.entry(text).or_insert(mark);
                *last = mark.max(*last);
            }
        }
        Self { made: made.collect(), wrote }
    }

    /// The change that set a value, or wrote last into it.
    fn last(&self, made: &ObjId) -> Option<Hash> {
        let ObjId::Id(counter, actor, _) = made else { return None };
        let actor = actor.to_bytes().to_vec();
        if let Some((_, hash)) = self.wrote.get(&(*counter, actor.clone())) {
            return Some(*hash);
        }
        let ((of, _), (start, hash)) = self.made.range((actor.clone(), *counter)..).next()?;
        (*of == actor && start <= counter).then_some(*hash)
    }
}

/// All concurrent values of every key, the one that every node picks first.
fn values(document: &Automerge) -> Result<BTreeMap<String, Vec<Value>>, automerge::AutomergeError> {
    let mut values = BTreeMap::new();
    for key in document.keys(ROOT) {
        let mut held = Vec::new();
        for (value, object) in document.get_all(ROOT, key.as_str())?.into_iter().rev() {
            held.push(shown(document, &value, &object)?);
        }
        values.insert(key, held);
    }
    Ok(values)
}

fn shown(document: &Automerge, value: &Stored<'_>, object: &ObjId) -> Result<Value, automerge::AutomergeError> {
    let other = |kind: &str, value: String| Value::Other { kind: kind.to_owned(), value };
    Ok(match value {
        Stored::Object(ObjType::Text) => Value::Text(document.text(object)?),
        Stored::Object(ObjType::List) => other("list", String::new()),
        Stored::Object(ObjType::Map | ObjType::Table) => other("map", String::new()),
        Stored::Scalar(scalar) => match scalar.as_ref() {
            ScalarValue::Null => Value::Null,
            ScalarValue::Boolean(value) => Value::Bool(*value),
            ScalarValue::Int(value) => Value::Int(*value),
            ScalarValue::Uint(value) => {
                i64::try_from(*value).map_or_else(|_| other("uint", value.to_string()), Value::Int)
            }
            ScalarValue::Str(text) => Value::Text(text.to_string()),
            ScalarValue::F64(value) => other("float", value.to_string()),
            ScalarValue::Timestamp(value) => other("timestamp", value.to_string()),
            ScalarValue::Counter(value) => other("counter", i64::from(value).to_string()),
            ScalarValue::Bytes(bytes) => other("bytes", bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            ScalarValue::Unknown { type_code, .. } => other("unknown", type_code.to_string()),
        },
    })
}

fn write_draft(
    document: &mut Automerge,
    draft: &RecordDraft,
    deadline: Option<Instant>,
) -> Result<Option<Change>, automerge::AutomergeError> {
    let is_new = document.get_heads().is_empty();
    let mut transaction = document.transaction();
    let mut entries = draft.entries();
    if is_new && !entries.is_empty() {
        entries.entry("schema").or_insert(Value::Int(SCHEMA_VERSION));
    }
    for (key, value) in entries {
        write_field(&mut transaction, key, &value, deadline)?;
    }
    if transaction.pending_ops() == 0 {
        transaction.rollback();
        return Ok(None);
    }
    // The time stays zero and there is no message: the signed entry says when and why.
    transaction.commit_with(CommitOptions::default().with_time(0));
    Ok(document.get_last_local_change())
}

fn write_field(
    transaction: &mut Transaction<'_>,
    key: &str,
    value: &Value,
    deadline: Option<Instant>,
) -> Result<(), automerge::AutomergeError> {
    let kind = field_of(key).map(|field| field.kind);
    let held = transaction.get_all(ROOT, key)?;
    let texts: Vec<ObjId> =
        held.iter().filter(|(value, _)| value.to_objtype() == Some(ObjType::Text)).map(|(_, id)| id.clone()).collect();
    let is_text = kind == Some(Kind::Text) || (kind.is_none() && !texts.is_empty());
    let absent = value.is_absent() || (kind == Some(Kind::Member) && *value == Value::Bool(false));
    match value {
        Value::Text(_) | Value::Null if is_text => {
            let new = value.as_str().unwrap_or_default();
            let in_step = texts.len() == held.len() && (1..=TEXTS_IN_STEP_MAX).contains(&texts.len());
            if in_step {
                texts.iter().try_for_each(|text| write_text(transaction, text, new, deadline))
            } else if absent {
                remove(transaction, key, held.is_empty())
            } else {
                let text = transaction.put_object(ROOT, key, ObjType::Text)?;
                transaction.splice_text(&text, 0, 0, new)
            }
        }
        _ if absent => remove(transaction, key, held.is_empty()),
        _ => {
            let scalar = match value {
                Value::Bool(value) => ScalarValue::Boolean(*value),
                Value::Int(value) => ScalarValue::Int(*value),
                Value::Text(text) => ScalarValue::Str(text.as_str().into()),
                // The check of the draft refuses these.
                Value::Null | Value::Other { .. } => return Ok(()),
            };
            let same = |(held, _): &(Stored<'_>, ObjId)| matches!(held, Stored::Scalar(held) if **held == scalar);
            if !held.is_empty() && held.iter().all(same) {
                return Ok(());
            }
            transaction.put(ROOT, key, scalar)
        }
    }
}

fn remove(transaction: &mut Transaction<'_>, key: &str, absent: bool) -> Result<(), automerge::AutomergeError> {
    if absent { Ok(()) } else { transaction.delete(ROOT, key) }
}

fn write_text(
    transaction: &mut Transaction<'_>,
    text: &ObjId,
    new: &str,
    deadline: Option<Instant>,
) -> Result<(), automerge::AutomergeError> {
    let old = transaction.text(text)?;
    for hunk in hunks(&old, new, deadline).iter().rev() {
        let delete = isize::try_from(hunk.delete).unwrap_or(isize::MAX);
        transaction.splice_text(text, hunk.at, delete, &hunk.insert)?;
    }
    Ok(())
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

/// Runs `work`, turning a panic into a fault.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What `work` borrows mutably is a clone that is thrown away on a fault.
    guard(work).unwrap_or_else(|words| Err(Fault::Panicked(words)))
}

fn failed(error: impl std::fmt::Display) -> Fault {
    Fault::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
    /// What becomes of 1,000 changes of which those that `fails` names fail, and how often something was tried.
    fn trial(fails: impl Fn(u64) -> bool, below: impl Fn(u64) -> Vec<Hash>) -> (Applied, usize) {
        let name = |number: u64| prevalidated(number, below(number));
        let facts: Vec<ChangeFacts> = (0..1_000).map(name).collect();
        let change = Change::try_from(edited(&document(), "status", "draft").change.raw()).unwrap();
        let parsed: Vec<Parsed<'_>> = facts.iter().map(|facts| Parsed { facts, change: change.clone() }).collect();
        let (mut trial, mut tries) = (Trial::default(), 0);
        trial.run(&parsed.iter().collect::<Vec<_>>(), &mut |changes| {
            tries += 1;
            match changes.iter().any(|parsed| fails(parsed.facts.seq)) {
                true => Err(Fault::Failed("bad".to_owned())),
                false => Ok(()),
            }
        });
        (trial.outcome, tries)
    }

    fn hash(number: u64) -> Hash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    fn prevalidated(number: u64, dependencies: Vec<Hash>) -> ChangeFacts {
        let (hash, actor) = (hash(number), ROME);
        ChangeFacts { hash, actor, dependencies, seq: number, start_op: 1, operations: 1, self_contained: true }
    }

    #[test]
    fn bad_changes_are_found_by_halves_and_too_many_of_them_end_the_search() {
        let (found, tries) = trial(|number| number % 400 == 7, |_| vec![]);
        assert_eq!((found.applied.len(), found.faults.len()), (997, 3));
        assert!(tries < 64, "{tries}");
        let (all, tries) = trial(|_| true, |_| vec![]);
        assert_eq!((all.applied.len(), all.faults.len()), (0, 1_000));
        assert!(tries < 128, "{tries}");
        assert_eq!(all.faults.iter().filter(|(_, why)| *why == Fault::Failed("bad".to_owned())).count(), FAULTS_MAX);
    }

    #[test]
    fn what_builds_on_a_bad_change_is_not_tried_and_not_taken() {
        let below = |number: u64| if number % 2 == 1 { vec![hash(number - 1)] } else { vec![] };
        let (found, _) = trial(|number| number == 6, below);
        let names: Vec<Hash> = found.faults.iter().map(|(hash, _)| *hash).collect();
        assert_eq!(names, [hash(6), hash(7)]);
        assert_eq!(found.applied.len(), 998);
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
