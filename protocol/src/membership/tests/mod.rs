//! Tests of membership as a whole: a small world of named nodes, the rules one by one, and generated histories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exceptions;
mod histories;
mod keys;
mod rules;
mod standings;
mod world;
