//! What the tests of the whole are made of; nothing here is shipped.

pub mod attacks;
pub mod bad_medium;
pub mod tidy;

pub mod checkers;
pub mod crowd;
pub mod daemons;
pub mod world;

pub mod fuzz;
