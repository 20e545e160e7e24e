//! Takes a staged volume: verified from the first byte to the last, then handed to the core frame by frame, which commits as on
//! a connection. A volume that was begun and not ended is taken again from the start; what is held already costs little.

use std::collections::{BTreeSet, VecDeque};

use portolan_protocol::{
    id::{NodeId, SpaceId},
    input::{Command, CommandError, Reply, Volume, VolumeReport},
    message::Message,
    page::LogContext,
    pouch::{Carried, Closing, Contents, Extent, FilePiece, Held, Opening},
};
use tokio::runtime::Handle;
use tracing::warn;

use super::{
    archive::Told,
    error::PouchesError,
    handle::{Pouches, signing_keys},
    pieces::{FilesTaken, TakingFiles},
    reading::Reading,
    staging::Staged,
};
use crate::{
    clock,
    engine::{EngineError, Pending},
};

/// Frames that the core is given before the first of them is durable.
const AHEAD: usize = 16;

/// How far a volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes verified.
    Verified(u64),
    /// Bytes whose entries are taken.
    Taken(u64),
}

/// Whoever asked for a volume to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Waits for the end.
    Waits,
    /// Has gone: somebody ended it, and may begin again.
    Gone,
}

impl Listener {
    fn still_there(self) -> Result<(), PouchesError> {
        match self {
            Listener::Waits => Ok(()),
            Listener::Gone => Err(PouchesError::Gone),
        }
    }
}

/// What came of a volume.
#[derive(Debug)]
pub struct Taken {
    /// What the sender said first.
    pub opening: Opening,
    /// And last.
    pub closing: Closing,
    /// Entries that are held since; in a dry run those that are not held.
    pub new: u64,
    /// What is lacking, and this node's word where nothing is.
    pub report: VolumeReport,
    /// What came of its attachments.
    pub files: FilesTaken,
}

impl Pouches {
    /// Makes room for a volume that is to come. Blocks.
    ///
    /// # Errors
    /// [`PouchesError`].
    pub fn stage(&self, bytes: u64) -> Result<Staged, PouchesError> {
        self.0.staging.begin(bytes)
    }

    /// Verifies a staged volume and takes what it carries; in a dry run only looks. `tell` hears how far it is, and says whether
    /// anybody still waits for it.
    ///
    /// # Errors
    /// [`PouchesError`], [`PouchesError::Gone`] among them; what was taken before it stays taken.
    pub async fn take(
        &self,
        staged: Staged,
        dry_run: bool,
        tell: impl FnMut(Progress) -> Listener + Send + 'static,
    ) -> Result<Taken, PouchesError> {
        let _one = self.0.taking.lock().await;
        let pouches = self.clone();
        let runtime = Handle::current();
        let taking = tokio::task::spawn_blocking(move || pouches.take_staged(&staged, dry_run, tell, &runtime));
        taking.await.map_err(|_| PouchesError::Unexpected)?
    }

    fn take_staged(
        &self,
        staged: &Staged,
        dry_run: bool,
        mut tell: impl FnMut(Progress) -> Listener,
        runtime: &Handle,
    ) -> Result<Taken, PouchesError> {
        let senders = signing_keys(&runtime.block_on(self.0.engine.status())?);
        let mut reading = Reading::begin(self, staged, &senders)?;
        while reading.said().is_none() && reading.step()?.is_some() {
            tell(Progress::Verified(reading.bytes())).still_there()?;
        }
        let (opening, closing) = reading.said().cloned().ok_or(PouchesError::Unexpected)?;
        let contents = closing.contents.clone();
        if dry_run {
            let Reply::Weighed(new) = runtime.block_on(self.0.engine.command(Command::Weigh { contents }))? else {
                return Err(PouchesError::Unexpected);
            };
            let (report, files) = (VolumeReport::default(), self.weigh_files(&closing));
            return Ok(Taken { opening, closing, new, report, files });
        }
        let peer = opening.sender;
        let mut feed = Feed { pouches: self, runtime, opening: &opening, waiting: VecDeque::new(), new: 0 };
        let mut reading = Reading::begin(self, staged, &senders)?;
        let read = feed.entries(&mut reading, &mut tell);
        let taken = read
            .and_then(|pieces| feed.end().map(|new| (new, pieces)))
            .and_then(|taken| Ok((taken, self.contradicted(&contents)?)));
        let (whole, new) = match taken {
            Ok((taken, contradicted)) => {
                (Some(Volume { pouch: closing.pouch, number: closing.volume, contents, contradicted }), Ok(taken))
            }
            Err(error) => (None, Err(error)),
        };
        let ended = runtime.block_on(self.0.engine.command(Command::EndVolume { peer, whole }));
        match (new, ended?) {
            (Ok((new, pieces)), Reply::Volume(mut report)) => {
                for earlier in std::mem::take(&mut report.again) {
                    let held = self.end_again(peer, earlier, runtime)?;
                    // The later word says it for all volumes of the pouch.
                    let later = held.filter(|held| held.pouch == closing.pouch && report.held.is_some());
                    report.held = later.or(report.held);
                }
                // Behind everything else: whatever comes of them, entries are taken and signed for.
                let files = self.take_files(&mut reading, pieces, &closing, runtime, tell)?;
                Ok(Taken { opening, closing, new, report: *report, files })
            }
            (Ok(_), _) => Err(PouchesError::Unexpected),
            (Err(error), _) => Err(error),
        }
    }

    fn take_files(
        &self,
        reading: &mut Reading<'_>,
        pieces: Vec<FilePiece>,
        closing: &Closing,
        runtime: &Handle,
        mut tell: impl FnMut(Progress) -> Listener,
    ) -> Result<FilesTaken, PouchesError> {
        let Some(attachments) = self.0.attachments.as_ref().filter(|_| !closing.files.is_empty()) else {
            return Ok(FilesTaken::default());
        };
        let mut taking = TakingFiles::begin(attachments, runtime, closing);
        pieces.iter().for_each(|piece| taking.take(piece));
        while let Some(carried) = reading.step()? {
            for carried in carried {
                if let Carried::Piece(piece) = carried {
                    taking.take(&piece);
                }
            }
            tell(Progress::Taken(reading.bytes())).still_there()?;
        }
        Ok(taking.end(closing, reading.trouble(), reading.no_room()))
    }

    /// How many attachments of a volume are not here.
    fn weigh_files(&self, closing: &Closing) -> FilesTaken {
        let is_here = |id| self.0.attachments.as_ref().is_some_and(|all| all.files().held(id).is_some());
        let new = closing.files.iter().filter(|file| !is_here(&file.attachment)).count() as u64;
        FilesTaken { new, ..FilesTaken::default() }
    }

    /// Looks again at a volume of which something was lacking before. Returns this node's word where nothing is any more.
    fn end_again(&self, peer: NodeId, earlier: Volume, runtime: &Handle) -> Result<Option<Held>, PouchesError> {
        let contradicted = self.contradicted(&earlier.contents)?;
        let whole = Some(Volume { contradicted, ..earlier });
        match runtime.block_on(self.0.engine.command(Command::EndVolume { peer, whole }))? {
            Reply::Volume(report) => Ok(report.held),
            _ => Err(PouchesError::Unexpected),
        }
    }

    /// Extents whose last entry is another one in the store.
    fn contradicted(&self, contents: &Contents) -> Result<BTreeSet<(SpaceId, Extent)>, PouchesError> {
        let mut contradicted = BTreeSet::new();
        for (space, extent) in contents.extents() {
            let context = LogContext { space, log: extent.log, kind: extent.log.kind() };
            let last = self.0.store.entry(&context, extent.to.saturating_sub(1))?;
            if last.is_some_and(|last| last.hash() != extent.head) {
                contradicted.insert((space, *extent));
            }
        }
        Ok(contradicted)
    }
}

/// Hands frames to the core, some ahead of what is durable, in their order.
struct Feed<'a> {
    pouches: &'a Pouches,
    runtime: &'a Handle,
    opening: &'a Opening,
    waiting: VecDeque<Pending>,
    new: u64,
}

impl Feed<'_> {
    /// Hands on what stands before the attachments. Returns pieces of these that came along.
    fn entries(
        &mut self,
        reading: &mut Reading<'_>,
        tell: &mut impl FnMut(Progress) -> Listener,
    ) -> Result<Vec<FilePiece>, PouchesError> {
        let mut pieces = Vec::new();
        while reading.said().is_none()
            && let Some(carried) = reading.step()?
        {
            tell(Progress::Taken(reading.bytes())).still_there()?;
            for carried in carried {
                match carried {
                    Carried::Piece(piece) => pieces.push(piece),
                    other => self.give(other)?,
                }
            }
        }
        Ok(pieces)
    }

    fn give(&mut self, carried: Carried) -> Result<(), PouchesError> {
        match carried {
            Carried::Message(message) => self.submit(message),
            Carried::Files(files) => {
                let told = Told { said: self.opening.time, taken: clock::now(), files };
                // It costs that more is packed for that peer, and is no reason to take nothing.
                if let Err(error) = self.pouches.0.archive.keep_told(&self.opening.sender, &told) {
                    warn!(%error, "what a peer holds cannot be kept; it is passed over");
                }
                Ok(())
            }
            Carried::Piece(_) => Ok(()),
            Carried::Held(held) => {
                let taken = self.runtime.block_on(self.pouches.take_held(held));
                match taken {
                    // What speaks of a pouch that is forgotten, or of other volumes, says nothing.
                    Ok(_) | Err(PouchesError::Engine(EngineError::Refused(CommandError::NoReceipt(_)))) => Ok(()),
                    // It costs that its entries are sent again, and is no reason to take nothing.
                    Err(PouchesError::Kept(error)) => {
                        warn!(%error, "what is kept of a pouch cannot be read; a receipt for it is passed over");
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    fn submit(&mut self, message: Message) -> Result<(), PouchesError> {
        let Opening { sender, pouch, time, .. } = *self.opening;
        let command = Command::Unpack { peer: sender, pouch, said: time, message: Box::new(message) };
        self.waiting.push_back(self.runtime.block_on(self.pouches.0.engine.submit(command))?);
        while self.waiting.len() > AHEAD {
            self.settle_one()?;
        }
        Ok(())
    }

    fn settle_one(&mut self) -> Result<(), PouchesError> {
        let Some(pending) = self.waiting.pop_front() else { return Ok(()) };
        match self.runtime.block_on(self.pouches.0.engine.answer(pending))? {
            Reply::Unpacked(new) => self.new += new,
            _ => return Err(PouchesError::Unexpected),
        }
        Ok(())
    }

    /// Waits for all of them. Returns how many entries are held since.
    fn end(&mut self) -> Result<u64, PouchesError> {
        while !self.waiting.is_empty() {
            self.settle_one()?;
        }
        Ok(self.new)
    }
}
