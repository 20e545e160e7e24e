//! Fields that say several things at once: who wrote each, and which of them a person leaves.

use portolan_protocol::{
    api::{Choice, Conflicts, ContestedField, ContestedValue, Saved, SettleField, Written},
    change::PersonRef,
    id::{DocumentId, SpaceId},
    record::{RecordDraft, Value, is_lower_marking},
};

use super::{
    error::DocumentError,
    handle::Documents,
    index::Index,
    opening::Ledger,
    payload::LastKey,
    planning::{hex, same},
};

impl Index {
    /// The contested fields of a record, now or as it was at `heads`. Nodes are not named.
    fn contests(
        &mut self,
        space: SpaceId,
        id: DocumentId,
        heads: Option<&[String]>,
    ) -> Result<Conflicts, DocumentError> {
        let number = self.document_number(space, id)?;
        let ledger = self.ledger(number)?;
        let view = self.views.get(&space).cloned().ok_or(DocumentError::UnknownSpace)?;
        let mut document = self.show(number)?.document;
        if document.changes() == 0 {
            return Err(DocumentError::NotFound(id));
        }
        if let Some(heads) = heads.filter(|heads| !same(heads, &document.heads())) {
            document = self.at(&view, &ledger, heads)?.document;
        }
        let record = document.view()?;
        let mut key = LastKey::default();
        let mut fields = Vec::new();
        for (field, held) in document.contested()? {
            let joined = record.fields.get(&field).filter(|_| !record.conflicts.contains_key(&field)).cloned();
            let mut values = Vec::with_capacity(held.len());
            for (value, changes) in held {
                let mut written = Vec::with_capacity(changes.len());
                for change in &changes {
                    written.extend(self.written(&view, &ledger, change, &mut key)?);
                }
                values.push(ContestedValue { value, written });
            }
            fields.push(ContestedField { field, joined, values });
        }
        Ok(Conflicts { space, document: id, title: record.title, heads: record.heads, fields })
    }

    /// Who made a change that is applied.
    fn written(
        &self,
        view: &portolan_protocol::view::SpaceView,
        ledger: &Ledger,
        change: &[u8; 32],
        key: &mut LastKey,
    ) -> Result<Option<Written>, DocumentError> {
        let Some(fact) = ledger.entry(change) else { return Ok(None) };
        let payload = self.payload(view, fact, key)?;
        Ok(payload.map(|payload| Written {
            change: hex(change),
            time_ms: fact.time,
            node: fact.reference.log.author,
            node_name: None,
            person: payload.person.id,
            name: payload.person.name,
            reason: payload.reason,
        }))
    }

    /// The value that a choice comes to, where it may be made.
    fn chosen(&mut self, space: SpaceId, id: DocumentId, request: &SettleField) -> Result<Value, DocumentError> {
        let contests = self.contests(space, id, Some(&request.heads))?;
        let contested = contests.fields.into_iter().find(|contested| contested.field == request.field);
        let contested = contested.ok_or_else(|| DocumentError::NotContested(request.field.clone()))?;
        let chosen = match &request.choice {
            Choice::Value(value) => value.clone(),
            Choice::Take(number) => {
                let place = usize::try_from(*number).unwrap_or(usize::MAX).checked_sub(1);
                let taken = place.and_then(|place| contested.values.get(place)).map(|held| held.value.clone());
                taken.ok_or(DocumentError::NoSuchValue {
                    field: contested.field,
                    count: contested.values.len(),
                    number: *number,
                })?
            }
        };
        match contested.joined.as_ref().and_then(Value::as_str) {
            Some(joined) if is_lower_marking(joined, &chosen) => {
                Err(DocumentError::Lowers { from: joined.to_owned(), to: chosen.to_string() })
            }
            _ => Ok(chosen),
        }
    }
}

impl Documents {
    /// The fields of a record that say several things at once, and who wrote each. Nodes are not named.
    ///
    /// # Errors
    /// As [`Documents::show`].
    pub async fn contests(&self, space: SpaceId, document: DocumentId) -> Result<Conflicts, DocumentError> {
        self.ask_level(space, move |index| index.contests(space, document, None)).await?
    }

    /// Makes a change after which a contested field has one value: of what the person saw nothing else remains.
    ///
    /// # Errors
    /// [`DocumentError::NotContested`], [`DocumentError::NoSuchValue`], [`DocumentError::Lowers`], and as [`Documents::edit`].
    pub async fn settle_field(
        &self,
        space: SpaceId,
        document: DocumentId,
        request: SettleField,
        person: PersonRef,
    ) -> Result<Saved, DocumentError> {
        let asked = request.clone();
        let chosen = self.ask_level(space, move |index| index.chosen(space, document, &asked)).await??;
        let draft = RecordDraft::default().with(&request.field, chosen);
        self.edit(space, document, draft, Some(request.heads), person, request.reason).await
    }
}
