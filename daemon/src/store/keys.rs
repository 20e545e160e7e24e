//! Where things stand in the main tree. The layout is drawn in the module's header.

use portolan_protocol::{
    entry::{LogKey, LogKind},
    id::{LogId, NodeId, SpaceId},
    page::LogContext,
};

/// What a key is for: its first byte.
pub(super) const META: u8 = 1;
pub(super) const LOG: u8 = 2;
pub(super) const PAGE: u8 = 3;
pub(super) const PAYLOAD: u8 = 4;
pub(super) const GAP: u8 = 5;
pub(super) const STATE: u8 = 6;

/// Under which the incarnation stands.
pub(super) const INCARNATION: &[u8] = &[META, 1];

const CONTEXT_BYTES: usize = 81;

/// The name of a log, as it is stored.
pub(super) type Name = [u8; CONTEXT_BYTES];

/// The key of a log's name.
pub(super) fn log(number: u32) -> [u8; 5] {
    let mut key = [LOG; 5];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The key of something at a place in a log.
pub(super) fn at(kind: u8, number: u32, seq: u64) -> [u8; 13] {
    let mut key = [kind; 13];
    key[1..5].copy_from_slice(&number.to_be_bytes());
    key[5..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// The last four bytes of a log's key, or the first of a place's.
pub(super) fn number(key: &[u8]) -> Option<u32> {
    key.get(1..5)?.try_into().ok().map(u32::from_be_bytes)
}

/// The place in a log that a key is about.
pub(super) fn seq(key: &[u8]) -> Option<u64> {
    key.get(5..13)?.try_into().ok().map(u64::from_be_bytes)
}

/// What a log is called on disk: space (32), author (32), log (16), kind (1).
pub(super) fn name(context: &LogContext) -> Name {
    let mut name = [0; CONTEXT_BYTES];
    name[..32].copy_from_slice(&context.space.0);
    name[32..64].copy_from_slice(&context.log.author.0);
    name[64..80].copy_from_slice(&context.log.log.0);
    name[80] = context.kind.byte();
    name
}

/// The log of that name.
pub(super) fn context(name: &Name) -> Option<LogContext> {
    let (mut space, mut author, mut log) = (SpaceId::default(), NodeId::default(), LogId::default());
    space.0.copy_from_slice(&name[..32]);
    author.0.copy_from_slice(&name[32..64]);
    log.0.copy_from_slice(&name[64..80]);
    let kind = [LogKind::Control, LogKind::Data].into_iter().find(|kind| kind.byte() == name[80])?;
    Some(LogContext { space, log: LogKey { author, log }, kind })
}
