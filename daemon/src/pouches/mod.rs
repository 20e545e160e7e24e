//! Pouches as this daemon writes and takes them: what was sent is kept in small files, what comes is staged, verified and then
//! taken. Media are the command line's affair; this sees streams of bytes.

mod error;

mod archive;
mod staging;

mod handle;

mod choosing;

mod pieces;
mod reading;

mod taking;
mod writing;

pub use self::{
    archive::{LeftOut, Record, Volume},
    error::PouchesError,
    handle::{Order, Pouches, Word},
    pieces::{FilesTaken, LackingFile},
    staging::Staged,
    taking::{Listener, Progress, Taken},
    writing::Chunks,
};
