//! What must hold in every world, whatever happened in it.

pub mod secrecy;

pub mod authenticity;
pub mod convergence;
pub mod durability;
pub mod statuses;
