//! The schema of records as one table: which flat key holds what (`docs/spec/records.md`).
//!
//! A key means the same in every type; `types` says where it is at home. Later versions add rows, never containers, and
//! never change the kind of a row. Keys that match no row are kept and passed on.

use super::canonical_language;

/// The version of this table, stored under `schema`.
pub const SCHEMA_VERSION: i64 = 1;

/// The types of record that this release knows.
pub const TYPES: [&str; 3] = ["page", "experience", "training_material"];

/// How concurrent values of a key are joined, and how it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scalar; concurrent values are shown as a conflict.
    Scalar,
    /// An EDTF date, a scalar kept as it was written.
    Date,
    /// Long prose: an Automerge Text, merged letter by letter.
    Text,
    /// `true` while the id in the key is a member of the set.
    Member,
    /// A marking: concurrent values become the most restrictive one.
    Marking,
    /// A place in an ordered list, see [`super::position_between`].
    Position,
}

/// One segment of a key pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This word.
    Word(&'static str),
    /// A language tag in its canonical spelling.
    Language,
    /// An id or a name from a vocabulary: anything without a slash.
    Id,
    /// A country code, ISO 3166-1 alpha-2.
    Country,
}

/// One row of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key, segment by segment; `/` stands between them.
    pub pattern: &'static [Segment],
    /// What the key holds.
    pub kind: Kind,
    /// The values that are usual; others are kept with a warning. Empty: anything.
    pub usual: &'static [&'static str],
    /// The types the field is at home in; empty: all of them (the envelope).
    pub types: &'static [&'static str],
}

impl Field {
    /// Whether `key` is an instance of this row.
    pub fn matches(&self, key: &str) -> bool {
        let mut segments = key.split('/');
        self.pattern.iter().all(|expected| segments.next().is_some_and(|given| expected.accepts(given)))
            && segments.next().is_none()
    }

    /// The pattern as it is written in the specification: `title/<language>`.
    pub fn path(&self) -> String {
        let name = |segment: &Segment| match segment {
            Word(word) => *word,
            Language => "<language>",
            Id => "<id>",
            Country => "<country>",
        };
        self.pattern.iter().map(name).collect::<Vec<_>>().join("/")
    }
}

impl Segment {
    /// Shape only: a bad language tag still belongs to its row, so that it can be refused by name.
    fn accepts(self, given: &str) -> bool {
        match self {
            Word(word) => word == given,
            Language | Id | Country => !given.is_empty(),
        }
    }
}

/// The row that `key` belongs to.
pub fn field_of(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.matches(key))
}

/// The language tag in `key`, where its row has one and it is canonical.
pub fn language_of(key: &str) -> Option<&str> {
    let field = field_of(key)?;
    let (_, tag) = field.pattern.iter().zip(key.split('/')).find(|(segment, _)| **segment == Language)?;
    (canonical_language(tag).as_deref() == Some(tag)).then_some(tag)
}

use Segment::{Country, Id, Language, Word};

const fn envelope(pattern: &'static [Segment], kind: Kind) -> Field {
    Field { pattern, kind, usual: &[], types: &[] }
}

const fn usual(pattern: &'static [Segment], kind: Kind, usual: &'static [&'static str]) -> Field {
    Field { pattern, kind, usual, types: &[] }
}

const fn own(types: &'static [&'static str], pattern: &'static [Segment], kind: Kind) -> Field {
    Field { pattern, kind, usual: &[], types }
}

const EXPERIENCE: &[&str] = &["experience"];
const TRAINING: &[&str] = &["training_material"];

/// The table. Where patterns overlap the first row holds.
pub const FIELDS: &[Field] = &[
    usual(&[Word("type")], Kind::Scalar, &TYPES),
    envelope(&[Word("schema")], Kind::Scalar),
    envelope(&[Word("language")], Kind::Scalar),
    envelope(&[Word("title"), Language], Kind::Scalar),
    envelope(&[Word("summary"), Language], Kind::Text),
    envelope(&[Word("body"), Language], Kind::Text),
    envelope(&[Word("translations"), Language, Word("from")], Kind::Scalar),
    usual(&[Word("translations"), Language, Word("state")], Kind::Scalar, &["machine", "draft", "reviewed"]),
    envelope(&[Word("areas"), Id], Kind::Member),
    envelope(&[Word("tags"), Id], Kind::Member),
    envelope(&[Word("countries"), Country, Word("origin")], Kind::Member),
    envelope(&[Word("countries"), Country, Word("beneficiary")], Kind::Member),
    envelope(&[Word("countries"), Country, Word("covered")], Kind::Member),
    envelope(&[Word("countries"), Country, Word("host")], Kind::Member),
    envelope(&[Word("countries"), Country, Id], Kind::Member),
    envelope(&[Word("programmes"), Id], Kind::Member),
    envelope(&[Word("originator")], Kind::Scalar),
    usual(&[Word("marking")], Kind::Marking, &["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]),
    envelope(&[Word("caveats"), Id], Kind::Member),
    usual(&[Word("status")], Kind::Scalar, &["draft", "review", "published", "archived"]),
    envelope(&[Word("review_due")], Kind::Date),
    envelope(&[Word("retention"), Word("class")], Kind::Scalar),
    envelope(&[Word("retention"), Word("basis")], Kind::Scalar),
    envelope(&[Word("retention"), Word("erase_after")], Kind::Date),
    envelope(&[Word("retention"), Word("legal_hold")], Kind::Scalar),
    envelope(&[Word("links"), Id, Word("relation")], Kind::Scalar),
    envelope(&[Word("links"), Id, Word("target")], Kind::Scalar),
    envelope(&[Word("attachments"), Id, Word("name"), Language], Kind::Scalar),
    envelope(&[Word("attachments"), Id, Word("alternative_text"), Language], Kind::Scalar),
    envelope(&[Word("attachments"), Id, Word("media_type")], Kind::Scalar),
    envelope(&[Word("attachments"), Id, Word("size")], Kind::Scalar),
    envelope(&[Word("attachments"), Id, Word("licence")], Kind::Scalar),
    envelope(&[Word("attachments"), Id, Word("key")], Kind::Scalar),
    envelope(&[Word("source"), Id], Kind::Scalar),
    envelope(&[Word("deleted")], Kind::Member),
    own(EXPERIENCE, &[Word("context"), Language], Kind::Text),
    own(EXPERIENCE, &[Word("events"), Language], Kind::Text),
    own(EXPERIENCE, &[Word("lesson"), Language], Kind::Text),
    own(EXPERIENCE, &[Word("recommendation"), Language], Kind::Text),
    own(EXPERIENCE, &[Word("occurred")], Kind::Date),
    Field {
        pattern: &[Word("outcome")],
        kind: Kind::Scalar,
        usual: &["success", "failure", "near-miss"],
        types: EXPERIENCE,
    },
    own(TRAINING, &[Word("kind")], Kind::Scalar),
    own(TRAINING, &[Word("duration")], Kind::Scalar),
    own(TRAINING, &[Word("level")], Kind::Scalar),
    own(TRAINING, &[Word("audience"), Language], Kind::Scalar),
    own(TRAINING, &[Word("objectives"), Id, Word("text"), Language], Kind::Scalar),
    own(TRAINING, &[Word("objectives"), Id, Word("position")], Kind::Position),
    own(TRAINING, &[Word("delivery")], Kind::Scalar),
    own(TRAINING, &[Word("licence")], Kind::Scalar),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_row() {
        let kind = |key: &str| field_of(key).map(|field| field.kind);
        assert_eq!(kind("title/fr"), Some(Kind::Scalar));
        assert_eq!(kind("body/ar"), Some(Kind::Text));
        assert_eq!(kind("countries/IT/host"), Some(Kind::Member));
        assert_eq!(kind("objectives/a1/position"), Some(Kind::Position));
        for unknown in ["", "title", "title/", "title/fr/x", "tags/a/b", "severity"] {
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
    fn the_specification_lists_every_row() {
        let specification = include_str!("../../../docs/spec/records.md");
        for field in FIELDS {
            let row = format!("| `{}` | {:?} |", field.path(), field.kind);
            assert!(specification.contains(&row), "docs/spec/records.md lacks {row}");
        }
    }

    #[test]
    fn no_row_is_a_container_of_another() {
        // A key that is also the beginning of another would need a container in any other notation of the record.
        for field in FIELDS {
            for other in FIELDS {
                let shorter = field.pattern.len() < other.pattern.len();
                assert!(
                    !(shorter && other.pattern.starts_with(field.pattern)),
                    "{} and {}",
                    field.path(),
                    other.path()
                );
            }
        }
    }
}
