//! The daemon as a service and its local API, with the real program: starting, stopping, refusing, and strangers at the
//! socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod daemon;
mod damage;
mod disk;
mod hostile;
mod logins;
mod start;
