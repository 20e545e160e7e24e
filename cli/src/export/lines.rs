//! A file that records are written into, a line each. It appears under its name when it is whole.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::error::{ApiError, ErrorKind, Result, file};

/// The file, while it is written.
#[derive(Debug)]
pub struct LinesFile {
    path: PathBuf,
    new: io::BufWriter<NamedTempFile>,
    force: bool,
}

impl LinesFile {
    /// Begins the file for `path`. One that is there already is refused unless `force`.
    ///
    /// # Errors
    /// It is there, or its directory cannot be written.
    pub fn create(path: &Path, force: bool) -> Result<Self> {
        if !force && path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        let new = NamedTempFile::new_in(parent(path)).map_err(|error| file("write", path, &error))?;
        Ok(Self { path: path.to_owned(), new: io::BufWriter::new(new), force })
    }

    /// Writes one line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn line(&mut self, line: &str) -> Result<()> {
        self.new.write_all(line.as_bytes()).map_err(|error| file("write", &self.path, &error))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// It cannot be written, or another has taken its name meanwhile.
    pub fn finish(self) -> Result<()> {
        let cannot = |error: &io::Error| file("write", &self.path, error).safe("No file was written.");
        let new = self.new.into_inner().map_err(|error| cannot(error.error()))?;
        new.as_file().sync_all().map_err(|error| cannot(&error))?;
        let kept = if self.force { new.persist(&self.path) } else { new.persist_noclobber(&self.path) };
        kept.map(drop).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => cannot(&error.error),
        })?;
        let directory = fs::File::open(parent(&self.path)).and_then(|directory| directory.sync_all());
        directory.map_err(|error| file("write", &self.path, &error))
    }
}

/// The directory that a file is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn exists(path: &Path) -> ApiError {
    ApiError::new(ErrorKind::Conflict, format!("{} is there already", path.display()))
        .safe("Nothing was written.")
        .next("Name another file, or replace this one with --force.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_appears_whole_and_replaces_nothing_unasked() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.jsonl");
        let mut lines = LinesFile::create(&path, false).unwrap();
        lines.line("1\n").unwrap();
        assert!(!path.exists());
        lines.finish().unwrap();
        assert_eq!(LinesFile::create(&path, false).unwrap_err().kind, ErrorKind::Conflict);
        LinesFile::create(&path, true).unwrap().finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
