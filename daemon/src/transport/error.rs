//! What can go wrong on the way to a peer, and whose fault it is.

use std::{io, net::SocketAddr, sync::Arc};

use portolan_protocol::{id::NodeId, limits::FRAME_BYTES_MAX};
use quinn::{ConnectionError, TransportErrorCode, VarInt};
use thiserror::Error;

/// Longest reason of a peer's that is repeated to people, in characters.
const REASON_CHARACTERS_MAX: usize = 120;

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This node: its configuration, its system, or our own misuse.
    Ours,
    /// The link, an address, or a node that is switched off.
    Network,
    /// Both sides are honest and do not fit: versions, or keys that one of them does not know yet.
    Mismatch,
    /// The other side does what no honest node does.
    Peer,
}

/// Why a connection ended, as one side tells the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// The node stops, or has nothing more to say.
    Done,
    /// The peer is no longer allowed here.
    NotAllowed,
    /// Another connection to the same peer is kept.
    Duplicate,
    /// A frame broke the rules of frames.
    Frame,
    /// A message broke the rules of the session.
    Protocol,
    /// Too many connections, or a local limit.
    Busy,
    /// A code that this version does not know.
    Other(u32),
}

impl From<CloseCode> for VarInt {
    fn from(code: CloseCode) -> VarInt {
        VarInt::from_u32(match code {
            CloseCode::Done => 0,
            CloseCode::NotAllowed => 1,
            CloseCode::Duplicate => 2,
            CloseCode::Frame => 3,
            CloseCode::Protocol => 4,
            CloseCode::Busy => 5,
            CloseCode::Other(code) => code,
        })
    }
}

impl From<VarInt> for CloseCode {
    fn from(code: VarInt) -> CloseCode {
        match code.into_inner() {
            0 => CloseCode::Done,
            1 => CloseCode::NotAllowed,
            2 => CloseCode::Duplicate,
            3 => CloseCode::Frame,
            4 => CloseCode::Protocol,
            5 => CloseCode::Busy,
            code => CloseCode::Other(u32::try_from(code).unwrap_or(u32::MAX)),
        }
    }
}

/// A failure of the transport.
#[derive(Clone, Debug, Error)]
pub enum TransportError {
    /// A listen address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The TLS library refuses our own settings or key.
    #[error("the transport cannot be set up: {0}")]
    Setup(String),
    /// The peer, or this key of it, is not in the allowed set.
    #[error("{0:?} is not an allowed peer, or not with this key")]
    NotAllowed(NodeId),
    /// The connection or the endpoint was closed on this side.
    #[error("closed on this side")]
    Closed,
    /// A frame to be sent breaks the rules, or an earlier one was left half sent.
    #[error("cannot send: {0}")]
    Unsendable(&'static str),

    /// None of the peer's addresses can be used.
    #[error("the peer has no address that can be called")]
    NoAddress,
    /// A host name has no address, or the address cannot be reached from here.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The peer's process or machine has restarted and no longer knows the connection.
    #[error("the peer has restarted")]
    Restarted,

    /// The node that answers has another transport key than the one expected, and showed it.
    #[error("the node at this address has another key than the peer's card says")]
    WrongKey,
    /// What answers does not go by the name derived from the expected key.
    #[error("the node at this address does not answer for the key that the peer's card says")]
    WrongName,
    /// The peer does not know our key: it has not added our card, or has removed us.
    #[error("the peer does not know this node's key; has its administrator added this node's card?")]
    KeyRefused,
    /// A client showed a key that is not allowed here.
    #[error("a node with a key that is not known here was refused")]
    UnknownKey,
    /// No protocol version or cryptography in common.
    #[error("no version in common: {0}")]
    Incompatible(String),

    /// A frame's length breaks the rules.
    #[error("the peer announced a frame of {0} bytes, and 1 to {FRAME_BYTES_MAX} are allowed")]
    FrameLength(u64),
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame")]
    Truncated,
    /// QUIC or TLS was broken by the other side.
    #[error("broken protocol: {0}")]
    Broken(String),
    /// The peer closed.
    #[error("closed by the peer ({code:?}): {reason}")]
    ClosedByPeer {
        /// Its code.
        code: CloseCode,
        /// Its words, shortened and made harmless.
        reason: String,
    },

    /// What happened at one address.
    #[error("{address}: {error}")]
    At {
        /// The address as it was given.
        address: String,
        /// What happened.
        error: Box<TransportError>,
    },
}

/// TLS alerts (RFC 8446, section 6) by which the two sides tell one another why a handshake failed.
mod alert {
    pub const HANDSHAKE_FAILURE: u64 = 0x100 | 40;
    pub const UNKNOWN_CA: u64 = 0x100 | 48;
    pub const ACCESS_DENIED: u64 = 0x100 | 49;
    pub const PROTOCOL_VERSION: u64 = 0x100 | 70;
    pub const NO_APPLICATION_PROTOCOL: u64 = 0x100 | 120;
}

impl TransportError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        use TransportError as E;
        match self {
            E::Listen { .. } | E::Setup(_) | E::NotAllowed(_) | E::Closed | E::Unsendable(_) => Fault::Ours,
            E::NoAddress | E::Unreachable(_) | E::TimedOut | E::Restarted => Fault::Network,
            E::WrongKey | E::WrongName | E::KeyRefused | E::UnknownKey | E::Incompatible(_) => Fault::Mismatch,
            E::FrameLength(_) | E::Truncated | E::Broken(_) => Fault::Peer,
            E::ClosedByPeer { code, .. } => match code {
                CloseCode::Frame | CloseCode::Protocol => Fault::Ours,
                CloseCode::NotAllowed | CloseCode::Other(_) => Fault::Mismatch,
                CloseCode::Done | CloseCode::Duplicate | CloseCode::Busy => Fault::Network,
            },
            E::At { error, .. } => error.fault(),
        }
    }

    /// The failure itself, without the address where it happened.
    pub fn cause(&self) -> &TransportError {
        match self {
            TransportError::At { error, .. } => error.cause(),
            other => other,
        }
    }

    /// How much a failure tells: of several addresses, the one at which somebody answered says most.
    pub(super) fn weight(&self) -> u8 {
        match self.cause() {
            TransportError::NoAddress => 0,
            TransportError::Unreachable(_) => 1,
            TransportError::TimedOut => 2,
            TransportError::KeyRefused => 4,
            _ => 3,
        }
    }
}

/// A stranger's words, fit to be shown: bounded, and no control or direction characters.
fn harmless(bytes: &[u8]) -> String {
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let bytes = bytes.get(..bytes.len().min(4 * REASON_CHARACTERS_MAX)).unwrap_or_default();
    String::from_utf8_lossy(bytes).chars().filter(shown).take(REASON_CHARACTERS_MAX).collect()
}

impl From<ConnectionError> for TransportError {
    fn from(error: ConnectionError) -> Self {
        use TransportError as E;
        match error {
            ConnectionError::VersionMismatch => E::Incompatible("QUIC version".into()),
            ConnectionError::TransportError(e) => match u64::from(e.code) {
                alert::UNKNOWN_CA => E::UnknownKey,
                alert::ACCESS_DENIED => E::WrongKey,
                alert::HANDSHAKE_FAILURE | alert::PROTOCOL_VERSION => E::Incompatible(harmless(e.reason.as_bytes())),
                alert::NO_APPLICATION_PROTOCOL => E::Incompatible("protocol".into()),
                _ => E::Broken(harmless(e.to_string().as_bytes())),
            },
            ConnectionError::ConnectionClosed(close) => match u64::from(close.error_code) {
                alert::UNKNOWN_CA => E::KeyRefused,
                alert::ACCESS_DENIED => E::WrongName,
                alert::HANDSHAKE_FAILURE | alert::PROTOCOL_VERSION => E::Incompatible("cryptography".into()),
                alert::NO_APPLICATION_PROTOCOL => E::Incompatible("protocol".into()),
                code if code == u64::from(TransportErrorCode::CONNECTION_REFUSED) => {
                    E::ClosedByPeer { code: CloseCode::Busy, reason: "refused".into() }
                }
                _ => E::Broken(harmless(close.to_string().as_bytes())),
            },
            ConnectionError::ApplicationClosed(close) => {
                E::ClosedByPeer { code: close.error_code.into(), reason: harmless(&close.reason) }
            }
            ConnectionError::Reset => E::Restarted,
            ConnectionError::TimedOut => E::TimedOut,
            ConnectionError::LocallyClosed => E::Closed,
            ConnectionError::CidsExhausted => E::Setup("no connection ids left".into()),
        }
    }
}

impl From<quinn::ReadError> for TransportError {
    fn from(error: quinn::ReadError) -> Self {
        match error {
            quinn::ReadError::ConnectionLost(e) => e.into(),
            quinn::ReadError::ClosedStream => TransportError::Closed,
            other => TransportError::Broken(other.to_string()),
        }
    }
}

impl From<quinn::WriteError> for TransportError {
    fn from(error: quinn::WriteError) -> Self {
        match error {
            quinn::WriteError::ConnectionLost(e) => e.into(),
            quinn::WriteError::ClosedStream => TransportError::Closed,
            other => TransportError::Broken(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back() {
        for code in 0..7 {
            let code = VarInt::from_u32(code);
            assert_eq!(VarInt::from(CloseCode::from(code)), code);
        }
    }

    #[test]
    fn a_strangers_words_are_made_harmless() {
        assert_eq!(harmless("a\u{1b}[31mb\n\u{202e}c".as_bytes()), "a[31mbc");
        assert_eq!(harmless(&[b'x'; 10_000]).len(), REASON_CHARACTERS_MAX);
        assert_eq!(harmless(&[0xff, b'a']), "\u{fffd}a");
    }
}
