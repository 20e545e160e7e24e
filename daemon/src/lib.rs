//! Portolan's daemon: it carries what the protocol decides. Files, sockets, clocks and randomness are here, rules are not.
//!
//! Lower floors first; a file imports only from floors below its own (`docs/ARCHITECTURE.md`).

pub mod clock;
pub mod config;
pub mod guard;
pub mod kept;
pub mod logins;

pub mod prevalidate;
pub mod text_diff;

pub mod causality;

pub mod automerge_door;
pub mod keystore;
pub mod looks;
pub mod persons;
pub mod search;
pub mod store;
pub mod transport;

pub mod arrivals;
pub mod home;
pub mod init;

pub mod documents;

pub mod engine;

pub mod attachments;

pub mod pouches;

pub mod failure;

pub mod api;

pub mod service;
