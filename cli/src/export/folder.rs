//! A directory that records are written into, a file each, below a directory for each type.
//!
//! Files appear whole and readable by their owner alone. Links that stand in the way are replaced, never followed.

use std::{
    collections::BTreeSet,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use portolan_protocol::id::DocumentId;
use tempfile::NamedTempFile;

use super::file_name;
use crate::error::{ApiError, ErrorKind, Result, file};

/// The directory for records whose type gives no name.
const NO_TYPE: &str = "record";

/// The directory.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Names that were given, so that no record takes another's.
    taken: BTreeSet<String>,
}

impl Folder {
    /// Makes the directory. One that holds something already is refused unless `force`: files of the same name are replaced then,
    /// all others stay.
    ///
    /// # Errors
    /// It holds something, is no directory, or cannot be made.
    pub fn create(path: &Path, force: bool) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| file("make", path, &error))?;
        let mut entries = fs::read_dir(path).map_err(|error| file("read", path, &error))?;
        if !force && entries.next().is_some() {
            return Err(ApiError::new(ErrorKind::Conflict, format!("{} is not empty", path.display()))
                .safe("Nothing was written.")
                .next("Name another directory, or replace files of the same name with --force."));
        }
        Ok(Self { path: path.to_owned(), taken: BTreeSet::new() })
    }

    /// Writes the file of one record; gives its path below the directory.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn record(&mut self, kind: &str, title: &str, id: DocumentId, text: &str) -> Result<String> {
        let kind = Some(file_name::words(kind)).filter(|kind| !kind.is_empty()).unwrap_or(NO_TYPE.into());
        self.directory(&kind)?;
        let name = format!("{kind}/{}.md", file_name::of_record(title, id));
        let name = if self.taken.contains(&name) { format!("{kind}/{id}.md") } else { name };
        self.file(&name, text)?;
        self.taken.insert(name.clone());
        Ok(name)
    }

    /// Makes a directory below it, unless it is there. `name` is not what somebody else wrote.
    ///
    /// # Errors
    /// It cannot be made, or something else is there.
    pub fn directory(&self, name: &str) -> Result<()> {
        let directory = self.path.join(name);
        make_directory(&directory).map_err(|error| file("make", &directory, &error))
    }

    /// Makes what was written durable, all at once: a stick may be pulled out right after.
    ///
    /// # Errors
    /// The medium does not take it.
    pub fn finish(&self) -> Result<()> {
        let synced = fs::File::open(&self.path).and_then(|directory| Ok(rustix::fs::syncfs(directory)?));
        synced.map_err(|error| file("write to", &self.path, &error))
    }

    /// Begins a file that is written piece by piece, in a directory that is there. `name` is no path that somebody else wrote.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&self, name: &str) -> Result<NewFile> {
        let path = self.path.join(name);
        let new = NamedTempFile::new_in(path.parent().unwrap_or(&self.path));
        new.map(|new| NewFile { path: path.clone(), new }).map_err(|error| file("write", &path, &error))
    }

    /// Writes a file that is no record's. `name` is not what somebody else wrote.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn file(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path.join(name);
        let write = || -> io::Result<()> {
            let mut new = NamedTempFile::new_in(path.parent().unwrap_or(&self.path))?;
            new.write_all(text.as_bytes())?;
            new.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error| {
            file("write", &path, &error).safe("What was written before stays.").next("Export again with --force.")
        })
    }
}

/// A file that appears when it is whole; one that is not kept leaves nothing.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    new: NamedTempFile,
}

impl NewFile {
    /// Writes the next piece.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.new.write_all(piece).map_err(|error| file("write", &self.path, &error))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(self) -> Result<()> {
        self.new.persist(&self.path).map(drop).map_err(|error| file("write", &self.path, &error.error))
    }
}

/// Makes a directory unless one is there; a link to one is none.
fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.symlink_metadata()?.is_dir() => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    const ID: DocumentId = DocumentId([0; 16]);

    #[test]
    fn what_is_there_stays_unless_asked() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("out");
        assert_eq!(Folder::create(&path, false).unwrap().record("page", "T", ID, "x").unwrap(), "page/t-aaaaaaaa.md");
        assert_eq!(Folder::create(&path, false).unwrap_err().kind, ErrorKind::Conflict);
        let mut again = Folder::create(&path, true).unwrap();
        again.record("../..", "../x", ID, "y").unwrap();
        assert_eq!(fs::read(path.join("record/x-aaaaaaaa.md")).unwrap(), b"y");
        let mut other = ID;
        other.0[15] = 1;
        assert_eq!(again.record("..", "X", other, "z").unwrap(), format!("record/{other}.md"), "a name that is taken");
    }

    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let (out, away) = (root.path().join("out"), root.path().join("away"));
        fs::create_dir(&away).unwrap();
        fs::write(away.join("victim"), "kept").unwrap();
        let mut folder = Folder::create(&out, false).unwrap();
        symlink(&away, out.join("page")).unwrap();
        assert!(folder.record("page", "T", ID, "x").is_err());
        fs::create_dir(out.join("news")).unwrap();
        symlink(away.join("victim"), out.join("news/t-aaaaaaaa.md")).unwrap();
        folder.record("news", "T", ID, "x").unwrap();
        assert_eq!(fs::read(away.join("victim")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(&away).unwrap().count(), 1);
    }
}
