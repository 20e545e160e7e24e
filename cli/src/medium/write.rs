//! Writes volumes to a medium: into a new directory, each under another name until it was flushed, read again and found whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use portolan_protocol::{
    id::PouchId,
    pouch::{VolumeName, directory_name},
};

use super::{check::verify_written, readme};
use crate::error::{ApiError, ErrorKind, Result, file};

/// What a volume is called while it is being written.
const PART: &str = "part";

/// Whether anything can be written into a directory, as far as that shows before it is tried.
///
/// # Errors
/// What the system says.
pub fn must_be_writable(directory: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(directory, rustix::fs::Access::WRITE_OK)?)
}

/// The directory of a pouch on a medium.
#[derive(Debug)]
pub struct PouchDirectory {
    path: PathBuf,
    pouch: PouchId,
}

impl PouchDirectory {
    /// Makes the directory within `out`; `resume` takes one that is there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(out: &Path, pouch: PouchId, resume: bool) -> Result<PouchDirectory> {
        let path = out.join(directory_name(&pouch));
        match fs::create_dir(&path) {
            Ok(()) => {}
            // A link would lead somewhere else; whoever had the medium in between may have made one.
            Err(error)
                if resume
                    && error.kind() == io::ErrorKind::AlreadyExists
                    && path.symlink_metadata().is_ok_and(|found| found.is_dir()) => {}
            Err(error) => return Err(file("make the directory", &path, &error)),
        }
        let directory = PouchDirectory { path, pouch };
        directory.explain().inspect_err(|_| directory.remove_if_empty())?;
        Ok(directory)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn explain(&self) -> Result<()> {
        let path = self.path.join(readme::NAME);
        let write = || {
            let mut readme = match OpenOptions::new().write(true).create_new(true).open(&path) {
                // Whatever stands there is not written to.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
                made => made?,
            };
            readme.write_all(readme::TEXT.as_bytes())?;
            readme.sync_all()
        };
        write().map_err(|error| file("write", &path, &error))
    }

    /// The hash of a volume that is there and whole. One that is damaged is removed, and so is a whole one that is not `wanted`.
    ///
    /// # Errors
    /// When it cannot be read or removed.
    pub fn whole(&self, volume: u16, wanted: impl Fn(&[u8; 32]) -> bool) -> Result<Option<[u8; 32]>> {
        let path = self.path.join(VolumeName { pouch: self.pouch, volume }.to_string());
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        match verify_written(&path) {
            Ok(hash) if wanted(&hash) => return Ok(Some(hash)),
            Err(error) if error.kind != ErrorKind::PouchDamaged => return Err(error),
            _ => {}
        }
        fs::remove_file(&path).map_err(|error| file("remove", &path, &error)).map(|()| None)
    }

    /// Begins a volume. What is left of an attempt that was cut is thrown away.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn begin(&self, volume: u16) -> Result<VolumeFile> {
        let path = self.path.join(VolumeName { pouch: self.pouch, volume }.to_string());
        let part = path.with_extension(PART);
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file("remove", &part, &error)),
            _ => {}
        }
        let opened = OpenOptions::new().write(true).create_new(true).open(&part);
        let opened = opened.map_err(|error| file("make", &part, &error))?;
        Ok(VolumeFile { file: Some(opened), part, path, bytes: 0 })
    }

    /// Removes the directory where no volume is in it.
    pub fn remove_if_empty(&self) {
        let _ = fs::remove_file(self.path.join(readme::NAME));
        if fs::remove_dir(&self.path).is_err() {
            // Volumes are in it: then its explanation is too.
            let _ = self.explain();
        }
    }
}

/// A volume that is being written. Given up, it leaves nothing.
#[derive(Debug)]
pub struct VolumeFile {
    file: Option<File>,
    part: PathBuf,
    path: PathBuf,
    bytes: u64,
}

impl VolumeFile {
    /// Adds bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(opened) = &mut self.file else { return Ok(()) };
        opened.write_all(bytes).map_err(|error| file("write", &self.part, &error))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Flushes it, reads it again from the medium, and gives it its name. Returns the hash that it ends with.
    ///
    /// # Errors
    /// When it cannot be flushed, or is not on the medium what was written.
    pub fn finish(mut self) -> Result<[u8; 32]> {
        if let Some(opened) = self.file.take() {
            opened.sync_all().map_err(|error| file("flush", &self.part, &error))?;
        }
        let hash = verify_written(&self.part).map_err(|error| match error.kind {
            ErrorKind::PouchDamaged => ApiError::new(
                ErrorKind::Io,
                format!("the medium does not keep what is written to it: {}", error.message),
            )
            .safe("Nothing counts as sent. What was damaged was removed from the medium.")
            .next("Use another medium."),
            _ => error,
        })?;
        let named = || {
            if self.path.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(&self.part, &self.path)?;
            sync_directory(self.path.parent().unwrap_or(Path::new(".")))
        };
        named().map_err(|error| file("name", &self.path, &error))?;
        Ok(hash)
    }
}

impl Drop for VolumeFile {
    fn drop(&mut self) {
        // Renamed by then, where all went well.
        let _ = fs::remove_file(&self.part);
    }
}

/// Some file systems cannot flush a directory by itself, and do so with its files.
fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    const POUCH: PouchId = PouchId([3; 16]);

    #[test]
    fn links_that_somebody_put_on_the_medium_are_not_written_through() {
        let (medium, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let precious = other.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        let directory = PouchDirectory::make(medium.path(), POUCH, false).unwrap();
        let readme = directory.path().join(readme::NAME);
        fs::remove_file(&readme).unwrap();
        symlink(&precious, &readme).unwrap();
        PouchDirectory::make(medium.path(), POUCH, true).unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        fs::remove_dir_all(directory.path()).unwrap();
        symlink(other.path(), directory.path()).unwrap();
        assert!(PouchDirectory::make(medium.path(), POUCH, true).is_err());
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);
    }
}
