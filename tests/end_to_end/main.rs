//! The programs as they are shipped: daemons that are killed, cut off, fed damage and lied to, seen from the command line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod attachments;
mod carried;
mod export;
mod faults;
mod guide;
mod hostile;
mod images;
mod kill;
mod line;
mod pouch;
mod reader;
mod strangers;
mod vocabulary;
