//! Portolan's protocol: formats and decisions, with no I/O, no clock and no randomness of its own.
//!
//! Lower floors first; a file imports only from floors below its own (`docs/ARCHITECTURE.md`).

pub mod folding;
pub mod limits;
pub mod time;

pub mod codec;

pub mod id;

pub mod crypto;

pub mod card;
pub mod record;

pub mod attachment;
pub mod entry;

pub mod page;

pub mod change;
pub mod commit;
pub mod control;
pub mod image;

pub mod api;

pub mod membership;

pub mod frontier;
pub mod receipt;

pub mod message;
pub mod session;

pub mod pouch;

pub mod status;
pub mod view;

pub mod input;

pub mod effects;

pub mod node;

pub mod record_id;
