//! Front matter as the flat fields of a record: every nesting becomes a path, every set a key per member.
//!
//! The schema decides what a key holds; this file knows only the shapes in which people write it (`docs/guide/import.md`).

use std::collections::BTreeMap;

use portolan_protocol::{
    record::{Kind, Segment, Value, field_of, position_between},
    record_id::imported_item,
};

use super::{
    text::{clean_body, clean_line},
    yaml::Yaml,
};

/// Keys that other programs write, and ours for them.
const ALIASES: [(&str, &str); 3] = [("lang", "language"), ("description", "summary"), ("keywords", "tags")];

/// Keys that never become fields: names and times come from signatures.
const LEFT_OUT: [&str; 2] = ["author", "authors"];

/// Flat fields on the way into a draft.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Flat key to value.
    pub values: BTreeMap<String, Value>,
    /// Characters dropped that would have deceived a reader.
    pub dropped: usize,
}

/// The scalar under a top-level key, before anything is flattened.
pub fn scalar<'a>(entries: &'a [(String, Yaml)], wanted: &str) -> Option<&'a str> {
    entries.iter().find_map(|(key, value)| match value {
        Yaml::Scalar(Value::Text(text)) if ours(key) == wanted => Some(text.as_str()),
        _ => None,
    })
}

/// Flattens front matter; texts without a language of their own are in `language`.
pub fn flatten(entries: Vec<(String, Yaml)>, language: &str) -> Fields {
    let mut fields = Fields::default();
    for (key, value) in entries {
        let key = ours(&key);
        if !LEFT_OUT.contains(&key) && !matches!(key, "type" | "language") {
            fields.add(&segment(key), value, language);
        }
    }
    fields
}

impl Fields {
    /// Sets `key`, cleaned as its kind asks.
    pub fn set(&mut self, key: String, value: Value) {
        let Value::Text(text) = value else {
            self.values.insert(key, value);
            return;
        };
        let long = field_of(&key).is_some_and(|field| field.kind == Kind::Text);
        let (clean, dropped) = if long { clean_body(text.trim()) } else { clean_line(&text) };
        self.dropped += dropped;
        if !clean.is_empty() {
            self.values.insert(key, clean.into());
        }
    }

    fn add(&mut self, path: &str, value: Yaml, language: &str) {
        match value {
            Yaml::Scalar(Value::Null) => {}
            Yaml::Scalar(value) => self.add_scalar(path, value, language),
            Yaml::Map(entries) => {
                for (key, value) in entries {
                    self.add(&format!("{path}/{}", segment(&key)), value, language);
                }
            }
            Yaml::List(items) => self.add_list(path, items, language),
        }
    }

    fn add_scalar(&mut self, path: &str, value: Value, language: &str) {
        let member = format!("{path}/{}", segment(&value.to_string()));
        let translated = format!("{path}/{language}");
        let covered = format!("{path}/{value}/covered");
        if field_of(path).is_some() {
            self.set(path.to_owned(), value);
        } else if path == "countries" {
            self.values.insert(covered, true.into());
        } else if is_member(&member) {
            self.values.insert(member, true.into());
        } else if is_translated(&translated) {
            self.set(translated, value);
        } else {
            self.set(path.to_owned(), value);
        }
    }

    fn add_list(&mut self, path: &str, items: Vec<Yaml>, language: &str) {
        let mut position = None;
        for item in items {
            match path {
                "objectives" => position = Some(self.add_objective(item, position.as_deref(), language)),
                "links" => self.add_link(item, language),
                _ => self.add(path, item, language),
            }
        }
    }

    fn add_objective(&mut self, item: Yaml, before: Option<&str>, language: &str) -> String {
        let path = format!("objectives/{}", imported_item(&content(&item)));
        let position = position_between(before, None);
        self.add(&format!("{path}/text"), item, language);
        self.set(format!("{path}/position"), position.clone().into());
        position
    }

    fn add_link(&mut self, item: Yaml, language: &str) {
        let target = match &item {
            Yaml::Map(entries) => scalar(entries, "target").unwrap_or_default().to_owned(),
            _ => content(&item),
        };
        let path = format!("links/{}", imported_item(&target));
        match item {
            Yaml::Scalar(target) => {
                self.set(format!("{path}/target"), target);
                self.set(format!("{path}/relation"), "see".into());
            }
            other => self.add(&path, other, language),
        }
    }
}

fn ours(key: &str) -> &str {
    ALIASES.into_iter().find(|(theirs, _)| *theirs == key).map_or(key, |(_, ours)| ours)
}

/// One part of a flat key: a `/` in it would make two.
fn segment(text: &str) -> String {
    clean_line(text).0.replace('/', "-")
}

fn is_member(key: &str) -> bool {
    field_of(key).is_some_and(|field| field.kind == Kind::Member && field.pattern.len() > 1)
}

fn is_translated(key: &str) -> bool {
    field_of(key).is_some_and(|field| field.pattern.last() == Some(&Segment::Language))
}

fn content(item: &Yaml) -> String {
    match item {
        Yaml::Scalar(value) => value.to_string(),
        Yaml::List(items) => items.iter().map(content).collect::<Vec<_>>().join("\n"),
        Yaml::Map(entries) => {
            entries.iter().map(|(key, value)| format!("{key}: {}", content(value))).collect::<Vec<_>>().join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::yaml::parse, *};

    fn keys(yaml: &str) -> Vec<(String, String)> {
        let fields = flatten(parse(yaml).unwrap(), "fr");
        fields.values.into_iter().map(|(key, value)| (key, value.to_string())).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    #[test]
    fn texts_take_the_language_of_the_file_or_their_own() {
        assert_eq!(
            keys("title: Carte\nsummary: {ar: خريطة, fr: carte}\nstatus: draft\nreview_due: 2027-02"),
            pairs(&[
                ("review_due", "2027-02"),
                ("status", "draft"),
                ("summary/ar", "خريطة"),
                ("summary/fr", "carte"),
                ("title/fr", "Carte"),
            ])
        );
    }

    #[test]
    fn sets_become_a_key_per_member() {
        assert_eq!(
            keys("tags: [a/b, c]\nareas: x\ncountries: {IT: [host, origin], NO: covered}\nprogrammes: [p]"),
            pairs(&[
                ("areas/x", "true"),
                ("countries/IT/host", "true"),
                ("countries/IT/origin", "true"),
                ("countries/NO/covered", "true"),
                ("programmes/p", "true"),
                ("tags/a-b", "true"),
                ("tags/c", "true"),
            ])
        );
        assert_eq!(
            keys("countries: [FR, NO]"),
            pairs(&[("countries/FR/covered", "true"), ("countries/NO/covered", "true")])
        );
    }

    #[test]
    fn objectives_keep_their_order() {
        let fields = flatten(parse("objectives: [lire, {fr: écrire, en: write}]").unwrap(), "fr");
        let position = |text: &str| {
            let (key, _) = fields.values.iter().find(|(_, value)| value.as_str() == Some(text)).unwrap();
            let id = key.split('/').nth(1).unwrap();
            fields.values.get(&format!("objectives/{id}/position")).unwrap().clone()
        };
        assert!(position("lire") < position("écrire"));
        assert_eq!(position("écrire"), position("write"));
    }

    #[test]
    fn links_and_what_nobody_knows() {
        let found = keys("links: [https://example.org/a, {relation: supersedes, target: x}]\nlayout: post\nauthor: Me");
        let values: Vec<_> = found.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(found.iter().filter(|(key, _)| key.ends_with("/target")).count(), 2);
        assert!(values.contains(&"supersedes") && values.contains(&"see"));
        assert!(found.contains(&("layout".into(), "post".into())));
        assert!(!values.contains(&"Me"));
    }
}
