//! Constants of the socket and of HTTP that both sides go by. What is said is in the other files.

/// The prefix of every path.
pub const PREFIX: &str = "/v1";

/// The number in [`PREFIX`]; it changes when an old client would misunderstand a new daemon.
pub const VERSION: u32 = 1;

/// The header of every answer that holds the daemon's release.
pub const VERSION_HEADER: &str = "portolan-version";

/// The socket's name inside the home.
pub const SOCKET_NAME: &str = "portolan.sock";

/// Largest body of a request that is not a stream, in bytes: a draft of the largest record with every letter escaped.
pub const REQUEST_BYTES_MAX: usize = 2 << 20;

/// The media type of streams with one JSON value to a line.
pub const NDJSON: &str = "application/x-ndjson";
