//! A file that holds room on the disk, given up so that a store can be opened on a full one.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The reserve of one home.
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// The reserve of the store in `home`; nothing is touched.
    pub(super) fn new(home: &Path, bytes: u64) -> Reserve {
        Reserve { path: home.join("reserve"), bytes }
    }

    /// Whether it is there, or none is wanted.
    pub(super) fn held(&self) -> bool {
        self.bytes == 0 || fs::metadata(&self.path).is_ok_and(|meta| meta.len() >= self.bytes)
    }

    /// Gives it up. False when there was none.
    pub(super) fn give_up(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    /// Whether it is held, and the disk has room for `bytes` more: asked before writing, because sled refuses even to read
    /// once a write of its own has failed.
    pub(super) fn allows(&self, bytes: u64) -> bool {
        self.restore() && self.room().is_none_or(|room| room >= bytes)
    }

    fn room(&self) -> Option<u64> {
        let room = rustix::fs::statvfs(self.path.parent()?).ok()?;
        Some(room.f_bavail.saturating_mul(room.f_frsize))
    }

    /// Makes it when it is missing and the disk has room for twice as much, so that it does not fill the disk itself.
    /// Whether it is held afterwards.
    pub(super) fn restore(&self) -> bool {
        if self.held() {
            return true;
        }
        if self.room().is_none_or(|room| room < self.bytes.saturating_mul(2)) {
            return false;
        }
        let made = self.make().is_ok();
        if !made {
            let _ = fs::remove_file(&self.path);
        }
        made
    }

    fn make(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, self.bytes).is_ok() {
            return Ok(());
        }
        // A file system without allocation, such as FAT: bytes hold the room.
        let block = [0u8; 65_536];
        let mut left = self.bytes;
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(block.len()).min(block.len());
            file.write_all(&block[..length])?;
            left -= length as u64;
        }
        file.sync_all()
    }
}
