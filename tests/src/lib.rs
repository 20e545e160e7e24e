//! Portolan.

pub mod attacks;
