//! Which shape the schema gives to what stands under a path: a set, a map of languages, a list of things with fields.

use portolan_protocol::record::{FIELDS, Field, Kind, Segment, field_of, has_fields_below};

/// What an item of a list is that is written without the name of a property: the first of these that the schema knows there.
pub const MAIN_PROPERTIES: [&str; 6] = ["target", "text", "title", "name", "label", "value"];

/// Whether what stands in a list at `path` has an id each: `links`, `objectives`, `exact_match`, but not `tags`.
pub fn is_list_of_things(path: &str) -> bool {
    let any = format!("{path}/-");
    let is_thing = field_of(&any)
        .is_some_and(|field| field.kind != Kind::Member && field.segments().next_back() == Some(Segment::Id));
    is_thing || (has_fields_below(&any) && !is_language_or_country(path))
}

/// Whether the segment below `path` is a language or a country, so that a map or a list of such is meant.
fn is_language_or_country(path: &str) -> bool {
    let depth = path.split('/').count();
    FIELDS.iter().any(|field| {
        let below = field.segments().nth(depth);
        matches!(below, Some(Segment::Language | Segment::Country))
            && field.segments().zip(path.split('/')).all(|(segment, given)| match segment {
                Segment::Word(word) => word == given,
                _ => true,
            })
    })
}

/// Whether one of `keys` is a property of the item at `path`.
pub fn has_properties<'a>(path: &str, mut keys: impl Iterator<Item = &'a str>) -> bool {
    let is_known = |key: &str| {
        let key = format!("{path}/{key}");
        field_of(&key).is_some() || has_fields_below(&key)
    };
    keys.any(is_known)
}

/// The property that an item at `path` is, where it is written without one.
pub fn main_property(path: &str) -> Option<&'static str> {
    MAIN_PROPERTIES.into_iter().find(|name| {
        let key = format!("{path}/{name}");
        let is_language = |field: &Field| {
            field.segments().next_back() == Some(Segment::Language)
                && field.segments().count() == key.split('/').count()
        };
        field_of(&key).is_some_and(|field| !is_language(field)) || has_fields_below(&key)
    })
}

/// Whether the key is that of a member of a set.
pub fn is_member(key: &str) -> bool {
    field_of(key).is_some_and(|field| field.kind == Kind::Member && field.segments().count() > 1)
}

/// Whether the key ends in the language of its value.
pub fn is_translated(key: &str) -> bool {
    field_of(key).is_some_and(|field| field.segments().next_back() == Some(Segment::Language))
}
