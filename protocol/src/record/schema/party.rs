//! Who takes part: experts, contact points, organisations, networks.

use super::field::{Field, Kind, own};
use Kind::{Country, Date, Decimal, Member, Scalar, Text};

const EXPERT: &[&str] = &["expert_profile"];
const CONTACT: &[&str] = &["contact_point"];
const ORGANISATION: &[&str] = &["organisation"];
const NETWORK: &[&str] = &["network"];

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    own(EXPERT, "domains/<id>", Member, "what the expert knows, notations of the vocabulary"),
    own(EXPERT, "speaks/<spoken>", Member, "languages the expert works in"),
    own(EXPERT, "availability/<language>", Scalar, "when and for what the expert can come, in words"),
    own(EXPERT, "available", Date, "when the expert can come, an interval"),
    own(EXPERT, "panels/<id>", Member, "panels and networks the expert sits in"),
    own(EXPERT, "days_delivered", Decimal, "days of work delivered"),
    own(EXPERT, "experience/<language>", Text, "what the expert has done"),
    own(CONTACT, "networks/<id>", Member, "networks the contact point belongs to"),
    own(CONTACT, "email", Scalar, "address for mail"),
    own(CONTACT, "telephone", Scalar, "number, with the country's prefix"),
    own(CONTACT, "deputy", Scalar, "who stands in"),
    own(ORGANISATION, "kind", Scalar, "what it is, a notation of the vocabulary"),
    own(ORGANISATION, "parent", Scalar, "the organisation it is a part of"),
    own(ORGANISATION, "offices/<id>/kind", Scalar, "an office: seat, mission, regional, ..."),
    own(ORGANISATION, "offices/<id>/place/<language>", Scalar, "where it is"),
    own(ORGANISATION, "offices/<id>/country", Country, "in which country"),
    own(NETWORK, "kind", Scalar, "what it is").usual(&[
        "analysts",
        "contact-points",
        "capacity-building",
        "panel",
        "forum",
        "consortium",
        "committee",
    ]),
    own(NETWORK, "established", Date, "when it was set up"),
    own(NETWORK, "managed_by/<id>", Member, "organisations or contact points that run it"),
];
