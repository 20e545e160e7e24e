//! What is found of one record: its texts with their languages, and what it is narrowed by.

use portolan_protocol::{
    id::{DocumentId, SpaceId},
    record::{Facet, Filters, Kind, RecordView, Summary, Value, canonical_language, field_of, language_of},
};

use super::analysis::Language;

/// The type of records that are concepts, and the key of the id that others are tagged with.
const CONCEPT: &str = "concept";
const NOTATION: &str = "notation";

/// One text of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) key: String,
    /// Where stems are known of it.
    pub(super) language: Option<Language>,
    pub(super) text: String,
}

impl Text {
    pub(super) fn is_title(&self) -> bool {
        self.key.starts_with("title/")
    }
}

/// What a concept is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Concept {
    pub(super) notation: String,
    pub(super) label: String,
    pub(super) labels: Vec<String>,
}

/// See the head of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) space: SpaceId,
    pub(super) id: DocumentId,
    pub(super) updated_ms: Option<u64>,
    /// Terms, see [`facet_term`].
    pub(super) facets: Vec<String>,
    pub(super) texts: Vec<Text>,
    pub(super) concept: Option<Concept>,
}

/// The value of a facet as one term.
pub(super) fn facet_term(facet: Facet, value: &str) -> String {
    format!("{}\u{1f}{value}", facet.name())
}

/// The terms of all facets that `filters` want.
pub(super) fn wanted(filters: &Filters) -> impl Iterator<Item = String> + '_ {
    filters.wanted.iter().map(|(facet, value)| facet_term(*facet, value))
}

impl Entry {
    /// What is found of a record.
    pub fn new(space: SpaceId, view: &RecordView, summary: &Summary) -> Entry {
        let values =
            Facet::ALL.into_iter().flat_map(|facet| facet.values(summary).into_iter().map(move |v| (facet, v)));
        Entry {
            space,
            id: view.id,
            updated_ms: summary.updated.as_ref().map(|updated| updated.time_ms.0),
            facets: values.map(|(facet, value)| facet_term(facet, &value)).collect(),
            texts: texts(view),
            concept: concept(view),
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| text.text.len() + text.key.len() + 64).sum();
        texts + self.facets.iter().map(|facet| facet.len() + 32).sum::<usize>() + 256
    }
}

fn texts(view: &RecordView) -> Vec<Text> {
    let mut texts = Vec::new();
    for (key, winner) in view.fields.iter().filter(|(key, _)| is_prose(key)) {
        let language = language(key);
        let others = view.conflicts.get(key).into_iter().flatten().filter(|value| *value != winner);
        let all = std::iter::once(winner).chain(others).filter_map(Value::as_str);
        texts.extend(all.map(|text| Text { key: key.clone(), language, text: text.to_owned() }));
    }
    for set in ["tags", "areas", "programmes"] {
        let of = |id: String| Text { key: format!("{set}/{id}"), language: None, text: id };
        texts.extend(view.members(set).into_iter().map(of));
    }
    texts
}

/// Whether a key holds words for people.
fn is_prose(key: &str) -> bool {
    let is_apparatus = matches!(key, "type" | "schema" | "language" | "status" | "marking")
        || ["translations/", "retention/", "links/", "source/"].iter().any(|set| key.starts_with(set));
    let kind = field_of(key).map(|field| field.kind);
    !is_apparatus && !matches!(kind, Some(Kind::Position | Kind::Marking | Kind::Member)) && !key.ends_with("/position")
}

/// The language of a key. Of keys that this release does not know it is the last segment, where that is a language.
pub(super) fn language(key: &str) -> Option<Language> {
    if field_of(key).is_some() {
        return language_of(key).and_then(Language::of);
    }
    let (_, tag) = key.rsplit_once('/')?;
    canonical_language(tag).filter(|canonical| canonical == tag).and_then(|tag| Language::of(&tag))
}

fn concept(view: &RecordView) -> Option<Concept> {
    let notation = view.fields.get(NOTATION).and_then(Value::as_str).filter(|_| view.kind == CONCEPT)?;
    let is_label = |key: &str| key.starts_with("title/") || key.starts_with("alternative/");
    let labels = view.fields.iter().filter(|(key, _)| is_label(key)).filter_map(|(_, value)| value.as_str());
    let labels: Vec<String> = labels.map(str::to_owned).collect();
    Some(Concept { notation: notation.to_owned(), label: view.title.clone(), labels })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_text_is_taken_with_its_language_and_the_apparatus_is_not() {
        let values = [
            ("type", "concept"),
            ("notation", "ports"),
            ("title/fr", "Ports"),
            ("alternative/a/pt-BR", "Portos"),
            ("body/de", "Häfen"),
            ("status", "draft"),
            ("objectives/a/position", "i"),
            ("links/x/target", "y"),
            ("source/path", "ports/de.md"),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), vec![Value::from(value)]));
        let view = RecordView::new(DocumentId([1; 16]), vec![], BTreeMap::from(values));
        let entry = Entry::new(SpaceId([0; 32]), &view, &Summary::new(&view, None, None, 1));
        let texts: Vec<_> = entry.texts.iter().map(|text| (text.key.as_str(), text.language)).collect();
        assert_eq!(
            texts,
            [
                ("alternative/a/pt-BR", Some(Language::Portuguese)),
                ("body/de", None),
                ("notation", None),
                ("title/fr", Some(Language::French))
            ]
        );
        let labels = vec!["Portos".to_owned(), "Ports".to_owned()];
        assert_eq!(entry.concept, Some(Concept { notation: "ports".into(), label: "Ports".into(), labels }));
    }
}
