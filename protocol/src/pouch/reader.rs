//! Reads one volume as a stream: bytes of the file in, frames out, bounded memory.
//!
//! Nothing comes out before the sender was recognised and is known to have addressed the volume to this node. The signature
//! over all of it comes last: what came before that is to be judged by its own signatures, as on a connection.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    contents::Contents,
    error::PouchError,
    files,
    frame::{Carried, Frame, FrameReader, is_carried, item},
    header::Header,
    scan::{Piece, Scanner},
    statement::{Closing, Opening, Signed},
    tail::Tail,
};
use crate::{
    crypto::{
        chunks::{ChunkKey, Place},
        sealing::SealingSecret,
        signing::Verifier,
    },
    entry::LogKey,
    id::{NodeId, SpaceId},
    limits::{EXTENTS_MAX, FILES_TOLD_MAX, POUCH_SLOTS, POUCHES_HELD_MAX, SPACES_MAX},
    message::Message,
    page::RunError,
};

/// Knows the keys of the nodes from which pouches are taken.
pub type Senders<'a> = &'a dyn Fn(&NodeId) -> Option<Verifier>;

/// See the head of the file.
pub struct VolumeReader {
    own: NodeId,
    sealing: SealingSecret,
    scanner: Scanner,
    opened: Option<(Header, ChunkKey)>,
    frames: FrameReader,
    said: Said,
    /// What stands behind the closing, once that was read.
    tail: Option<Tail>,
}

/// The end of a volume that is whole.
#[derive(Debug)]
pub struct End {
    /// What its last bytes completed.
    pub carried: Vec<Carried>,
    /// What the sender said first.
    pub opening: Opening,
    /// And last.
    pub closing: Closing,
    /// What is wrong behind the closing. It cost pieces of attachments and nothing else.
    pub trouble: Option<PouchError>,
}

/// What the sender has said so far.
#[derive(Default)]
struct Said {
    opening: Option<(Opening, Verifier)>,
    closing: Option<Closing>,
    /// What was in it so far: the contents list has to say the same.
    contents: Contents,
    words: Words,
}

/// What was said beside entries and payloads. Most of it may be said once, so a sender that repeats itself costs no more than one
/// that does not.
#[derive(Default)]
struct Words {
    greeted: bool,
    /// The buckets of each frontier that were listed.
    frontiers: BTreeMap<SpaceId, u64>,
    receipts: BTreeSet<SpaceId>,
    forks: BTreeSet<(SpaceId, LogKey)>,
    held: usize,
    has_told_files: bool,
}

impl Words {
    /// Takes note of a frame. None where the same was said before.
    fn note(&mut self, frame: &Carried) -> Option<()> {
        let is_new = match frame {
            Carried::Message(Message::Hello { .. }) => !std::mem::replace(&mut self.greeted, true),
            Carried::Message(Message::Frontier { space, mask, .. }) => {
                let listed = self.frontiers.entry(*space).or_default();
                let is_new = *mask != 0 && *listed & mask == 0;
                *listed |= mask;
                is_new
            }
            Carried::Message(Message::Receipt { receipt, .. }) => self.receipts.insert(receipt.statement.space),
            Carried::Message(Message::Fork { space, log, .. }) => self.forks.insert((*space, *log)),
            Carried::Held(_) => {
                self.held += 1;
                true
            }
            Carried::Files(_) => !std::mem::replace(&mut self.has_told_files, true),
            Carried::Message(_) | Carried::Piece(_) => true,
        };
        is_new.then_some(())
    }

    fn are_few(&self) -> bool {
        self.frontiers.len() <= SPACES_MAX
            && self.receipts.len() <= SPACES_MAX
            && self.forks.len() <= EXTENTS_MAX
            && self.held <= POUCH_SLOTS * POUCHES_HELD_MAX
    }
}

impl VolumeReader {
    /// A reader for node `own`, which opens with `sealing`.
    pub fn new(own: NodeId, sealing: SealingSecret) -> VolumeReader {
        VolumeReader {
            own,
            sealing,
            scanner: Scanner::new(),
            opened: None,
            frames: FrameReader::default(),
            said: Said::default(),
            tail: None,
        }
    }

    /// Takes the next bytes of the file, as many as the caller likes to hold, and returns what they complete. Once the closing was
    /// read, and it names attachments, damage costs pieces of these and is no error.
    ///
    /// # Errors
    /// [`PouchError`]; nothing that comes later counts. What was returned before stays true to its own signatures.
    pub fn push(&mut self, bytes: &[u8], senders: Senders<'_>) -> Result<Vec<Carried>, PouchError> {
        let mut carried = Vec::new();
        for piece in self.scanner.push(bytes)? {
            self.piece(piece, senders, &mut carried)?;
        }
        Ok(carried)
    }

    /// The file ended.
    ///
    /// # Errors
    /// [`PouchError`], [`PouchError::Truncated`] among them.
    pub fn finish(mut self, senders: Senders<'_>) -> Result<End, PouchError> {
        let mut carried = Vec::new();
        match (std::mem::take(&mut self.scanner).finish(), &mut self.tail) {
            (Ok((piece, _)), _) => self.piece(piece, senders, &mut carried)?,
            (Err(error), Some(tail)) => tail.lose(error, &mut carried)?,
            (Err(error), None) => return Err(error),
        }
        match (self.said.opening, self.said.closing) {
            (Some((opening, _)), Some(closing)) => {
                Ok(End { carried, opening, closing, trouble: self.tail.and_then(Tail::end) })
            }
            _ => Err(PouchError::Malformed("it ends without a closing")),
        }
    }

    /// What the sender said last, once that was read.
    pub fn closing(&self) -> Option<&Closing> {
        self.said.closing.as_ref()
    }

    /// What the sender said first, once that was read.
    pub fn opening(&self) -> Option<&Opening> {
        self.said.opening.as_ref().map(|(opening, _)| opening)
    }

    fn piece(&mut self, piece: Piece, senders: Senders<'_>, carried: &mut Vec<Carried>) -> Result<(), PouchError> {
        let (number, place, at, mut chunk) = match piece {
            Piece::Header(header) => {
                let secret = header.open(&self.sealing)?;
                let key = header.chunk_key(&secret);
                self.opened = Some((*header, key));
                return Ok(());
            }
            Piece::Chunk { number, place, at, sealed } => (number, place, at, sealed),
            Piece::Damaged { at, end } => {
                let damaged = PouchError::Damaged { at, end };
                return match &mut self.tail {
                    Some(tail) => tail.lose(damaged, carried),
                    None => Err(damaged),
                };
            }
        };
        let (header, key) = self.opened.as_ref().ok_or(PouchError::NotAPouch)?;
        let opened = key.open(number, place, &mut chunk).map_err(|_| PouchError::Altered { at });
        match (&mut self.tail, opened) {
            (Some(tail), Ok(())) => return tail.push(&chunk, carried),
            (Some(tail), Err(altered)) => return tail.lose(altered, carried),
            (None, opened) => opened?,
        }
        let (said, own) = (&mut self.said, &self.own);
        self.frames.push(&chunk, |frame, before| match frame {
            Frame::Opening(signed) => said.open(signed, header, own, senders),
            Frame::Closing(signed) => said.close(signed, before),
            Frame::Message(message) if is_carried(&message) => said.carry(Carried::Message(message), carried),
            Frame::Message(_) => Err(PouchError::Malformed("a message that no pouch carries")),
            Frame::Held(held) if held.volumes.is_plausible() => said.carry(Carried::Held(held), carried),
            Frame::Held(_) => Err(PouchError::Malformed("a set of volumes")),
            Frame::Files(files) if files.len() > FILES_TOLD_MAX => {
                Err(PouchError::Bound("attachments that are told of"))
            }
            Frame::Files(files) if files.is_sorted_by(|one, next| one < next) => {
                said.carry(Carried::Files(files), carried)
            }
            Frame::Files(_) => Err(PouchError::Malformed("a list of attachments")),
        })?;
        if let Some(closing) = &self.said.closing {
            let tail = self.tail.insert(Tail::new(&closing.files));
            tail.push(&self.frames.behind_closing(), carried)?;
        }
        match place {
            Place::Last if self.said.closing.is_none() => Err(PouchError::Malformed("it ends without a closing")),
            Place::Last | Place::Within => Ok(()),
        }
    }
}

impl Said {
    fn open(
        &mut self,
        signed: Signed<Opening>,
        header: &Header,
        own: &NodeId,
        senders: Senders<'_>,
    ) -> Result<(), PouchError> {
        if self.opening.is_some() {
            return Err(PouchError::Malformed("a second opening"));
        }
        let sender = signed.statement.sender;
        let key = senders(&sender).ok_or(PouchError::UnknownSender(sender))?;
        signed.verify(&key, sender)?;
        signed.statement.check(header, own)?;
        self.opening = Some((signed.statement, key));
        Ok(())
    }

    fn carry(&mut self, frame: Carried, carried: &mut Vec<Carried>) -> Result<(), PouchError> {
        if self.opening.is_none() {
            return Err(PouchError::Malformed("it starts without an opening"));
        }
        self.words.note(&frame).ok_or(PouchError::Malformed("something that may be said once, said again"))?;
        if !self.words.are_few() {
            return Err(PouchError::Bound("what is said beside entries"));
        }
        if let Carried::Message(message) = &frame
            && let Some((space, item)) = item(message).map_err(wrong_run)?
        {
            if !self.contents.has_room() {
                return Err(PouchError::Bound("the ranges of entries in a volume"));
            }
            self.contents.add(space, item);
        }
        carried.push(frame);
        Ok(())
    }

    fn close(&mut self, signed: Signed<Closing>, frames: [u8; 32]) -> Result<(), PouchError> {
        let Some((opening, key)) = &self.opening else {
            return Err(PouchError::Malformed("it starts without an opening"));
        };
        signed.verify(key, opening.sender)?;
        let closing = signed.statement;
        if (closing.pouch, closing.volume) != (opening.pouch, opening.volume) || closing.frames != frames {
            return Err(PouchError::BadSignature(opening.sender));
        }
        if closing.contents != self.contents {
            return Err(PouchError::Malformed("the contents list"));
        }
        files::check(&closing.files)?;
        self.closing = Some(closing);
        Ok(())
    }
}

fn wrong_run(error: RunError) -> PouchError {
    match error {
        RunError::Suite(suite) => PouchError::Future(suite),
        _ => PouchError::Malformed("a run of entries"),
    }
}
