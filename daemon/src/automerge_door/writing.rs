//! What a draft says, written into an Automerge document as one change.

use std::time::Instant;

use automerge::{
    Automerge, Change, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value as Stored,
    transaction::{CommitOptions, Transactable, Transaction},
};
use portolan_protocol::record::{Kind, RecordDraft, SCHEMA_VERSION, Value, field_of};

use crate::text_diff::hunks;

/// Texts created apart under one key that an edit keeps in step; beyond, it replaces them by one.
const TEXTS_IN_STEP_MAX: usize = 16;

/// Writes a draft as one change, or nothing where nothing would change.
pub(super) fn write_draft(
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
