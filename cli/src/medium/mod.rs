//! Media that couriers carry: directories of volumes, read with suspicion and written with care. It knows no daemon.

mod find;

mod readme;
mod uncached;

mod check;
mod write;

pub use check::{Looked, Whole, inspect, unreadable, verify};
pub use find::{Found, Search, search};
pub use write::{PouchDirectory, VolumeFile, must_be_writable};
