//! Vocabularies in the shape of SKOS: schemes and their concepts. The preferred label is the title.

use super::field::{Field, Kind, own};
use Kind::{Member, Scalar};

const SCHEME: &[&str] = &["scheme"];
const CONCEPT: &[&str] = &["concept"];

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    own(SCHEME, "serves/<id>", Member, "fields whose values are notations of the scheme: areas, tags, kind, ..."),
    own(CONCEPT, "scheme", Scalar, "notation of the scheme it belongs to"),
    own(CONCEPT, "alternative/<id>/<language>", Scalar, "another label, by which it is found"),
    own(CONCEPT, "broader/<id>", Member, "notations of wider concepts"),
    own(CONCEPT, "exact_match/<id>", Scalar, "URI of the same concept elsewhere"),
];
