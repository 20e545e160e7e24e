//! The envelope: the fields that records of every type share.

use super::{
    field::{Field, Kind, envelope},
    relation::RELATION_NAMES,
    types::TYPES,
};
use Kind::{Date, Marking, Member, Scalar, Text};

/// The rows.
pub(super) const FIELDS: &[Field] = &[
    envelope("type", Scalar, "the type of the record").usual(&TYPES),
    envelope("schema", Scalar, "the version of this table that the record was made with"),
    envelope("language", Scalar, "the original language"),
    envelope("title/<language>", Scalar, "the title; of a concept, its preferred label"),
    envelope("summary/<language>", Text, "the summary, plain text"),
    envelope("body/<language>", Text, "the body, Markdown"),
    envelope(
        "translations/<language>/from",
        Scalar,
        "heads the translation was made from: hex, sorted, a comma between",
    ),
    envelope("translations/<language>/state", Scalar, "how far the translation is")
        .usual(&["machine", "draft", "reviewed"]),
    envelope("areas/<id>", Member, "priority areas, notations of the space's vocabulary"),
    envelope("tags/<id>", Member, "tags, notations of the space's vocabulary"),
    envelope("countries/<country>/origin", Member, "the country it comes from"),
    envelope("countries/<country>/beneficiary", Member, "a country it is for"),
    envelope("countries/<country>/covered", Member, "a country it speaks of"),
    envelope("countries/<country>/host", Member, "the country where it took place"),
    envelope("countries/<country>/<id>", Member, "another relation, with a warning"),
    envelope("programmes/<id>", Member, "programmes it belongs to"),
    envelope("originator", Scalar, "the organisation that answers for it"),
    envelope("marking", Marking, "TLP 2.0").usual(&["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]),
    envelope("caveats/H0", Member, "handling caveat H0 beside the marking"),
    envelope("caveats/H1", Member, "handling caveat H1 beside the marking"),
    envelope("caveats/H2", Member, "handling caveat H2 beside the marking"),
    envelope("caveats/H3", Member, "handling caveat H3 beside the marking"),
    envelope("caveats/<id>", Member, "another caveat, with a warning"),
    envelope("status", Scalar, "how far the record is").usual(&["draft", "review", "published", "archived"]),
    envelope("review_due", Date, "when it should be looked at again"),
    envelope("retention/class", Scalar, "class of retention"),
    envelope("retention/basis", Scalar, "legal basis of keeping it"),
    envelope("retention/erase_after", Date, "when it is to be erased"),
    envelope("retention/legal_hold", Scalar, "why it must not be erased"),
    envelope("links/<id>/relation", Scalar, "what the link says").usual(&RELATION_NAMES),
    envelope("links/<id>/target", Scalar, "a document id, or a URI"),
    envelope("links/<id>/label/<language>", Scalar, "what people read instead of the target"),
    envelope(
        "attachments/<id>/name/<language>",
        Scalar,
        "name of the file; `<id>` is the hash of the attachment's ciphertext",
    ),
    envelope("attachments/<id>/alternative_text/<language>", Scalar, "what it shows, for those who do not see it"),
    envelope("attachments/<id>/credit/<language>", Scalar, "whom to name with it"),
    envelope("attachments/<id>/role", Scalar, "what it is to the record").usual(&[
        "document",
        "image",
        "package",
        "presentation",
        "recording",
    ]),
    envelope("attachments/<id>/media_type", Scalar, "media type"),
    envelope("attachments/<id>/size", Scalar, "bytes"),
    envelope("attachments/<id>/licence", Scalar, "licence"),
    envelope("attachments/<id>/key", Scalar, "the key that opens it"),
    envelope("source/<id>", Scalar, "where it was imported from: `source/path`, `source/uri`, `source/hash`, ..."),
    envelope("deleted", Member, "`true`: hidden, not gone"),
];
