//! What an Automerge document says: the values of its keys, who wrote each, and what each change touched.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value as Stored, legacy};
use portolan_protocol::record::Value;

use crate::causality::Hash;

/// Root keys, each with the operation that made the Text in which something was written; none for the key itself.
pub(super) type Touched = BTreeSet<(String, Option<Operation>)>;

/// An operation by its counter and its actor.
pub(super) type Operation = (u64, Vec<u8>);

/// What each change touches, in the order in which they were applied.
pub(super) fn touched(document: &Automerge) -> Vec<(Hash, Touched)> {
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
pub(super) type Several = (String, Vec<(Value, ObjId)>);

/// The keys that hold several values which are there.
pub(super) fn several(document: &Automerge) -> Result<Vec<Several>, automerge::AutomergeError> {
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
pub(super) struct Writers {
    /// By actor and last operation: the first operation and the change.
    made: BTreeMap<(Vec<u8>, u64), (u64, Hash)>,
    wrote: BTreeMap<Operation, (u64, Hash)>,
}

impl Writers {
    pub(super) fn of(document: &Automerge) -> Self {
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
    pub(super) fn last(&self, made: &ObjId) -> Option<Hash> {
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
pub(super) fn values(document: &Automerge) -> Result<BTreeMap<String, Vec<Value>>, automerge::AutomergeError> {
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

pub(super) fn shown(
    document: &Automerge,
    value: &Stored<'_>,
    object: &ObjId,
) -> Result<Value, automerge::AutomergeError> {
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
