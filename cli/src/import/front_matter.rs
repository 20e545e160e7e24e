//! A record written out as a file that the import reads: front matter in the natural nesting, the body below it.
//!
//! What is read again is what was written. Keys that the schema does not know stand as they are under `fields`.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::record::{Kind, Segment, Value, display_safe, field_of, is_decimal};

use super::{
    exported::Origin,
    fields::{FLOAT_DIGITS_MAX, ITEM_ID, LITERAL},
    text::clean_line,
};

/// Words that YAML, or an older reader of it, takes for something else than text.
const RESERVED: [&str; 12] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// Longest text that stands on the line of its key.
const LINE_CHARACTERS_MAX: usize = 100;

/// Fields by the segments of their keys.
#[derive(Debug)]
enum Node {
    Leaf(Value),
    Branch(BTreeMap<String, Node>),
}

/// Writes a record as Markdown with front matter; `notes` become comments.
pub fn write(fields: &BTreeMap<String, Value>, notes: &[String]) -> String {
    write_from(None, fields, notes)
}

/// Like [`write()`]; with an origin, importing it meets the record that it was.
pub fn write_from(origin: Option<&Origin>, fields: &BTreeMap<String, Value>, notes: &[String]) -> String {
    let language = fields.get("language").and_then(Value::as_str).unwrap_or_default();
    let body_key = format!("body/{language}");
    let body = fields.get(&body_key).and_then(Value::as_str).filter(|body| stands_below(body));
    let (known, literal): (Vec<_>, Vec<_>) = fields
        .iter()
        .filter(|(key, value)| !(value.is_absent() || body.is_some() && **key == body_key))
        .partition(|(key, _)| field_of(key).is_some() && is_read_as_written(key));

    let mut out = "---\n".to_owned();
    for line in notes.iter().flat_map(|note| note.lines()) {
        out.push_str(&format!("# {}\n", display_safe(line)));
    }
    if let Some(origin) = origin {
        out.push_str(&origin.line());
    }
    let mut tree = BTreeMap::new();
    for (key, value) in known {
        plant(&mut tree, key, value);
    }
    let writer = Writer { language };
    // What a reader wants to know first.
    for first in ["type", "language", "title"] {
        if let Some(node) = tree.remove(first) {
            writer.entry(&mut out, 0, first, first, &node);
        }
    }
    for (name, node) in &tree {
        writer.entry(&mut out, 0, name, name, node);
    }
    if !literal.is_empty() {
        out.push_str(&format!("{LITERAL}:\n"));
    }
    for (key, value) in literal {
        out.push_str(&format!("  {}: {}\n", quoted(key), scalar(key, value)));
    }
    out.push_str("---\n");
    if let Some(body) = body {
        out.push_str(&format!("\n{body}\n"));
    }
    out
}

/// Whether every part of a key is what the import makes of it.
fn is_read_as_written(key: &str) -> bool {
    key.split('/').all(|part| clean_line(part).0 == part)
}

/// Whether a body is found again below the front matter. One that begins with a heading would lose it as its title.
fn stands_below(body: &str) -> bool {
    let first = body.lines().next().unwrap_or_default();
    let underlined = body.lines().nth(1).is_some_and(|line| line.starts_with('='));
    body.trim() == body && !first.starts_with('#') && !underlined && is_printable(body)
}

fn plant(tree: &mut BTreeMap<String, Node>, key: &str, value: &Value) {
    let Some((segment, rest)) = key.split_once('/') else {
        tree.insert(key.to_owned(), Node::Leaf(value.clone()));
        return;
    };
    let node = tree.entry(segment.to_owned()).or_insert_with(|| Node::Branch(BTreeMap::new()));
    // No key of the schema is the beginning of another, so a leaf never stands in the way.
    if let Node::Branch(below) = node {
        plant(below, rest, value);
    }
}

struct Writer<'a> {
    /// The language that texts are in where they say none.
    language: &'a str,
}

impl Writer<'_> {
    /// Writes what stands under `name`; `path` is the flat key down to it.
    fn entry(&self, out: &mut String, depth: usize, name: &str, path: &str, node: &Node) {
        let indent = "  ".repeat(depth);
        out.push_str(&format!("{indent}{}:", quoted_if_odd(name)));
        match node {
            Node::Leaf(value) => self.leaf(out, depth, path, value),
            Node::Branch(below) => {
                if let Some((key, value)) = self.only_text(path, below) {
                    self.leaf(out, depth, &key, value);
                } else if let Some(members) = members(path, below) {
                    out.push_str(&format!(" [{}]\n", members.join(", ")));
                } else if let Some(ids) = in_order(path, below) {
                    out.push('\n');
                    ids.into_iter().for_each(|id| self.item(out, depth + 1, path, id, below));
                } else {
                    out.push('\n');
                    for (name, node) in below {
                        self.entry(out, depth + 1, name, &format!("{path}/{name}"), node);
                    }
                }
            }
        }
    }

    /// One item of an ordered list.
    fn item(&self, out: &mut String, depth: usize, path: &str, id: &str, below: &BTreeMap<String, Node>) {
        let Some(Node::Branch(properties)) = below.get(id) else { return };
        out.push_str(&format!("{}- {ITEM_ID}: {}\n", "  ".repeat(depth), quoted_if_odd(id)));
        for (name, node) in properties {
            self.entry(out, depth + 1, name, &format!("{path}/{id}/{name}"), node);
        }
    }

    fn leaf(&self, out: &mut String, depth: usize, key: &str, value: &Value) {
        match value {
            Value::Text(text) if text.contains('\n') && is_block(text) => {
                out.push_str(" |-\n");
                for line in text.lines() {
                    let indent = if line.is_empty() { String::new() } else { "  ".repeat(depth + 1) };
                    out.push_str(&format!("{indent}{line}\n"));
                }
            }
            value => out.push_str(&format!(" {}\n", scalar(key, value))),
        }
    }

    /// The one text of a map of languages, where it is in the language of the record.
    fn only_text<'a>(&self, path: &str, below: &'a BTreeMap<String, Node>) -> Option<(String, &'a Value)> {
        let key = format!("{path}/{}", self.language);
        let is_translated = field_of(&key)?.segments().next_back() == Some(Segment::Language);
        match below.get(self.language)? {
            Node::Leaf(value @ Value::Text(_)) if is_translated && below.len() == 1 => Some((key, value)),
            _ => None,
        }
    }
}

/// The ids of a set, where all that stands below is that they are members.
fn members(path: &str, below: &BTreeMap<String, Node>) -> Option<Vec<String>> {
    let is_member = |id: &str| field_of(&format!("{path}/{id}")).is_some_and(|field| field.kind == Kind::Member);
    let all = below.iter().all(|(id, node)| matches!(node, Node::Leaf(Value::Bool(true))) && is_member(id));
    all.then(|| below.keys().map(|id| quoted_if_odd(id)).collect())
}

/// The ids of an ordered list, in their order.
fn in_order<'a>(path: &str, below: &'a BTreeMap<String, Node>) -> Option<Vec<&'a str>> {
    let is_list = field_of(&format!("{path}/-/position")).is_some_and(|field| field.kind == Kind::Position);
    let mut ids: Vec<(Option<&str>, &str)> = below
        .iter()
        .map(|(id, node)| match node {
            Node::Branch(properties) => match properties.get("position") {
                Some(Node::Leaf(value)) => Some((value.as_str(), id.as_str())),
                _ => None,
            },
            Node::Leaf(_) => None,
        })
        // Without a place it would be given one when it is read.
        .collect::<Option<_>>()?;
    ids.sort_by_key(|(position, id)| (position.is_none(), *position, *id));
    let distinct: BTreeSet<_> = ids.iter().map(|(_, id)| *id).collect();
    (is_list && distinct.len() == ids.len()).then(|| ids.into_iter().map(|(_, id)| id).collect())
}

fn scalar(key: &str, value: &Value) -> String {
    let kind = field_of(key).map(|field| field.kind);
    match value {
        Value::Text(text) if kind == Some(Kind::Decimal) && is_decimal(text) && text.len() <= FLOAT_DIGITS_MAX => {
            text.clone()
        }
        Value::Text(text) if kind == Some(Kind::Date) && is_plain_date(text) => text.clone(),
        Value::Text(text) => quoted_if_odd(text),
        other => other.to_string(),
    }
}

/// A date that no reader takes for a number: `2016-02`.
fn is_plain_date(text: &str) -> bool {
    let shape = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    shape && text.len() >= 7 && text.get(4..5) == Some("-") && text.get(..4).is_some_and(|year| !year.contains('-'))
}

fn quoted_if_odd(text: &str) -> String {
    let starts = text.chars().next().is_some_and(char::is_alphabetic);
    let plain = text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')' | '+' | '\u{2019}' | ',' | '/'));
    let fits = text.chars().count() <= LINE_CHARACTERS_MAX && text.trim() == text && !text.contains("  ");
    let is_flow_safe = !text.contains(',');
    let is_word = !RESERVED.contains(&text.to_lowercase().as_str());
    if starts && plain && fits && is_flow_safe && is_word { text.to_owned() } else { quoted(text) }
}

/// A text between quotation marks, in the spelling that YAML and JSON share; what hides is spelled out.
fn quoted(text: &str) -> String {
    crate::text::escaped_json(&serde_json::to_string(text).unwrap_or_default())
}

/// Whether a text of several lines can stand as it is, indented.
fn is_block(text: &str) -> bool {
    let lines_begin_well = text.lines().all(|line| line.is_empty() || !line.trim().is_empty());
    text.trim() == text && lines_begin_well && is_printable(text) && !text.contains('\t')
}

fn is_printable(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\n' | '\t') || display_safe(c.encode_utf8(&mut [0; 4])).starts_with(c))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::record::{FIELDS, Field};
    use proptest::{prelude::*, sample::select};

    use super::{
        super::{fields::flatten, markdown},
        *,
    };

    type Flat = BTreeMap<String, Value>;

    /// What the import makes of a file.
    fn read(text: &str) -> Flat {
        let content = markdown::read(text);
        assert!(content.is_ok(), "{content:?}\n{text}");
        let content = content.unwrap();
        let of = |wanted: &str| super::super::fields::scalar(&content.front_matter, wanted).map(Value::from);
        let (kind, language) = (of("type"), of("language"));
        let tag = language.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut fields = flatten(content.front_matter, &tag);
        assert_eq!(fields.faults, Vec::<String>::new(), "{text}");
        if !content.body.is_empty() {
            fields.set(format!("body/{tag}"), content.body.into());
        }
        fields.values.extend(kind.map(|kind| ("type".to_owned(), kind)));
        fields.values.extend(language.map(|language| ("language".to_owned(), language)));
        fields.values
    }

    #[test]
    fn it_looks_as_people_would_write_it() {
        let fields: Flat = [
            ("type", "programme".into()),
            ("language", "fr".into()),
            ("title/fr", "Ports sûrs".into()),
            ("tags/ports", true.into()),
            ("tags/2", true.into()),
            ("countries/IT/host", true.into()),
            ("planned", "2016-02/2019-12".into()),
            ("review_due", "2027-02".into()),
            ("expertise/a/days_delivered", "890.5".into()),
            ("components/b/position", "r".into()),
            ("components/b/title/fr", "Deux".into()),
            ("components/a/position", "t".into()),
            ("components/a/title/fr", "Un".into()),
            ("components/a/title/en", "One".into()),
            ("results/fr", "Un\n\n  deux".into()),
            ("body/fr", "Le texte.".into()),
            ("later/x", 3.into()),
            ("title", "no".into()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        let text = write(&fields, &["a\nb".into()]);
        assert_eq!(
            text,
            "---\n# a\n# b\ntype: programme\nlanguage: fr\ntitle: Ports sûrs\ncomponents:\n  - id: b\n    position: r\n    \
             title: Deux\n  - id: a\n    position: t\n    title:\n      en: One\n      fr: Un\ncountries:\n  IT: [host]\n\
             expertise:\n  a:\n    days_delivered: 890.5\nplanned: \"2016-02/2019-12\"\nresults: |-\n  Un\n\n    deux\n\
             review_due: 2027-02\ntags: [\"2\", ports]\nfields:\n  \"later/x\": 3\n  \"title\": \"no\"\n---\n\nLe texte.\n"
        );
        assert_eq!(read(&text), fields);
    }

    #[test]
    fn every_field_of_the_schema_comes_back() {
        for field in FIELDS.iter().filter(|field| !matches!(field.path, "type" | "language")) {
            for (pick, language) in [(0, "fr"), (1, "ar"), (1, "fr")] {
                let mut fields: Flat = [("language".to_owned(), Value::from(language))].into();
                fields.insert(key(field, pick), value(field.kind, "12"));
                fields.insert(key(field, 0), value(field.kind, "deux\n\n# mots: [x]"));
                let text = write(&fields, &[]);
                assert_eq!(read(&text), fields, "{text}");
            }
        }
    }

    fn key(field: &Field, pick: usize) -> String {
        let segment = |segment| match segment {
            Segment::Word(word) => word,
            Segment::Language | Segment::Spoken => ["fr", "ar"][pick % 2],
            Segment::Id => ["1", "un deux"][pick % 2],
            Segment::Country => ["NO", "TN"][pick % 2],
        };
        field.segments().map(segment).collect::<Vec<_>>().join("/")
    }

    fn value(kind: Kind, text: &str) -> Value {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match kind {
            Kind::Member => Value::Bool(true),
            Kind::Text => text.trim().into(),
            _ => line.into(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_out_comes_back(
            language in select(vec!["fr", "ar", "pt-BR"]),
            rows in prop::collection::vec((any::<prop::sample::Index>(), 0..2usize, "(\\PC|[ \n#:'\"|>&*!%@`,-]|true|12|1\\.50|---\n|=){0,12}", any::<bool>()), 0..24),
            unknown in prop::collection::btree_map("[a-z]{1,6}(/[a-z ]{1,3}){0,9}", "[a-z0-9.:]{1,6}", 0..3),
        ) {
            let mut fields: Flat = [("language".to_owned(), Value::from(language))].into();
            for (row, pick, text, number) in rows {
                let field = &FIELDS[row.index(FIELDS.len())];
                if matches!(field.path, "type" | "language") {
                    continue;
                }
                let value = match field.kind {
                    Kind::Scalar if number && field.segments().next_back() != Some(Segment::Language) => Value::Int(7),
                    Kind::Member => Value::Bool(number),
                    kind => {
                        // As the import keeps it: nothing that deceives.
                        let mut cleaned = super::super::fields::Fields::default();
                        cleaned.set(key(field, pick), value(kind, &text));
                        match cleaned.values.into_values().next() {
                            Some(value) => value,
                            None => continue,
                        }
                    }
                };
                fields.insert(key(field, pick), value);
            }
            for (name, text) in unknown.into_iter().filter(|(name, _)| field_of(name).is_none() && name.trim() == name) {
                fields.insert(name, text.into());
            }
            let text = write(&fields, &[]);
            prop_assert_eq!(read(&text), fields, "{}", text);
        }
    }
}
