//! Records kept on disk until all are known, since a page also tells what leads to it. The file has no name and goes with the process.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use portolan_protocol::api::DocumentView;
use serde::{Deserialize, Serialize};

use crate::error::{Result, file, internal};

/// A record, and the files of it that lie in the folder: by the id of the attachment, their paths below the folder.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spooled {
    pub(super) view: DocumentView,
    pub(super) files: BTreeMap<String, String>,
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Spool {
    directory: PathBuf,
    file: BufWriter<File>,
}

impl Spool {
    /// In this directory, since there is room for all of it there.
    pub(super) fn create(directory: &Path) -> Result<Self> {
        let new = tempfile::tempfile_in(directory).map_err(|error| file("write into", directory, &error))?;
        Ok(Self { directory: directory.to_owned(), file: BufWriter::new(new) })
    }

    pub(super) fn push(&mut self, record: &Spooled) -> Result<()> {
        let mut line = serde_json::to_vec(record).map_err(|error| internal(error.to_string()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| file("write into", &self.directory, &error))
    }

    /// Gives each record, in the order in which they came.
    pub(super) fn read(self, mut each: impl FnMut(Spooled) -> Result<()>) -> Result<()> {
        let cannot = |error: &std::io::Error| file("read what was written into", &self.directory, error);
        let mut spooled = self.file.into_inner().map_err(|error| cannot(error.error()))?;
        spooled.seek(SeekFrom::Start(0)).map_err(|error| cannot(&error))?;
        let mut lines = BufReader::new(spooled);
        let mut line = String::new();
        while lines.read_line(&mut line).map_err(|error| cannot(&error))? > 0 {
            each(serde_json::from_str(&line).map_err(|error| internal(error.to_string()))?)?;
            line.clear();
        }
        Ok(())
    }
}
