//! A record that was written out and comes back: which record it was, and what of it may be taken again.
//!
//! In the space that it came from it is the same record, and nothing of it is changed on the way. In another space it is a record of
//! its own, the same one each time.

use std::collections::BTreeMap;

use portolan_protocol::{
    id::{DocumentId, SpaceId},
    limits::DEPENDENCIES_MAX,
    record::{RecordDraft, Value, Warning, check, language_of},
    record_id::imported_document,
};
use serde::{Deserialize, Serialize};

use super::{
    content::ImportedFile,
    error::Fault,
    fields::{cleaned, scalar},
    yaml::Yaml,
};

/// Hexadecimal digits of the hash of a change.
const HASH_DIGITS: usize = 64;
/// The key of front matter that holds it.
const KEY: &str = "exported";

/// Which record it was, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The record.
    pub record: DocumentId,
    /// Its space.
    pub space: SpaceId,
    /// Its heads then, with commas between: what the file says otherwise was changed in the file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub heads: String,
}

impl Origin {
    /// The line of front matter that says it.
    pub fn line(&self) -> String {
        format!("{KEY}: {{record: \"{}\", space: \"{}\", heads: \"{}\"}}\n", self.record, self.space, self.heads)
    }

    /// Takes it out of front matter, where it is there.
    ///
    /// # Errors
    /// It names a record and a space that are no ids.
    pub fn take(entries: &mut Vec<(String, Yaml)>) -> Result<Option<Self>, Fault> {
        let place = entries.iter().position(|(key, _)| key == KEY);
        let Some((place, Yaml::Map(map))) = place.and_then(|place| Some((place, &entries.get(place)?.1))) else {
            return Ok(None);
        };
        let (Some(record), Some(space)) = (scalar(map, "record"), scalar(map, "space")) else { return Ok(None) };
        let (Ok(record), Ok(space)) = (record.parse(), space.parse()) else {
            return Err(Fault::FrontMatter(format!("`{KEY}` names a record or a space that is no id")));
        };
        let heads = scalar(map, "heads").unwrap_or_default().to_owned();
        entries.remove(place);
        Ok(Some(Self { record, space, heads }))
    }

    /// The record that it becomes in `space`.
    fn document(&self, space: &SpaceId) -> DocumentId {
        if *space == self.space {
            return self.record;
        }
        imported_document(space, &format!("exported from {}", self.space), &self.record.to_string())
    }

    /// The heads that it was written out from, where it comes back to its space.
    fn base(&self, space: &SpaceId) -> Option<Vec<String>> {
        let is_hash = |hash: &&str| hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let heads: Vec<String> = self.heads.split(',').filter(is_hash).map(str::to_owned).collect();
        (*space == self.space && (1..=DEPENDENCIES_MAX).contains(&heads.len())).then_some(heads)
    }

    /// The draft of it in `space`, from the flat fields that were written out.
    ///
    /// # Errors
    /// What stands there cannot be a record.
    pub fn imported(
        &self,
        fields: BTreeMap<String, Value>,
        path: &str,
        space: &SpaceId,
    ) -> Result<ImportedFile, Fault> {
        let is_home = *space == self.space;
        let (mut draft, mut notes) = (RecordDraft::default(), Vec::new());
        for (key, value) in fields {
            let mut note = |message: &str| notes.push(Warning { path: key.clone(), message: message.to_owned() });
            // Files of a record are what `attachment` makes of them; people may still write what they are called and show.
            if key.starts_with("attachments/") && (!is_home || language_of(&key).is_none()) {
                continue;
            }
            if key == "deleted" {
                note("is passed over: `portolan doc delete` hides a record");
                continue;
            }
            match value {
                Value::Other { .. } => note("holds a value that no file can say; it is passed over"),
                Value::Text(text) => match cleaned(&key, &text) {
                    (_, 0) => set(&mut draft, key, text.into()),
                    _ if is_home => note("holds control or bidi override characters; it is passed over"),
                    (clean, _) => {
                        note("held control or bidi override characters, which were left out");
                        set(&mut draft, key, clean.into());
                    }
                },
                value => set(&mut draft, key, value),
            }
        }
        let mut warnings = check(&draft)?;
        warnings.extend(notes);
        Ok(ImportedFile {
            path: path.to_owned(),
            document: self.document(space),
            base: self.base(space),
            draft,
            images: Vec::new(),
            images_left: 0,
            warnings,
        })
    }
}

/// Whether the key holds what opens a file: it is written to no export and taken from none.
pub fn is_attachment_key(key: &str) -> bool {
    key.starts_with("attachments/") && key.ends_with("/key")
}

fn set(draft: &mut RecordDraft, key: String, value: Value) {
    match (key.as_str(), value) {
        ("type", Value::Text(kind)) => draft.kind = Some(kind),
        ("language", Value::Text(language)) => draft.language = Some(language),
        (_, value) => drop(draft.fields.insert(key, value)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::yaml::parse, *};

    const HERE: SpaceId = SpaceId([1; 32]);
    const THERE: SpaceId = SpaceId([2; 32]);

    fn origin() -> Origin {
        Origin { record: DocumentId([3; 16]), space: HERE, heads: format!("{},{}", "ab".repeat(32), "cd".repeat(32)) }
    }

    #[test]
    fn it_is_found_again_in_front_matter() {
        let mut entries = parse(&format!("title: T\n{}", origin().line())).unwrap();
        assert_eq!(Origin::take(&mut entries).unwrap(), Some(origin()));
        assert_eq!(entries.len(), 1);
        assert_eq!(Origin::take(&mut entries).unwrap(), None);
        assert!(Origin::take(&mut parse("exported: {record: '../x', space: y}").unwrap()).is_err());
        assert_eq!(Origin::take(&mut parse("exported: yes").unwrap()).unwrap(), None);
    }

    #[test]
    fn at_home_it_is_itself_and_elsewhere_always_the_same_other() {
        assert_eq!(origin().document(&HERE), origin().record);
        assert_ne!(origin().document(&THERE), origin().record);
        assert_eq!(origin().document(&THERE), origin().document(&THERE));
    }

    #[test]
    fn what_deceives_does_not_come_back_and_no_key_leaves() {
        let fields: BTreeMap<String, Value> = [
            ("type", "page".into()),
            ("title/fr", "a\u{202e}b".into()),
            ("body/fr", "Un.\n".into()),
            ("attachments/h/key", "secret".into()),
            ("attachments/h/size", 3.into()),
            ("later", Value::Other { kind: "float".into(), value: "1.5".into() }),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        let home = origin().imported(fields.clone(), "a.md", &HERE).unwrap();
        let keys = |file: &ImportedFile| file.draft.fields.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&home), ["body/fr"]);
        assert_eq!(home.base.as_ref().map(Vec::len), Some(2));
        assert_eq!(home.draft.fields["body/fr"], "Un.\n".into());
        let away = origin().imported(fields, "a.md", &THERE).unwrap();
        assert_eq!(keys(&away), ["body/fr", "title/fr"]);
        assert_eq!(away.draft.fields["title/fr"], "ab".into());
    }
}
