//! Takes the attachments of a volume, when its entries are taken: each piece is checked against the id that a record names. What is
//! wrong with one costs that one; what came stays, and is gone on with by another volume, another pouch or a peer.

use std::{collections::BTreeMap, io};

use portolan_protocol::{
    attachment::Layout,
    id::AttachmentId,
    pouch::{Closing, FilePiece, FileRange, PouchError},
};
use tokio::runtime::Handle;
use tracing::warn;

use super::error::PouchesError;
use crate::attachments::{Attachments, AttachmentsError, Incoming};

/// Attachments that are named where something is lacking.
const LACKING_NAMED_MAX: usize = 32;

/// What came of the attachments of a volume.
#[derive(Debug, Default)]
pub struct FilesTaken {
    /// Those that are whole since.
    pub new: u64,
    /// Those that are not here to their end, a few of them.
    pub lacking: Vec<LackingFile>,
    /// How many there are of which not everything that the volume carries was taken.
    pub failed: u64,
    /// How many go on elsewhere.
    pub going_on: u64,
    /// What is wrong with the volume behind its entries, whether or not anything is lacking for it.
    pub trouble: Option<PouchError>,
}

/// An attachment that is not here to its end.
#[derive(Debug)]
pub struct LackingFile {
    /// Which, and what of it the volume carries.
    pub range: FileRange,
    /// Bytes that are here.
    pub held: u64,
    /// Why not all that the volume carries was taken; none where it goes on elsewhere.
    pub why: Option<PouchesError>,
}

/// See the head of the file.
pub(super) struct TakingFiles<'a> {
    attachments: &'a Attachments,
    runtime: &'a Handle,
    current: Option<(AttachmentId, Incoming)>,
    /// Those that are not taken, and why.
    refused: BTreeMap<AttachmentId, AttachmentsError>,
    /// Pieces that were sound.
    sound: BTreeMap<AttachmentId, usize>,
    /// Those that were here before.
    before: std::collections::BTreeSet<AttachmentId>,
}

impl<'a> TakingFiles<'a> {
    pub(super) fn begin(attachments: &'a Attachments, runtime: &'a Handle, closing: &Closing) -> TakingFiles<'a> {
        // What the entries of the volume name is known then; where that fails, what is known by now counts.
        if let Err(error) = runtime.block_on(attachments.look_at_records()) {
            warn!(%error, "records cannot be looked at before the files that they name are taken");
        }
        let ids = closing.files.iter().map(|file| file.attachment);
        let before = ids.filter(|id| attachments.files().held(id).is_some()).collect();
        let (refused, sound) = (BTreeMap::new(), BTreeMap::new());
        TakingFiles { attachments, runtime, current: None, refused, sound, before }
    }

    pub(super) fn take(&mut self, piece: &FilePiece) {
        let id = piece.attachment;
        if self.before.contains(&id) || self.refused.contains_key(&id) {
            return;
        }
        if let Err(error) = self.turn_to(piece) {
            self.refused.insert(id, error);
            return;
        }
        let Some((_, incoming)) = &mut self.current else { return };
        match incoming.take(&piece.range, &piece.encoded) {
            Ok(()) => *self.sound.entry(id).or_default() += 1,
            // What stands there is not what it is said to be.
            Err(AttachmentsError::File(error)) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => {
                self.current = None;
                self.refused.insert(id, error);
            }
        }
    }

    /// Ends the one that is taken, and begins another.
    fn turn_to(&mut self, piece: &FilePiece) -> Result<(), AttachmentsError> {
        let id = piece.attachment;
        if self.current.as_ref().is_some_and(|(current, _)| *current == id) {
            return Ok(());
        }
        self.end_current();
        let layout = Layout::of_ciphertext(piece.bytes)?;
        match self.runtime.block_on(self.attachments.incoming(id, layout))? {
            Some(incoming) => self.current = Some((id, incoming)),
            // It came by another way meanwhile.
            None => self.before.extend([id]),
        }
        Ok(())
    }

    fn end_current(&mut self) {
        let Some((id, incoming)) = self.current.take() else { return };
        if let Err(error) = incoming.end() {
            self.refused.insert(id, error);
        }
    }

    /// Nothing more comes. `trouble` is why some of it did not, where that is known.
    pub(super) fn end(
        mut self,
        closing: &Closing,
        trouble: Option<&PouchError>,
        no_room: Option<(u64, u64)>,
    ) -> FilesTaken {
        self.end_current();
        let mut taken = FilesTaken { trouble: trouble.cloned(), ..FilesTaken::default() };
        for range in &closing.files {
            let id = range.attachment;
            if self.attachments.files().held(&id).is_some() {
                taken.new += u64::from(!self.before.contains(&id));
                continue;
            }
            let is_sound = self.sound.get(&id).is_some_and(|sound| *sound == range.pieces().count());
            let why = match (self.refused.remove(&id), is_sound, no_room) {
                (Some(error), ..) => Some(PouchesError::from(error)),
                (None, true, _) => None,
                (None, false, Some((free, needed))) => Some(PouchesError::NoRoom { free, needed }),
                (None, false, None) => Some(PouchesError::FileDamaged(trouble.cloned())),
            };
            *(if why.is_some() { &mut taken.failed } else { &mut taken.going_on }) += 1;
            if taken.lacking.len() < LACKING_NAMED_MAX {
                let held = self.attachments.files().partial(&id);
                taken.lacking.push(LackingFile { range: *range, held, why });
            }
        }
        taken
    }
}
