//! Looks at volumes without keys: what their outside says, and whether they are as they were written.

use std::{
    io::{self, Read as _},
    path::Path,
};

use portolan_protocol::{
    id::PouchId,
    pouch::{HEADER_BYTES, Header, Piece, PouchError, Scanner, VolumeName},
};

use super::{find::Found, uncached};
use crate::error::{ApiError, ErrorKind, Result, file};

const PIECE_BYTES: usize = 1 << 20;

/// What the outside of a volume says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Which pouch and which volume.
    pub name: VolumeName,
    /// Its size.
    pub bytes: u64,
}

/// A volume that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// What the outside says.
    pub looked: Looked,
    /// The hash that it ends with.
    pub hash: [u8; 32],
}

/// Reads the outside of a volume.
///
/// # Errors
/// When it is none, or cannot be read.
pub fn inspect(found: &Found) -> Result<Looked> {
    let (mut opened, bytes) = found.open()?;
    let mut header = Vec::new();
    let read = opened.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut header);
    read.map_err(|error| unreadable(&found.path, &error))?;
    let header = Header::parse(&header).map_err(|error| damaged(&found.path, &error))?;
    named(found, header.pouch, header.volume)?;
    Ok(Looked { name: found.name, bytes })
}

/// Reads a volume from the first byte to the last.
///
/// # Errors
/// When it is damaged, or cannot be read.
pub fn verify(found: &Found, mut tell: impl FnMut(u64)) -> Result<Whole> {
    let (mut opened, bytes) = found.open()?;
    let mut check = Check::default();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = opened.read(&mut piece).map_err(|error| unreadable(&found.path, &error))?;
        if length == 0 {
            break;
        }
        check.push(&piece[..length]).map_err(|error| damaged(&found.path, &error))?;
        tell(length as u64);
    }
    let (pouch, volume, hash) = check.finish().map_err(|error| damaged(&found.path, &error))?;
    named(found, pouch, volume)?;
    Ok(Whole { looked: Looked { name: found.name, bytes }, hash })
}

/// The volume at `path`, which was just written, as it is on the medium. Returns its hash.
pub(super) fn verify_written(path: &Path) -> Result<[u8; 32]> {
    let mut check = Check::default();
    let mut wrong = None;
    let outcome = uncached::read(path, |piece| {
        check.push(piece).map_err(|error| {
            wrong = Some(error.clone());
            io::Error::other(error)
        })
    });
    match (outcome, wrong) {
        (_, Some(wrong)) => Err(damaged(path, &wrong)),
        (Err(error), None) => Err(file("read again", path, &error)),
        (Ok(()), None) => check.finish().map(|(_, _, hash)| hash).map_err(|error| damaged(path, &error)),
    }
}

/// A scanner that remembers what the header said.
#[derive(Default)]
struct Check {
    scanner: Scanner,
    outside: Option<(PouchId, u16)>,
}

impl Check {
    fn push(&mut self, bytes: &[u8]) -> std::result::Result<(), PouchError> {
        for piece in self.scanner.push(bytes)? {
            if let Piece::Header(header) = piece.sound()? {
                self.outside = Some((header.pouch, header.volume));
            }
        }
        Ok(())
    }

    fn finish(self) -> std::result::Result<(PouchId, u16, [u8; 32]), PouchError> {
        let (_, hash) = self.scanner.finish()?;
        let (pouch, volume) = self.outside.ok_or(PouchError::NotAPouch)?;
        Ok((pouch, volume, hash))
    }
}

fn named(found: &Found, pouch: PouchId, volume: u16) -> Result<()> {
    let outside = VolumeName { pouch, volume };
    if outside == found.name {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorKind::PouchDamaged,
        format!("{} is another volume than its name says: {outside}", found.path.display()),
    )
    .safe("Nothing is wrong inside.")
    .next("Give it its name back, or copy it again."))
}

/// A medium that gives out an error instead of bytes.
pub fn unreadable(path: &Path, error: &io::Error) -> ApiError {
    file("read", path, error)
        .safe("Nothing of this volume counts; importing again adds nothing twice.")
        .next("Try another reader, or ask the sender to send again.")
}

fn damaged(path: &Path, error: &PouchError) -> ApiError {
    let kind = match error {
        PouchError::Future(_) => ErrorKind::Conflict,
        _ => ErrorKind::PouchDamaged,
    };
    ApiError::new(kind, format!("{}: {error}", path.display()))
        .safe("The other volumes can be used.")
        .next("Copy the volume again, or ask the sender for another.")
}
