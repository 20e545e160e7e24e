//! Decides whether the bytes of a change may come near Automerge: a parser of its own, bounded by the input.
//!
//! It reads exactly the language that records are written in (`docs/spec/records.md`): scalars and Texts under root keys,
//! letters inserted into and deleted from Texts. It decides from the bytes and suite constants alone, so every node
//! decides the same. It does not know the document: whether a change fits what it builds on is decided by `causality`.
//!
//! ```text
//! 85 6f 4a 83 | checksum 4 | 01 | length | deps n, 32 n | actor 1+32 | seq | start op | time | message
//!             | other actors n, 33 n | columns n, (spec, length) n | column data
//! ```

mod refusal;

mod reader;

mod columns;

mod operations;

mod outline;

use portolan_protocol::limits::{
    ACTOR_BYTES, ACTORS_PER_CHANGE_MAX, DEPENDENCIES_MAX, OP_COUNTER_MAX, PAYLOAD_BYTES_MAX,
};
use sha2::{Digest, Sha256};

use self::columns::Columns;
use self::operations::{Named, OpId, Sink};
pub use self::outline::{Kind, Operation, Outline};
use self::reader::Reader;
pub use self::refusal::ChangeRefusal;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const TYPE_CHANGE: u8 = 1;
const TYPE_COMPRESSED: u8 = 2;
/// The hash is over the type and all behind it.
const HASHED_FROM: usize = 8;
/// Bytes of an actor in a list: its length, in its shortest form, and itself.
const ACTOR_STRIDE: usize = 1 + ACTOR_BYTES;

/// What the bytes say about a change that may be given to Automerge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Automerge's hash of the change.
    pub hash: [u8; 32],
    /// Whose it is.
    pub actor: [u8; ACTOR_BYTES],
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

    /// Hands to `visit` what its operations name, those of this change too. Left out is what goes on in the same Text after
    /// the letter before it.
    ///
    /// They are read anew each time: a hundred bytes can name 600,000 operations, which would be megabytes if they were kept.
    ///
    /// # Errors
    /// None, since the bytes were looked through before.
    pub fn references(&self, visit: impl FnMut(Reference<'_>)) -> Result<(), ChangeRefusal> {
        if self.facts.self_contained {
            return Ok(());
        }
        let content = Content::read(unframe(&self.raw)?.1, &self.facts.actor)?;
        content.check(&mut Resolving { content: &content, visit })?;
        Ok(())
    }
}

/// What an operation names, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A Text, and a letter in it unless it is the head: to put something after it, or to delete it.
    Element {
        /// The Text.
        text: Operation<'a>,
        /// The letter.
        letter: Option<Operation<'a>>,
    },
    /// What an operation on a key takes the place of.
    Before {
        /// The key.
        key: &'a str,
        /// What was there.
        before: Operation<'a>,
    },
}

/// What the operations of a change are that passed [`prevalidate`] before.
///
/// # Errors
/// None for such a change.
pub fn outline(raw: &[u8], actor: &[u8; ACTOR_BYTES]) -> Result<Outline, ChangeRefusal> {
    let content = Content::read(unframe(raw)?.1, actor)?;
    let mut outline =
        Outline::new((0..content.actors()).filter_map(|place| content.actor_at(place).copied()).collect());
    content.check(&mut outline)?;
    Ok(outline)
}

/// Turns places of actors into actors.
struct Resolving<'c, 'a, F> {
    content: &'c Content<'a>,
    visit: F,
}

impl<'a, F: FnMut(Reference<'_>)> Sink<'a> for Resolving<'_, 'a, F> {
    fn names(&mut self, named: Named<'a>) {
        let operation = |(counter, actor): OpId| self.content.actor_at(actor).map(|actor| (actor, counter));
        let reference = match named {
            Named::Element { text, letter } => {
                operation(text).map(|text| Reference::Element { text, letter: letter.and_then(operation) })
            }
            Named::Before { key, before } => operation(before).map(|before| Reference::Before { key, before }),
        };
        if let Some(reference) = reference {
            (self.visit)(reference);
        }
    }
}

/// Looks through the bytes of one change without giving them to Automerge.
///
/// Takes time in proportion to the bytes and the operations (at most `OPS_PER_CHANGE_MAX`), and memory for the
/// dependencies alone.
///
/// # Errors
/// [`ChangeRefusal`] unless `raw` is exactly one uncompressed change chunk by `expected_actor` in the language of records.
pub fn prevalidate(raw: &[u8], expected_actor: &[u8; ACTOR_BYTES]) -> Result<ChangeFacts, ChangeRefusal> {
    if raw.len() > PAYLOAD_BYTES_MAX {
        return Err(ChangeRefusal::TooLong(raw.len()));
    }
    let (hash, content) = open_chunk(raw)?;
    let content = Content::read(content, expected_actor)?;
    let self_contained = content.check(&mut ())?;
    let Content { actor, dependencies, seq, start_op, operations, .. } = content;
    Ok(ChangeFacts { hash, actor: *actor, dependencies, seq, start_op, operations, self_contained })
}

/// The parts of a change; of the operations no more than how many there are.
struct Content<'a> {
    dependencies: Vec<[u8; 32]>,
    actor: &'a [u8; ACTOR_BYTES],
    /// As they stand there: a length before each.
    others: &'a [u8],
    seq: u64,
    start_op: u64,
    operations: u64,
    columns: Columns<'a>,
}

impl<'a> Content<'a> {
    fn read(content: &'a [u8], expected_actor: &[u8; ACTOR_BYTES]) -> Result<Self, ChangeRefusal> {
        let mut input = Reader::new(content);
        let dependencies = sorted_list(&mut input, DEPENDENCIES_MAX, "dependencies")?;
        let actor = actor(&mut input)?;
        if actor != expected_actor {
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
        let others = other_actors(&mut input, expected_actor)?;
        let columns = Columns::read(&mut input)?;
        let operations = columns.operations()?;
        if seq == 0 || seq > OP_COUNTER_MAX || start_op == 0 || start_op.saturating_add(operations) > OP_COUNTER_MAX {
            return Err(ChangeRefusal::Counter { start_op, operations });
        }
        Ok(Self { dependencies, actor, others, seq, start_op, operations, columns })
    }

    /// See [`operations::check`].
    fn check(&self, sink: &mut impl Sink<'a>) -> Result<bool, ChangeRefusal> {
        operations::check(&self.columns, self.operations, self.start_op, self.actors(), sink)
    }

    fn actors(&self) -> u64 {
        1 + (self.others.len() / ACTOR_STRIDE) as u64
    }

    /// The actor at this place in the change.
    fn actor_at(&self, place: u64) -> Option<&'a [u8; ACTOR_BYTES]> {
        match usize::try_from(place).ok()?.checked_sub(1) {
            None => Some(self.actor),
            Some(other) => self.others.chunks_exact(ACTOR_STRIDE).nth(other)?.last_chunk(),
        }
    }
}

/// Automerge's hash of a change chunk, or `None` when `raw` is not framed as one.
pub fn change_hash(raw: &[u8]) -> Option<[u8; 32]> {
    open_chunk(raw).ok().map(|(hash, _)| hash)
}

/// The hash and the content of a chunk whose checksum is right.
fn open_chunk(raw: &[u8]) -> Result<([u8; 32], &[u8]), ChangeRefusal> {
    let (checksum, content) = unframe(raw)?;
    let hashed = raw.get(HASHED_FROM..).unwrap_or_default();
    let hash: [u8; 32] = Sha256::digest(hashed).into();
    if !hash.starts_with(checksum) {
        return Err(ChangeRefusal::Checksum);
    }
    Ok((hash, content))
}

/// The checksum and the content of a chunk.
fn unframe(raw: &[u8]) -> Result<(&[u8], &[u8]), ChangeRefusal> {
    let mut input = Reader::new(raw);
    if input.take(4, "header").map_err(|_| ChangeRefusal::Magic)? != MAGIC {
        return Err(ChangeRefusal::Magic);
    }
    let checksum = input.take(4, "header")?;
    match input.byte("header")? {
        TYPE_CHANGE => {}
        TYPE_COMPRESSED => return Err(ChangeRefusal::Compressed),
        other => return Err(ChangeRefusal::ChunkType(other)),
    }
    let length = input.unsigned("length")?;
    let content = input.rest();
    match u64::try_from(content.len()) {
        Ok(actual) if actual == length => Ok((checksum, content)),
        Ok(actual) if actual > length => Err(ChangeRefusal::Trailing),
        _ => Err(ChangeRefusal::Malformed("length")),
    }
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

fn actor<'a>(input: &mut Reader<'a>) -> Result<&'a [u8; ACTOR_BYTES], ChangeRefusal> {
    if input.unsigned("actor")? != ACTOR_BYTES as u64 {
        return Err(ChangeRefusal::Actor);
    }
    input.take(ACTOR_BYTES, "actor")?.first_chunk().ok_or(ChangeRefusal::Actor)
}

/// The list of the other actors, as it stands there.
fn other_actors<'a>(input: &mut Reader<'a>, own: &[u8; ACTOR_BYTES]) -> Result<&'a [u8], ChangeRefusal> {
    let count = input.unsigned("other actors")?;
    if count > ACTORS_PER_CHANGE_MAX as u64 {
        return Err(ChangeRefusal::List("other actors"));
    }
    let list = input.rest();
    let mut last = None;
    for _ in 0..count {
        let other = actor(input)?;
        if last.is_some_and(|last| other <= last) || other == own {
            return Err(ChangeRefusal::List("other actors"));
        }
        last = Some(other);
    }
    Ok(list.get(..list.len() - input.rest().len()).unwrap_or_default())
}
