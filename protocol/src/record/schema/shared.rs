//! Fields that several types have: what something is for, when and where it is, and who takes part.

use super::field::{Field, Kind, own};
use Kind::{Country, Date, Decimal, Member, Position, Scalar, Text};

const AIMED: &[&str] = &["training_material", "action", "exercise", "programme", "strategy"];
const DATED: &[&str] = &["action", "exercise", "programme"];
const MET: &[&str] = &["action", "exercise"];
const PLACED: &[&str] = &["action", "exercise", "organisation"];
const OF_A_COUNTRY: &[&str] =
    &["capacity_gap", "expert_profile", "contact_point", "organisation", "assistance_request"];
const PERSONS: &[&str] = &["expert_profile", "contact_point"];
const VALID: &[&str] = &["contact_point", "organisation", "network", "alert", "concept"];
const BODIES: &[&str] = &["organisation", "network", "programme"];
const HOSTED: &[&str] = &["action", "exercise", "network"];
const REACHED: &[&str] = &["action", "organisation", "network", "programme"];
const REGIONAL: &[&str] = &["threat_note", "organisation", "network", "programme", "strategy"];
const BASED: &[&str] = &["practice", "programme", "strategy"];
const SUCCEEDING: &[&str] = &["programme", "strategy"];
const ADDRESSED: &[&str] = &["training_material", "practice", "alert"];
const LASTING: &[&str] = &["training_material", "action", "exercise", "programme"];
const COUNTED: &[&str] = &["action", "organisation", "network", "programme", "news"];
const FUNDED: &[&str] = &["organisation", "action", "programme"];
const SITUATED: &[&str] = &["experience", "programme"];
const PUT_IN_ORDER: &[&str] = &["programme", "strategy"];
const PUBLIC: &[&str] = &["organisation", "network", "programme"];
const DEFINED: &[&str] = &["scheme", "concept"];
const PERIODS: &[&str] = &["threat_note", "strategy"];

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    own(SITUATED, "context/<language>", Text, "the situation"),
    own(LASTING, "duration", Scalar, "ISO 8601 duration (P5D, P48M), or words"),
    own(ADDRESSED, "audience/<language>", Scalar, "who it is for"),
    own(AIMED, "objectives/<id>/text/<language>", Scalar, "an objective"),
    own(AIMED, "objectives/<id>/position", Position, "its place among them"),
    own(DATED, "planned", Date, "when it is planned, a day or an interval"),
    own(DATED, "actual", Date, "when it took place, a day or an interval"),
    own(PLACED, "place/<language>", Scalar, "where: a building, a town"),
    own(HOSTED, "hosts/<id>", Member, "organisations that host it"),
    own(MET, "organisers/<id>", Member, "organisations that hold it"),
    own(MET, "participants/<id>/name", Scalar, "who takes part: a person, or a group"),
    own(MET, "participants/<id>/role", Scalar, "in which role").usual(&[
        "chair",
        "participant",
        "trainer",
        "speaker",
        "expert",
        "observer",
        "organiser",
        "evaluator",
        "interpreter",
    ]),
    own(MET, "participants/<id>/country", Country, "from which country"),
    own(MET, "participants/<id>/organisation", Scalar, "from which organisation"),
    own(MET, "participants/<id>/number", Scalar, "how many persons, where it is a group"),
    own(FUNDED, "donors/<id>", Member, "organisations that pay for it"),
    own(BODIES, "acronym/<language>", Scalar, "its short name"),
    own(PUBLIC, "website", Scalar, "its address on the web"),
    own(OF_A_COUNTRY, "country", Country, "its country"),
    own(PERSONS, "name", Scalar, "the person's name"),
    own(PERSONS, "function/<language>", Scalar, "the person's function"),
    own(PERSONS, "organisation", Scalar, "the person's organisation"),
    own(VALID, "valid_from", Date, "from when it holds"),
    own(VALID, "valid_to", Date, "until when it holds"),
    own(&["organisation", "network"], "mandate/<language>", Text, "what it is charged with"),
    own(&["organisation", "network"], "members/<id>/name", Scalar, "a member: a person, a service or a state"),
    own(&["organisation", "network"], "members/<id>/role", Scalar, "its role").usual(&[
        "chair",
        "deputy",
        "secretariat",
        "member",
        "contact-point",
        "observer",
        "lead",
    ]),
    own(&["organisation", "network"], "members/<id>/country", Country, "its country"),
    own(&["organisation", "network"], "members/<id>/organisation", Scalar, "its organisation"),
    own(&["organisation", "network"], "members/<id>/valid_from", Date, "member from when"),
    own(&["organisation", "network"], "members/<id>/valid_to", Date, "member until when"),
    own(REACHED, "contacts/<id>/name", Scalar, "a person in charge"),
    own(REACHED, "contacts/<id>/function/<language>", Scalar, "of what"),
    own(REACHED, "contacts/<id>/organisation", Scalar, "of which organisation"),
    own(REGIONAL, "regions/<id>", Member, "regions, notations of the space's vocabulary"),
    own(BASED, "legal_basis/<language>", Text, "the law, decision or agreement it rests on"),
    own(BASED, "scope/<language>", Text, "what it extends to"),
    own(SUCCEEDING, "predecessors/<id>", Member, "what it continues"),
    own(PUT_IN_ORDER, "priorities/<id>/title/<language>", Scalar, "a priority"),
    own(PUT_IN_ORDER, "priorities/<id>/text/<language>", Text, "what it means"),
    own(PUT_IN_ORDER, "priorities/<id>/area", Scalar, "the priority area, a notation of the vocabulary"),
    own(PUT_IN_ORDER, "priorities/<id>/position", Position, "its place among them"),
    own(COUNTED, "figures/<id>/label/<language>", Scalar, "what is counted"),
    own(COUNTED, "figures/<id>/value", Decimal, "the number"),
    own(COUNTED, "figures/<id>/unit", Scalar, "its unit: days, countries, persons, ..."),
    own(COUNTED, "figures/<id>/position", Position, "its place among them"),
    own(PERIODS, "period", Date, "the time it speaks of, an interval"),
    own(DEFINED, "notation", Scalar, "its code: the `<id>` in `areas/<id>`, `tags/<id>`, ... of other records"),
    own(DEFINED, "definition/<language>", Text, "what it means"),
];
