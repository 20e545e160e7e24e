//! Where ciphertexts lie, and how one comes to lie there: written under a name of its own, made durable, and only then given the
//! name under which it is found. A crash leaves what is gone on with, or what is swept away at the next start.
//!
//! ```text
//! attachments/
//!   N.new                 on its way in; worth nothing after a crash
//!   aq/ID                 a ciphertext, whole and durable
//!   aq/ID.obao            the hashes that prove its groups
//!   aq/ID.part            what was fetched of one, from the first byte on; every byte of it is verified
//!   aq/ID.N.ahead         what came of one from byte N on, before what is in front of it; every byte of it is verified too
//!   aq/ID.damaged         one that was found to be another than its name says; goes when it is here again
//! ```

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, BufReader},
    ops::Range,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use portolan_protocol::{attachment::Layout, id::AttachmentId};

use super::{error::AttachmentsError, tree};
use crate::clock;

/// What stays free on the disk.
const SPARE_BYTES: u64 = 64 << 20;
/// Read at once where a whole file is read.
const BUFFER_BYTES: usize = 256 << 10;

/// See the head of the file.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    count: AtomicU64,
}

/// A ciphertext that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub id: AttachmentId,
    /// Bytes of it.
    pub bytes: u64,
    /// How long ago it came.
    pub age: Duration,
}

/// A file without a name that lasts; it goes when it is dropped before it got one.
#[derive(Debug)]
pub(super) struct New {
    path: PathBuf,
    pub(super) file: File,
}

impl Drop for New {
    fn drop(&mut self) {
        // Fails when it has its name by now.
        let _ = fs::remove_file(&self.path);
    }
}

impl Files {
    /// The attachments in `directory`, which is made where it is not there. What was left unfinished goes.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(directory: PathBuf) -> Result<Files, AttachmentsError> {
        make_directory(&directory)?;
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                sweep_empty(&path);
            } else if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(path)?;
            }
        }
        Ok(Files { directory, count: AtomicU64::new(0) })
    }

    fn shard(&self, id: &AttachmentId) -> PathBuf {
        self.directory.join(&id.to_string()[..2])
    }

    fn path(&self, id: &AttachmentId, ending: &str) -> PathBuf {
        self.shard(id).join(format!("{id}{ending}"))
    }

    /// Bytes of a ciphertext that is here whole; none where it is not.
    pub fn held(&self, id: &AttachmentId) -> Option<u64> {
        fs::metadata(self.path(id, "")).ok().map(|meta| meta.len())
    }

    /// How long ago one came that is here whole; none where it is not.
    pub(super) fn age(&self, id: &AttachmentId) -> Option<Duration> {
        fs::metadata(self.path(id, "")).ok().map(|meta| age(&meta))
    }

    /// Bytes of one that is here in part.
    pub fn partial(&self, id: &AttachmentId) -> u64 {
        let ahead: u64 = self.ahead(id).iter().map(|ahead| ahead.end - ahead.start).sum();
        fs::metadata(self.part_path(id)).map_or(0, |meta| meta.len()) + ahead
    }

    /// What is here of one before what is in front of it, in order.
    pub(super) fn ahead(&self, id: &AttachmentId) -> Vec<Range<u64>> {
        let (name, Ok(entries)) = (id.to_string(), fs::read_dir(self.shard(id))) else { return Vec::new() };
        let range = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let file = entry.file_name();
            let start = file.to_str()?.strip_prefix(&name)?.strip_prefix('.')?.strip_suffix(".ahead")?.parse().ok()?;
            Some(start..entry.metadata().ok()?.len().checked_add(start)?)
        };
        let mut all: Vec<Range<u64>> = entries.filter_map(range).collect();
        all.sort_unstable_by_key(|range| range.start);
        all
    }

    pub(super) fn ahead_path(&self, id: &AttachmentId, start: u64) -> PathBuf {
        self.path(id, &format!(".{start}.ahead"))
    }

    /// Removes what is beside a ciphertext, or was left over from when it was not here.
    fn remove_beside(&self, id: &AttachmentId, endings: &[&str]) {
        // Not there, most often.
        for ending in endings {
            let _ = fs::remove_file(self.path(id, ending));
        }
        for ahead in self.ahead(id) {
            let _ = fs::remove_file(self.ahead_path(id, ahead.start));
        }
    }

    pub(super) fn part_path(&self, id: &AttachmentId) -> PathBuf {
        self.path(id, ".part")
    }

    /// All that are here whole, by id.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn list(&self) -> Result<Vec<Held>, AttachmentsError> {
        let mut all = Vec::new();
        for shard in fs::read_dir(&self.directory)? {
            let shard = shard?.path();
            if !shard.is_dir() {
                continue;
            }
            for entry in fs::read_dir(shard)? {
                let entry = entry?;
                let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
                let meta = entry.metadata()?;
                all.push(Held { id, bytes: meta.len(), age: age(&meta) });
            }
        }
        all.sort_unstable_by_key(|held| held.id);
        Ok(all)
    }

    /// A part of a ciphertext that is here, for one who carries it as it is.
    ///
    /// # Errors
    /// [`AttachmentsError::Missing`], [`AttachmentsError::File`].
    pub fn read(&self, id: &AttachmentId, range: Range<u64>) -> Result<Vec<u8>, AttachmentsError> {
        let mut bytes = vec![0; usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)];
        self.data(id)?.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    /// Takes a ciphertext as it comes from `data`, if it is what `id` says; where it is here already nothing is read.
    ///
    /// # Errors
    /// [`AttachmentsError::Damaged`], [`AttachmentsError::NoRoom`], [`AttachmentsError::File`].
    pub fn take(&self, id: AttachmentId, layout: Layout, data: impl io::Read) -> Result<(), AttachmentsError> {
        if self.held(&id).is_some() {
            return Ok(());
        }
        self.must_have_room(layout.ciphertext_bytes())?;
        let mut new = self.begin()?;
        let came = io::copy(&mut data.take(layout.ciphertext_bytes() + 1), &mut new.file)?;
        if came != layout.ciphertext_bytes() {
            return Err(AttachmentsError::Length { came, announced: layout.ciphertext_bytes() });
        }
        match self.settle(new, Some(id))? {
            Settled::Other => Err(AttachmentsError::Damaged(id)),
            Settled::Held(_) => Ok(()),
        }
    }

    pub(super) fn data(&self, id: &AttachmentId) -> Result<File, AttachmentsError> {
        File::open(self.path(id, "")).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => AttachmentsError::Missing { id: *id, holders: Vec::new() },
            _ => error.into(),
        })
    }

    /// A range with its proof, for a peer.
    pub(super) fn encode(&self, id: AttachmentId, bytes: u64, range: &Range<u64>) -> Result<Vec<u8>, AttachmentsError> {
        let data = self.data(&id)?;
        let hashes = match File::open(self.path(&id, ".obao")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.rebuild(id)?,
            other => other?,
        };
        Ok(tree::encode(id, bytes, range, &data, &hashes)?)
    }

    /// The hashes of a ciphertext, made again.
    fn rebuild(&self, id: AttachmentId) -> Result<File, AttachmentsError> {
        let (data, new) = (self.data(&id)?, self.begin()?);
        let bytes = data.metadata()?.len();
        if tree::build(BufReader::with_capacity(BUFFER_BYTES, data), bytes, &new.file)? != id {
            return Err(AttachmentsError::Damaged(id));
        }
        new.file.sync_all()?;
        let path = self.path(&id, ".obao");
        fs::rename(&new.path, &path)?;
        Ok(File::open(path)?)
    }

    /// Refuses where the disk has no room for so many bytes, their hashes, and some to spare.
    pub(super) fn must_have_room(&self, bytes: u64) -> Result<(), AttachmentsError> {
        let room = rustix::fs::statvfs(&self.directory).map_err(io::Error::from)?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        let needed = bytes.saturating_add(bytes / 256).saturating_add(SPARE_BYTES);
        if free < needed { Err(AttachmentsError::NoRoom { free, needed }) } else { Ok(()) }
    }

    /// A new file to write a ciphertext into.
    pub(super) fn begin(&self) -> Result<New, AttachmentsError> {
        let path = self.directory.join(format!("{}.new", self.count.fetch_add(1, Ordering::Relaxed)));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(New { path, file })
    }

    /// Makes a ciphertext and its hashes durable and gives them their names, unless it is not the one that was expected.
    pub(super) fn settle(&self, new: New, expected: Option<AttachmentId>) -> Result<Settled, AttachmentsError> {
        let bytes = new.file.metadata()?.len();
        let hashes = self.begin()?;
        let data = BufReader::with_capacity(BUFFER_BYTES, File::open(&new.path)?);
        let id = tree::build(data, bytes, &hashes.file)?;
        if expected.is_some_and(|expected| expected != id) {
            return Ok(Settled::Other);
        }
        new.file.sync_all()?;
        self.give_names(id, &new.path, &hashes)?;
        Ok(Settled::Held(id))
    }

    /// The same for one that was fetched: every byte is read again, so that what a crash has damaged is found.
    pub(super) fn settle_part(&self, id: AttachmentId, part: &File) -> Result<(), AttachmentsError> {
        let hashes = self.begin()?;
        let path = self.part_path(&id);
        let data = BufReader::with_capacity(BUFFER_BYTES, File::open(&path)?);
        if tree::build(data, part.metadata()?.len(), &hashes.file)? != id {
            fs::remove_file(&path)?;
            return Err(AttachmentsError::Damaged(id));
        }
        part.sync_all()?;
        self.give_names(id, &path, &hashes)
    }

    fn give_names(&self, id: AttachmentId, data: &Path, hashes: &New) -> Result<(), AttachmentsError> {
        hashes.file.sync_all()?;
        let shard = self.make_shard(&id)?;
        // The ciphertext last: its name says that both are there.
        fs::rename(&hashes.path, self.path(&id, ".obao"))?;
        fs::rename(data, self.path(&id, ""))?;
        File::open(shard)?.sync_all()?;
        self.remove_beside(&id, &[".part", ".damaged"]);
        Ok(())
    }

    pub(super) fn make_shard(&self, id: &AttachmentId) -> Result<PathBuf, AttachmentsError> {
        let shard = self.shard(id);
        if !shard.is_dir() {
            make_directory(&shard)?;
            File::open(&self.directory)?.sync_all()?;
        }
        Ok(shard)
    }

    /// Reads every byte of one. A damaged one is set aside, and is missing from then on.
    ///
    /// # Errors
    /// [`AttachmentsError::Missing`], [`AttachmentsError::File`].
    pub fn verify(&self, id: AttachmentId) -> Result<(u64, bool), AttachmentsError> {
        let data = self.data(&id)?;
        let bytes = data.metadata()?.len();
        let is_sound = tree::root(BufReader::with_capacity(BUFFER_BYTES, data), bytes)? == id;
        if !is_sound {
            fs::rename(self.path(&id, ""), self.path(&id, ".damaged"))?;
        }
        Ok((bytes, is_sound))
    }

    /// Removes one.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(&self, id: &AttachmentId) -> Result<(), AttachmentsError> {
        fs::remove_file(self.path(id, ""))?;
        self.remove_beside(id, &[".obao", ".part", ".damaged"]);
        Ok(())
    }

    /// Marks one as come now, so that it is not taken for forgotten while a record that names it is being saved.
    pub(super) fn touch(&self, id: &AttachmentId) -> Result<(), AttachmentsError> {
        Ok(self.data(id)?.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(clock::now().0))?)
    }
}

/// What a new file turned out to be.
pub(super) enum Settled {
    /// It has its name.
    Held(AttachmentId),
    /// Another than was expected; it is gone.
    Other,
}

/// Removes the beginnings of which nothing came. One that stays does no harm.
fn sweep_empty(shard: &Path) {
    let Ok(entries) = fs::read_dir(shard) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_begun = path.extension().is_some_and(|extension| extension == "part");
        if is_begun && entry.metadata().is_ok_and(|meta| meta.len() == 0) {
            let _ = fs::remove_file(path);
        }
    }
}

fn age(meta: &Metadata) -> Duration {
    meta.modified().ok().and_then(|then| then.elapsed().ok()).unwrap_or_default()
}

fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
