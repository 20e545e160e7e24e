//! Fills volumes from a plan, one frame at a time: whoever writes decides when to go on, and entries are read as they are
//! written.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    error::WriteError,
    padding::Padding,
    plan::{Plan, Span},
    writer::{Address, VolumeWriter, Written},
};
use crate::{message::Message, page::LogContext};

/// Bytes of entries in a frame, about.
const FRAME_BYTES_AIM: u64 = 1 << 20;
/// Bytes that stand in a frame beside its pages, at most, for each frame and each page.
const FRAME_REST_BYTES: u64 = 256;

/// Gives out what a plan names.
pub trait Source {
    /// Why it could not be read.
    type Error;

    /// The first pages of a span, about as many bytes as asked for and one page at least, and the entry after the last of
    /// them. None when nothing of it is held any more.
    ///
    /// # Errors
    /// When they cannot be read.
    fn pages(&mut self, span: &Span, bytes: u64) -> Result<Option<(Vec<Vec<u8>>, u64)>, Self::Error>;

    /// The payload of an entry, if it is held.
    ///
    /// # Errors
    /// When it cannot be read.
    fn payload(&mut self, context: &LogContext, seq: u64) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Where in a plan a volume begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Spans of data that earlier volumes carry whole.
    pub spans: u64,
    /// The next entry of the span after them, once some of it is carried.
    pub next_seq: Option<u64>,
    /// Payloads that earlier volumes carry.
    pub payloads: u64,
}

/// Why a volume is not written to its end.
#[derive(Debug, Error)]
pub enum PackError<E> {
    /// It was not read.
    #[error(transparent)]
    Source(E),
    /// It was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Not even one entry fits beside what every volume begins with.
    #[error(
        "a volume of this size has no room for entries beside the {0} bytes that every volume begins with; choose a larger one"
    )]
    TooSmall(u64),
}

/// A volume that is written, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// What is known of it.
    pub written: Written,
    /// Where the next one begins; none when this is the last.
    pub next: Option<Position>,
}

/// What is written next.
#[derive(Clone, Copy)]
enum Stage {
    Hello,
    Control(usize, Option<u64>),
    Words(usize),
    Held(usize),
    Data,
}

/// See the head of the file. One for each volume.
pub struct Packer<'a> {
    plan: &'a Plan,
    writer: VolumeWriter<'a>,
    padding: Padding,
    stage: Stage,
    position: Position,
    /// Something beside what every volume begins with was written.
    carries: bool,
}

impl<'a> Packer<'a> {
    /// Begins the volume that starts at `position`; its first bytes go to `out`.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn begin(
        plan: &'a Plan,
        position: Position,
        address: Address<'a>,
        volume_bytes: u64,
        padding: Padding,
        rng: &mut dyn CryptoRng,
        out: &mut Vec<u8>,
    ) -> Result<Packer<'a>, WriteError> {
        let writer = VolumeWriter::begin(address, volume_bytes, rng, out)?;
        Ok(Packer { plan, writer, padding, stage: Stage::Hello, position, carries: false })
    }

    /// Where it stands in the plan.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Writes the next frame. Returns false once the volume has all that fits: then it is to be closed.
    ///
    /// # Errors
    /// [`PackError`]; the volume is then worth nothing.
    pub fn step<S: Source>(&mut self, source: &mut S, out: &mut Vec<u8>) -> Result<bool, PackError<S::Error>> {
        let plan = self.plan;
        let (written, next) = match self.stage {
            Stage::Hello => (self.writer.message(plan.hello.clone(), out), Stage::Control(0, None)),
            Stage::Control(at, next) => match plan.control.get(at) {
                Some(span) => {
                    let rest = Span { from: next.unwrap_or(span.from), ..*span };
                    let (written, reached) = self.run(&rest, FRAME_BYTES_AIM, source, out)?;
                    let within = reached < span.to;
                    (written, if within { Stage::Control(at, Some(reached)) } else { Stage::Control(at + 1, None) })
                }
                None => (Ok(()), Stage::Words(0)),
            },
            Stage::Words(at) => match plan.words.get(at) {
                Some(message) => (self.writer.message(message.clone(), out), Stage::Words(at + 1)),
                None => (Ok(()), Stage::Held(0)),
            },
            Stage::Held(at) => match plan.held.get(at) {
                Some(held) => (self.writer.held(held.clone(), out), Stage::Held(at + 1)),
                None => (Ok(()), Stage::Data),
            },
            Stage::Data => return self.carry(source, out),
        };
        self.stage = next;
        match written {
            Ok(()) => Ok(true),
            Err(WriteError::Full) => Err(self.too_small()),
            Err(error) => Err(error.into()),
        }
    }

    /// Closes the volume; its last bytes go to `out`.
    ///
    /// # Errors
    /// [`WriteError`] never, once [`Packer::step`] has returned false.
    pub fn close(self, out: &mut Vec<u8>) -> Result<Packed, WriteError> {
        let last = self.is_last();
        let written = self.writer.close(last, self.padding, out)?;
        Ok(Packed { written, next: (!last).then_some(self.position) })
    }

    fn is_last(&self) -> bool {
        self.position.spans >= self.plan.data.len() as u64 && self.position.payloads >= self.plan.payloads.len() as u64
    }

    /// Writes the next entries, or the next payload.
    fn carry<S: Source>(&mut self, source: &mut S, out: &mut Vec<u8>) -> Result<bool, PackError<S::Error>> {
        let written = if let Some(span) = item(&self.plan.data, self.position.spans) {
            let from = self.position.next_seq.unwrap_or(span.from);
            // Near the end of the volume a frame is as long as there is room.
            let aim = FRAME_BYTES_AIM.min(self.writer.room().saturating_sub(FRAME_REST_BYTES));
            let (written, reached) = self.run(&Span { from, ..*span }, aim, source, out)?;
            if written.is_ok() {
                let rest = (reached < span.to).then_some(reached);
                self.position = Position {
                    spans: self.position.spans + u64::from(rest.is_none()),
                    next_seq: rest,
                    ..self.position
                };
            }
            written
        } else if let Some((context, seq)) = item(&self.plan.payloads, self.position.payloads) {
            let LogContext { space, log, .. } = *context;
            let payload = source.payload(context, *seq).map_err(PackError::Source)?;
            let message = |payload| Message::Payload { space, log, seq: *seq, payload };
            let written = payload.map_or(Ok(()), |payload| self.writer.message(message(payload), out));
            self.position.payloads += u64::from(written.is_ok());
            written
        } else {
            return Ok(false);
        };
        match written {
            Ok(()) => {
                self.carries = true;
                Ok(true)
            }
            Err(WriteError::Full) if self.carries => Ok(false),
            Err(WriteError::Full) => Err(self.too_small()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the first entries of a span. Returns whether they were written, and the entry after the last of them.
    fn run<S: Source>(
        &mut self,
        span: &Span,
        bytes: u64,
        source: &mut S,
        out: &mut Vec<u8>,
    ) -> Result<(Result<(), WriteError>, u64), PackError<S::Error>> {
        Ok(match source.pages(span, bytes).map_err(PackError::Source)? {
            Some((pages, reached)) => (self.writer.message(Message::run(&span.context, pages), out), reached),
            None => (Ok(()), span.to),
        })
    }

    fn too_small<E>(&self) -> PackError<E> {
        PackError::TooSmall(self.writer.written())
    }
}

fn item<T>(items: &[T], index: u64) -> Option<&T> {
    items.get(usize::try_from(index).ok()?)
}
