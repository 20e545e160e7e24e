//! Decides whether the bytes of a change may come near Automerge: a parser of its own, bounded by the input.
//!
//! It reads exactly the language that records are written in (`docs/spec/records.md`): scalars and Texts under root keys,
//! letters inserted into and deleted from Texts. It decides from the bytes and suite constants alone, so every node
//! decides the same. It does not know the document: whether a change fits what it builds on is the door's affair.
//!
//! ```text
//! 85 6f 4a 83 | checksum 4 | 01 | length | deps n, 32 n | actor 1+32 | seq | start op | time | message
//!             | other actors n, 33 n | columns n, (spec, length) n | column data
//! ```

mod refusal;

mod reader;

mod columns;

mod operations;

use portolan_protocol::limits::{
    ACTOR_BYTES, ACTORS_PER_CHANGE_MAX, DEPENDENCIES_MAX, OP_COUNTER_MAX, PAYLOAD_BYTES_MAX,
};
use sha2::{Digest, Sha256};

use self::columns::Columns;
use self::reader::Reader;
pub use self::refusal::ChangeRefusal;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const TYPE_CHANGE: u8 = 1;
const TYPE_COMPRESSED: u8 = 2;

/// What the bytes say about a change that may be given to Automerge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Automerge's hash of the change.
    pub hash: [u8; 32],
    /// The changes it builds on, sorted.
    pub dependencies: Vec<[u8; 32]>,
    /// Its number among the changes of its actor, from 1.
    pub seq: u64,
    /// The counter of its first operation.
    pub start_op: u64,
    /// How many operations it holds.
    pub operations: u64,
    /// Whether it refers to nothing but what it makes itself, letter after letter, as a new record does.
    pub self_contained: bool,
}

/// The bytes of a change that passed [`prevalidate`]: the only thing that the door takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeChange {
    raw: Vec<u8>,
    facts: ChangeFacts,
}

impl SafeChange {
    /// Looks through `raw`, see [`prevalidate`].
    ///
    /// # Errors
    /// [`ChangeRefusal`] as [`prevalidate`] has it.
    pub fn new(raw: Vec<u8>, expected_actor: &[u8; ACTOR_BYTES]) -> Result<Self, ChangeRefusal> {
        let facts = prevalidate(&raw, expected_actor)?;
        Ok(Self { raw, facts })
    }

    /// The chunk.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// What it says about itself.
    pub fn facts(&self) -> &ChangeFacts {
        &self.facts
    }
}

/// Looks through the bytes of one change without giving them to Automerge.
///
/// Takes time in proportion to the bytes and the operations (at most [`OPS_PER_CHANGE_MAX`]), and memory for the
/// dependencies alone.
///
/// # Errors
/// [`ChangeRefusal`] unless `raw` is exactly one uncompressed change chunk by `expected_actor` in the language of records.
pub fn prevalidate(raw: &[u8], expected_actor: &[u8; ACTOR_BYTES]) -> Result<ChangeFacts, ChangeRefusal> {
    if raw.len() > PAYLOAD_BYTES_MAX {
        return Err(ChangeRefusal::TooLong(raw.len()));
    }
    let (hash, content) = open_chunk(raw)?;
    let mut input = Reader::new(content);
    let dependencies = sorted_list(&mut input, DEPENDENCIES_MAX, "dependencies")?;
    if actor(&mut input)? != expected_actor {
        return Err(ChangeRefusal::Actor);
    }
    let seq = input.unsigned("sequence number")?;
    let start_op = input.unsigned("start operation")?;
    if input.signed("time")? != 0 {
        return Err(ChangeRefusal::Extra("a time"));
    }
    if input.unsigned("message length")? != 0 {
        return Err(ChangeRefusal::Extra("a message"));
    }
    let actors = 1 + other_actors(&mut input, expected_actor)?;
    let columns = Columns::read(&mut input)?;
    let operations = columns.operations()?;
    if seq == 0 || seq > OP_COUNTER_MAX || start_op == 0 || start_op.saturating_add(operations) > OP_COUNTER_MAX {
        return Err(ChangeRefusal::Counter { start_op, operations });
    }
    let self_contained = operations::check(&columns, operations, start_op, actors)?;
    Ok(ChangeFacts { hash, dependencies, seq, start_op, operations, self_contained })
}

/// Automerge's hash of a change chunk, or `None` when `raw` is not framed as one.
pub fn change_hash(raw: &[u8]) -> Option<[u8; 32]> {
    open_chunk(raw).ok().map(|(hash, _)| hash)
}

fn open_chunk(raw: &[u8]) -> Result<([u8; 32], &[u8]), ChangeRefusal> {
    let mut input = Reader::new(raw);
    if input.take(4, "header").map_err(|_| ChangeRefusal::Magic)? != MAGIC {
        return Err(ChangeRefusal::Magic);
    }
    let checksum = input.take(4, "header")?;
    let chunk_type = input.byte("header")?;
    match chunk_type {
        TYPE_CHANGE => {}
        TYPE_COMPRESSED => return Err(ChangeRefusal::Compressed),
        other => return Err(ChangeRefusal::ChunkType(other)),
    }
    let hashed = input.rest();
    let length = input.unsigned("length")?;
    let content = input.rest();
    match u64::try_from(content.len()) {
        Ok(actual) if actual == length => {}
        Ok(actual) if actual > length => return Err(ChangeRefusal::Trailing),
        _ => return Err(ChangeRefusal::Malformed("length")),
    }
    let hash: [u8; 32] = Sha256::new().chain_update([TYPE_CHANGE]).chain_update(hashed).finalize().into();
    if !hash.starts_with(checksum) {
        return Err(ChangeRefusal::Checksum);
    }
    Ok((hash, content))
}

fn sorted_list(input: &mut Reader<'_>, most: usize, what: &'static str) -> Result<Vec<[u8; 32]>, ChangeRefusal> {
    let count = input.unsigned(what)?;
    if count > most as u64 {
        return Err(ChangeRefusal::List(what));
    }
    let mut list = Vec::new();
    for _ in 0..count {
        let hash = input.array(what)?;
        if list.last().is_some_and(|last| *last >= hash) {
            return Err(ChangeRefusal::List(what));
        }
        list.push(hash);
    }
    Ok(list)
}

fn actor<'a>(input: &mut Reader<'a>) -> Result<&'a [u8], ChangeRefusal> {
    if input.unsigned("actor")? != ACTOR_BYTES as u64 {
        return Err(ChangeRefusal::Actor);
    }
    input.take(ACTOR_BYTES, "actor")
}

fn other_actors(input: &mut Reader<'_>, own: &[u8]) -> Result<u64, ChangeRefusal> {
    let count = input.unsigned("other actors")?;
    if count > ACTORS_PER_CHANGE_MAX as u64 {
        return Err(ChangeRefusal::List("other actors"));
    }
    let mut last: &[u8] = &[];
    for _ in 0..count {
        let other = actor(input)?;
        if other <= last || other == own {
            return Err(ChangeRefusal::List("other actors"));
        }
        last = other;
    }
    Ok(count)
}
