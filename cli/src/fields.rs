//! `--set field=value`: which flat key of a record is meant, and which value.

use portolan_protocol::record::{Field, Kind, Segment, Value, canonical_language, field_of};

use crate::error::{Result, usage};

/// One `--set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    key: String,
    value: Value,
}

/// Reads `field=text`, `field=` (removes it), or `field:=json` for numbers, true, false and null.
///
/// # Errors
/// What was expected.
pub fn parse(text: &str) -> std::result::Result<Setting, String> {
    let expected = || "expected FIELD=TEXT, FIELD= to remove it, or FIELD:=JSON, such as status=published".to_owned();
    let (key, value) = text.split_once('=').ok_or_else(expected)?;
    let (key, json) = key.strip_suffix(':').map_or((key, false), |key| (key, true));
    let key = key.trim();
    if key.is_empty() {
        return Err(expected());
    }
    let member = field_of(key).is_some_and(|field| field.kind == Kind::Member);
    let value = match value {
        json_text if json => match serde_json::from_str(json_text) {
            Ok(value @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_))) => value,
            _ => return Err(format!("`{json_text}` is not a JSON string, whole number, true, false or null")),
        },
        "" => Value::Null,
        "true" if member => Value::Bool(true),
        "false" if member => Value::Null,
        text => Value::from(text),
    };
    Ok(Setting { key: key.to_owned(), value })
}

impl Setting {
    /// The flat key and the value; what exists once per language may be named without one, for a record whose texts are in `language`.
    pub fn in_language(&self, language: &str) -> (String, Value) {
        let translated = format!("{}/{language}", self.key);
        let per_language = |field: &Field| field.segments().next_back() == Some(Segment::Language);
        let bare = field_of(&self.key).is_none() && field_of(&translated).is_some_and(per_language);
        (if bare { translated } else { self.key.clone() }, self.value.clone())
    }
}

/// The canonical spelling of a language tag that a person typed.
///
/// # Errors
/// When it is none.
pub fn language(text: &str) -> Result<String> {
    canonical_language(text.trim())
        .ok_or_else(|| usage(format!("`{text}` is not a language tag; write one such as fr, ar or pt-BR")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(text: &str) -> (String, Value) {
        parse(text).unwrap().in_language("fr")
    }

    #[test]
    fn text_json_and_removal() {
        assert_eq!(set("status=published"), ("status".into(), "published".into()));
        assert_eq!(set("source/uri=https://a/?b=c"), ("source/uri".into(), "https://a/?b=c".into()));
        assert_eq!(set("status="), ("status".into(), Value::Null));
        assert_eq!(set("attendance:=3"), ("attendance".into(), Value::Int(3)));
        assert_eq!(set("x:=null"), ("x".into(), Value::Null));
    }

    #[test]
    fn members_of_sets_are_true_and_texts_are_not() {
        assert_eq!(set("tags/ports=true"), ("tags/ports".into(), Value::Bool(true)));
        assert_eq!(set("tags/ports=false"), ("tags/ports".into(), Value::Null));
        assert_eq!(set("originator=true"), ("originator".into(), "true".into()));
    }

    #[test]
    fn fields_per_language_may_be_named_without_it() {
        assert_eq!(set("title=Ports").0, "title/fr");
        assert_eq!(set("title/ar=x").0, "title/ar");
        assert_eq!(set("objectives/a/text=x").0, "objectives/a/text/fr");
        assert_eq!(set("instructions=x").0, "instructions/fr");
        assert_eq!(set("colour=x").0, "colour");
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for wrong in ["status", "=x", ":=1", "x:=[1]", "x:=1.5", "x:=}"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
