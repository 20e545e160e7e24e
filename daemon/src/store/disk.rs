//! The operations that make bytes durable, behind a seam so that tests can lose power between any two of them.
//! It does not decide their order: `commit` and `open` do.

use std::{fs::File, io, path::Path};

/// How bytes become durable.
pub(super) trait Disk: Send + Sync {
    /// Writes sled's buffers to its file. On Linux this alone does not survive a power cut.
    fn flush(&self, db: &sled::Db) -> sled::Result<()>;

    /// Waits until the bytes of the file at `path`, open as `file`, are on the medium.
    fn sync_file(&self, path: &Path, file: &File) -> io::Result<()>;

    /// Waits until the names in a directory are on the medium.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// The disk there is.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn flush(&self, db: &sled::Db) -> sled::Result<()> {
        db.flush().map(|_| ())
    }

    fn sync_file(&self, _: &Path, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}
