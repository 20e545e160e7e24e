//! The directory of a store: its lock and its format. It knows no entries.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{disk::Disk, error::StoreError};

/// How often, and after what pauses, it is looked whether sled has closed its file.
const CLOSING_TRIES: u32 = 500;
const CLOSING_PAUSE: Duration = Duration::from_millis(10);
/// For the daemon alone.
const MODE: u32 = 0o700;
const FORMAT: &str = "portolan store 1\n";

/// A locked home. The lock ends with the value, or with the process.
pub(super) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes the directory when it is missing, and locks it. Nobody else may look inside: what is derived there from the
    /// entries is not encrypted.
    pub(super) fn lock(path: &Path) -> Result<Home, StoreError> {
        let made = DirBuilder::new().recursive(true).mode(MODE).create(path);
        made.map_err(|e| StoreError::io("making the store's directory", e))?;
        let private = fs::metadata(path).and_then(|found| match found.permissions().mode() & 0o077 {
            0 => Ok(()),
            _ => fs::set_permissions(path, Permissions::from_mode(MODE)),
        });
        private.map_err(|e| StoreError::io("closing the store's directory to others", e))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .map_err(|e| StoreError::io("opening the lock file", e))?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != Errno::WOULDBLOCK {
                return Err(StoreError::io("locking the store", error.into()));
            }
            let mut holder = String::new();
            let _ = file.take(32).read_to_string(&mut holder);
            return Err(StoreError::Locked { home: path.to_owned(), holder: holder.trim().to_owned() });
        }
        // The lock is what counts: on a full disk the number may be missing.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Home { path: path.to_owned(), _lock: file })
    }

    /// Checks the format; a home without one gets it.
    pub(super) fn check_format(&self, disk: &dyn Disk) -> Result<(), StoreError> {
        let path = self.path.join("format");
        let found = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(StoreError::io("reading the store's format", error)),
        };
        if found == FORMAT {
            return Ok(());
        }
        // Empty: new, or cut short while it was being made.
        if !found.is_empty() {
            return Err(StoreError::Format { found, expected: FORMAT.trim_end() });
        }
        let written = File::create(&path)
            .and_then(|mut file| file.write_all(FORMAT.as_bytes()).and_then(|()| disk.sync_file(&path, &file)));
        written.map_err(|e| StoreError::io("writing the store's format", e))
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where sled keeps its files.
    pub(super) fn sled(&self) -> PathBuf {
        self.path.join("sled")
    }

    /// Waits until sled has let go of its file. Its threads may hold it a moment longer than the store that was dropped; this
    /// home's lock says that nobody else has it. When the wait is in vain, sled's own `open` says so.
    pub(super) fn await_sled(&self) {
        let Ok(file) = File::open(self.sled().join("db")) else { return };
        for _ in 0..CLOSING_TRIES {
            // Closing the file gives the lock up again.
            if flock(&file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK) {
                return;
            }
            std::thread::sleep(CLOSING_PAUSE);
        }
    }

    /// Removes snapshots that sled was writing when it was stopped: they make its `open` fail. Says which.
    pub(super) fn sweep(&self) -> Result<Vec<String>, StoreError> {
        let what = "looking for unfinished snapshots";
        let mut removed = Vec::new();
        let Ok(entries) = fs::read_dir(self.sled()) else { return Ok(removed) };
        for entry in entries {
            let entry = entry.map_err(|e| StoreError::io(what, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("snap.") && name.ends_with(".generating") {
                fs::remove_file(entry.path()).map_err(|e| StoreError::io(what, e))?;
                removed.push(name);
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_directory_is_closed_to_others_also_where_it_was_open_before() {
        let above = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let fresh = above.path().join("a/store");
        drop(Home::lock(&fresh).unwrap());
        assert_eq!(mode(&fresh), MODE);
        fs::set_permissions(&fresh, Permissions::from_mode(0o755)).unwrap();
        drop(Home::lock(&fresh).unwrap());
        assert_eq!(mode(&fresh), MODE);
    }
}
