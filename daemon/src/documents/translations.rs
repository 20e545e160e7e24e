//! How far the translations of a record are behind its original language.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{
    api::{Translation, Translations},
    id::{DocumentId, SpaceId},
    limits::DEPENDENCIES_MAX,
    record::{RecordView, Value, language_of},
};

use super::{error::DocumentError, handle::Documents, index::Index, planning::hex};
use crate::automerge_door::{Document, Hash};

impl Index {
    fn translations(&mut self, space: SpaceId, id: DocumentId) -> Result<Translations, DocumentError> {
        let number = self.document_number(space, id)?;
        let document = self.show(number)?.document;
        if document.changes() == 0 {
            return Err(DocumentError::NotFound(id));
        }
        let record = document.view()?;
        let changes = Original::of(&document, &record)?;
        let others = record.languages.iter().filter(|language| record.language.as_ref() != Some(language));
        let translations = others.map(|language| translation(&record, &document, &changes, language)).collect();
        let (title, original, heads) = (record.title, record.language, record.heads);
        Ok(Translations { space, document: id, title, original, heads, translations })
    }
}

/// Every change of a record by its name, and those that touch something written in the original language.
struct Original {
    names: BTreeMap<String, Hash>,
    touching: BTreeSet<Hash>,
}

impl Original {
    fn of(document: &Document, record: &RecordView) -> Result<Self, DocumentError> {
        let original = record.language.as_deref();
        let is_original = |key: &String| original.is_some() && language_of(key) == original;
        let (mut names, mut touching) = (BTreeMap::new(), BTreeSet::new());
        for (change, keys) in document.touched()? {
            names.insert(hex(&change), change);
            if keys.iter().any(is_original) {
                touching.insert(change);
            }
        }
        Ok(Self { names, touching })
    }

    /// The changes that touch the original language and are not below `from`; none where something of that is not held.
    fn since(&self, document: &Document, from: &[String]) -> Option<u32> {
        let mut open: Vec<Hash> = from.iter().map(|name| self.names.get(name).copied()).collect::<Option<_>>()?;
        let mut seen = BTreeSet::new();
        while let Some(change) = open.pop() {
            if seen.insert(change) {
                open.extend(document.deps(&change)?);
            }
        }
        u32::try_from(self.touching.difference(&seen).count()).ok()
    }
}

fn translation(record: &RecordView, document: &Document, original: &Original, language: &str) -> Translation {
    let said = |what: &str| record.fields.get(&format!("translations/{language}/{what}")).and_then(Value::as_str);
    let from: Vec<String> = said("from")
        .into_iter()
        .flat_map(|heads| heads.split(',').take(DEPENDENCIES_MAX))
        .map(|head| head.trim().to_ascii_lowercase())
        .filter(|head| !head.is_empty())
        .collect();
    let is_known = !from.is_empty() && record.language.is_some();
    let behind = if is_known { original.since(document, &from) } else { None };
    Translation { language: language.to_owned(), state: said("state").map(str::to_owned), from, behind }
}

impl Documents {
    /// The languages of a record beside the original, and how far each is behind.
    ///
    /// # Errors
    /// As [`Documents::show`].
    pub async fn translations(&self, space: SpaceId, document: DocumentId) -> Result<Translations, DocumentError> {
        self.ask_level(space, move |index| index.translations(space, document)).await?
    }
}
