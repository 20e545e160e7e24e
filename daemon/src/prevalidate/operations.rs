//! The operations of a change, row by row: only those that records use, referring only to what can have been before.

use std::ops::Range;

use portolan_protocol::limits::{ACTORS_PER_CHANGE_MAX, KEY_BYTES_MAX};

use super::columns::Columns;
use super::reader::{Booleans, Deltas, Reader, Runs};
use super::refusal::ChangeRefusal;

const SET: u64 = 1;
const DELETE: u64 = 3;
const MAKE_TEXT: u64 = 4;

/// An operation named by its counter and its actor's place in the change (0: the author).
pub(super) type OpId = (u64, u64);

/// Where an operation acts.
enum Place<'a> {
    Key(&'a str),
    /// After this element of this Text, or on it; `None` is the head.
    Element(OpId, Option<OpId>),
}

/// What operations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made<'a> {
    /// Letters put into this Text.
    Letters(OpId),
    /// The value of a key.
    Value(&'a str),
    /// The Text of a key.
    Text(&'a str),
    /// A key or a letter deleted.
    Deletion,
}

/// What an operation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named<'a> {
    /// A Text, and a letter in it unless it is the head.
    Element { text: OpId, letter: Option<OpId> },
    /// What an operation on a key takes the place of.
    Before { key: &'a str, before: OpId },
}

/// Told of operations while they are gone through.
pub(super) trait Sink<'a> {
    /// What the operations with these counters are, in order.
    fn makes(&mut self, _counters: Range<u64>, _made: Made<'a>) {}

    /// What one of them names. Left out is what goes on in the same Text after the letter before it, which is always right.
    fn names(&mut self, _named: Named<'a>) {}
}

/// For those who want the verdict alone.
impl Sink<'_> for () {}

/// Goes through `operations` rows; the counters begin at `start_op`, and there are `actors` actors.
///
/// Tells whether the change is self-contained: every letter stands in the Text made last, after the letter before it.
pub(super) fn check<'a>(
    columns: &Columns<'a>,
    operations: u64,
    start_op: u64,
    actors: u64,
    sink: &mut impl Sink<'a>,
) -> Result<bool, ChangeRefusal> {
    let mut rows = Rows::new(columns, start_op, actors, sink);
    let mut row = 0;
    while row < operations {
        rows.check_next().map_err(|fault| match fault {
            Fault::What(what) => ChangeRefusal::Operation { row, what },
            Fault::Refusal(refusal) => refusal,
        })?;
        row += 1;
        row += rows.skip_typed(operations - row);
    }
    rows.check_end()?;
    Ok(rows.self_contained)
}

enum Fault {
    What(&'static str),
    Refusal(ChangeRefusal),
}

impl From<ChangeRefusal> for Fault {
    fn from(refusal: ChangeRefusal) -> Self {
        Fault::Refusal(refusal)
    }
}

struct Rows<'a, 's, S> {
    counter: u64,
    actors: u64,
    sink: &'s mut S,
    /// Actors that some operation refers to; a change names no others.
    named: [bool; ACTORS_PER_CHANGE_MAX + 1],
    last_key: Option<&'a str>,
    last_deleted: Option<OpId>,
    self_contained: bool,
    /// The Text made last, and the letter put into it last.
    made: Option<(OpId, Option<OpId>)>,
    object_actor: Runs<'a, u64>,
    object_counter: Runs<'a, u64>,
    key_actor: Runs<'a, u64>,
    key_counter: Deltas<'a>,
    key: Runs<'a, &'a str>,
    insert: Booleans<'a>,
    action: Runs<'a, u64>,
    value_kind: Runs<'a, u64>,
    value: Reader<'a>,
    predecessor_count: Runs<'a, u64>,
    predecessor_actor: Runs<'a, u64>,
    predecessor_counter: Deltas<'a>,
    predecessors_left: u64,
}

impl<'a, 's, S: Sink<'a>> Rows<'a, 's, S> {
    fn new(columns: &Columns<'a>, start_op: u64, actors: u64, sink: &'s mut S) -> Self {
        Self {
            counter: start_op,
            actors,
            sink,
            named: [false; ACTORS_PER_CHANGE_MAX + 1],
            last_key: None,
            last_deleted: None,
            self_contained: true,
            made: None,
            object_actor: columns.object_actor(),
            object_counter: columns.object_counter(),
            key_actor: columns.key_actor(),
            key_counter: columns.key_counter(),
            key: columns.key(),
            insert: columns.insert(),
            action: columns.action(),
            value_kind: columns.value_kind(),
            value: columns.value(),
            predecessor_count: columns.predecessor_count(),
            predecessor_actor: columns.predecessor_actor(),
            predecessor_counter: columns.predecessor_counter(),
            predecessors_left: columns.predecessor_actor().rows().unwrap_or(0),
        }
    }

    fn check_next(&mut self) -> Result<(), Fault> {
        let place = self.place()?;
        let insert = self.insert.next()?;
        let action = self.action.next()?.ok_or(Fault::What("no action"))?;
        let value = self.value()?;
        let (predecessors, last) = self.predecessors(&place)?;
        let made = match place {
            Place::Key(key) => {
                if insert {
                    return Err(Fault::What("an insertion outside a Text"));
                }
                if key.is_empty() || key.len() > KEY_BYTES_MAX {
                    return Err(Fault::What("an empty or overlong key"));
                }
                // One change sets a key once; otherwise a few bytes could declare any number of operations.
                if self.last_key == Some(key) {
                    return Err(Fault::What("the same key twice"));
                }
                self.last_key = Some(key);
                self.self_contained &= predecessors == 0;
                match (action, &value) {
                    (SET, Held::Scalar | Held::Letters) => Made::Value(key),
                    (DELETE, Held::Nothing) if predecessors > 0 => Made::Deletion,
                    (MAKE_TEXT, Held::Nothing) => {
                        self.made = Some(((self.counter, 0), None));
                        Made::Text(key)
                    }
                    _ => return Err(Fault::What("not something that records do to a key")),
                }
            }
            Place::Element(text, letter) => match (action, &value, insert) {
                (SET, Held::Letters, true) if predecessors == 0 => {
                    if self.made != Some((text, letter)) {
                        self.self_contained = false;
                        self.sink.names(Named::Element { text, letter });
                    }
                    self.made = Some((text, Some((self.counter, 0))));
                    Made::Letters(text)
                }
                (DELETE, Held::Nothing, false) if predecessors == 1 && last == letter => {
                    self.self_contained = false;
                    // As with keys: deleting one letter over and over would cost the sender nothing.
                    if self.last_deleted == letter {
                        return Err(Fault::What("the same letter deleted twice"));
                    }
                    self.last_deleted = letter;
                    self.sink.names(Named::Element { text, letter });
                    Made::Deletion
                }
                _ => return Err(Fault::What("not something that records do to a Text")),
            },
        };
        self.sink.makes(self.counter..self.counter + 1, made);
        self.counter += 1;
        Ok(())
    }

    /// Passes over rows that go on typing: each puts one more letter of the same length after the letter before it. Tells how
    /// many they were, at most `most`. They are as [`Rows::check_next`] would have them; most of a long text is such rows, and
    /// they are seen from the runs.
    fn skip_typed(&mut self, most: u64) -> u64 {
        let Some((text, Some(letter))) = self.made else { return 0 };
        let goes_on = letter == (self.counter - 1, 0)
            && self.object_counter.repeats(text.0)
            && self.object_actor.repeats(text.1)
            && self.key_counter.counts_up_from(self.counter - 1)
            && self.key_actor.repeats(0)
            && self.insert.repeats(true)
            && self.action.repeats(SET)
            && self.predecessor_count.repeats(0);
        let Some(length) = self.value_kind.repeated().filter(|_| goes_on).and_then(letter_bytes) else { return 0 };
        let rows = [
            self.object_counter.left(),
            self.object_actor.left(),
            self.key_counter.left(),
            self.key_actor.left(),
            self.key.nulls(),
            self.insert.left(),
            self.action.left(),
            self.value_kind.left(),
            self.predecessor_count.left(),
            letters(self.value.rest(), length),
        ];
        let rows = rows.into_iter().fold(most, u64::min);
        self.object_counter.skip(rows);
        self.object_actor.skip(rows);
        self.key_counter.skip(rows);
        self.key_actor.skip(rows);
        self.key.skip(rows);
        self.insert.skip(rows);
        self.action.skip(rows);
        self.value_kind.skip(rows);
        self.predecessor_count.skip(rows);
        self.value.skip(usize::try_from(rows).unwrap_or_default().saturating_mul(length));
        self.sink.makes(self.counter..self.counter + rows, Made::Letters(text));
        self.counter += rows;
        self.made = Some((text, Some((self.counter - 1, 0))));
        rows
    }

    /// Every column was used up: what is left over would be rows of no operation.
    fn check_end(&self) -> Result<(), ChangeRefusal> {
        if !self.value.is_empty() {
            return Err(ChangeRefusal::Extra("values of no operation"));
        }
        if self.predecessors_left > 0 {
            return Err(ChangeRefusal::Extra("predecessors of no operation"));
        }
        let others = usize::try_from(self.actors).unwrap_or(usize::MAX);
        if !self.named.iter().take(others).skip(1).all(|named| *named) {
            return Err(ChangeRefusal::Extra("actors of no operation"));
        }
        Ok(())
    }

    fn place(&mut self) -> Result<Place<'a>, Fault> {
        let object = (self.object_counter.next()?, self.object_actor.next()?);
        let element = (self.key_counter.next()?, self.key_actor.next()?);
        match (object, element, self.key.next()?) {
            ((None, None), (None, None), Some(key)) => Ok(Place::Key(key)),
            ((Some(counter), Some(actor)), element, None) => {
                let text = self.earlier((counter, actor))?;
                match element {
                    (Some(0), None) => Ok(Place::Element(text, None)),
                    (Some(counter), Some(actor)) => Ok(Place::Element(text, Some(self.earlier((counter, actor))?))),
                    _ => Err(Fault::What("no element")),
                }
            }
            _ => Err(Fault::What("neither a key nor an element of a Text")),
        }
    }

    /// A reference to an operation that can have been before this one.
    fn earlier(&mut self, id: OpId) -> Result<OpId, Fault> {
        let (counter, actor) = id;
        if counter == 0 || counter >= self.counter || actor >= self.actors {
            return Err(Fault::What("a reference to what was not before"));
        }
        if let Some(named) = usize::try_from(actor).ok().and_then(|actor| self.named.get_mut(actor)) {
            *named = true;
        }
        Ok(id)
    }

    fn value(&mut self) -> Result<Held, Fault> {
        let kind = self.value_kind.next()?.ok_or(Fault::What("no value kind"))?;
        let length = usize::try_from(kind >> 4).map_err(|_| ChangeRefusal::Malformed("value"))?;
        let bytes = self.value.take(length, "value")?;
        let mut number = Reader::new(bytes);
        match (kind & 0xf, length) {
            (0, 0) => return Ok(Held::Nothing),
            (1 | 2, 0) | (5, 8) | (7, _) => {}
            (3, _) => drop(number.unsigned("value")?),
            (4 | 9, _) => drop(number.signed("value")?),
            (6, 0) => return Ok(Held::Scalar),
            (6, _) => {
                str::from_utf8(bytes).map_err(|_| ChangeRefusal::Malformed("value"))?;
                return Ok(Held::Letters);
            }
            _ => return Err(Fault::What("a value of a kind that records do not use")),
        }
        if matches!(kind & 0xf, 3 | 4 | 9) && !number.is_empty() {
            return Err(Fault::What("a number with bytes after it"));
        }
        Ok(Held::Scalar)
    }

    /// How many predecessors the operation has, and the last of them.
    fn predecessors(&mut self, place: &Place<'a>) -> Result<(u64, Option<OpId>), Fault> {
        let count = self.predecessor_count.next()?.ok_or(Fault::What("no predecessor count"))?;
        self.predecessors_left =
            self.predecessors_left.checked_sub(count).ok_or(Fault::What("more predecessors than listed"))?;
        let mut last = None;
        for _ in 0..count {
            let counter = self.predecessor_counter.next()?.ok_or(Fault::What("a predecessor without counter"))?;
            let actor = self.predecessor_actor.next()?.ok_or(Fault::What("a predecessor without actor"))?;
            let id = self.earlier((counter, actor))?;
            if last.is_some_and(|(before, same): OpId| before > counter || (before, same) == id) {
                return Err(Fault::What("predecessors out of order"));
            }
            last = Some(id);
            if let Place::Key(key) = *place {
                self.sink.names(Named::Before { key, before: id });
            }
        }
        Ok((count, last))
    }
}

/// The length of the values of this kind, if they are letters with a byte at least.
fn letter_bytes(kind: u64) -> Option<usize> {
    let length = usize::try_from(kind >> 4).ok()?;
    (kind & 0xf == 6 && length > 0).then_some(length)
}

/// How many values of `length` bytes at the beginning of `bytes` are UTF-8, each by itself.
fn letters(bytes: &[u8], length: usize) -> u64 {
    let count = match length {
        1 => bytes.iter().take_while(|byte| byte.is_ascii()).count(),
        _ => bytes.chunks_exact(length).take_while(|letter| str::from_utf8(letter).is_ok()).count(),
    };
    count as u64
}

/// What the value of an operation may serve for.
enum Held {
    Nothing,
    Scalar,
    Letters,
}

#[cfg(test)]
mod tests;
