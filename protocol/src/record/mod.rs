//! What a record is: its schema as data, the draft that people and imports send, the view that is shown.
//!
//! Pure values. How a record is held in an Automerge document, and how concurrent values come about, is the daemon's
//! affair; which key holds what is fixed here and in `docs/spec/records.md`.

mod value;

mod country;
mod decimal;
mod display;
mod edtf;
mod language;
mod marking;
mod position;

mod date_words;
mod schema;

mod draft;
mod view;

mod facet;

pub use country::{COUNTRIES, is_country, looks_like_currency};
pub use date_words::date_suggestion;
pub use decimal::{decimal_suggestion, is_decimal};
pub use display::{display_safe, has_bidi_controls};
pub use draft::{RecordDraft, Refusal, Warning, check};
pub use edtf::{Day, edtf_bounds, is_edtf, years};
pub use facet::{Facet, Filters};
pub use language::canonical_language;
pub use marking::{Marking, is_lower_marking, join_markings};
pub use position::position_between;
pub use schema::{
    FIELDS, Field, Kind, RECORD_TYPES, RELATIONS, RecordType, Relation, SCHEMA_VERSION, Segment, TYPES,
    envelope_fields, field_in, field_of, has_fields_below, inverse_relation, language_of, own_fields, usual_values,
};
pub use value::Value;
pub use view::{RecordView, Summary, Updated, shortened};
