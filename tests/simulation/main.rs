//! The real core in simulated worlds: scenarios, hostile peers, and worlds drawn from seeds (`docs/testing.md`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test")]

mod forks;
mod losses;
mod random_worlds;
mod removal;
mod sharing;
mod sticks;
mod strangers;
