//! The local API's types: what `portolan` and `portoland` say to each other in JSON over a unix socket (`docs/spec/api.md`).
//!
//! Not the protocol between nodes. Requests refuse unknown fields, since a misspelt one would be lost in silence; answers
//! may grow fields, which older clients skip. Moments are milliseconds since 1970 (`*_ms`), ids and hashes are text. Behind the
//! feature `schema` each type has a JSON Schema (`docs/spec/json`).

mod error;
mod wire;

mod card_text;

mod access;
mod attachment;
mod check;
mod contest;
mod document;
mod event;
mod holders;
mod import;
mod init;
mod links;
mod news;
mod peer;
mod pouch;
mod provenance;
mod search;
mod space;
mod translation;

mod difference;
mod status;
mod sync;

pub use access::{AddUser, Can, Right, User, Users};
pub use attachment::{
    AddAttachment, AddEvent, AddedAttachment, Attachment, AttachmentState, Attachments, CheckedAttachment, FetchEvent,
    HeldAttachment, HeldAttachments, HeldQuery, Holder, VerifyEvent,
};
pub use card_text::{ArmourError, CardText};
pub use check::{CheckEvent, CheckRequest, CheckStage, Checked, Finding, Severity};
pub use contest::{Choice, Conflicts, ContestedField, ContestedValue, SettleField, Written};
pub use difference::{Difference, DifferenceQuery, FieldDifference, Piece, PieceKind, RestoreDocument, Restored};
pub use document::{
    Change, CreateDocument, DeleteDocument, DocumentAt, DocumentPage, DocumentQuery, DocumentView, EditDocument,
    FACET_VALUES_MAX, FacetCounts, FacetValue, Facets, History, Outcome, PAGE_DEFAULT, PAGE_MAX, Saved, SortBy,
};
pub use error::{ApiError, ErrorKind};
pub use event::Event;
pub use holders::{Holders, Holds, RecordHolder};
pub use import::{ImportEvent, ImportItem, ImportOutcome, ImportQuery, ImportTotals, Imported, LINE_BYTES_MAX};
pub use init::{InitAnswer, InitRequest, InitResult};
pub use links::{Incoming, LINKS_MAX, LinkedRecord, Links, Outgoing};
pub use news::{Looked, NEWS_DEFAULT, NewDocument, News, NewsQuery, Novelty, Seen, SpaceNews};
pub use peer::{AddPeer, CardAnswer, Connection, Peer, PeerSpace, Peers, ProfileChange, Route};
pub use pouch::{
    AttachmentsLeftOut, ExportRequest, LackingAttachment, LackingEntries, PouchAttachments, PouchLoad, PouchRecipient,
    PouchVolume, Pouches, ReceiptAnswer, ReceiptRequest, SentPouch, TakenPouch, TakenVolume, VolumeEvent, VolumeQuery,
    VolumeStage, VolumeVerified,
};
pub use provenance::{Arrival, ChangeProvenance, Partner, Provenance};
pub use search::{
    HITS_DEFAULT, HITS_DEPTH_MAX, HITS_MAX, Hit, NamedConcept, QUESTION_BYTES_MAX, SearchAnswer, SearchQuery, Snippet,
};
pub use space::{CreateSpace, Grant, Member, Members, NameSpace, Revoked, Rotated, Space, SpaceState, Spaces};
pub use status::{Caller, NodeStatus, Status};
pub use sync::{SyncPeer, SyncRequest, SyncResult, SyncState};
pub use translation::{Translation, Translations};
pub use wire::{NDJSON, PREFIX, REQUEST_BYTES_MAX, SOCKET_NAME, VERSION, VERSION_HEADER};
