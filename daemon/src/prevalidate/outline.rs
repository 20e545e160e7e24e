//! What the operations of one change are, as far as other changes may name them: runs of them by counter, made in one pass
//! over the bytes. No content is in it but the keys.

use std::ops::Range;

use portolan_protocol::limits::ACTOR_BYTES;

use super::operations::{Made, Sink};

/// An operation: its actor and its counter.
pub type Operation<'a> = (&'a [u8; ACTOR_BYTES], u64);

/// The operations of a change.
#[derive(Debug, Default)]
pub struct Outline {
    /// By place in the change, its author's first.
    actors: Vec<[u8; ACTOR_BYTES]>,
    runs: Vec<Run>,
    /// The counter behind the last operation.
    end: u64,
    /// The keys of all runs that have one, one after the other.
    keys: String,
}

/// Operations of one kind, up to where the next run begins. Counters and lengths fit into 32 bits, see `limits`.
#[derive(Debug)]
struct Run {
    first: u32,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// Letters put into a Text.
    Letters { actor: u16, counter: u32 },
    /// The value of a key that stands there in `keys`.
    Value { from: u32, length: u16 },
    /// The Text of such a key.
    Text { from: u32, length: u16 },
    /// Deletions: no other operation may name them.
    Deletions,
}

/// What an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A letter put into this Text, as are all in this range of counters.
    Letter(Operation<'a>, Range<u64>),
    /// A value of this root key.
    Value(&'a str),
    /// A Text at this root key.
    Text(&'a str),
    /// A deletion.
    Deletion,
}

impl Outline {
    pub(super) fn new(actors: Vec<[u8; ACTOR_BYTES]>) -> Self {
        Self { actors, ..Self::default() }
    }

    /// An estimate of the memory it takes, for limits.
    pub fn size_bytes(&self) -> usize {
        size_of_val(self) + size_of_val(&*self.actors) + size_of_val(&*self.runs) + self.keys.len()
    }

    /// What the operation with this counter is, if the change has it.
    pub fn at(&self, counter: u64) -> Option<Kind<'_>> {
        let next = self.runs.partition_point(|run| u64::from(run.first) <= counter);
        let run = self.runs.get(next.checked_sub(1)?)?;
        let end = self.runs.get(next).map_or(self.end, |next| next.first.into());
        let key = |from: u32, length: u16| self.keys.get(from as usize..from as usize + usize::from(length));
        match run.what {
            _ if counter >= end => None,
            What::Letters { actor, counter } => {
                let text = (self.actors.get(usize::from(actor))?, counter.into());
                Some(Kind::Letter(text, run.first.into()..end))
            }
            What::Value { from, length } => key(from, length).map(Kind::Value),
            What::Text { from, length } => key(from, length).map(Kind::Text),
            What::Deletions => Some(Kind::Deletion),
        }
    }

    fn key(&mut self, key: &str) -> (u32, u16) {
        let from = narrow(self.keys.len() as u64);
        self.keys.push_str(key);
        (from, u16::try_from(key.len()).unwrap_or(u16::MAX))
    }
}

impl<'a> Sink<'a> for Outline {
    fn makes(&mut self, counters: Range<u64>, made: Made<'a>) {
        let what = match made {
            Made::Letters((counter, actor)) => {
                What::Letters { actor: u16::try_from(actor).unwrap_or(u16::MAX), counter: narrow(counter) }
            }
            Made::Deletion => What::Deletions,
            Made::Value(key) => {
                let (from, length) = self.key(key);
                What::Value { from, length }
            }
            Made::Text(key) => {
                let (from, length) = self.key(key);
                What::Text { from, length }
            }
        };
        self.end = counters.end;
        // Two operations on keys never are one run, since each has its own place in `keys`.
        if self.runs.last().is_none_or(|last| last.what != what) {
            self.runs.push(Run { first: narrow(counters.start), what });
        }
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
