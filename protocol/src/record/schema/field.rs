//! One row of the schema, and what it is made of. Which rows there are is said in the files beside this one.

use std::str::Split;

/// How concurrent values of a key are joined, and how it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scalar; concurrent values are shown as a conflict.
    Scalar,
    /// An EDTF date, a scalar kept as it was written.
    Date,
    /// A decimal number, a scalar string in its canonical form (`890.5`), kept as it was written.
    Decimal,
    /// A country code, ISO 3166-1 alpha-2, a scalar kept as it was written.
    Country,
    /// A currency code, ISO 4217, a scalar kept as it was written.
    Currency,
    /// Long prose: an Automerge Text, merged letter by letter.
    Text,
    /// `true` while the id in the key is a member of the set.
    Member,
    /// A marking: concurrent values become the most restrictive one.
    Marking,
    /// A place in an ordered list, see [`crate::record::position_between`].
    Position,
}

impl Kind {
    /// Whether the kind holds strings and nothing else, so that a number or a `true` typed for it is meant as written.
    pub fn holds_strings_alone(self) -> bool {
        match self {
            Kind::Date
            | Kind::Decimal
            | Kind::Country
            | Kind::Currency
            | Kind::Text
            | Kind::Marking
            | Kind::Position => true,
            Kind::Scalar | Kind::Member => false,
        }
    }
}

/// One segment of a key's pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This word.
    Word(&'static str),
    /// The tag of the language that the value is written in, in its canonical spelling.
    Language,
    /// The tag of a language that is spoken of, in its canonical spelling.
    Spoken,
    /// An id or a name from a vocabulary: anything without a slash.
    Id,
    /// A country code, ISO 3166-1 alpha-2.
    Country,
}

/// One row of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The pattern of the key, as the specification writes it: `title/<language>`.
    pub path: &'static str,
    /// What the key holds.
    pub kind: Kind,
    /// The values that are usual; others are kept with a warning. Empty: anything.
    pub usual: &'static [&'static str],
    /// The types the field is at home in; empty: all of them (the envelope).
    pub types: &'static [&'static str],
    /// What it says, in a few English words.
    pub meaning: &'static str,
}

impl Field {
    /// The pattern, segment by segment.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment> + use<> {
        parts(self.path).map(Segment::read)
    }

    /// Whether `key` is an instance of this row.
    pub fn matches(&self, key: &str) -> bool {
        let mut given = key.split('/');
        self.segments().all(|expected| given.next().is_some_and(|given| expected.accepts(given)))
            && given.next().is_none()
    }

    /// Whether keys of this row may begin with the whole segments of `path`.
    pub(super) fn matches_start(&self, path: &str) -> bool {
        path.split('/').zip(self.segments()).all(|(given, expected)| expected.accepts(given))
    }

    /// Whether the field belongs to records of the type `kind`.
    pub fn is_at_home_in(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }

    /// The same row with the values that are usual in it.
    pub(super) const fn usual(self, usual: &'static [&'static str]) -> Self {
        Self { usual, ..self }
    }
}

fn parts(path: &'static str) -> Split<'static, char> {
    path.split('/')
}

impl Segment {
    fn read(part: &'static str) -> Self {
        match part {
            "<language>" => Segment::Language,
            "<spoken>" => Segment::Spoken,
            "<id>" => Segment::Id,
            "<country>" => Segment::Country,
            word => Segment::Word(word),
        }
    }

    /// Shape only: a bad language tag still belongs to its row, so that it can be refused by name.
    fn accepts(self, given: &str) -> bool {
        match self {
            Segment::Word(word) => word == given,
            Segment::Language | Segment::Spoken | Segment::Id | Segment::Country => !given.is_empty(),
        }
    }
}

/// A row of the envelope.
pub(super) const fn envelope(path: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field { path, kind, usual: &[], types: &[], meaning }
}

/// A row at home in `types`.
pub(super) const fn own(
    types: &'static [&'static str],
    path: &'static str,
    kind: Kind,
    meaning: &'static str,
) -> Field {
    Field { path, kind, usual: &[], types, meaning }
}
