//! The local API's types: what `portolan` and `portoland` say to each other in JSON over a unix socket (`docs/spec/api.md`).
//!
//! Not the protocol between nodes. Requests refuse unknown fields, since a misspelt one would be lost in silence; answers
//! may grow fields, which older clients skip. Moments are milliseconds since 1970 (`*_ms`), ids and hashes are text.

mod error;

mod card_text;

mod access;
mod check;
mod document;
mod event;
mod import;
mod init;
mod peer;
mod space;

mod status;
mod sync;

pub use access::{AddUser, Can, Right, User, Users};
pub use card_text::{ArmourError, CardText};
pub use check::{CheckEvent, CheckRequest, CheckStage, Checked, Finding, Severity};
pub use document::{
    Change, CreateDocument, DeleteDocument, DocumentAt, DocumentPage, DocumentQuery, DocumentView, EditDocument,
    History, Outcome, PAGE_DEFAULT, PAGE_MAX, Saved,
};
pub use error::{ApiError, ErrorKind};
pub use event::Event;
pub use import::{ImportEvent, ImportItem, ImportOutcome, ImportQuery, ImportTotals, Imported, LINE_BYTES_MAX};
pub use init::{InitAnswer, InitRequest, InitResult};
pub use peer::{AddPeer, CardAnswer, Connection, Peer, PeerSpace, Peers, ProfileChange, Route};
pub use space::{CreateSpace, Grant, Member, Members, NameSpace, Revoked, Rotated, Space, SpaceState, Spaces};
pub use status::{Caller, NodeStatus, Status};
pub use sync::{SyncPeer, SyncRequest, SyncResult, SyncState};

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
