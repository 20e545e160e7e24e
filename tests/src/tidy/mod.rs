//! The house rules that a compiler does not check: floors, circles, doors, layout, links.
//!
//! Every check is a function from text to [`Violation`]s, with a test that it refuses what it should;
//! `tests/tidy.rs` runs them over the tree.

mod code;
mod source;

mod graph;
mod layout;
mod links;

mod doors;
mod floors;

pub use doors::{DOORS, Door, crates_apart, doors};
pub use floors::{CLI, DAEMON, Floors, PROTOCOL, floors};
pub use graph::{circles, imports};
pub use layout::{TOP_LEVEL, heads, own_words, top_level};
pub use links::links;
pub use source::{Source, Violation, files_with, read_crate, workspace};
