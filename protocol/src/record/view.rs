//! A record as it is shown, and the short form of it for lists. Both are the same on every node that holds the same
//! changes, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Kind, Value, field_of, join_markings, language_of, years};
use crate::id::{DocumentId, NodeId, PersonId};
use crate::limits::{SUMMARY_ITEMS_MAX, SUMMARY_TEXT_BYTES_MAX};
use crate::time::Timestamp;

/// A whole record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordView {
    /// The document.
    pub id: DocumentId,
    /// The type, empty where the record has none.
    #[serde(rename = "type")]
    pub kind: String,
    /// The heads of the document: hashes of changes, in hex, sorted.
    pub heads: Vec<String>,
    /// The title in the best language, see [`RecordView::title_in`].
    pub title: String,
    /// The original language.
    pub language: Option<String>,
    /// Every language that some field is written in, sorted.
    pub languages: Vec<String>,
    /// The most restrictive of the concurrent markings.
    pub marking: Option<String>,
    /// Whether it was deleted; a deleted record is hidden, not gone.
    pub deleted: bool,
    /// Flat key to value; where values are concurrent, the one that every node picks.
    pub fields: BTreeMap<String, Value>,
    /// Flat key to all concurrent values, sorted, where there is more than one that differs.
    pub conflicts: BTreeMap<String, Vec<Value>>,
}

impl RecordView {
    /// The view of a document that holds `values`: for each key all concurrent values, the winner first.
    pub fn new(id: DocumentId, heads: Vec<String>, values: BTreeMap<String, Vec<Value>>) -> Self {
        let (mut fields, mut conflicts) = (BTreeMap::new(), BTreeMap::new());
        for (key, values) in values {
            let kind = field_of(&key).map(|field| field.kind);
            let present: Vec<Value> = values.into_iter().filter(|value| !value.is_absent()).collect();
            let Some(winner) = present.first().cloned() else { continue };
            if kind == Some(Kind::Marking) && present.iter().all(|value| value.as_str().is_some()) {
                fields
                    .extend(join_markings(present.iter().filter_map(Value::as_str)).map(|joined| (key, joined.into())));
                continue;
            }
            let distinct: BTreeSet<Value> = present.into_iter().collect();
            if distinct.len() > 1 {
                conflicts.insert(key.clone(), distinct.into_iter().collect());
            }
            fields.insert(key, winner);
        }
        let languages: BTreeSet<&str> = fields.keys().filter_map(|key| language_of(key)).collect();
        let languages = languages.into_iter().map(str::to_owned).collect();
        let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut view = Self {
            id,
            kind: text("type").unwrap_or_default(),
            heads,
            title: String::new(),
            language: text("language"),
            languages,
            marking: fields.get("marking").map(Value::to_string),
            deleted: fields.get("deleted") == Some(&Value::Bool(true)),
            fields,
            conflicts,
        };
        view.title = view.title_in(&[]).unwrap_or_default().to_owned();
        view
    }

    /// The title in the first of `preferred` that there is, else in the original language, else in English, French,
    /// else in the first language there is.
    pub fn title_in(&self, preferred: &[&str]) -> Option<&str> {
        let title = |language: &str| self.fields.get(&format!("title/{language}")).and_then(Value::as_str);
        let known = preferred.iter().copied().chain(self.language.as_deref()).chain(["en", "fr"]);
        known.filter_map(title).next().or_else(|| {
            let mut titles = self.fields.range("title/".to_owned()..).take_while(|(key, _)| key.starts_with("title/"));
            titles.find_map(|(_, value)| value.as_str())
        })
    }

    /// The ids of the set that `name` holds: `tags`, `areas`, ...
    pub fn members(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}/");
        let keys = self.fields.iter().filter(|(_, value)| **value == Value::Bool(true)).map(|(key, _)| key);
        let ids: BTreeSet<&str> =
            keys.filter_map(|key| key.strip_prefix(&prefix)).filter_map(|rest| rest.split('/').next()).collect();
        ids.into_iter().map(str::to_owned).collect()
    }

    /// The ids of the ordered list that `name` holds, by position and then by id; without a position they come last.
    pub fn ordered(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}/");
        let ids: BTreeSet<&str> = self
            .fields
            .keys()
            .filter_map(|key| key.strip_prefix(&prefix))
            .filter_map(|rest| rest.split_once('/').map(|(id, _)| id))
            .collect();
        let position = |id: &str| self.fields.get(&format!("{prefix}{id}/position")).and_then(Value::as_str);
        let mut ordered: Vec<&str> = ids.into_iter().collect();
        ordered.sort_by_key(|id| (position(id).is_none(), position(id), *id));
        ordered.into_iter().map(str::to_owned).collect()
    }
}

/// Who last changed a record, and when by that author's clock: from signed headers, never from fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Updated {
    /// When.
    pub time_ms: Timestamp,
    /// The node that signed the change.
    pub node: NodeId,
    /// The person the node vouches for.
    pub person: PersonId,
    /// The name of the person.
    pub name: String,
}

/// What a list needs of a record. A text has at most [`SUMMARY_TEXT_BYTES_MAX`] bytes and a list [`SUMMARY_ITEMS_MAX`] items:
/// what goes beyond is left out here, and is in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Summary {
    /// The document.
    pub id: DocumentId,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The title in the best language.
    pub title: String,
    /// The original language.
    pub language: Option<String>,
    /// Every language that some field is written in, sorted.
    pub languages: Vec<String>,
    /// The status, if it has one.
    pub status: Option<String>,
    /// The joined marking.
    pub marking: Option<String>,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Priority areas, sorted.
    pub areas: Vec<String>,
    /// Country codes in any relation, sorted.
    pub countries: Vec<String>,
    /// Programmes, sorted.
    pub programmes: Vec<String>,
    /// The organisation that it comes from.
    pub originator: Option<String>,
    /// The years that it is about, sorted: those that its own dates name (not when a review or an erasure is due); where it has
    /// no such date, the year of the first change.
    pub years: Vec<u16>,
    /// When it was first written, by that author's clock.
    pub created_ms: Option<Timestamp>,
    /// The last change, where one is known.
    pub updated: Option<Updated>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Keys with concurrent values that differ.
    pub conflicts: u32,
    /// Changes made to it.
    pub changes: u32,
}

impl Summary {
    /// The short form of `view`.
    pub fn new(view: &RecordView, updated: Option<Updated>, created: Option<Timestamp>, changes: u32) -> Self {
        let text = |text: &str| shortened(text, SUMMARY_TEXT_BYTES_MAX);
        let list = |list: Vec<String>| list.into_iter().take(SUMMARY_ITEMS_MAX).map(|item| text(&item)).collect();
        Self {
            id: view.id,
            kind: text(&view.kind),
            title: text(&view.title),
            language: view.language.as_deref().map(text),
            languages: list(view.languages.clone()),
            status: view.fields.get("status").and_then(Value::as_str).map(text),
            marking: view.marking.as_deref().map(text),
            tags: list(view.members("tags")),
            areas: list(view.members("areas")),
            countries: list(view.members("countries")),
            programmes: list(view.members("programmes")),
            originator: view.fields.get("originator").and_then(Value::as_str).map(text),
            years: years_of(view, created),
            created_ms: created,
            updated,
            deleted: view.deleted,
            conflicts: u32::try_from(view.conflicts.len()).unwrap_or(u32::MAX),
            changes,
        }
    }
}

/// The years that a record is about.
fn years_of(view: &RecordView, created: Option<Timestamp>) -> Vec<u16> {
    let is_about = |key: &str| {
        let is_date = field_of(key).is_some_and(|field| field.kind == Kind::Date);
        is_date && key != "review_due" && !key.starts_with("retention/")
    };
    let dates = view.fields.iter().filter(|(key, _)| is_about(key)).filter_map(|(_, value)| value.as_str());
    let mut named: BTreeSet<u16> = dates.flat_map(years).collect();
    if named.is_empty() {
        named.extend(created.and_then(year_of));
    }
    named.into_iter().take(SUMMARY_ITEMS_MAX).collect()
}

/// The year of a moment, in UTC; none past the year 9999.
fn year_of(moment: Timestamp) -> Option<u16> {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut days = moment.0 / 86_400_000;
    let mut year: u64 = 1970;
    while year <= 9_999 {
        let long = if is_leap(year) { 366 } else { 365 };
        if days < long {
            return u16::try_from(year).ok();
        }
        days -= long;
        year += 1;
    }
    None
}

/// `text`, or as much of its beginning as fits into `bytes_max` bytes with "…" behind it.
pub fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let room = bytes_max.saturating_sub('…'.len_utf8());
    let ends = text.char_indices().map(|(start, letter)| start + letter.len_utf8());
    let end = ends.take_while(|end| *end <= room).last().unwrap_or_default();
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn view(values: &[(&str, &[&str])]) -> RecordView {
        let values = values
            .iter()
            .map(|(key, texts)| ((*key).to_owned(), texts.iter().map(|text| Value::from(*text)).collect()))
            .collect();
        RecordView::new(DocumentId([1; 16]), vec![], values)
    }

    #[test]
    fn concurrent_values_that_differ_are_all_shown() {
        let view = view(&[("status", &["review", "draft", "review"]), ("title/fr", &["T", "T"])]);
        assert_eq!(view.fields["status"], Value::from("review"));
        assert_eq!(view.conflicts["status"], [Value::from("draft"), Value::from("review")]);
        assert_eq!(view.conflicts.len(), 1, "the same value twice is no conflict");
    }

    #[test]
    fn markings_join_instead_of_conflicting() {
        let view = view(&[("marking", &["GREEN", "RED", "AMBER"])]);
        assert_eq!(view.marking.as_deref(), Some("RED"));
        assert_eq!(view.fields["marking"], Value::from("RED"));
        assert!(view.conflicts.is_empty());
    }

    #[test]
    fn an_emptied_text_is_not_there_and_hides_nothing() {
        let view = view(&[("body/fr", &["", "kept"]), ("body/ar", &[""])]);
        assert_eq!(view.fields["body/fr"], Value::from("kept"));
        assert_eq!(view.languages, ["fr"]);
        assert!(view.conflicts.is_empty());
    }

    #[test]
    fn the_title_is_in_the_best_language_there_is() {
        let view = view(&[("language", &["ar"]), ("title/ar", &["A"]), ("title/en", &["E"]), ("title/pt", &["P"])]);
        assert_eq!(view.title, "A");
        assert_eq!(view.title_in(&["es", "pt"]), Some("P"));
        assert_eq!(RecordView::new(view.id, vec![], BTreeMap::new()).title_in(&["fr"]), None);
    }

    #[test]
    fn lists_are_in_order_and_lose_no_item() {
        let view = view(&[
            ("objectives/a/position", &["t"]),
            ("objectives/a/text/fr", &["second"]),
            ("objectives/b/position", &["i"]),
            ("objectives/c/text/fr", &["no position"]),
            ("objectives/d/position", &["i"]),
        ]);
        assert_eq!(view.ordered("objectives"), ["b", "d", "a", "c"]);
    }

    #[test]
    fn the_short_form_is_short() {
        assert_eq!(shortened("été", 5), "été");
        assert_eq!([shortened("étés", 5), shortened("ééé", 5)], ["é…", "é…"]);
        let long = "ا".repeat(SUMMARY_TEXT_BYTES_MAX);
        let mut record =
            view(&[("title/ar", &[&long]), ("type", &[&long]), ("status", &[&long]), ("marking", &[&long])]);
        record.fields.extend((0..1_000).map(|tag| (format!("tags/{tag:03}"), Value::Bool(true))));
        let summary = Summary::new(&record, None, None, 1);
        assert_eq!(summary.title, format!("{}…", "ا".repeat(SUMMARY_TEXT_BYTES_MAX / 2 - 2)));
        assert_eq!((summary.tags.len(), summary.tags[0].as_str()), (SUMMARY_ITEMS_MAX, "000"));
        let bytes = serde_json::to_string(&summary).unwrap().len();
        assert!(bytes < 4 * SUMMARY_TEXT_BYTES_MAX + 8 * SUMMARY_ITEMS_MAX, "{bytes}");
        let honest = "ا".repeat(500);
        assert_eq!(Summary::new(&view(&[("title/ar", &[&honest])]), None, None, 1).title, honest);
    }

    #[test]
    fn the_years_are_those_of_its_own_dates_else_of_its_beginning() {
        let created = Some(Timestamp(1_709_164_800_000));
        let years = |values: &[(&str, &[&str])]| Summary::new(&view(values), None, created, 1).years;
        assert_eq!(years(&[("occurred", &["2016-02/2018"]), ("review_due", &["2031"])]), [2016, 2018]);
        assert_eq!(years(&[("occurred", &["février"])]), [2024], "29 February 2024");
        assert_eq!(
            [0, 31_535_999_999, 31_536_000_000, u64::MAX].map(|ms| year_of(Timestamp(ms))),
            [Some(1970), Some(1970), Some(1971), None]
        );
    }

    #[test]
    fn the_json_form_is_stable() {
        let view = view(&[("type", &["page"]), ("title/fr", &["T"]), ("status", &["b", "a"])]);
        let json = serde_json::to_string(&view).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"id":"aeaqcaibaeaqcaibaeaqcaibae","type":"page","heads":[],"title":"T","language":null,"#,
                r#""languages":["fr"],"marking":null,"deleted":false,"#,
                r#""fields":{"status":"b","title/fr":"T","type":"page"},"conflicts":{"status":["a","b"]}}"#
            )
        );
        assert_eq!(serde_json::from_str::<RecordView>(&json).unwrap(), view);
    }
}
