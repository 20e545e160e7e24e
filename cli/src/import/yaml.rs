//! The door to the YAML library: front matter as a small tree of scalars, lists and maps.
//!
//! Anchors and aliases are refused, so nothing can multiply; size, depth and number of nodes are bounded before
//! anything is built. What a key means is not known here.

use std::fmt;

use portolan_protocol::record::Value;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Error;

/// Longest front matter, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// Scalars, lists and maps in one front matter.
const NODES_MAX: usize = 16_384;

/// Lists and maps within each other.
const DEPTH_MAX: usize = 8;

/// A piece of front matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Yaml {
    /// A string, whole number, boolean or nothing.
    Scalar(Value),
    /// A list.
    List(Vec<Yaml>),
    /// A map, in the order written.
    Map(Vec<(String, Yaml)>),
}

/// Reads front matter: one YAML document that is a map.
///
/// # Errors
/// What is wrong with it, in words, with the line where the parser gives one.
pub fn parse(text: &str) -> Result<Vec<(String, Yaml)>, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("{} bytes; at most {BYTES_MAX} are allowed", text.len()));
    }
    let options = serde_saphyr::options! {
        // Norway is no refusal.
        strict_booleans: true,
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_aliases: 0,
            max_merge_keys: 0,
            max_documents: 1,
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
            max_total_scalar_bytes: BYTES_MAX,
        },
    };
    match serde_saphyr::from_str_with_options::<Yaml>(text, options) {
        Ok(Yaml::Map(entries)) => Ok(entries),
        Ok(Yaml::Scalar(Value::Null)) => Ok(Vec::new()),
        Ok(_) => Err("it is not a list of `key: value` lines".into()),
        Err(error) => Err(words(&error)),
    }
}

fn words(error: &Error) -> String {
    let error = error.without_snippet();
    let line = error.location().map_or(0, |location| location.line());
    match error {
        Error::Budget { .. } => format!(
            "line {line}: it holds an anchor, more than {NODES_MAX} values, or lists in lists beyond {DEPTH_MAX} levels"
        ),
        Error::DuplicateMappingKey { key, .. } => {
            format!("line {line}: the key `{}` stands there a second time", key.as_deref().unwrap_or_default())
        }
        other => other.to_string().lines().next().unwrap_or("it is not YAML").to_owned(),
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        Yaml::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Yaml, E> {
        let value = i64::try_from(value).map_err(|_| E::custom(format!("{value} is too large; put it in quotes")))?;
        Ok(Yaml::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
        // 1.10 and 1.1 are the same number and not the same version: what is meant depends on the field.
        Ok(Yaml::Scalar(Value::Other { kind: "float".into(), value: value.to_string() }))
    }

    fn visit_str<E>(self, text: &str) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Yaml, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Yaml::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Yaml, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry::<String, Yaml>()? {
            map.push(entry);
        }
        Ok(Yaml::Map(map))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn scalars_lists_and_maps() {
        let map =
            parse("a: texte\nb: [x, 2]\nc:\n  fr: |\n    une\n    deux\nd: NO\ne: true\nf:\ng: 2026-03-01").unwrap();
        let text = |text: &str| Yaml::Scalar(text.into());
        assert_eq!(
            map,
            [
                ("a".into(), text("texte")),
                ("b".into(), Yaml::List(vec![text("x"), Yaml::Scalar(2.into())])),
                ("c".into(), Yaml::Map(vec![("fr".into(), text("une\ndeux\n"))])),
                ("d".into(), text("NO")),
                ("e".into(), Yaml::Scalar(true.into())),
                ("f".into(), Yaml::Scalar(Value::Null)),
                ("g".into(), text("2026-03-01")),
            ]
        );
    }

    #[test]
    fn bombs_are_refused() {
        let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]".to_owned();
        let deep = format!("a: {}", "[".repeat(100_000));
        let deep_block = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>();
        let many = "- x\n".repeat(NODES_MAX + 1);
        let long = format!("a: {}", "x".repeat(BYTES_MAX));
        for bomb in [laughs, deep, deep_block, many, long] {
            assert!(parse(&bomb).is_err(), "{}", bomb.get(..40).unwrap());
        }
    }

    #[test]
    fn what_is_not_meant_is_said() {
        let fraction = Value::Other { kind: "float".into(), value: "1.1".into() };
        assert_eq!(parse("version: 1.10").unwrap(), [("version".into(), Yaml::Scalar(fraction))]);
        assert!(parse("- a").is_err());
        assert_eq!(parse("a: 1\na: 2").unwrap_err(), "line 2: the key `a` stands there a second time");
        assert!(parse("a: &x 1").unwrap_err().starts_with("line 1: it holds an anchor"));
        assert!(parse("a: [").unwrap_err().contains("unclosed"));
        assert!(parse("a: 1\n---\nb: 2").is_err());
        assert_eq!(parse(""), Ok(Vec::new()));
    }
}
