//! What every page may need of every record: what it is called, what it is narrowed by, what it is the term of, and who leads to it.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{
    folding::fold,
    id::DocumentId,
    record::{Kind, RecordView, Value, field_of},
};

/// The type of records that are terms, and the keys of their notation and of the link that names another record.
const CONCEPT: &str = "concept";
const NOTATION: &str = "notation";

/// A record in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) title: String,
    /// The language of the title.
    pub(super) language: Option<String>,
    /// The languages that something in it is written in.
    pub(super) languages: Vec<String>,
    pub(super) countries: Vec<String>,
    pub(super) areas: Vec<String>,
    pub(super) marking: Option<String>,
    pub(super) contested: bool,
}

/// How a record leads to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie {
    /// By a link that says this.
    Relation(String),
    /// By a field that begins with this word.
    Field(String),
}

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    heads: Vec<Head>,
    numbers: BTreeMap<String, usize>,
    /// The number of the term, by its notation.
    terms: BTreeMap<String, usize>,
    /// Who leads to an id, and how.
    leading: BTreeMap<String, BTreeSet<(usize, Tie)>>,
}

impl Catalogue {
    /// Takes a record; its number.
    pub(super) fn add(&mut self, record: &RecordView) -> usize {
        let number = self.heads.len();
        let head = head(record);
        self.numbers.insert(head.id.clone(), number);
        if let Some(notation) = record.fields.get(NOTATION).and_then(Value::as_str).filter(|_| head.kind == CONCEPT) {
            self.terms.entry(notation.to_owned()).or_insert(number);
        }
        self.heads.push(head);
        for (target, tie) in ties(record) {
            self.leading.entry(target).or_default().insert((number, tie));
        }
        number
    }

    /// All records.
    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The record with this id, where it is among them.
    pub(super) fn record(&self, id: &str) -> Option<&Head> {
        self.heads.get(*self.numbers.get(id)?)
    }

    /// The term with this notation.
    pub(super) fn term(&self, notation: &str) -> Option<&Head> {
        self.heads.get(*self.terms.get(notation)?)
    }

    /// The records that lead to this one, itself aside.
    pub(super) fn leading(&self, id: &str) -> impl Iterator<Item = (&Head, &Tie)> {
        let all = self.leading.get(id).into_iter().flatten();
        all.filter_map(|(number, tie)| Some((self.heads.get(*number)?, tie))).filter(move |(head, _)| head.id != id)
    }

    /// For each record its place in the order of titles.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.heads.len()).collect();
        order.sort_by_cached_key(|number| self.heads.get(*number).map(|head| (fold(&head.title), head.id.clone())));
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (0..).zip(order) {
            ranks[number] = rank;
        }
        ranks
    }
}

/// The language and the words of the title that is best to show: the first of `preferred` that there is.
pub(super) fn title<'a>(record: &'a RecordView, preferred: &[&str]) -> Option<(&'a str, &'a str)> {
    let of = |language: &str| {
        let (key, value) = record.fields.get_key_value(&format!("title/{language}"))?;
        Some((key.strip_prefix("title/")?, value.as_str()?))
    };
    let known = preferred.iter().copied().chain(record.language.as_deref()).chain(["en", "fr"]);
    known.filter_map(of).next().or_else(|| {
        let titles =
            record.fields.iter().filter_map(|(key, value)| Some((key.strip_prefix("title/")?, value.as_str()?)));
        titles.into_iter().next()
    })
}

fn head(record: &RecordView) -> Head {
    let (language, title) =
        title(record, &[]).map_or((None, ""), |(language, title)| (Some(language.to_owned()), title));
    Head {
        id: record.id.to_string(),
        kind: record.kind.clone(),
        title: title.to_owned(),
        language,
        languages: record.languages.clone(),
        countries: countries(record),
        areas: record.members("areas"),
        marking: record.marking.clone(),
        contested: !record.conflicts.is_empty(),
    }
}

fn countries(record: &RecordView) -> Vec<String> {
    let own = record.fields.get("country").and_then(Value::as_str).map(str::to_owned);
    let all: BTreeSet<String> = record.members("countries").into_iter().chain(own).collect();
    all.into_iter().collect()
}

/// What a record leads to: ids of documents in its links and fields.
fn ties(record: &RecordView) -> Vec<(String, Tie)> {
    let mut ties = Vec::new();
    for (key, value) in &record.fields {
        let mut parts = key.split('/');
        let word = parts.next().unwrap_or_default();
        let Some(field) = field_of(key).filter(|_| !matches!(word, "attachments" | "source")) else { continue };
        let tie = match (word, parts.next()) {
            ("links", Some(id)) if key.ends_with("/target") => {
                let relation = record.fields.get(&format!("links/{id}/relation")).and_then(Value::as_str);
                Tie::Relation(relation.unwrap_or("see").to_owned())
            }
            _ => Tie::Field(word.to_owned()),
        };
        let told = match (field.kind, value) {
            (Kind::Member, Value::Bool(true)) => key.split('/').nth(1),
            (Kind::Scalar, Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        if let Some(target) = told.filter(|target| target.parse::<DocumentId>().is_ok()) {
            ties.push((target.to_owned(), tie));
        }
    }
    ties
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record(id: u8, values: &[(&str, &str)]) -> RecordView {
        let values = values.iter().map(|(key, value)| {
            let value = if *value == "true" { Value::Bool(true) } else { Value::from(*value) };
            ((*key).to_owned(), vec![value])
        });
        RecordView::new(DocumentId([id; 16]), vec![], values.collect())
    }

    #[test]
    fn links_and_fields_lead_both_ways() {
        let target = DocumentId([7; 16]).to_string();
        let mut catalogue = Catalogue::default();
        let supersedes = format!("supersedes/{target}");
        catalogue.add(&record(1, &[("title/fr", "É"), ("links/a/target", &target), ("links/a/relation", "addresses")]));
        catalogue.add(&record(2, &[("title/fr", "A"), (&supersedes, "true"), ("links/b/target", "https://h")]));
        catalogue.add(&record(7, &[("type", "concept"), ("notation", "mer"), ("links/c/target", &target)]));
        let leading: Vec<_> =
            catalogue.leading(&target).map(|(head, tie)| (head.title.as_str(), tie.clone())).collect();
        assert_eq!(leading, [("É", Tie::Relation("addresses".into())), ("A", Tie::Field("supersedes".into()))]);
        assert_eq!(catalogue.term("mer"), catalogue.record(&target));
        assert_eq!(catalogue.ranks(), [2, 1, 0]);
    }

    #[test]
    fn the_title_comes_with_its_language() {
        let record = record(1, &[("title/ar", "خ"), ("title/fr", "C"), ("language", "ar")]);
        assert_eq!(title(&record, &[]), Some(("ar", "خ")));
        assert_eq!(title(&record, &["es", "fr"]), Some(("fr", "C")));
    }
}
