//! Where volumes lie while they are verified and taken: beside the store, so that the medium can be pulled out early and a
//! damaged or cut volume is found before anything of it counts.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use portolan_protocol::{limits::VOLUME_BYTES_MAX, pouch::PouchError};

use super::error::PouchesError;

/// What stays free on the disk beside a volume and what is taken out of it.
const SPARE_BYTES: u64 = 64 << 20;

/// With room for less than this of a volume nothing is begun.
const BEGINNING_BYTES_MIN: u64 = 1 << 20;

pub(super) struct Staging {
    directory: PathBuf,
    count: AtomicU64,
}

/// A volume that is being staged, or is. Its file goes with it.
pub struct Staged {
    path: PathBuf,
    file: File,
    announced: u64,
    came: u64,
    /// Bytes for which there is room; what comes behind them is not kept.
    most: u64,
    /// Bytes that were free and needed when it was begun.
    room: (u64, u64),
}

impl Staging {
    /// What lies there from before is worth nothing.
    pub(super) fn open(directory: PathBuf) -> Result<Staging, PouchesError> {
        let fresh = || {
            match fs::remove_dir_all(&directory) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            DirBuilder::new().mode(0o700).create(&directory)
        };
        match fresh() {
            Ok(()) => Ok(Staging { directory, count: AtomicU64::new(0) }),
            Err(error) => Err(PouchesError::Staging(error)),
        }
    }

    /// Begins a volume of this many bytes. The disk has to have room for it twice: once as it comes, and once as what is taken. With less
    /// room the beginning of it is kept: entries come first, and may all be in there.
    pub(super) fn begin(&self, bytes: u64) -> Result<Staged, PouchesError> {
        if bytes > VOLUME_BYTES_MAX {
            return Err(PouchError::Bound("the size of a volume").into());
        }
        let room = rustix::fs::statvfs(&self.directory).map_err(|error| PouchesError::Staging(error.into()))?;
        let (free, needed) = (room.f_bavail.saturating_mul(room.f_frsize), 2 * bytes + SPARE_BYTES);
        let most = if free < needed { free.saturating_sub(SPARE_BYTES) / 2 } else { bytes };
        if most < bytes.min(BEGINNING_BYTES_MIN) {
            return Err(PouchesError::NoRoom { free, needed });
        }
        let path = self.directory.join(format!("volume-{}", self.count.fetch_add(1, Ordering::Relaxed)));
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path);
        file.map(|file| Staged { path, file, announced: bytes, came: 0, most, room: (free, needed) })
            .map_err(PouchesError::Staging)
    }
}

impl Staged {
    /// Adds what came. Blocks.
    ///
    /// # Errors
    /// [`PouchesError::Length`], [`PouchesError::Staging`].
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), PouchesError> {
        self.came += bytes.len() as u64;
        if self.came > self.announced {
            return Err(self.wrong_length());
        }
        let kept = self.came - bytes.len() as u64;
        let room = usize::try_from(self.most.saturating_sub(kept)).unwrap_or(usize::MAX);
        match self.file.write_all(&bytes[..bytes.len().min(room)]) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                self.most = kept;
                self.file.set_len(kept).map_err(PouchesError::Staging)
            }
            other => other.map_err(PouchesError::Staging),
        }
    }

    /// Bytes free and needed, where there was no room for all of it.
    pub(super) fn is_cut(&self) -> Option<(u64, u64)> {
        (self.most < self.announced).then_some(self.room)
    }

    /// Bytes that came.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// Opens it for reading from the start, once all of it came.
    pub(super) fn read(&self) -> Result<File, PouchesError> {
        if self.came != self.announced {
            return Err(self.wrong_length());
        }
        File::open(&self.path).map_err(PouchesError::Staging)
    }

    fn wrong_length(&self) -> PouchesError {
        PouchesError::Length { came: self.came, announced: self.announced }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // What is left behind goes when the daemon starts again.
        let _ = fs::remove_file(&self.path);
    }
}
