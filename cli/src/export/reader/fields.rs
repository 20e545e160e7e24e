//! The fields of a record with their labels: what is in one language beside what is in another, lists in their order, what says
//! several things at once as such, and what no table knows.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::record::{
    Field, Kind, RecordView, Segment, Value, envelope_fields, field_of, language_of, own_fields,
};

use super::{catalogue::Catalogue, direction::attributes, escape::html, markdown::is_outside, words::Interface};

/// What stands around the fields.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) words: Interface,
    pub(super) record: &'a RecordView,
    pub(super) catalogue: &'a Catalogue,
}

/// A key with its row, without its first word.
struct Entry<'a> {
    key: &'a str,
    field: &'static Field,
    rest: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// All values of a key, the one that is shown first in front.
    pub(super) fn values(&self, key: &str) -> Vec<&'a Value> {
        let Some(first) = self.record.fields.get(key) else { return Vec::new() };
        let others = self.record.conflicts.get(key).into_iter().flatten().filter(|value| *value != first);
        std::iter::once(first).chain(others).collect()
    }

    /// Shows what a key says: nothing, one value, or all that are contested.
    pub(super) fn shown(&self, key: &str, show: impl Fn(&'a Value) -> String) -> String {
        let values = self.values(key);
        match values.as_slice() {
            [] => String::new(),
            [one] => show(one),
            several => {
                let items: String = several.iter().map(|value| format!("<li>{}</li>", show(value))).collect();
                format!("<div class=\"contested\"><p>{}</p><ul>{items}</ul></div>", self.words.said("contested"))
            }
        }
    }

    /// The list of all fields but those that `elsewhere` shows.
    pub(super) fn list(&self, elsewhere: &dyn Fn(&str) -> bool) -> String {
        let mut groups: BTreeMap<&str, Vec<Entry<'a>>> = BTreeMap::new();
        for (key, value) in self.record.fields.iter().filter(|(key, _)| !elsewhere(key)) {
            let is_out = |field: &Field| field.kind == Kind::Member && *value != Value::Bool(true);
            if let Some(field) = field_of(key).filter(|field| !is_out(field)) {
                let mut parts = key.split('/');
                let word = parts.next().unwrap_or_default();
                groups.entry(word).or_default().push(Entry { key, field, rest: parts.collect() });
            }
        }
        let mut out = String::new();
        for word in self.order() {
            if let Some(entries) = groups.remove(word) {
                out.push_str(&self.group(word, &entries));
            }
        }
        for (word, entries) in groups {
            out.push_str(&self.group(word, &entries));
        }
        out
    }

    /// The fields that no table knows, under their keys.
    pub(super) fn unknown(&self) -> String {
        let unknown = self.record.fields.keys().filter(|key| field_of(key).is_none());
        unknown
            .map(|key| {
                let value = self.shown(key, |value| self.value(value, None));
                format!("<dt><code>{}</code></dt><dd>{value}</dd>\n", html(key))
            })
            .collect()
    }

    /// First words of keys in the order of the table, those of the type first.
    fn order(&self) -> Vec<&'static str> {
        let mut seen = BTreeSet::new();
        let all = own_fields(&self.record.kind).chain(envelope_fields());
        let words = all.map(|field| field.path.split('/').next().unwrap_or_default());
        words.filter(|word| seen.insert(*word)).collect()
    }

    fn group(&self, word: &str, entries: &[Entry<'a>]) -> String {
        let is_list = entries.iter().all(|entry| {
            matches!(entry.field.segments().nth(1), Some(Segment::Id | Segment::Country | Segment::Spoken))
        });
        let content = if is_list { self.items(word, entries) } else { self.lines(entries) };
        if content.is_empty() {
            return content;
        }
        format!("<dt>{}</dt><dd>{content}</dd>\n", html(&self.words.field(word)))
    }

    /// Values that are no list: one, or one for each language or property.
    fn lines(&self, entries: &[Entry<'a>]) -> String {
        let parts: Vec<String> = entries
            .iter()
            .map(|entry| {
                let label = self.label(&entry.field.segments().skip(1).collect::<Vec<_>>(), &entry.rest);
                let value = self.shown(entry.key, |value| self.value(value, Some(entry.key)));
                if label.is_empty() { value } else { format!("<span class=\"of\">{label}</span> {value}") }
            })
            .collect();
        match parts.as_slice() {
            [one] => one.clone(),
            several => {
                let items: String = several.iter().map(|part| format!("<li>{part}</li>")).collect();
                format!("<ul class=\"plain\">{items}</ul>")
            }
        }
    }

    /// A set or a list, in its order.
    fn items(&self, word: &str, entries: &[Entry<'a>]) -> String {
        let mut order = self.record.ordered(word);
        let ids: BTreeSet<&str> = entries.iter().filter_map(|entry| entry.rest.first().copied()).collect();
        order.retain(|id| ids.contains(id.as_str()));
        let placed: BTreeSet<String> = order.iter().cloned().collect();
        order.extend(ids.iter().filter(|id| !placed.contains(**id)).map(|id| (*id).to_owned()));
        let items: Vec<String> = order
            .iter()
            .map(|id| {
                self.item(
                    id,
                    &entries.iter().filter(|entry| entry.rest.first() == Some(&id.as_str())).collect::<Vec<_>>(),
                )
            })
            .filter(|item| !item.is_empty())
            .collect();
        let has_places = entries.iter().any(|entry| entry.field.kind == Kind::Position);
        let is_short = entries.iter().all(|entry| entry.field.kind == Kind::Member && entry.rest.len() == 1);
        let (list, class) = if has_places {
            ("ol", "")
        } else if is_short {
            ("ul", " class=\"inline\"")
        } else {
            ("ul", " class=\"plain\"")
        };
        let items: String = items.iter().map(|item| format!("<li>{item}</li>")).collect();
        if items.is_empty() { items } else { format!("<{list}{class}>{items}</{list}>") }
    }

    fn item(&self, id: &str, entries: &[&Entry<'a>]) -> String {
        let own = |entry: &Entry<'_>| entry.rest.len() == 1;
        let (mut roles, mut pairs) = (Vec::new(), Vec::new());
        for entry in entries.iter().filter(|entry| entry.field.kind != Kind::Position) {
            let segments: Vec<Segment> = entry.field.segments().skip(2).collect();
            let label = self.label(&segments, entry.rest.get(1..).unwrap_or_default());
            match (entry.field.kind, own(entry)) {
                (Kind::Member, true) => return self.named(id),
                (Kind::Member, false) => roles.push(label),
                (_, true) => {
                    let value = self.shown(entry.key, |value| self.value(value, Some(entry.key)));
                    return format!("<span class=\"of\">{}</span> {value}", self.named(id));
                }
                (_, false) => {
                    let value = self.shown(entry.key, |value| self.value(value, Some(entry.key)));
                    pairs.push(format!("<dt>{label}</dt><dd>{value}</dd>"));
                }
            }
        }
        if !roles.is_empty() {
            return format!("{} <span class=\"of\">{}</span>", self.named(id), roles.join(", "));
        }
        if pairs.is_empty() { String::new() } else { format!("<dl class=\"item\">{}</dl>", pairs.concat()) }
    }

    /// What the segments of a key say beside its first word: words by their label, languages by their name.
    fn label(&self, segments: &[Segment], rest: &[&str]) -> String {
        let parts = segments.iter().zip(rest).map(|(segment, part)| match segment {
            Segment::Word(word) => html(&self.words.field(word)),
            Segment::Language => format!("<span class=\"in\">{}</span>", html(&self.words.language(part))),
            Segment::Spoken => html(&self.words.language(part)),
            Segment::Id | Segment::Country => format!("<bdi>{}</bdi>", html(part)),
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    /// A value, in the language of its key.
    pub(super) fn value(&self, value: &Value, key: Option<&str>) -> String {
        match value {
            Value::Text(text) => self.text(text, key),
            Value::Bool(yes) => if *yes { self.words.said("yes") } else { self.words.said("no") }.to_owned(),
            other => format!("<bdi>{}</bdi>", html(&other.to_string())),
        }
    }

    fn text(&self, text: &str, key: Option<&str>) -> String {
        let language = key.and_then(language_of);
        match key {
            Some("type" | "template_for") => html(&self.words.kind(text)),
            Some("language") => html(&self.words.language(text)),
            Some("originator" | "marking" | "status") => format!("<bdi>{}</bdi>", html(text)),
            _ if language.is_none() && self.catalogue.record(text).is_some() => self.named(text),
            Some(key) if self.holds_notations(key) && self.catalogue.term(text).is_some() => self.named(text),
            _ if language.is_none() && is_outside(text) => address(text),
            _ => format!("<span class=\"text\"{}>{}</span>", attributes(language), html(text)),
        }
    }

    /// Whether what stands there is the notation of a term, and no word that happens to be one.
    fn holds_notations(&self, key: &str) -> bool {
        let word = key.split('/').next().unwrap_or_default();
        matches!(word, "area" | "areas" | "broader" | "programmes" | "regions" | "scheme" | "tags")
            || (word == "priorities" && key.ends_with("/area"))
            || (key == "kind" && self.record.kind == "organisation")
    }

    /// An id or a notation: the record or the term of that name, else itself.
    pub(super) fn named(&self, id: &str) -> String {
        match self.catalogue.record(id).or_else(|| self.catalogue.term(id)) {
            Some(head) => link(self.words, head),
            None => format!("<bdi>{}</bdi>", html(id)),
        }
    }
}

/// A link from the page of a record to that of another.
pub(super) fn link(words: Interface, head: &super::catalogue::Head) -> String {
    let (title, language) = match head.title.as_str() {
        "" => (words.said("untitled"), Some(words.tag())),
        title => (title, head.language.as_deref()),
    };
    format!("<a href=\"{}.html\"{}>{}</a>", html(&head.id), attributes(language), html(title))
}

/// A link to the web or to a person.
pub(super) fn address(target: &str) -> String {
    let target = html(target);
    format!("<a class=\"outside\" dir=\"ltr\" rel=\"noopener noreferrer nofollow\" href=\"{target}\">{target}</a>")
}
