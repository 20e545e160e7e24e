//! Fills volumes from a plan, one frame at a time: whoever writes decides when to go on, and entries are read as they are
//! written.

use std::ops::Range;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    error::WriteError,
    files::{PouchFile, fit},
    padding::Padding,
    plan::{Plan, Span},
    writer::{Address, VolumeWriter, Written},
};
use crate::{id::AttachmentId, limits::VOLUME_FILES_MAX, message::Message, page::LogContext};

/// Bytes of entries in a frame, about.
const FRAME_BYTES_AIM: u64 = 1 << 20;
/// Bytes that stand in a frame beside its pages, at most, for each frame and each page.
const FRAME_REST_BYTES: u64 = 256;

/// The first entries of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Their pages.
    pub pages: Vec<Vec<u8>>,
    /// The entry after the last of them.
    pub reached: u64,
}

/// Gives out what a plan names.
pub trait Source {
    /// Why it could not be read.
    type Error;

    /// The first entries of a span: about as many bytes as asked for, and one page at least. None when nothing of it is held
    /// any more.
    ///
    /// # Errors
    /// When they cannot be read.
    fn pages(&mut self, span: &Span, bytes: u64) -> Result<Option<First>, Self::Error>;

    /// The payload of an entry, if it is held.
    ///
    /// # Errors
    /// When it cannot be read.
    fn payload(&mut self, context: &LogContext, seq: u64) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Whether an attachment is held; one that is not is left out.
    fn holds(&mut self, file: &PouchFile) -> bool;

    /// A piece of one with its proof; none when it cannot be read.
    fn piece(&mut self, file: &PouchFile, range: &Range<u64>) -> Option<Vec<u8>>;
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
    /// Attachments that earlier volumes carry to their end.
    pub files: u64,
    /// The next byte of the one after them.
    pub next_byte: u64,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// What is known of it.
    pub written: Written,
    /// Attachments of which something could not be read.
    pub unread: Vec<AttachmentId>,
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
    Told,
    Data,
    /// Everything but what stands behind the closing is written.
    Closed,
}

/// What came of the first entries of a span: whether they were written, and the entry after the last of them.
struct Ran {
    written: Result<(), WriteError>,
    reached: u64,
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
    unread: Vec<AttachmentId>,
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
        Ok(Packer { plan, writer, padding, stage: Stage::Hello, position, carries: false, unread: Vec::new() })
    }

    /// How many entries it holds so far.
    pub fn entries(&self) -> u64 {
        self.writer.contents().entries()
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
                    let Ran { written, reached } = self.run(&rest, FRAME_BYTES_AIM, source, out)?;
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
                None => (Ok(()), Stage::Told),
            },
            Stage::Told => match plan.told.as_ref().filter(|_| self.position == Position::default()) {
                Some(told) => (self.writer.files(told.clone(), out), Stage::Data),
                None => (Ok(()), Stage::Data),
            },
            Stage::Data => {
                if !self.carry(source, out)? {
                    self.end_entries(source, out)?;
                }
                return Ok(true);
            }
            Stage::Closed => return Ok(self.piece(source, out)),
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
        Ok(Packed { written, unread: self.unread, next: (!last).then_some(self.position) })
    }

    fn is_last(&self) -> bool {
        self.has_all_entries() && self.position.files >= self.plan.files.len() as u64
    }

    fn has_all_entries(&self) -> bool {
        self.position.spans >= self.plan.data.len() as u64 && self.position.payloads >= self.plan.payloads.len() as u64
    }

    /// Names the attachments for which there is room behind the entries, and writes the closing.
    fn end_entries<S: Source>(&mut self, source: &mut S, out: &mut Vec<u8>) -> Result<(), PackError<S::Error>> {
        let (mut ranges, mut room) = (Vec::new(), self.writer.room());
        while self.has_all_entries()
            && ranges.len() < VOLUME_FILES_MAX
            && let Some(file) = item(&self.plan.files, self.position.files)
        {
            let next = Position { files: self.position.files + 1, next_byte: 0, ..self.position };
            if !source.holds(file) {
                self.position = next;
                continue;
            }
            let Some((range, taken)) = fit(file, self.position.next_byte, room) else { break };
            room -= taken;
            ranges.push(range);
            if range.to < file.bytes {
                self.position.next_byte = range.to;
                break;
            }
            self.position = next;
        }
        if ranges.is_empty() && !self.carries && !self.is_last() {
            return Err(self.too_small());
        }
        self.writer.end_entries(ranges, self.is_last(), out)?;
        self.stage = Stage::Closed;
        Ok(())
    }

    /// Writes the next piece of an attachment. False when there is none.
    fn piece<S: Source>(&mut self, source: &mut S, out: &mut Vec<u8>) -> bool {
        let Some((file, range)) = self.writer.next_piece() else { return false };
        let encoded = source.piece(&file, &range);
        if encoded.is_none() && self.unread.last() != Some(&file.attachment) {
            self.unread.push(file.attachment);
        }
        self.writer.piece(encoded, out);
        true
    }

    /// Writes the next entries, or the next payload.
    fn carry<S: Source>(&mut self, source: &mut S, out: &mut Vec<u8>) -> Result<bool, PackError<S::Error>> {
        let written = if let Some(span) = item(&self.plan.data, self.position.spans) {
            let from = self.position.next_seq.unwrap_or(span.from);
            // Near the end of the volume a frame is as long as there is room.
            let aim = FRAME_BYTES_AIM.min(self.writer.room().saturating_sub(FRAME_REST_BYTES));
            let Ran { written, reached } = self.run(&Span { from, ..*span }, aim, source, out)?;
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

    /// Writes the first entries of a span.
    fn run<S: Source>(
        &mut self,
        span: &Span,
        bytes: u64,
        source: &mut S,
        out: &mut Vec<u8>,
    ) -> Result<Ran, PackError<S::Error>> {
        Ok(match source.pages(span, bytes).map_err(PackError::Source)? {
            Some(First { pages, reached }) => {
                Ran { written: self.writer.message(Message::run(&span.context, pages), out), reached }
            }
            None => Ran { written: Ok(()), reached: span.to },
        })
    }

    fn too_small<E>(&self) -> PackError<E> {
        PackError::TooSmall(self.writer.written())
    }
}

fn item<T>(items: &[T], index: u64) -> Option<&T> {
    items.get(usize::try_from(index).ok()?)
}
