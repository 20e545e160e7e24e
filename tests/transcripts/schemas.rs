//! The schemas of `docs/spec/json`: what the types say, and what real answers are compared with.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use jsonschema::Validator;
use portolan_cli::commands::shapes;
use portolan_protocol::api;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

/// Writes the schemas anew, where it says so.
const OVERWRITE: (&str, &str) = ("PORTOLAN_SCHEMAS", "overwrite");

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/spec/json")
}

/// `doc show` is described in `doc-show.json`.
fn file(command: &str) -> String {
    format!("{}.json", command.replace(' ', "-"))
}

/// Whether the command has a schema.
pub fn known(command: &str) -> bool {
    directory().join(file(command)).exists()
}

/// Compares an answer with the schema as it is written down.
pub fn check(command: &str, answer: &str) {
    let schema = fs::read_to_string(directory().join(file(command))).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let answer: Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{command}: {error}: {answer}"));
    let validator: Validator =
        jsonschema::draft202012::options().should_validate_formats(false).build(&schema).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(&answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{command}: {faults:?}\n{answer:#}");
}

#[test]
fn the_schemas_that_are_written_down_are_those_of_the_types() {
    let of_commands = shapes().into_iter().map(|shape| (file(shape.command), shape.schema.to_value()));
    let made: BTreeMap<String, String> = of_commands
        .chain([("api-requests.json".into(), requests()), ("api-answers.json".into(), answers())])
        .map(|(name, schema)| (name, serde_json::to_string_pretty(&schema).unwrap() + "\n"))
        .collect();
    if env::var(OVERWRITE.0).is_ok_and(|value| value == OVERWRITE.1) {
        let _ = fs::remove_dir_all(directory());
        fs::create_dir_all(directory()).unwrap();
        for (name, text) in &made {
            fs::write(directory().join(name), text).unwrap();
        }
    }
    let files = fs::read_dir(directory()).unwrap().map(|file| file.unwrap());
    let written: BTreeMap<String, String> =
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap())).collect();
    let differing: Vec<&String> =
        made.keys().chain(written.keys()).filter(|name| made.get(*name) != written.get(*name)).collect();
    assert!(
        differing.is_empty(),
        "{differing:?} differ; where that is right: {}={} cargo test",
        OVERWRITE.0,
        OVERWRITE.1
    );
}

/// Schemas of several types, each under its name in `$defs`.
macro_rules! together {
    ($title:literal, $settings:expr, $($type:ident),* $(,)?) => {{
        let mut generator: SchemaGenerator = $settings.into_generator();
        $(generator.subschema_for::<api::$type>();)*
        let definitions = generator.take_definitions(true);
        json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": $title, "$defs": definitions })
    }};
}

/// Bodies and queries of requests, as the daemon takes them.
fn requests() -> Value {
    together!(
        "Requests of the local API",
        SchemaSettings::draft2020_12().for_deserialize(),
        AddAttachment,
        AddPeer,
        AddUser,
        CheckRequest,
        CreateDocument,
        CreateSpace,
        DeleteDocument,
        DifferenceQuery,
        DocumentAt,
        DocumentQuery,
        EditDocument,
        ExportRequest,
        Grant,
        HeldQuery,
        ImportItem,
        ImportQuery,
        InitRequest,
        NameSpace,
        NewsQuery,
        ProfileChange,
        ReceiptRequest,
        RestoreDocument,
        SearchQuery,
        Seen,
        SettleField,
        SyncRequest,
        VolumeQuery,
        VolumeVerified,
    )
}

/// Answers, and the lines of those that are streams.
fn answers() -> Value {
    together!(
        "Answers of the local API",
        SchemaSettings::draft2020_12().for_serialize(),
        AddEvent,
        ApiError,
        Attachments,
        CardAnswer,
        CheckEvent,
        Conflicts,
        Difference,
        DocumentPage,
        DocumentView,
        Event,
        Facets,
        FetchEvent,
        HeldAttachments,
        History,
        Holders,
        Links,
        ImportEvent,
        InitAnswer,
        Looked,
        Member,
        Members,
        News,
        Peer,
        Peers,
        Pouches,
        Provenance,
        ReceiptAnswer,
        Restored,
        Revoked,
        Rotated,
        Saved,
        SearchAnswer,
        SentPouch,
        Space,
        Spaces,
        Status,
        SyncResult,
        Translations,
        User,
        Users,
        VerifyEvent,
        VolumeEvent,
    )
}

#[test]
fn every_type_of_the_routes_has_a_schema() {
    let page = fs::read_to_string(directory().join("../api.md")).unwrap();
    let (requests, answers) = (requests(), answers());
    let routes = page.lines().filter(|line| line.starts_with("| `") && line.contains(" /v1/"));
    let mut looked_at = 0;
    for route in routes {
        let cells: Vec<&str> = route.split('|').collect();
        for (cell, schemas) in [(cells[3], &requests), (cells[4], &answers)] {
            let names = cell.split('`').skip(1).step_by(2).filter(|name| name.starts_with(char::is_uppercase));
            for name in names {
                assert!(schemas["$defs"].get(name).is_some(), "{name}, of {route}");
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 50, "{looked_at}");
}
