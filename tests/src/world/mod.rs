//! A world of nodes driven by one seed: networks, clocks, disks and crashes, with the real core inside (`docs/testing.md`).
//! No thread, no sleep, no real time; the same seed gives the same world.

pub mod clock;
pub mod disk;
pub mod network;

pub mod readers;

pub mod sticks;

pub mod machine;

pub mod forger;

pub mod universe;

pub mod random;
