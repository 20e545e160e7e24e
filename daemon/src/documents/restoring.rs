//! An earlier state of a record brought back as a new change: nothing is rewritten, and what others write meanwhile is merged.

use portolan_protocol::{
    api::{Difference, RestoreDocument, Restored},
    change::PersonRef,
    id::{DocumentId, SpaceId},
    record::{Kind, RecordDraft, RecordView, Value, Warning, check, display_safe, field_of, is_lower_marking},
};

use super::{
    difference::{Differing, beside, differing, told},
    error::DocumentError,
    handle::Documents,
    index::Index,
};

/// Digits of a hash in the reason that is given where a person gives none.
const SHORT: usize = 8;

/// What a restoration would change.
struct Restoration {
    draft: RecordDraft,
    difference: Difference,
    left: Vec<Warning>,
}

impl Index {
    /// What a record says now, or at `heads`, and what it said at `to`.
    fn both(
        &mut self,
        space: SpaceId,
        id: DocumentId,
        heads: Option<&[String]>,
        to: &[String],
    ) -> Result<(RecordView, RecordView), DocumentError> {
        let now = match heads {
            Some(heads) => self.record_at(space, id, heads)?.record,
            None => {
                let number = self.document_number(space, id)?;
                let now = self.show(number)?.document;
                if now.changes() == 0 {
                    return Err(DocumentError::NotFound(id));
                }
                now.view()?
            }
        };
        Ok((now, self.record_at(space, id, to)?.record))
    }
}

/// What has to be written into `now` so that it says what `then` said.
fn restoration(space: SpaceId, now: &RecordView, then: &RecordView) -> Restoration {
    let (mut draft, mut left, mut changed) = (RecordDraft::default(), Vec::new(), Vec::new());
    for Differing { field: key, before, after } in differing(now, then) {
        let mut leave = |message: String| left.push(Warning { path: key.clone(), message });
        // It says what the record was written with, not what a person wrote.
        if key == "schema" {
            continue;
        }
        let value = then.fields.get(&key).cloned().unwrap_or(Value::Null);
        let is_marking = field_of(&key).is_some_and(|field| field.kind == Kind::Marking);
        if let Some(held) = now.fields.get(&key).filter(|_| is_marking).and_then(Value::as_str)
            && is_lower_marking(held, &value)
        {
            leave(format!("stays {}: restoring never lowers it", display_safe(held)));
            continue;
        }
        if let Err(refusal) = check(&RecordDraft::default().with(&key, value.clone())) {
            leave(format!("stays as it is, since it cannot be written: {refusal}"));
            continue;
        }
        if after.len() > 1 {
            leave(format!("had {} values; the one that was shown first is taken", after.len()));
        }
        let after = Some(value.clone()).filter(|value| !value.is_absent()).into_iter().collect();
        draft.fields.insert(key.clone(), value);
        changed.push(Differing { field: key, before, after });
    }
    let (from, to) = (now.heads.clone(), then.heads.clone());
    Restoration { draft, difference: Difference { space, document: now.id, from, to, fields: told(changed) }, left }
}

impl Documents {
    /// Makes a change after which the record says what it said at earlier heads, or tells what that would change.
    ///
    /// # Errors
    /// [`DocumentError::UnknownHeads`], and as [`Documents::edit`].
    pub async fn restore(
        &self,
        space: SpaceId,
        document: DocumentId,
        request: RestoreDocument,
        person: PersonRef,
    ) -> Result<Restored, DocumentError> {
        let RestoreDocument { to, heads, reason, dry_run } = request;
        let named: Vec<String> = to.iter().map(|head| head.chars().take(SHORT).collect()).collect();
        let job = move |index: &mut Index| index.both(space, document, heads.as_deref(), &to);
        let (now, then) = self.ask_level(space, job).await??;
        let Restoration { draft, difference, left } = beside(move || restoration(space, &now, &then)).await?;
        if dry_run || draft.fields.is_empty() {
            return Ok(Restored { difference, left, saved: None });
        }
        let reason = if reason.is_empty() { format!("restored to {}", named.join(" ")) } else { reason };
        let base = Some(difference.from.clone());
        let saved = self.edit(space, document, draft, base, person, reason).await?;
        Ok(Restored { difference, left, saved: Some(saved) })
    }
}
