//! Portolan.

pub mod import;
