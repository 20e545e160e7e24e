//! The one door to Automerge: a record's document, changed by drafts and by changes that passed the pre-validator.
//!
//! Nothing that Automerge does with a stranger's change escapes from here: work is done on a clone inside
//! `catch_unwind`, and a failure is a local fault that leaves the document as it was. It neither reads the clock nor
//! stores anything; who wrote a change, when and why stands in the signed entry.

mod document;
mod fault;
mod reading;
mod trial;
mod writing;

pub use document::{Document, Edited};
pub use fault::{Applied, EditError, Fault};

pub use crate::causality::{Hash, Unfit};
