//! Reads a staged volume from the start, as far as is wanted.

use std::{collections::BTreeMap, fs::File, io::Read as _};

use portolan_protocol::{
    crypto::signing::Verifier,
    id::NodeId,
    pouch::{Carried, Closing, End, Opening, PouchError, VolumeReader},
};

use super::{error::PouchesError, handle::Pouches, staging::Staged};

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// See the head of the file.
pub(super) struct Reading<'a> {
    senders: &'a BTreeMap<NodeId, Verifier>,
    staged: &'a Staged,
    file: File,
    /// None once all of it was read.
    reader: Option<VolumeReader>,
    piece: Vec<u8>,
    bytes: u64,
    said: Option<(Opening, Closing)>,
    trouble: Option<PouchError>,
}

impl<'a> Reading<'a> {
    pub(super) fn begin(
        pouches: &Pouches,
        staged: &'a Staged,
        senders: &'a BTreeMap<NodeId, Verifier>,
    ) -> Result<Reading<'a>, PouchesError> {
        Ok(Reading {
            senders,
            staged,
            file: staged.read()?,
            reader: Some(VolumeReader::new(pouches.0.own, pouches.0.sealing.clone())),
            piece: vec![0; PIECE_BYTES],
            bytes: 0,
            said: None,
            trouble: None,
        })
    }

    /// Bytes that were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes free and needed, where there was no room for what is behind the closing.
    pub(super) fn no_room(&self) -> Option<(u64, u64)> {
        self.staged.is_cut()
    }

    /// What is wrong behind the closing, once all of it was read.
    pub(super) fn trouble(&self) -> Option<&PouchError> {
        self.trouble.as_ref()
    }

    /// What the sender said first and last, once what stands before the attachments was read. Where there are none, that is all of it.
    pub(super) fn said(&self) -> Option<&(Opening, Closing)> {
        self.said.as_ref()
    }

    /// Reads on. None once all of it was read.
    pub(super) fn step(&mut self) -> Result<Option<Vec<Carried>>, PouchesError> {
        let Some(mut reader) = self.reader.take() else { return Ok(None) };
        let known = |node: &NodeId| self.senders.get(node).cloned();
        let length = self.file.read(&mut self.piece).map_err(PouchesError::Staging)?;
        if length > 0 {
            self.bytes += length as u64;
            let carried = reader.push(&self.piece[..length], &known)?;
            if let (None, Some(opening), Some(closing)) = (&self.said, reader.opening(), reader.closing())
                && !closing.files.is_empty()
            {
                self.said = Some((opening.clone(), closing.clone()));
            }
            self.reader = Some(reader);
            return Ok(Some(carried));
        }
        match (self.staged.is_cut(), &self.said) {
            // What is behind was not kept.
            (Some(_), Some(_)) => return Ok(None),
            (Some((free, needed)), None) => return Err(PouchesError::NoRoom { free, needed }),
            (None, _) => {}
        }
        let End { carried, opening, closing, trouble } = reader.finish(&known)?;
        self.said = Some((opening, closing));
        self.trouble = trouble;
        Ok(Some(carried))
    }
}
