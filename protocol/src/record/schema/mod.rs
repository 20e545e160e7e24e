//! The schema of records as one table: which flat key holds what (`docs/spec/records.md`).
//!
//! A key means the same in every type; `types` says where it is at home. Where types differ in what is usual under a key
//! there is a row for each, of one kind. Later versions add rows, never containers, and never change the kind of a row.
//! Keys that match no row are kept and passed on. The rows stand in the files below, one subject each.

mod field;
mod relation;
mod types;

mod activity;
mod analysis;
mod envelope;
mod exchange;
mod knowledge;
mod party;
mod programme;
mod shared;
mod vocabulary;

use std::{collections::BTreeMap, sync::LazyLock};

pub use field::{Field, Kind, Segment};
pub use relation::{RELATIONS, Relation, inverse_relation};
pub use types::{RECORD_TYPES, RecordType, TYPES};

use super::canonical_language;

/// The version of this table, stored under `schema`.
pub const SCHEMA_VERSION: i64 = 1;

/// The parts of the table. Where patterns overlap the first row holds.
const PARTS: [&[Field]; 9] = [
    envelope::FIELDS,
    shared::FIELDS,
    knowledge::FIELDS,
    analysis::FIELDS,
    activity::FIELDS,
    party::FIELDS,
    programme::FIELDS,
    exchange::FIELDS,
    vocabulary::FIELDS,
];

const ROWS: usize = {
    let (mut rows, mut part) = (0, 0);
    while part < PARTS.len() {
        rows += PARTS[part].len();
        part += 1;
    }
    rows
};

/// The table.
pub static FIELDS: [Field; ROWS] = {
    let mut fields = [PARTS[0][0]; ROWS];
    let (mut row, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut index = 0;
        while index < PARTS[part].len() {
            fields[row] = PARTS[part][index];
            row += 1;
            index += 1;
        }
        part += 1;
    }
    fields
};

/// The rows by the first segment of their pattern, which is always a word.
static BY_WORD: LazyLock<BTreeMap<&'static str, Vec<&'static Field>>> = LazyLock::new(|| {
    let mut by_word: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for field in &FIELDS {
        by_word.entry(first_word(field.path)).or_default().push(field);
    }
    by_word
});

fn first_word(key: &str) -> &str {
    key.split('/').next().unwrap_or_default()
}

/// The row that `key` belongs to. Where types have rows of their own for it, the first; their kind is the same.
pub fn field_of(key: &str) -> Option<&'static Field> {
    rows(key).next()
}

/// The row that `key` belongs to in a record of the type `kind`; one of another type where this one has none.
pub fn field_in(kind: &str, key: &str) -> Option<&'static Field> {
    rows(key).find(|field| field.is_at_home_in(kind)).or_else(|| field_of(key))
}

/// The values that are usual under `key` in a record of the type `kind`, or of any where it is not known.
///
/// `None` where every value is.
pub fn usual_values(kind: Option<&str>, key: &str) -> Option<Vec<&'static str>> {
    let mut values = Vec::new();
    let of_the_type: Vec<&Field> =
        rows(key).filter(|field| kind.is_none_or(|kind| field.is_at_home_in(kind))).collect();
    for field in of_the_type {
        if field.usual.is_empty() {
            return None;
        }
        values.extend(field.usual);
    }
    (!values.is_empty()).then_some(values)
}

/// The own fields of a type, in the order of the table.
pub fn own_fields(kind: &str) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.types.contains(&kind))
}

/// The fields that all types share.
pub fn envelope_fields() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| field.types.is_empty())
}

/// Whether some key that the schema knows begins with `path` and a slash.
pub fn has_fields_below(path: &str) -> bool {
    let depth = path.split('/').count();
    let candidates = BY_WORD.get(first_word(path)).into_iter().flatten();
    candidates.into_iter().any(|field| field.segments().count() > depth && field.matches_start(path))
}

fn rows(key: &str) -> impl Iterator<Item = &'static Field> {
    let candidates = BY_WORD.get(first_word(key)).map(Vec::as_slice).unwrap_or_default();
    let overlapping = candidates.iter().copied().filter(move |field| field.matches(key));
    // Of patterns that overlap the first holds: `countries/IT/host` is not also a relation that nobody knows.
    let mut first = None;
    overlapping.filter(move |field| *first.get_or_insert(field.path) == field.path)
}

/// The language tag in `key`, where its row has one and it is canonical.
pub fn language_of(key: &str) -> Option<&str> {
    let field = field_of(key)?;
    let (_, tag) = field.segments().zip(key.split('/')).find(|(segment, _)| *segment == Segment::Language)?;
    (canonical_language(tag).as_deref() == Some(tag)).then_some(tag)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;

    #[test]
    fn a_key_finds_its_row() {
        let kind = |key: &str| field_of(key).map(|field| field.kind);
        assert_eq!(kind("title/fr"), Some(Kind::Scalar));
        assert_eq!(kind("body/ar"), Some(Kind::Text));
        assert_eq!(kind("countries/IT/host"), Some(Kind::Member));
        assert_eq!(kind("objectives/a1/position"), Some(Kind::Position));
        for unknown in ["", "title", "title/", "title/fr/x", "tags/a/b", "colour"] {
            assert_eq!(kind(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_language_of_a_key() {
        assert_eq!(language_of("objectives/x/text/pt-BR"), Some("pt-BR"));
        assert_eq!(language_of("tags/fr"), None);
        assert_eq!(language_of("title/FR"), None);
    }

    #[test]
    fn the_specification_says_what_the_table_says() {
        let specification = include_str!("../../../../docs/spec/records.md");
        let own = TYPES.iter().map(|kind| (format!("Own fields of `{kind}`"), own_fields(kind).collect::<Vec<_>>()));
        let envelope = ("Fields of every type".to_owned(), envelope_fields().collect());
        for (heading, fields) in std::iter::once(envelope).chain(own).filter(|(_, fields)| !fields.is_empty()) {
            let rows: String = fields.iter().map(|field| specified(field)).collect();
            let section = format!("{heading}:\n\n| key | kind | holds |\n| --- | --- | --- |\n{rows}\n");
            assert!(specification.contains(&section), "docs/spec/records.md lacks\n{section}");
        }
        for RecordType { name, meaning } in RECORD_TYPES {
            assert!(specification.contains(&format!("| `{name}` | {meaning} |\n")), "{name}");
        }
        for Relation { name, inverse } in RELATIONS {
            let either = [(name, inverse), (inverse, name)].map(|(a, b)| format!("| `{a}` | `{b}` |\n"));
            assert!(either.iter().any(|row| specification.contains(row)), "{name}");
        }
    }

    fn specified(field: &Field) -> String {
        let usual: Vec<_> = field.usual.iter().map(|value| format!("`{value}`")).collect();
        let usual = match field.path {
            // They have tables of their own.
            "type" | "links/<id>/relation" => String::new(),
            _ if usual.is_empty() => String::new(),
            _ => format!(": {}", usual.join(", ")),
        };
        format!("| `{}` | {:?} | {}{usual} |\n", field.path, field.kind, field.meaning)
    }

    #[test]
    fn no_row_is_a_container_of_another() {
        // A key that is also the beginning of another would need a container in any other notation of the record.
        let meet = |(one, other): (Segment, Segment)| match (one, other) {
            (Segment::Word(one), Segment::Word(other)) => one == other,
            _ => true,
        };
        for field in &FIELDS {
            for other in &FIELDS {
                let shorter = field.segments().count() < other.segments().count();
                let inside = shorter && field.segments().zip(other.segments()).all(meet);
                assert!(!inside, "{} and {}", field.path, other.path);
            }
        }
    }

    #[test]
    fn rows_of_one_pattern_are_of_one_kind_and_of_different_types() {
        for (index, field) in FIELDS.iter().enumerate() {
            assert!(matches!(field.segments().next(), Some(Segment::Word(_))), "{}", field.path);
            assert!(field.types.iter().all(|kind| TYPES.contains(kind)), "{}", field.path);
            assert!(!field.meaning.is_empty() && !field.meaning.contains('|'), "{}", field.path);
            for other in FIELDS.iter().skip(index + 1).filter(|other| other.path == field.path) {
                assert_eq!(field.kind, other.kind, "{}", field.path);
                let apart = !field.types.is_empty() && !field.types.iter().any(|kind| other.types.contains(kind));
                assert!(apart && !other.types.is_empty(), "{} stands twice", field.path);
            }
        }
    }

    #[test]
    fn every_list_has_positions_and_something_to_put_in_order() {
        for field in FIELDS.iter().filter(|field| field.kind == Kind::Position) {
            let items = field.path.strip_suffix("position").expect("a position stands last");
            assert!(FIELDS.iter().any(|other| other.path != field.path && other.path.starts_with(items)), "{items}");
        }
    }

    #[test]
    fn what_is_usual_depends_on_the_type() {
        let usual = |kind: &str| usual_values(Some(kind), "severity").unwrap_or_default();
        assert!(usual("capacity_gap").contains(&"critical") && !usual("alert").contains(&"critical"));
        assert!(usual_values(None, "severity").unwrap_or_default().contains(&"critical"));
        assert_eq!(usual_values(Some("training_material"), "kind"), None);
        assert_eq!(usual_values(Some("page"), "title/fr"), None);
        assert_eq!(field_in("alert", "severity").map(|field| field.types), Some(&["alert"][..]));
        assert_eq!(field_of("countries/IT/host").map(|field| field.path), Some("countries/<country>/host"));
    }

    #[test]
    fn what_stands_above_fields() {
        for above in ["title", "links", "links/a", "objectives/x/text", "countries/IT", "retention"] {
            assert!(has_fields_below(above), "{above}");
        }
        for nothing in ["", "status", "title/fr", "links/a/target", "retention/class", "colour"] {
            assert!(!has_fields_below(nothing), "{nothing}");
        }
    }
}
