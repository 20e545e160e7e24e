//! One value of a record as JSON shows it. Whether a string is a scalar or a Text is the schema's affair.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

/// A value: the JSON scalars, or something that this release can only pass on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing; in a draft, the removal of the key.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A scalar string, or the whole content of a Text.
    Text(String),
    /// What no field of this release holds (bytes, a float, a container), as `{"kind": ..., "value": ...}`.
    Other {
        /// What it is: `float`, `bytes`, `map`, ...
        kind: String,
        /// A readable form of it, empty where there is none.
        value: String,
    },
}

impl Value {
    /// Whether the key may as well not be there: nothing, or an empty string.
    pub fn is_absent(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::Bool(_) | Value::Int(_) | Value::Other { .. } => false,
        }
    }

    /// The string, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Bytes this value adds to a record.
    pub fn size_bytes(&self) -> usize {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Int(_) => 8,
            Value::Text(text) => text.len(),
            Value::Other { value, .. } => value.len(),
        }
    }

    fn other(kind: &str, value: String) -> Self {
        Value::Other { kind: kind.to_owned(), value }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => Ok(()),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Text(text) => f.write_str(text),
            Value::Other { kind, value } => write!(f, "<{kind}>{value}"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Other { kind, value } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("kind", kind)?;
                map.serialize_entry("value", value)?;
                map.end()
            }
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A field's value; an object where a newer release wrote a kind that this one does not know.",
            "anyOf": [
                { "type": ["string", "integer", "boolean", "null"] },
                {
                    "type": "object",
                    "properties": { "kind": { "type": "string" }, "value": { "type": "string" } },
                    "required": ["kind", "value"],
                },
            ],
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Takes any JSON, so that the refusal can name the field instead of a byte offset.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a whole number, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::other("uint", value.to_string()), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::other("float", value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::other("list", String::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (mut kind, mut shown) = (String::from("map"), String::new());
        while let Some(key) = entries.next_key::<String>()? {
            let part = entries.next_value::<Value>()?;
            match (key.as_str(), part) {
                ("kind", Value::Text(text)) => kind = text,
                ("value", Value::Text(text)) => shown = text,
                _ => {}
            }
        }
        Ok(Value::Other { kind, value: shown })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_value_comes_back_through_json() {
        for value in [
            Value::Null,
            Value::Bool(true),
            Value::Int(-3),
            Value::from("\u{645}\u{631}\u{62d}\u{628}\u{627}"),
            Value::other("bytes", "00ff".into()),
        ] {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        }
    }

    #[test]
    fn what_is_no_scalar_is_told_by_its_kind() {
        let kind = |json: &str| match serde_json::from_str(json).unwrap() {
            Value::Other { kind, .. } => kind,
            other => format!("{other:?}"),
        };
        assert_eq!(kind("[1, [2]]"), "list");
        assert_eq!(kind("{\"a\": {\"b\": 1}}"), "map");
        assert_eq!(kind("1.5"), "float");
        assert_eq!(kind("18446744073709551615"), "uint");
    }
}
