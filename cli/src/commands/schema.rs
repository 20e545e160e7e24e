//! `portolan schema`: the types of record and their fields, as this program knows them. No daemon is asked.

use clap::{Args, builder::PossibleValuesParser};
use portolan_protocol::record::{
    Field, RECORD_TYPES, RELATIONS, RecordType, SCHEMA_VERSION, TYPES, envelope_fields, own_fields,
};
use serde::Serialize;

use crate::{
    context::Context,
    error::{Result, internal},
    output, text,
};

#[derive(Args, Debug)]
pub(super) struct Schema {
    /// The fields of this type; all types where it is left out
    #[arg(value_name = "TYPE", value_parser = PossibleValuesParser::new(TYPES))]
    kind: Option<String>,
}

/// What `--json` shows without a type.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Types {
    schema: i64,
    types: Vec<Type>,
    relations: Vec<Named>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Type {
    #[serde(rename = "type")]
    name: &'static str,
    meaning: &'static str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Named {
    relation: &'static str,
    inverse: &'static str,
}

/// What `--json` shows of a type.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Fields {
    schema: i64,
    #[serde(flatten)]
    of: Type,
    own: Vec<Row>,
    envelope: Vec<Row>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Row {
    key: &'static str,
    kind: String,
    usual: &'static [&'static str],
    meaning: &'static str,
}

impl From<&RecordType> for Type {
    fn from(known: &RecordType) -> Self {
        Type { name: known.name, meaning: known.meaning }
    }
}

impl From<&'static Field> for Row {
    fn from(field: &'static Field) -> Self {
        let kind = format!("{:?}", field.kind).to_lowercase();
        Row { key: field.path, kind, usual: field.usual, meaning: field.meaning }
    }
}

impl Schema {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Some(name) = self.kind else {
            return context.output.show(&types(), types_for_people);
        };
        let known = RECORD_TYPES.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| internal(format!("`{name}` was taken for a type of record")))?;
        context.output.show(&fields(known), fields_for_people)
    }
}

fn types() -> Types {
    Types {
        schema: SCHEMA_VERSION,
        types: RECORD_TYPES.iter().map(Type::from).collect(),
        relations: RELATIONS.iter().map(|known| Named { relation: known.name, inverse: known.inverse }).collect(),
    }
}

fn fields(known: &RecordType) -> Fields {
    Fields {
        schema: SCHEMA_VERSION,
        of: known.into(),
        own: own_fields(known.name).map(Row::from).collect(),
        envelope: envelope_fields().map(Row::from).collect(),
    }
}

fn types_for_people(types: &Types) -> String {
    let rows: Vec<(&str, String)> = types.types.iter().map(|known| (known.name, known.meaning.to_owned())).collect();
    output::pairs(&rows) + "\n`portolan schema TYPE` shows the fields of one.\n"
}

fn fields_for_people(fields: &Fields) -> String {
    let mut out = format!("{}: {}\n", fields.of.name, fields.of.meaning);
    for (heading, rows) in [("Its own fields", &fields.own), ("Fields of every type", &fields.envelope)] {
        if !rows.is_empty() {
            out.push_str(&format!("\n{heading}\n"));
            rows_for_people(&mut out, rows);
        }
    }
    out
}

fn rows_for_people(out: &mut String, rows: &[Row]) {
    let width = |of: fn(&Row) -> &str| rows.iter().map(|row| text::width(of(row))).max().unwrap_or(0);
    let (key, kind) = (width(|row| row.key), width(|row| &row.kind));
    for row in rows {
        out.push_str(&format!("  {:<key$}  {:<kind$}  {}\n", row.key, row.kind, row.meaning));
        if !row.usual.is_empty() {
            out.push_str(&tr!("  {:<key$}  {:<kind$}  usual: {}\n", "", "", row.usual.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_type_has_a_line_and_fields() {
        let out = types_for_people(&types());
        assert!(TYPES.iter().all(|name| out.lines().any(|line| line.starts_with(&format!("{name} ")))));
        for known in RECORD_TYPES {
            let out = fields_for_people(&fields(known));
            assert!(out.contains("\nFields of every type\n") && out.contains("  title/<language> "), "{out}");
            let own = own_fields(known.name).count() > 0;
            assert_eq!(out.contains("\nIts own fields\n"), own, "{out}");
        }
    }

    #[test]
    fn the_machine_form_names_key_kind_values_and_meaning() {
        let known = RECORD_TYPES.iter().find(|known| known.name == "experience").unwrap();
        let json = serde_json::to_value(fields(known)).unwrap();
        let outcome = json["own"].as_array().unwrap().iter().find(|row| row["key"] == "outcome").unwrap();
        assert_eq!(outcome["usual"], serde_json::json!(["success", "failure", "near-miss"]));
        assert_eq!((&outcome["kind"], &json["type"]), (&"scalar".into(), &"experience".into()));
    }
}
