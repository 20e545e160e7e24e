//! Portolan's command line: it speaks to people and to a running `portoland`, and decides nothing.
//!
//! Lower floors first; a file imports only from floors below its own (`docs/ARCHITECTURE.md`).

#[macro_use]
pub mod messages;

pub mod import;
pub mod sample;

pub mod error;
pub mod pager;
pub mod text;
pub mod time;

pub mod args;
pub mod draft_file;
pub mod fields;
pub mod home;
pub mod medium;
pub mod output;
pub mod package;
pub mod progress;
pub mod qr;

pub mod client;
pub mod editor;
pub mod export;

pub mod context;
pub mod resolve;

pub mod commands;
