//! Portolan.

pub mod import;
pub mod sample;
