//! Records from the log: which changes are accepted, what a record shows, lists, history; and saves on their way to the log.
//!
//! Everything here is derived and can be made again from the entries. What people see of a record is a pure function of the
//! accepted entries held, whatever the order in which they came (`docs/decisions/derived-data.md`). Nothing here decides what
//! is accepted: membership does. One thread owns the derived data; this handle never blocks the async runtime.

mod cores;
mod cursor;
mod error;
mod keys;
mod rows;
mod settings;

mod shelf;

mod cache;
mod payload;
mod visible;

mod aside;
mod catalogue;

mod offering;

mod index;

mod intake;
mod lag;
mod opening;

mod review;

mod refers;

mod keeping;

mod news;
mod planning;
mod reading;

mod locks;
mod queue;

mod worker;

mod handle;

mod contests;
mod difference;
mod links;
mod references;
mod saving;
mod translations;

mod restoring;

pub use aside::SetAside;
pub use cursor::Cursor;
pub use error::{AppendError, DocumentError};
pub use handle::{Appender, Documents, Options};
pub use news::{Asking, Fresh, NewRecord};
pub use reading::{HeldBack, HistoryItem, Listed, Progress, Shown};
pub use references::Reference;
pub use saving::{ImportItem, Source};
pub use settings::settings_document;
pub use visible::ChangeStanding;
pub use worker::Stage;
