//! The files under a path, in one fixed order. Symbolic links are not followed, hidden files are passed over.

use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use super::{
    error::{Fault, ImportError},
    images::Place,
};

/// Directories within each other.
pub const DEPTH_MAX: usize = 32;

/// Most files of one import.
pub const FILES_MAX: usize = 1_000_000;

/// Largest file, in bytes.
pub const FILE_BYTES_MAX: u64 = 4 << 20;

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Markdown, with or without front matter.
    Markdown,
    /// HTML.
    Html,
    /// Records, a line of JSON each.
    JsonLines,
    /// A JSON document with a list of records in it.
    Json,
    /// Records in rows, columns under headings.
    Csv,
}

/// Which files are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Files that are a record each.
    #[default]
    Pages,
    /// Files that hold many.
    Rows,
}

/// A file to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub path: PathBuf,
    /// Its path below what was named, `/` between the parts.
    pub relative: String,
    /// How to read it.
    pub format: Format,
}

/// Everything under a path.
#[derive(Debug, Default)]
pub struct Walk {
    /// Files to import, sorted by relative path.
    pub files: Vec<Found>,
    /// Files of other formats, links and devices, not looked into.
    pub passed_over: usize,
    /// What could not be looked at.
    pub errors: Vec<ImportError>,
    wanted: Wanted,
}

/// Walks `root`, a directory or a single file. A link is followed only where it is `root` itself.
///
/// # Errors
/// The root cannot be read, or holds more than [`FILES_MAX`] files.
pub fn walk(root: &Path) -> Result<Walk, ImportError> {
    walk_for(root, Wanted::Pages)
}

/// Like [`walk`], for other files.
///
/// # Errors
/// As [`walk`].
pub fn walk_for(root: &Path, wanted: Wanted) -> Result<Walk, ImportError> {
    let shown = root.to_string_lossy();
    let metadata = fs::metadata(root).map_err(|error| Fault::from(error).at(&shown))?;
    let mut walk = Walk { wanted, ..Walk::default() };
    if metadata.is_dir() {
        walk.directory(root, "", 0).map_err(|fault| fault.at(&shown))?;
        walk.files.sort_by(|a, b| a.relative.cmp(&b.relative));
    } else if metadata.is_file() {
        let name = root.file_name().and_then(|name| name.to_str()).ok_or_else(|| Fault::Name.at(&shown))?;
        let path = root.canonicalize().map_err(|error| Fault::from(error).at(&shown))?;
        walk.file(path, name.to_owned());
    } else {
        return Err(Fault::NotAFile.at(&shown));
    }
    Ok(walk)
}

impl Walk {
    /// Errors end the walk; those of single entries are collected.
    fn directory(&mut self, directory: &Path, relative: &str, depth: usize) -> Result<(), Fault> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let joined = |name: &str| if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
            let Some(name) = name.to_str() else {
                self.errors.push(Fault::Name.at(&joined(&name.to_string_lossy())));
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let relative = joined(name);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth >= DEPTH_MAX => {
                    self.errors.push(Fault::TooDeep(DEPTH_MAX).at(&relative));
                }
                Ok(kind) if kind.is_dir() => match self.directory(&entry.path(), &relative, depth + 1) {
                    Err(Fault::Io(error)) => self.errors.push(Fault::Io(error).at(&relative)),
                    other => other?,
                },
                Ok(kind) if kind.is_file() => self.file(entry.path(), relative),
                Ok(_) => self.passed_over += 1,
                Err(error) => self.errors.push(Fault::Io(error).at(&relative)),
            }
            if self.files.len() > FILES_MAX {
                return Err(Fault::TooManyFiles(FILES_MAX));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, relative: String) {
        let wanted = self.wanted;
        let is_wanted =
            |format: &Format| matches!(format, Format::Markdown | Format::Html) == (wanted == Wanted::Pages);
        match format(&relative).filter(is_wanted) {
            Some(format) => self.files.push(Found { path, relative, format }),
            None => self.passed_over += 1,
        }
    }
}

fn format(name: &str) -> Option<Format> {
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Some(Format::Markdown),
        "html" | "htm" | "xhtml" => Some(Format::Html),
        "jsonl" | "ndjson" => Some(Format::JsonLines),
        "json" => Some(Format::Json),
        "csv" | "tsv" => Some(Format::Csv),
        _ => None,
    }
}

impl Found {
    /// The bytes of the file.
    ///
    /// # Errors
    /// It cannot be read, became a link or something else since it was found, or is larger than [`FILE_BYTES_MAX`].
    pub fn read(&self) -> Result<Vec<u8>, Fault> {
        self.read_up_to(FILE_BYTES_MAX)
    }

    /// The bytes of a file that may be of another size.
    ///
    /// # Errors
    /// As [`Found::read`].
    pub fn read_up_to(&self, bytes_max: u64) -> Result<Vec<u8>, Fault> {
        let file = self.open()?;
        if file.metadata()?.len() > bytes_max {
            return Err(Fault::TooLarge(bytes_max));
        }
        let mut bytes = Vec::new();
        file.take(bytes_max + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max {
            return Err(Fault::TooLarge(bytes_max));
        }
        Ok(bytes)
    }

    /// Where it lies, for what it refers to.
    pub fn place(&self) -> Place<'_> {
        let depth = self.relative.split('/').count();
        Place { root: self.path.ancestors().nth(depth).unwrap_or(Path::new("")), relative: &self.relative }
    }

    /// The file, opened.
    ///
    /// # Errors
    /// It cannot be read, or became a link or something else since it was found.
    pub fn open(&self) -> Result<File, Fault> {
        // A pipe put in the file's place would block without NONBLOCK.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file: File = OpenOptions::new().read(true).custom_flags(flags).open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Err(Fault::NotAFile);
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(walk: &Walk) -> Vec<&str> {
        walk.files.iter().map(|found| found.relative.as_str()).collect()
    }

    #[test]
    fn files_in_order_and_no_links() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir_all(path("b/c")).unwrap();
        for name in ["z.md", "b/c/a.HTML", "b/x.htm", "a.txt", ".hidden.md"] {
            fs::write(path(name), "x").unwrap();
        }
        symlink(path("z.md"), path("link.md")).unwrap();
        symlink(root.path(), path("loop")).unwrap();
        let walked = walk(root.path()).unwrap();
        assert_eq!(names(&walked), ["b/c/a.HTML", "b/x.htm", "z.md"]);
        assert_eq!(walked.passed_over, 3);
        assert_eq!(names(&walk(&path("z.md")).unwrap()), ["z.md"]);
        assert!(walk(&path("absent")).is_err());
    }

    #[test]
    fn what_became_a_link_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("a.md"), root.path().join("b.md"));
        fs::write(&file, "x").unwrap();
        symlink(&file, &link).unwrap();
        let found = Found { path: link, relative: "b.md".into(), format: Format::Markdown };
        assert!(matches!(found.read(), Err(Fault::Io(_))));
        assert_eq!(Found { path: file, ..found }.read().unwrap(), b"x");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("d/".repeat(DEPTH_MAX + 1));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("a.md"), "x").unwrap();
        let walked = walk(root.path()).unwrap();
        assert!(walked.files.is_empty());
        assert!(matches!(walked.errors[0].fault, Fault::TooDeep(_)));
        let large = root.path().join("large.md");
        File::create(&large).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(matches!(walk(&large).unwrap().files[0].read(), Err(Fault::TooLarge(_))));
    }
}
