//! Records as they follow from signed entries: real nodes, stores and keys; nothing is imitated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod attacks;
mod behind;
mod damage;
mod deriving;
mod links;
mod membership;
mod news;
mod review;
mod revisions;
mod saving;
mod search;
mod world;
