//! The one door to quinn and rustls: connections between nodes that carry frames, and nothing about what frames mean.
//!
//! `docs/spec/transport.md` has the bytes. Both sides prove a transport key that the other already knows; who a key
//! belongs to is told from outside, through [`Allowed`].

use std::time::Duration;

mod error;
mod identity;

mod allowed;
mod exchange;
mod frames;
mod verify;

mod connection;
mod socket;
mod tls;

mod race;
mod reset;

mod endpoint;
mod plan;

mod dialer;

#[cfg(test)]
mod tests;

pub use allowed::Allowed;
pub use connection::{Connection, Direction, Handle, Keep, prefer};
pub use dialer::{Dial, Dialer};
pub use endpoint::Endpoint;
pub use error::{CloseCode, Fault, TransportError};
pub use exchange::Exchange;
pub use frames::{FrameReceiver, FrameSender};
pub use identity::{Identity, TransportKey, server_name};
pub use plan::{PeerState, Target};

/// The one protocol spoken, with its version.
pub const ALPN: &[u8] = b"portolan/1";

/// A handshake and greeting that take longer are given up: five round trips by satellite, with room for losses.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection on which nothing is heard for this long is gone.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Three keep-alives may be lost before a connection counts as gone. It also keeps the shorter NAT bindings open.
pub const KEEP_ALIVE: Duration = Duration::from_secs(8);

/// Bytes in flight that we let a peer have: 110 Mbit/s by satellite (600 ms), 150 MB/s up to 55 ms.
const WINDOW: u32 = 8 << 20;
/// The window of a connection: the frames', and that of as many exchanges as carry bulk at once. So what nobody has read yet of
/// those never keeps a frame from being sent.
const CONNECTION_WINDOW: u32 = 3 * WINDOW;
/// Exchanges that one peer may have open here.
const EXCHANGES_MAX: u32 = 16;
/// Connections that one peer may hold at once: one each way, and each once replaced.
const CONNECTIONS_PER_PEER_MAX: usize = 4;
/// Inbound handshakes in progress; hellos beyond them are dropped unanswered, and the caller's QUIC sends them again.
const HANDSHAKES_MAX: usize = 256;
/// With more handshakes than this in progress, an address must first prove, by a retry, that it can hear us. Not always:
/// a retry costs a round trip, which a satellite link would pay on every connection.
const HANDSHAKES_BEFORE_RETRY: usize = 8;
/// Finished inbound connections that wait to be taken.
const ACCEPTED_MAX: usize = 16;
