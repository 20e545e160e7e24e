//! Membership: a pure function from the set of a space's control entries to its members, their roles, the epochs, and the
//! standing of data entries (`docs/spec/membership.md`).
//!
//! Nothing here depends on the order in which entries came, on a clock, or on a configuration.

mod clock;
mod epochs;
mod exception;
mod farewell;
mod fold;
mod graph;
mod keyring;
mod ledger;
mod plan;
mod roll;
mod standing;

pub use exception::{DataEntry, DataLog, lifted};
pub use fold::Status;
pub use graph::{ControlEntry, GenesisError, InsertError};
pub use keyring::{BadWrap, EpochKeys, EpochSecret, Keyring, log_key};
pub use plan::{Offer, Plan, READERS_MAX, Refusal, found};
pub use roll::{Inserted, Member, Membership};
pub use standing::{DataPosition, Reason, Standing, StandingCache};

#[cfg(test)]
mod tests;
