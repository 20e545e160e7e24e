//! What people and imports send to make or change a record, and the check of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Kind, Marking, Segment, Value, canonical_language, field_of, has_bidi_controls, looks_like_edtf};
use crate::limits::{FIELDS_MAX, KEY_BYTES_MAX, RECORD_BYTES_MAX};

/// Changes to a record, by flat key. Keys that are not named stay as they are; `null` or `""` removes one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordDraft {
    /// The type; left out where an existing record is edited.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The original language; left out where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Flat key to new value.
    #[serde(default)]
    pub fields: BTreeMap<String, Value>,
    /// What a newer client sends beside these; kept when the draft is passed on, not stored in the record.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl RecordDraft {
    /// A draft of a new record.
    pub fn new(kind: &str, language: &str) -> Self {
        Self { kind: Some(kind.to_owned()), language: Some(language.to_owned()), ..Self::default() }
    }

    /// The same draft with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(key.to_owned(), value.into());
        self
    }

    /// Every key the draft sets or removes, `type` and `language` included.
    pub fn entries(&self) -> BTreeMap<&str, Value> {
        let mut entries: BTreeMap<&str, Value> =
            self.fields.iter().map(|(key, value)| (&**key, value.clone())).collect();
        entries.extend(self.kind.as_deref().map(|kind| ("type", Value::from(kind))));
        entries.extend(self.language.as_deref().map(|language| ("language", Value::from(language))));
        entries
    }
}

/// Something that is kept as it is, and that a person may want to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// The flat key.
    pub path: String,
    /// What about it.
    pub message: String,
}

/// Why a draft is not taken: it would break something.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A key, or a segment of one that the schema knows, is empty.
    #[error("a field with an empty name, or an empty part in it: `{0}`")]
    EmptyKey(String),
    /// A key longer than [`KEY_BYTES_MAX`].
    #[error("the field name `{start}...` has {bytes} bytes; at most {KEY_BYTES_MAX} are allowed")]
    LongKey {
        /// Its first characters.
        start: String,
        /// Its length.
        bytes: usize,
    },
    /// A key with control characters.
    #[error("the field name `{0}` holds control characters")]
    ControlCharacter(String),
    /// A key whose language tag is none, or is not in its canonical spelling.
    #[error("`{path}`: `{tag}` is not a language tag{}", canonical.as_ref().map(|c| format!(" as keys spell it; write `{c}`")).unwrap_or_default())]
    Language {
        /// The flat key.
        path: String,
        /// What stands where the tag should.
        tag: String,
        /// The spelling that is meant, where it can be told.
        canonical: Option<String>,
    },
    /// A value of a kind that the field cannot hold.
    #[error("`{path}` takes {expected}, not {actual}")]
    Value {
        /// The flat key.
        path: String,
        /// What the field takes.
        expected: &'static str,
        /// What was given.
        actual: String,
    },
    /// More fields than [`FIELDS_MAX`].
    #[error("{0} fields; a record has at most {FIELDS_MAX}")]
    TooManyFields(usize),
    /// More bytes than [`RECORD_BYTES_MAX`].
    #[error("{0} bytes; a record has at most {RECORD_BYTES_MAX} (files belong in attachments)")]
    TooLarge(usize),
}

/// Looks a draft over before it becomes a change.
///
/// Says what a person may want to correct; everything it lets pass is kept as it is.
///
/// # Errors
/// [`Refusal`] only for what would break something: keys that cannot be shown or told apart, values that a field cannot
/// hold, a record too large to be handled everywhere.
pub fn check(draft: &RecordDraft) -> Result<Vec<Warning>, Refusal> {
    let entries = draft.entries();
    if entries.len() > FIELDS_MAX {
        return Err(Refusal::TooManyFields(entries.len()));
    }
    let bytes = entries.iter().map(|(key, value)| key.len() + value.size_bytes()).sum();
    if bytes > RECORD_BYTES_MAX {
        return Err(Refusal::TooLarge(bytes));
    }
    let mut warnings = Warnings::default();
    for (key, value) in &entries {
        check_key(key)?;
        check_languages(key)?;
        check_value(key, value)?;
        warnings.look_at(key, value);
    }
    for key in draft.extra.keys() {
        warnings.say(key, "is not part of a draft; ignored");
    }
    if let Some(kind) = &draft.kind {
        warnings.look_for_missing(kind, &entries);
    }
    Ok(warnings.0)
}

fn check_key(key: &str) -> Result<(), Refusal> {
    if key.is_empty() || key.split('/').any(str::is_empty) {
        return Err(Refusal::EmptyKey(key.chars().take(40).collect()));
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(Refusal::LongKey { start: key.chars().take(40).collect(), bytes: key.len() });
    }
    if key.chars().any(char::is_control) || has_bidi_controls(key) {
        return Err(Refusal::ControlCharacter(super::display_safe(key)));
    }
    Ok(())
}

fn check_languages(key: &str) -> Result<(), Refusal> {
    let Some(field) = field_of(key) else { return Ok(()) };
    for (segment, tag) in field.pattern.iter().zip(key.split('/')) {
        if *segment == Segment::Language {
            check_language(key, tag)?;
        }
    }
    Ok(())
}

fn check_language(path: &str, tag: &str) -> Result<(), Refusal> {
    let canonical = canonical_language(tag);
    if canonical.as_deref() == Some(tag) {
        return Ok(());
    }
    Err(Refusal::Language { path: path.to_owned(), tag: tag.to_owned(), canonical })
}

fn check_value(key: &str, value: &Value) -> Result<(), Refusal> {
    let refuse = |expected| {
        let actual = match value {
            Value::Other { kind, .. } => format!("a value of kind {kind}"),
            other => format!("`{other}`"),
        };
        Err(Refusal::Value { path: key.to_owned(), expected, actual })
    };
    if key == "language"
        && let Value::Text(tag) = value
        && !tag.is_empty()
    {
        check_language(key, tag)?;
    }
    match (field_of(key).map(|field| field.kind), value) {
        (_, Value::Null) => Ok(()),
        (_, Value::Other { .. }) => refuse("a string, a whole number, true, false or null"),
        (Some(Kind::Text | Kind::Marking | Kind::Date | Kind::Position), Value::Bool(_) | Value::Int(_)) => {
            refuse("a string")
        }
        (Some(Kind::Member), Value::Text(_) | Value::Int(_)) => refuse("true, or null to remove it"),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Warnings(Vec<Warning>);

impl Warnings {
    fn say(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Warning { path: path.to_owned(), message: message.into() });
    }

    fn look_at(&mut self, key: &str, value: &Value) {
        let Some(field) = field_of(key) else {
            return self.say(key, "is not a field that this release knows; kept as it is");
        };
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            if field.kind == Kind::Date && !looks_like_edtf(text) {
                self.say(key, "does not look like an EDTF date (2016-02, 2020-11-03, 201X); kept as it is");
            }
            let known = match field.kind {
                Kind::Marking => Marking::parse(text).is_some(),
                _ => field.usual.is_empty() || field.usual.contains(&text),
            };
            if !known {
                self.say(key, format!("`{}` is none of {}", super::display_safe(text), field.usual.join(", ")));
            }
            if field.kind != Kind::Text && has_bidi_controls(text) {
                self.say(key, format!("holds bidi control characters: {}", super::display_safe(text)));
            }
        }
        for (segment, given) in field.pattern.iter().zip(key.split('/')) {
            let code = given.len() == 2 && given.bytes().all(|byte| byte.is_ascii_uppercase());
            if *segment == Segment::Country && !code {
                self.say(key, "does not name a country by its two capital letters (ISO 3166)");
            }
        }
        if key.starts_with("countries/") && field.pattern.last() == Some(&Segment::Id) {
            self.say(key, "is none of origin, beneficiary, covered, host");
        }
    }

    fn look_for_missing(&mut self, kind: &str, entries: &BTreeMap<&str, Value>) {
        let has = |wanted: &str| {
            entries.iter().any(|(key, value)| {
                !value.is_absent() && (*key == wanted || key.strip_prefix(wanted).is_some_and(|k| k.starts_with('/')))
            })
        };
        for wanted in ["language", "title", "originator", "marking"].into_iter().filter(|wanted| !has(wanted)) {
            self.say(wanted, "is not given");
        }
        for key in entries.keys() {
            if let Some(field) = field_of(key)
                && !field.types.is_empty()
                && !field.types.contains(&kind)
            {
                self.say(key, format!("is at home in {}, not in {kind}", field.types.join(", ")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn page() -> RecordDraft {
        RecordDraft::new("page", "fr")
            .with("title/fr", "Carte des ports")
            .with("originator", "it-rome")
            .with("marking", "GREEN")
    }

    fn refused(key: &str, value: impl Into<Value>) -> Refusal {
        check(&page().with(key, value)).unwrap_err()
    }

    #[test]
    fn a_complete_draft_has_no_warnings() {
        let draft = page().with("tags/x", true).with("body/fr", "# Un").with("review_due", "2027-02");
        assert_eq!(check(&draft), Ok(vec![]));
    }

    #[test]
    fn the_json_form_comes_back_with_what_it_does_not_know() {
        let json = r#"{"type":"page","language":"fr","fields":{"tags/x":true,"title/fr":"T","x":null},"later":7}"#;
        let draft: RecordDraft = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&draft).unwrap(), json);
        assert!(check(&draft).unwrap().iter().any(|warning| warning.path == "later"));
    }

    #[test]
    fn what_would_break_something_is_refused_by_name() {
        assert!(matches!(refused("", "x"), Refusal::EmptyKey(_)));
        assert!(matches!(refused("title/", "x"), Refusal::EmptyKey(_)));
        assert!(matches!(refused(&"k".repeat(KEY_BYTES_MAX + 1), "x"), Refusal::LongKey { .. }));
        assert!(matches!(refused("a\u{202e}b", "x"), Refusal::ControlCharacter(_)));
        assert!(matches!(refused("x\0", "x"), Refusal::ControlCharacter(_)));
        assert!(matches!(refused("title/français", "x"), Refusal::Language { canonical: None, .. }));
        assert!(matches!(refused("tags/x", "yes"), Refusal::Value { .. }));
        assert!(matches!(refused("body/fr", 7), Refusal::Value { .. }));
        assert!(matches!(refused("body/fr", "x".repeat(RECORD_BYTES_MAX)), Refusal::TooLarge(_)));
        let object = Value::Other { kind: "map".into(), value: String::new() };
        assert!(matches!(refused("status", object.clone()), Refusal::Value { .. }));
        assert!(matches!(refused("unknown", object), Refusal::Value { .. }));
    }

    #[test]
    fn a_tag_in_another_spelling_is_refused_with_the_right_one() {
        let error = refused("title/FR", "x").to_string();
        assert_eq!(error, "`title/FR`: `FR` is not a language tag as keys spell it; write `fr`");
        assert!(check(&RecordDraft::new("page", "Francais-")).is_err());
    }

    #[test]
    fn the_rest_is_kept_with_a_warning_at_its_path() {
        let draft = page()
            .with("review_due", "février 2016")
            .with("marking", "TLP:AMBER")
            .with("status", "finished")
            .with("countries/Italy/host", true)
            .with("countries/IT/guest", true)
            .with("lesson/fr", "x")
            .with("severity", 3)
            .with("title/ar", "a\u{202e}b");
        let paths: Vec<_> = check(&draft).unwrap().into_iter().map(|warning| warning.path).collect();
        let expected =
            ["countries/IT/guest", "countries/Italy/host", "review_due", "severity", "status", "title/ar", "lesson/fr"];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_new_record_without_title_or_marking_is_warned_about() {
        let paths: Vec<_> =
            check(&RecordDraft::new("page", "fr")).unwrap().into_iter().map(|warning| warning.path).collect();
        assert_eq!(paths, ["title", "originator", "marking"]);
        assert_eq!(check(&RecordDraft::default()), Ok(vec![]), "an edit need not name what stays");
    }
}
