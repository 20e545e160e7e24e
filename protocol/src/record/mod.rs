//! What a record is: its schema as data, the draft that people and imports send, the view that is shown.
//!
//! Pure values. How a record is held in an Automerge document, and how concurrent values come about, is the daemon's
//! affair; which key holds what is fixed here and in `docs/spec/records.md`.

mod value;

mod display;
mod edtf;
mod language;
mod marking;
mod position;

mod schema;

mod draft;
mod view;

mod facet;

pub use display::{display_safe, has_bidi_controls};
pub use draft::{RecordDraft, Refusal, Warning, check};
pub use edtf::{looks_like_edtf, years};
pub use facet::{Facet, Filters};
pub use language::canonical_language;
pub use marking::{Marking, join_markings};
pub use position::position_between;
pub use schema::{FIELDS, Field, Kind, SCHEMA_VERSION, Segment, TYPES, field_of, language_of};
pub use value::Value;
pub use view::{RecordView, Summary, Updated, shortened};
