//! What a person says of foreign records: which column or JSON pointer becomes which field, and which tells records apart.
//!
//! The values then go the way of front matter (`docs/guide/import.md`): lists become sets, maps languages or properties.

use std::collections::BTreeMap;

use portolan_protocol::record::Value;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{content::Content, error::Fault, yaml::Yaml};

/// A mapping, as its TOML says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the source is called.
    pub source: Option<String>,
    /// What tells a record from others of the source, in parts.
    id: Vec<Rule>,
    /// In a JSON document: the pointer to the list of records.
    #[serde(default)]
    pub records: String,
    /// In CSV: the character between columns.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Key as in front matter to where its value comes from.
    fields: BTreeMap<String, Rule>,
}

/// Where a value comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// A column, or a JSON pointer (with `/`) into the record.
    from: Option<String>,
    /// A JSON pointer into the document that the record stands in.
    file: Option<String>,
    /// The same for all; also where the places above hold nothing.
    constant: Option<Json>,
    /// What stands between the items of a list in one text.
    split: Option<String>,
    /// Words of the source, and ours for them; others stay.
    #[serde(default)]
    terms: BTreeMap<String, String>,
}

fn comma() -> char {
    ','
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// What is wrong with it, in words, with the line.
    pub fn read(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let says_nothing = |rule: &&Rule| rule.from.is_none() && rule.file.is_none() && rule.constant.is_none();
        if mapping.id.is_empty() {
            return Err("`id` names nothing that tells records apart".into());
        }
        if !mapping.delimiter.is_ascii() {
            return Err("`delimiter` is no ASCII character".into());
        }
        match mapping.fields.iter().find(|(_, rule)| says_nothing(rule)) {
            Some((key, _)) => Err(format!("`{key}` says none of `from`, `file` and `constant`")),
            None => Ok(mapping),
        }
    }

    /// The id of a record, and what it says.
    ///
    /// # Errors
    /// It has no id.
    pub fn content(&self, record: &Json, file: &Json) -> Result<(String, Content), Fault> {
        let part = |rule: &Rule| match rule.value(record, file) {
            Some(Yaml::Scalar(value)) if !value.is_absent() => Ok(value.to_string()),
            _ => {
                let place = rule.from.as_ref().or(rule.file.as_ref()).map_or("id", String::as_str);
                Err(Fault::Line(format!("`{place}`, which tells it from others, is missing or no text")))
            }
        };
        let id = self.id.iter().map(part).collect::<Result<Vec<_>, _>>()?.join("/");
        let values = self.fields.iter().filter_map(|(key, rule)| Some((key.clone(), rule.value(record, file)?)));
        Ok((id, Content { front_matter: values.collect(), ..Content::default() }))
    }
}

impl Rule {
    fn value(&self, record: &Json, file: &Json) -> Option<Yaml> {
        let places = [(&self.from, record), (&self.file, file)];
        let found =
            places.into_iter().find_map(|(place, json)| at(json, place.as_deref()?).filter(|json| !is_nothing(json)));
        let tree = tree(found.or(self.constant.as_ref())?);
        Some(self.in_our_words(self.items(tree)))
    }

    fn items(&self, tree: Yaml) -> Yaml {
        match (&self.split, tree) {
            (Some(split), Yaml::Scalar(Value::Text(text))) if !split.is_empty() => {
                let items = text.split(split.as_str()).map(str::trim).filter(|item| !item.is_empty());
                Yaml::List(items.map(|item| Yaml::Scalar(item.into())).collect())
            }
            (_, tree) => tree,
        }
    }

    fn in_our_words(&self, tree: Yaml) -> Yaml {
        match tree {
            Yaml::Scalar(Value::Text(text)) => Yaml::Scalar(self.terms.get(&text).cloned().unwrap_or(text).into()),
            Yaml::List(items) => Yaml::List(items.into_iter().map(|item| self.in_our_words(item)).collect()),
            other => other,
        }
    }
}

fn at<'a>(json: &'a Json, place: &str) -> Option<&'a Json> {
    if place.starts_with('/') { json.pointer(place) } else { json.get(place) }
}

fn is_nothing(json: &Json) -> bool {
    json.is_null() || json.as_str().is_some_and(|text| text.trim().is_empty())
}

/// As deep as the JSON, which its parser bounds.
fn tree(json: &Json) -> Yaml {
    match json {
        Json::Null => Yaml::Scalar(Value::Null),
        Json::Bool(value) => Yaml::Scalar((*value).into()),
        Json::Number(number) => Yaml::Scalar(match number.as_i64() {
            Some(whole) => whole.into(),
            None => Value::Other { kind: "float".into(), value: number.to_string() },
        }),
        Json::String(text) => Yaml::Scalar(text.as_str().into()),
        Json::Array(items) => Yaml::List(items.iter().map(tree).collect()),
        Json::Object(entries) => Yaml::Map(entries.iter().map(|(key, value)| (key.clone(), tree(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_from_records_files_and_constants() {
        let mapping = Mapping::read(
            "id = [{file = '/name'}, {from = 'Nr'}]\n[fields]\ntitle = {from = '/Titre'}\nmarking = {constant = 'GREEN'}\n\
             tags = {from = 'Mots', split = ';', terms = {mer = 'sea'}}\nsummary = {from = 'none'}",
        )
        .unwrap();
        let record = json!({"Nr": 7, "Titre": "Carte", "Mots": "mer; port;"});
        let (id, content) = mapping.content(&record, &json!({"name": "ports"})).unwrap();
        let text = |text: &str| Yaml::Scalar(text.into());
        assert_eq!(id, "ports/7");
        assert_eq!(
            content.front_matter,
            [
                ("marking".into(), text("GREEN")),
                ("tags".into(), Yaml::List(vec![text("sea"), text("port")])),
                ("title".into(), text("Carte")),
            ]
        );
        assert!(mapping.content(&json!({"Nr": ""}), &json!({"name": "ports"})).is_err());
    }

    #[test]
    fn a_mapping_that_says_nothing_is_refused() {
        for wrong in
            ["", "id = []\n[fields]", "id = [{from = 'a'}]\n[fields]\ntitle = {}", "id = [{form = 'a'}]\n[fields]"]
        {
            assert!(Mapping::read(wrong).is_err(), "{wrong}");
        }
    }
}
