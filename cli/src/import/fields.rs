//! Front matter as the flat fields of a record: every nesting becomes a path, every set a key per member, every list of
//! things an id and a place for each.
//!
//! The schema decides what a key holds; this file knows only the shapes in which people write it (`docs/guide/import.md`).

use std::collections::BTreeMap;

use portolan_protocol::{
    record::{Kind, Segment, Value, field_of, has_fields_below, is_decimal, position_between},
    record_id::imported_item,
};

use super::{
    shape::{MAIN_PROPERTIES, has_properties, is_list_of_things, is_member, is_translated, main_property},
    text::{clean_body, clean_line},
    yaml::Yaml,
};

/// Keys that other programs write, and ours for them.
const ALIASES: [(&str, &str); 3] = [("lang", "language"), ("description", "summary"), ("keywords", "tags")];

/// Keys that never become fields: names and times come from signatures.
const LEFT_OUT: [&str; 2] = ["author", "authors"];

/// The key under which flat keys stand as they are.
pub const LITERAL: &str = "fields";

/// The key by which an item of a list gives its own id.
pub const ITEM_ID: &str = "id";

/// Digits that a number with a fraction keeps on its way through floating point.
pub const FLOAT_DIGITS_MAX: usize = 15;

/// How texts are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Texts {
    /// Cleaned, as what a stranger wrote.
    #[default]
    Cleaned,
    /// Letter by letter, as a record that was written out; what deceives is looked for afterwards.
    AsTheyAre,
}

/// Flat fields on the way into a draft.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Flat key to value.
    pub values: BTreeMap<String, Value>,
    /// Characters dropped that would have deceived a reader.
    pub dropped: usize,
    /// What cannot be a value, in words.
    pub faults: Vec<String>,
    /// How texts are taken.
    texts: Texts,
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
    flatten_as(entries, language, Texts::Cleaned)
}

/// Like [`flatten`], the texts taken as `texts` says.
pub fn flatten_as(entries: Vec<(String, Yaml)>, language: &str, texts: Texts) -> Fields {
    let mut fields = Fields { texts, ..Fields::default() };
    for (key, value) in entries {
        match value {
            Yaml::Map(entries) if key == LITERAL => {
                for (key, value) in entries {
                    fields.add_literal(key, value);
                }
            }
            value => fields.add_top(&key, value, language),
        }
    }
    fields
}

impl Fields {
    /// Sets `key`, cleaned as its kind asks.
    pub fn set(&mut self, key: String, value: Value) {
        let field = field_of(&key);
        let strings = field.is_some_and(|field| {
            field.kind.holds_strings_alone() || field.segments().next_back() == Some(Segment::Language)
        });
        let text = match value {
            Value::Text(text) => text,
            Value::Other { value, .. } => return self.set_fraction(key, value),
            value if strings => value.to_string(),
            value => {
                self.values.insert(key, value);
                return;
            }
        };
        let (clean, dropped) = match self.texts {
            Texts::Cleaned => cleaned(&key, &text),
            Texts::AsTheyAre => (text, 0),
        };
        self.dropped += dropped;
        if !clean.is_empty() {
            self.values.insert(key, clean.into());
        }
    }

    /// A number with a fraction is what was written only in a field for decimals.
    fn set_fraction(&mut self, key: String, number: String) {
        let is_exact = number.bytes().filter(u8::is_ascii_digit).count() <= FLOAT_DIGITS_MAX && is_decimal(&number);
        if is_exact && field_of(&key).is_some_and(|field| field.kind == Kind::Decimal) {
            self.values.insert(key, number.into());
        } else {
            self.faults.push(format!("`{key}`: {number} is a number with a fraction; put it in quotes"));
        }
    }

    fn add_literal(&mut self, key: String, value: Yaml) {
        match value {
            Yaml::Scalar(Value::Null) => {}
            Yaml::Scalar(value) => self.set(key, value),
            Yaml::List(_) | Yaml::Map(_) => {
                self.faults.push(format!("`{LITERAL}` holds flat keys and their values, and `{key}` is none"));
            }
        }
    }

    fn add_top(&mut self, key: &str, value: Yaml, language: &str) {
        let key = ours(key);
        if LEFT_OUT.contains(&key) || matches!(key, "type" | "language") {
            return;
        }
        // A flat key is taken as such where the schema knows it.
        let flat = key.contains('/') && (field_of(key).is_some() || has_fields_below(key));
        let path = if flat { key.to_owned() } else { segment(key) };
        self.add(&path, value, language);
    }

    fn add(&mut self, path: &str, value: Yaml, language: &str) {
        match value {
            Yaml::Scalar(Value::Null) => {}
            Yaml::Scalar(value) => self.add_scalar(path, value, language),
            Yaml::Map(entries) => self.add_map(path, entries, language),
            Yaml::List(items) if is_list_of_things(path) => self.add_things(path, items, language),
            Yaml::List(items) => items.into_iter().for_each(|item| self.add(path, item, language)),
        }
    }

    fn add_map(&mut self, path: &str, entries: Vec<(String, Yaml)>, language: &str) {
        for (key, value) in entries {
            self.add(&format!("{path}/{}", segment(&key)), value, language);
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

    /// A list whose items have an id each, and a place where the schema has one.
    fn add_things(&mut self, path: &str, items: Vec<Yaml>, language: &str) {
        let mut before: Option<String> = None;
        for item in items {
            let path = format!("{path}/{}", self.item_id(path, &item));
            self.add_thing(&path, item, language);
            let position = format!("{path}/position");
            if field_of(&position).is_some_and(|field| field.kind == Kind::Position) {
                let own = self.values.get(&position).and_then(Value::as_str).map(str::to_owned);
                let place = own.unwrap_or_else(|| position_between(before.as_deref(), None));
                self.set(position, place.clone().into());
                before = Some(place);
            }
        }
    }

    fn add_thing(&mut self, path: &str, item: Yaml, language: &str) {
        match item {
            Yaml::Map(entries) if names_properties(path, &entries) => {
                let entries = entries.into_iter().filter(|(key, _)| key != ITEM_ID).collect();
                self.add_map(path, entries, language);
            }
            item => {
                // A bare link says "see".
                let relation = format!("{path}/relation");
                if matches!(item, Yaml::Scalar(_)) && field_of(&relation).is_some() && path.starts_with("links/") {
                    self.set(relation, "see".into());
                }
                let property = main_property(path).map_or_else(|| path.to_owned(), |name| format!("{path}/{name}"));
                self.add(&property, item, language);
            }
        }
    }

    /// The id of an item: its own, or drawn from what it is, so that importing it again meets it.
    fn item_id(&self, path: &str, item: &Yaml) -> String {
        if let Yaml::Map(entries) = item {
            if let Some(id) = scalar(entries, ITEM_ID).map(segment).filter(|id| !id.is_empty()) {
                return id;
            }
            let main = MAIN_PROPERTIES.into_iter().find_map(|name| entries.iter().find(|(key, _)| key == name));
            if let Some((_, main)) = main {
                let id = imported_item(&content(main));
                let below = format!("{path}/{id}/");
                let is_taken =
                    self.values.range(below.clone()..).next().is_some_and(|(key, _)| key.starts_with(&below));
                if !is_taken {
                    return id;
                }
            }
        }
        imported_item(&content(item))
    }
}

/// Whether an item names properties of its own, rather than languages of its main one.
fn names_properties(path: &str, entries: &[(String, Yaml)]) -> bool {
    entries.iter().any(|(key, _)| key == ITEM_ID) || has_properties(path, entries.iter().map(|(key, _)| key.as_str()))
}

/// What is kept of a text under `key`, and how many characters went that would deceive a reader.
pub fn cleaned(key: &str, text: &str) -> (String, usize) {
    let is_long = field_of(key).is_some_and(|field| field.kind == Kind::Text);
    if is_long { clean_body(text.trim()) } else { clean_line(text) }
}

fn ours(key: &str) -> &str {
    ALIASES.into_iter().find(|(theirs, _)| *theirs == key).map_or(key, |(_, ours)| ours)
}

/// One part of a flat key: a `/` in it would make two.
fn segment(text: &str) -> String {
    clean_line(text).0.replace('/', "-")
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
    fn lists_of_things_get_ids_and_places() {
        let fields = flatten(
            parse(
                "steps: [lire, {text: {ar: اكتب}}]\nparticipants:\n- {name: Police, country: TN, number: 3}\n\
                 - {name: Police, country: IT}\n- Amina\nbudget: [{amount: 890.5, currency: EUR, donor: eu}, {amount: 1000000}]\n\
                 exact_match: ['https://example.org/x']\nalternative: [{fr: piratage, en: hacking}, {id: b, fr: b}]\n\
                 components: [{title: Un, contributors: [a, b]}]\nreview_due: 2027\nspeaks: [ar, fr]\nadopted: {by: [x]}",
            )
            .unwrap(),
            "fr",
        );
        assert_eq!(fields.faults, Vec::<String>::new());
        let found: Vec<(String, String)> =
            fields.values.iter().map(|(key, value)| (without_ids(key), value.to_string())).collect();
        let has = |key: &str, value: &str| found.contains(&(key.into(), value.into()));
        assert!(has("steps/*/text/fr", "lire") && has("steps/*/text/ar", "اكتب") && has("steps/*/position", "r"));
        assert_eq!(found.iter().filter(|(key, _)| key == "participants/*/name").count(), 3, "{found:?}");
        assert!(has("participants/*/country", "IT") && has("participants/*/number", "3"));
        assert!(has("budget/*/amount", "890.5") && has("budget/*/amount", "1000000") && has("budget/*/donor", "eu"));
        assert!(has("exact_match/*", "https://example.org/x"));
        assert!(has("alternative/*/fr", "piratage") && has("alternative/*/en", "hacking"));
        assert_eq!(fields.values.get("alternative/b/fr"), Some(&"b".into()));
        assert!(has("components/*/title/fr", "Un") && has("components/*/contributors/a", "true"));
        assert_eq!(fields.values.get("review_due"), Some(&"2027".into()));
        assert_eq!(fields.values.get("speaks/ar"), Some(&true.into()));
        assert_eq!(fields.values.get("adopted/by/x"), Some(&true.into()));
    }

    /// The key with every id that was drawn as a star.
    fn without_ids(key: &str) -> String {
        let is_drawn = |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        key.split('/').map(|part| if is_drawn(part) { "*" } else { part }).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn a_fraction_is_taken_where_it_cannot_be_misread() {
        let faults = |yaml: &str| flatten(parse(yaml).unwrap(), "fr").faults;
        assert!(
            faults("version: 1.10").iter().all(|fault| fault.contains("quotes")) && faults("version: 1.10").len() == 1
        );
        assert_eq!(faults("days_delivered: 12345678901234567.5").len(), 1);
        assert!(faults("days_delivered: 890.50").is_empty());
        assert_eq!(keys("days_delivered: 890.50"), pairs(&[("days_delivered", "890.5")]));
        assert_eq!(faults("fields: {a: [b]}").len(), 1);
    }

    #[test]
    fn flat_keys_are_taken_as_they_are() {
        assert_eq!(
            keys("title/ar: خريطة\nfields: {later/x: kept, title: bare}\nlater/y: z"),
            pairs(&[("later-y", "z"), ("later/x", "kept"), ("title", "bare"), ("title/ar", "خريطة")])
        );
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
