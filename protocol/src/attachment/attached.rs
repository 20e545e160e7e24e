//! What a record says of its attachments.

use std::collections::BTreeMap;

use super::{key::AttachmentKey, layout::Layout};
use crate::{
    id::AttachmentId,
    limits::ATTACHMENTS_PER_RECORD_MAX,
    record::{RecordView, Value},
};

/// One attachment of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Which.
    pub id: AttachmentId,
    /// Its name, by language.
    pub names: BTreeMap<String, String>,
    /// What it shows, by language.
    pub alternative_texts: BTreeMap<String, String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// Its licence.
    pub licence: Option<String>,
    /// Its sizes; none where the record does not say, or says what cannot be.
    pub layout: Option<Layout>,
    /// Its key, and every other that was written at the same time.
    pub keys: Vec<AttachmentKey>,
}

/// The attachments of a record, by id. Keys of the record that do not name one by its id are passed over.
pub fn attached(record: &RecordView) -> Vec<Attached> {
    let mut all: BTreeMap<AttachmentId, Attached> = BTreeMap::new();
    for (key, value) in record.fields.range("attachments/".to_owned()..) {
        let Some(rest) = key.strip_prefix("attachments/") else { break };
        let Some((id, what)) = rest.split_once('/') else { continue };
        let Ok(parsed) = id.parse::<AttachmentId>() else { continue };
        // One spelling, or one file would be there twice.
        if parsed.to_string() != id {
            continue;
        }
        if !all.contains_key(&parsed) && all.len() == ATTACHMENTS_PER_RECORD_MAX {
            break;
        }
        let attached = all.entry(parsed).or_insert_with(|| Attached::new(parsed));
        attached.read(what, value, record.conflicts.get(key));
    }
    all.into_values().collect()
}

impl Attached {
    fn new(id: AttachmentId) -> Attached {
        Attached {
            id,
            names: BTreeMap::new(),
            alternative_texts: BTreeMap::new(),
            media_type: None,
            licence: None,
            layout: None,
            keys: Vec::new(),
        }
    }

    fn read(&mut self, what: &str, value: &Value, all: Option<&Vec<Value>>) {
        let text = value.as_str().map(str::to_owned);
        match what.split_once('/') {
            Some(("name", language)) => self.names.extend(text.map(|text| (language.to_owned(), text))),
            Some(("alternative_text", language)) => {
                self.alternative_texts.extend(text.map(|text| (language.to_owned(), text)));
            }
            Some(_) => {}
            None => match what {
                "media_type" => self.media_type = text,
                "licence" => self.licence = text,
                "size" => {
                    let bytes = if let Value::Int(bytes) = value { u64::try_from(*bytes).ok() } else { None };
                    self.layout = bytes.and_then(|bytes| Layout::of_plaintext(bytes).ok());
                }
                "key" => {
                    let texts = std::iter::once(value).chain(all.into_iter().flatten()).filter_map(Value::as_str);
                    for key in texts.filter_map(|text| text.parse().ok()) {
                        if !self.keys.contains(&key) {
                            self.keys.push(key);
                        }
                    }
                }
                _ => {}
            },
        }
    }

    /// The name to show: in the first of `languages` that it has one in, else any.
    pub fn name(&self, languages: &[&str]) -> Option<&str> {
        let named = languages.iter().find_map(|language| self.names.get(*language));
        named.or_else(|| self.names.values().next()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DocumentId;

    #[test]
    fn a_record_tells_what_it_can_and_nonsense_is_passed_over() {
        let id = AttachmentId([3; 32]);
        let key = AttachmentKey::new([4; 32]);
        let other = AttachmentKey::new([5; 32]);
        let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        values.insert(format!("attachments/{id}/name/fr"), vec!["Cours.zip".into()]);
        values.insert(format!("attachments/{id}/size"), vec![Value::Int(70_000)]);
        values.insert(format!("attachments/{id}/key"), vec![key.to_string().into(), other.to_string().into()]);
        values.insert(format!("attachments/{id}/later"), vec!["x".into()]);
        values.insert("attachments/nonsense/size".into(), vec![Value::Int(-1)]);
        values.insert("attachments/".into(), vec!["x".into()]);
        let second = AttachmentId([9; 32]);
        values.insert(format!("attachments/{second}/size"), vec![Value::Int(-1)]);
        let all = attached(&RecordView::new(DocumentId([1; 16]), vec![], values));
        assert_eq!(all.iter().map(|attached| attached.id).collect::<Vec<_>>(), [id, second]);
        assert_eq!(all[0].layout.map(Layout::plaintext_bytes), Some(70_000));
        assert_eq!((all[0].name(&["en"]), all[0].keys.len()), (Some("Cours.zip"), 2));
        assert!(all[0].keys.contains(&key) && all[0].keys.contains(&other));
        assert_eq!((all[1].layout, &all[1].keys[..]), (None, &[][..]));
    }
}
