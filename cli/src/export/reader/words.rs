//! The words of the reader in the languages that it speaks. They stand in `words.toml`, and nowhere else.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// A language that the reader speaks: its headings and labels, not what stands in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// `en`.
    English,
    /// `fr`.
    French,
    /// `ar`.
    Arabic,
}

/// A phrase in each language, by its name.
type Phrases = BTreeMap<String, [String; 3]>;

#[derive(Debug, Default, Deserialize)]
struct Table {
    interface: Phrases,
    languages: Phrases,
    types: Phrases,
    relations: Phrases,
    fields: Phrases,
}

/// What is built in and does not parse is found by the tests below.
static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("words.toml")).unwrap_or_default());

impl Interface {
    /// All of them.
    pub const ALL: [Interface; 3] = [Interface::English, Interface::French, Interface::Arabic];

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Interface::English => "en",
            Interface::French => "fr",
            Interface::Arabic => "ar",
        }
    }

    /// The language of a tag, whatever country or script it names as well.
    pub fn of(tag: &str) -> Option<Interface> {
        let primary = tag.split('-').next().unwrap_or_default();
        Interface::ALL.into_iter().find(|known| known.tag() == primary)
    }

    /// A phrase of the interface.
    pub(super) fn said(self, name: &str) -> &'static str {
        self.phrase(&TABLE.interface, name).unwrap_or_default()
    }

    /// A phrase with something put in.
    pub(super) fn said_of(self, name: &str, place: &str, value: &str) -> String {
        self.said(name).replace(&format!("{{{place}}}"), value)
    }

    /// What a type of record is called.
    pub(super) fn kind(self, kind: &str) -> String {
        self.or_itself(&TABLE.types, kind)
    }

    /// What a relation is called.
    pub(super) fn relation(self, relation: &str) -> String {
        self.or_itself(&TABLE.relations, relation)
    }

    /// What a word of a key is called.
    pub(super) fn field(self, word: &str) -> String {
        self.or_itself(&TABLE.fields, word)
    }

    /// What a language is called.
    pub(super) fn language(self, tag: &str) -> String {
        self.or_itself(&TABLE.languages, tag)
    }

    fn or_itself(self, phrases: &'static Phrases, name: &str) -> String {
        self.phrase(phrases, name).map_or_else(|| name.to_owned(), str::to_owned)
    }

    fn phrase(self, phrases: &'static Phrases, name: &str) -> Option<&'static str> {
        phrases.get(name).and_then(|phrase| phrase.get(self as usize)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::record::{FIELDS, RELATIONS, Segment, TYPES};

    use super::*;

    #[test]
    fn every_word_of_the_schema_has_a_label_in_each_language() {
        let table: Table = toml::from_str(include_str!("words.toml")).unwrap();
        for field in &FIELDS {
            for segment in field.segments() {
                let Segment::Word(word) = segment else { continue };
                let is_told =
                    table.fields.contains_key(word) || matches!(word, "deleted" | "key" | "H0" | "H1" | "H2" | "H3");
                assert!(is_told, "{word} of {}", field.path);
            }
        }
        assert!(TYPES.iter().all(|kind| table.types.contains_key(*kind)));
        assert!(RELATIONS.iter().all(|relation| table.relations.contains_key(relation.name)));
        for phrases in [&table.interface, &table.languages, &table.types, &table.relations, &table.fields] {
            assert!(phrases.values().flatten().all(|phrase| !phrase.is_empty()));
        }
    }

    #[test]
    fn every_phrase_that_is_said_is_there_and_every_one_that_is_there_is_said() {
        let sources = [
            include_str!("frame.rs"),
            include_str!("fields.rs"),
            include_str!("files.rs"),
            include_str!("list_pages.rs"),
            include_str!("markdown.rs"),
            include_str!("record_page.rs"),
        ];
        let mut said: Vec<&str> = Vec::new();
        for source in sources {
            said.extend(source.split(".said(\"").skip(1).filter_map(|rest| rest.split('"').next()));
            said.extend(source.split(".said_of(\"").skip(1).filter_map(|rest| rest.split('"').next()));
        }
        for name in &said {
            assert!(TABLE.interface.contains_key(*name), "{name}");
        }
        for name in TABLE.interface.keys() {
            assert!(said.contains(&name.as_str()), "nobody says {name}");
        }
    }

    #[test]
    fn the_language_of_a_tag() {
        assert_eq!(Interface::of("fr-CA"), Some(Interface::French));
        assert_eq!((Interface::of("frx"), Interface::of("")), (None, None));
        assert_eq!(Interface::French.said_of("found", "n", "3"), "Trouvées : 3");
        assert_eq!(Interface::Arabic.kind("weather"), "weather");
    }
}
