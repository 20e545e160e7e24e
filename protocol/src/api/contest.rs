//! Fields that say several things at once: who wrote each of them, and how one of them is left.

use serde::{Deserialize, Serialize};

use crate::{
    id::{DocumentId, NodeId, PersonId, SpaceId},
    record::Value,
    time::Timestamp,
};

/// `GET /v1/spaces/{space}/documents/{document}/conflicts`: the fields of a record that were written apart and differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conflicts {
    /// The space it is in.
    pub space: SpaceId,
    /// The record.
    pub document: DocumentId,
    /// Its title in the best language.
    pub title: String,
    /// The heads of the record as it is told of here, sorted.
    pub heads: Vec<String>,
    /// The fields, by key.
    pub fields: Vec<ContestedField>,
}

/// A field with several current values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContestedField {
    /// The flat key.
    pub field: String,
    /// What the values come to by themselves, as markings do; null where a person has to choose.
    pub joined: Option<Value>,
    /// The values, sorted. None is twice among them.
    pub values: Vec<ContestedValue>,
}

/// One of the current values of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContestedValue {
    /// The value.
    pub value: Value,
    /// The changes that set it; of a text, those that wrote into it last. More than one where it was written several times.
    pub written: Vec<Written>,
}

/// Who wrote something, from the signed entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Written {
    /// The hash of the change, as `heads` names it.
    pub change: String,
    /// When, by the author's clock.
    pub time_ms: Timestamp,
    /// The node that signed it.
    pub node: NodeId,
    /// The node's name where this node holds its card, else null.
    pub node_name: Option<String>,
    /// The person that the node vouches for.
    pub person: PersonId,
    /// The person's name at the time.
    pub name: String,
    /// Why, may be empty.
    pub reason: String,
}

/// `POST /v1/spaces/{space}/documents/{document}/settle`: a change after which a contested field has one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettleField {
    /// The flat key.
    pub field: String,
    /// Which value is to remain.
    pub choice: Choice,
    /// The heads of the record as the person saw it. What was written since stays beside the choice.
    pub heads: Vec<String>,
    /// Why, in a few words, for the history.
    #[serde(default)]
    pub reason: String,
}

/// What is to remain of a contested field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The value with this number, counted from 1 in the order of [`ContestedField::values`].
    Take(u32),
    /// This value, whether it is one of them or not; `null` removes the field.
    Value(Value),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_choice_is_a_number_or_a_value() {
        for json in [
            r#"{"field":"status","choice":{"take":2},"heads":["ab"],"reason":""}"#,
            r#"{"field":"status","choice":{"value":"draft"},"heads":["ab"],"reason":"agreed"}"#,
        ] {
            assert_eq!(serde_json::to_string(&serde_json::from_str::<SettleField>(json).unwrap()).unwrap(), json);
        }
    }
}
