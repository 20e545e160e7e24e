//! What fuzzers call: for each door through which bytes of strangers come, a function that takes any bytes, and panics where a
//! promise is broken. `cargo test` feeds them changed samples; the crate in `tests/fuzz` lets a coverage-guided fuzzer do it.

mod bytes;

mod changes;
mod decoders;
mod files;
mod node;
mod volumes;

pub use self::{
    changes::{ACTOR, changes},
    decoders::decoders,
    files::files,
    node::node,
    volumes::volumes,
};

/// A function for a fuzzer.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: [(&str, Target); 5] =
    [("decoders", decoders), ("volumes", volumes), ("changes", changes), ("files", files), ("node", node)];
