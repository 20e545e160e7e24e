//! What people and imports send to make or change a record, and the check of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    FIELDS, Field, Kind, Marking, Segment, Value, canonical_language, date_suggestion, decimal_suggestion,
    display_safe, field_in, field_of, has_bidi_controls, is_country, is_decimal, is_edtf, looks_like_currency,
    usual_values,
};
use crate::limits::{FIELDS_MAX, KEY_BYTES_MAX, RECORD_BYTES_MAX};

/// Changes to a record, by flat key. Keys that are not named stay as they are; `null` or `""` removes one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
        warnings.look_at(draft.kind.as_deref(), key, value);
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
        return Err(Refusal::ControlCharacter(display_safe(key)));
    }
    Ok(())
}

fn check_languages(key: &str) -> Result<(), Refusal> {
    let Some(field) = field_of(key) else { return Ok(()) };
    for (segment, tag) in field.segments().zip(key.split('/')) {
        if matches!(segment, Segment::Language | Segment::Spoken) {
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
        (
            Some(Kind::Text | Kind::Marking | Kind::Date | Kind::Position | Kind::Country | Kind::Currency),
            Value::Bool(_) | Value::Int(_),
        ) => refuse("a string"),
        (Some(Kind::Decimal), Value::Bool(_) | Value::Int(_)) => refuse("a decimal as a string, such as \"890.5\""),
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

    fn look_at(&mut self, kind: Option<&str>, key: &str, value: &Value) {
        let Some(field) = field_of(key) else {
            return self.say(key, "is not a field that this release knows; kept as it is");
        };
        if !value.is_absent() {
            self.look_at_usual(kind, key, value);
        }
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            self.look_at_form(field.kind, key, text);
            if field.kind != Kind::Text && has_bidi_controls(text) {
                self.say(key, format!("holds bidi control characters: {}", display_safe(text)));
            }
        }
        let countries = field.segments().zip(key.split('/')).filter(|(segment, _)| *segment == Segment::Country);
        for (_, code) in countries.filter(|(_, code)| !is_country(code)) {
            self.say(key, not_a_country(code));
        }
        let known = siblings(field);
        if !known.is_empty() {
            self.say(key, format!("is none of {}", known.join(", ")));
        }
    }

    fn look_at_usual(&mut self, kind: Option<&str>, key: &str, value: &Value) {
        let text = value.to_string();
        let is_marking = key == "marking" && Marking::parse(&text).is_some();
        if let Some(usual) = usual_values(kind, key)
            && !is_marking
            && !usual.contains(&text.as_str())
        {
            self.say(key, format!("`{}` is none of {}", display_safe(&text), usual.join(", ")));
        }
    }

    /// What the field's kind expects of a text.
    fn look_at_form(&mut self, kind: Kind, key: &str, text: &str) {
        let meant = |suggestion: Option<String>| match suggestion {
            Some(suggestion) => format!("; write {suggestion}"),
            None => "; kept as it is".to_owned(),
        };
        match kind {
            Kind::Date if !is_edtf(text) => {
                let meant = meant(date_suggestion(text));
                self.say(key, format!("is not an EDTF date (2016-02, 2020-11-03, 201X){meant}"));
            }
            Kind::Decimal if !is_decimal(text) => {
                let meant = meant(decimal_suggestion(text));
                self.say(key, format!("is not a decimal in its canonical form (890.5){meant}"));
            }
            Kind::Country if !is_country(text) => self.say(key, not_a_country(text)),
            Kind::Currency if !looks_like_currency(text) => {
                self.say(key, "is not a currency by its three capital letters (ISO 4217): EUR");
            }
            _ => {}
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
            if let Some(field) = field_in(kind, key)
                && !field.is_at_home_in(kind)
            {
                self.say(key, format!("is at home in {}, not in {kind}", homes(field).join(", ")));
            }
        }
    }
}

/// Every type that has the field.
fn homes(field: &Field) -> Vec<&'static str> {
    FIELDS.iter().filter(|row| row.path == field.path).flat_map(|row| row.types).copied().collect()
}

/// The words that stand where a row of the table takes anything "with a warning": `origin`, `host`, ... of a country.
fn siblings(field: &Field) -> Vec<&'static str> {
    if field.segments().next_back() != Some(Segment::Id) {
        return Vec::new();
    }
    let above = |path: &'static str| path.rsplit_once('/').map(|(above, _)| above);
    let beside = FIELDS.iter().filter(|row| row.path != field.path && above(row.path) == above(field.path));
    beside.filter_map(|row| row.path.rsplit('/').next()).collect()
}

fn not_a_country(code: &str) -> String {
    format!("`{}` is no country by its two capital letters (ISO 3166-1 alpha-2): FR, TN", display_safe(code))
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
            .with("colour", 3)
            .with("title/ar", "a\u{202e}b");
        let paths: Vec<_> = check(&draft).unwrap().into_iter().map(|warning| warning.path).collect();
        let expected =
            ["colour", "countries/IT/guest", "countries/Italy/host", "review_due", "status", "title/ar", "lesson/fr"];
        assert_eq!(paths, expected);
    }

    fn warned(kind: &str, key: &str, value: impl Into<Value>) -> String {
        let draft = RecordDraft { kind: Some(kind.into()), ..page() }.with(key, value);
        let warnings: Vec<_> = check(&draft).unwrap().into_iter().filter(|warning| warning.path == key).collect();
        warnings.into_iter().map(|warning| warning.message).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_warning_says_what_may_have_been_meant() {
        assert!(warned("page", "review_due", "février 2016").ends_with("write 2016-02"));
        assert!(warned("expert_profile", "days_delivered", "890,5 jours").ends_with("write 890.5"));
        assert!(warned("programme", "budget/a/amount", "beaucoup").ends_with("kept as it is"));
        assert!(warned("programme", "budget/a/currency", "€").contains("EUR"));
        assert!(warned("capacity_gap", "country", "Libye").contains("`Libye` is no country"));
        assert!(warned("action", "participants/a/country", "UK").contains("ISO 3166-1"));
        assert_eq!(warned("programme", "budget/a/currency", "EUR"), "");
        assert_eq!(warned("capacity_gap", "country", "LY"), "");
    }

    #[test]
    fn what_is_usual_depends_on_the_type_and_not_on_how_a_number_is_written() {
        assert!(warned("alert", "severity", "critical").contains("none of information, advisory"));
        assert_eq!(warned("capacity_gap", "severity", "critical"), "");
        assert!(warned("page", "severity", "low").contains("at home in capacity_gap, alert, not in page"));
        assert_eq!(warned("threat_note", "grading/information", 2), "");
        assert!(warned("threat_note", "grading/information", 5).contains("none of 1, 2, 3, 4"));
        assert!(warned("page", "links/a/relation", "likes").contains("superseded_by"));
        assert!(warned("page", "caveats/H7", true).contains("H0, H1, H2, H3"));
        assert_eq!(warned("page", "caveats/H2", true), "");
        let edit = RecordDraft::default().with("severity", "critical").with("kind", "workshop");
        assert_eq!(check(&edit), Ok(vec![]), "an edit does not say its type");
    }

    #[test]
    fn languages_that_are_spoken_of_have_one_spelling_too() {
        assert!(matches!(refused("speaks/AR", true), Refusal::Language { .. }));
        assert!(matches!(refused("budget/a/amount", 12), Refusal::Value { .. }));
    }

    #[test]
    fn a_new_record_without_title_or_marking_is_warned_about() {
        let paths: Vec<_> =
            check(&RecordDraft::new("page", "fr")).unwrap().into_iter().map(|warning| warning.path).collect();
        assert_eq!(paths, ["title", "originator", "marking"]);
        assert_eq!(check(&RecordDraft::default()), Ok(vec![]), "an edit need not name what stays");
    }
}
