//! Finding records by their words (`docs/decisions/search.md`), and the only door to tantivy.
//!
//! Everything here is derived and is made again from the records. It knows no permissions: who asks names the spaces.

mod analysis;
mod question;

mod entry;

mod schema;

mod snippet;

mod matching;

mod readable;

mod channel;

mod keeper;

mod handle;

pub use analysis::Language;
pub use channel::{Put, Table};
pub use entry::Entry;
pub use handle::{Search, SearchError};
pub use matching::{Found, FoundRecord, Question};
