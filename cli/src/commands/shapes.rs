//! What each command writes with `--json`, as JSON Schemas: for `docs/spec/json`, which the tests write and compare.

use portolan_protocol::api;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use super::{attachment, check, demo, doc, doctor, export, import, man, pouch, schema, vocabulary};
use crate::error::ApiError;

/// The schema of one answer.
pub struct Shape {
    /// The words of the command; `error` for what any command that fails writes to standard error.
    pub command: &'static str,
    /// The schema, under JSON Schema's draft 2020-12.
    pub schema: Schema,
}

/// Files of a record, or with `--unreferenced` those on the node.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Files {
    OfRecord(api::Attachments),
    Unreferenced(api::HeldAttachments),
}

/// What a code said, or for a medium what its volumes did.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Receipt {
    Code(Box<api::ReceiptAnswer>),
    Medium(Vec<api::TakenVolume>),
}

/// All types, or the fields of the one that was named.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Types {
    All(schema::Types),
    One(schema::Fields),
}

/// Every shape, in the order of the commands.
pub fn shapes() -> Vec<Shape> {
    vec![
        shape::<attachment::add::Report>("attachment add"),
        shape::<attachment::get::Report>("attachment get"),
        shape::<Files>("attachment list"),
        shape::<api::HeldAttachments>("attachment prune"),
        shape::<attachment::verify::Report>("attachment verify"),
        shape::<check::Report>("check"),
        shape::<demo::stage::Steps<'static>>("demo"),
        shape::<doc::conflicts::Contested>("doc conflicts"),
        shape::<api::Saved>("doc delete"),
        shape::<api::Difference>("doc diff"),
        shape::<api::Saved>("doc edit"),
        shape::<api::Facets>("doc facets"),
        shape::<api::History>("doc history"),
        shape::<api::Links>("doc links"),
        shape::<doc::list::Listing>("doc list"),
        shape::<api::Saved>("doc new"),
        shape::<api::Provenance>("doc provenance"),
        shape::<api::Restored>("doc restore"),
        shape::<api::Saved>("doc settle"),
        shape::<api::DocumentView>("doc show"),
        shape::<api::Saved>("doc translate"),
        shape::<doc::translations::Found>("doc translations"),
        shape::<api::Holders>("doc who-has"),
        shape::<doctor::Report>("doctor"),
        shape::<ApiError>("error"),
        shape::<api::Event>("events"),
        shape::<export::Report>("export"),
        shape::<import::Report>("import"),
        shape::<api::InitResult>("init"),
        shape::<man::Written>("man"),
        shape::<api::News>("new"),
        shape::<api::CardAnswer>("node card"),
        shape::<api::CardAnswer>("node set"),
        shape::<api::Peer>("peer add"),
        shape::<api::Peers>("peer list"),
        shape::<api::Peer>("peer remove"),
        shape::<api::Peer>("peer show"),
        shape::<pouch::export::Report>("pouch export"),
        shape::<pouch::import::Report>("pouch import"),
        shape::<pouch::look::Report>("pouch inspect"),
        shape::<api::Pouches>("pouch list"),
        shape::<Receipt>("pouch receipt"),
        shape::<pouch::export::Report>("pouch resume"),
        shape::<pouch::look::Report>("pouch verify"),
        shape::<Types>("schema"),
        shape::<api::SearchAnswer>("search"),
        shape::<api::Space>("space create"),
        shape::<api::Member>("space grant"),
        shape::<api::Spaces>("space list"),
        shape::<api::Members>("space members"),
        shape::<api::Space>("space name"),
        shape::<api::Revoked>("space revoke"),
        shape::<api::Rotated>("space rotate"),
        shape::<api::Space>("space show"),
        shape::<api::Status>("status"),
        shape::<api::SyncResult>("sync"),
        shape::<api::User>("user add"),
        shape::<api::Users>("user list"),
        shape::<api::User>("user remove"),
        shape::<Vec<vocabulary::Listed>>("vocabulary list"),
        shape::<vocabulary::Loaded>("vocabulary load"),
    ]
}

fn shape<T: JsonSchema>(command: &'static str) -> Shape {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let title = if command == "error" { command.to_owned() } else { format!("portolan {command} --json") };
    schema.insert("title".to_owned(), title.into());
    Shape { command, schema }
}
