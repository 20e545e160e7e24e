//! Finds volumes on a medium: regular files of the right names, in the directory that is named or in directories of pouches within
//! it. Links are not followed, and nothing else is opened.

use std::{
    ffi::{CStr, OsStr},
    fs::File,
    io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use portolan_protocol::{
    limits::VOLUME_BYTES_MAX,
    pouch::{VolumeName, parse_directory_name},
};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, openat};

use super::readme;
use crate::error::{ApiError, ErrorKind, Result, file};

/// Names that are looked at in one directory. A medium with more is not made by this program.
const NAMES_MAX: usize = 10_000;
/// Directories of pouches that are looked into.
const DIRECTORIES_MAX: usize = 1_000;

/// A volume, by its name.
#[derive(Clone, Debug)]
pub struct Found {
    /// What its name says.
    pub name: VolumeName,
    /// Where it is, for people.
    pub path: PathBuf,
    directory: Arc<OwnedFd>,
    entry: Vec<u8>,
}

/// What is on a medium.
#[derive(Debug, Default)]
pub struct Search {
    /// Volumes, in the order of pouches and numbers.
    pub volumes: Vec<Found>,
    /// Files and directories that are none.
    pub others: u64,
}

impl Found {
    /// Opens it for reading; tells its size.
    ///
    /// # Errors
    /// When it is no regular file, larger than a volume may be, or cannot be opened.
    pub fn open(&self) -> Result<(File, u64)> {
        // Without waiting: a pipe that has the name of a volume has no other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let name = OsStr::from_bytes(&self.entry);
        let opened = openat(self.directory.as_fd(), name, flags, Mode::empty());
        let opened = opened.map_err(|error| match error {
            rustix::io::Errno::LOOP => self.refused("it is a link"),
            error => file("open", &self.path, &error.into()),
        })?;
        let stat = fstat(&opened).map_err(|error| file("look at", &self.path, &error.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.refused("it is no file"));
        }
        let bytes = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if bytes > VOLUME_BYTES_MAX {
            return Err(self.refused("it is larger than a volume may be"));
        }
        Ok((File::from(opened), bytes))
    }

    fn refused(&self, why: &str) -> ApiError {
        ApiError::new(ErrorKind::PouchDamaged, format!("{} is no volume: {why}", self.path.display()))
            .safe("It was not read.")
            .next("Look at the medium: it does not hold what Portolan wrote.")
    }
}

/// Looks for volumes in `path`, which is a medium, a directory of a pouch, or one volume.
///
/// # Errors
/// When it cannot be read, or holds too much.
pub fn search(path: &Path) -> Result<Search> {
    let metadata = path.metadata().map_err(|error| file("look at", path, &error))?;
    if !metadata.is_dir() {
        return single(path);
    }
    let mut search = Search::default();
    let top = open_directory(CWD, path.as_os_str(), OFlags::empty()).map_err(|error| file("open", path, &error))?;
    let top = Arc::new(top);
    let mut directories = Vec::new();
    look_into(&top, path, &mut search, &mut |name| directories.push(name.to_owned()))?;
    if directories.len() > DIRECTORIES_MAX {
        return Err(too_much(path, DIRECTORIES_MAX));
    }
    for name in directories {
        let within = path.join(OsStr::from_bytes(&name));
        match open_directory(top.as_fd(), OsStr::from_bytes(&name), OFlags::NOFOLLOW) {
            Ok(directory) => look_into(&Arc::new(directory), &within, &mut search, &mut |_| {})?,
            // A link, or a file with the name of a pouch.
            Err(_) => search.others += 1,
        }
    }
    search.volumes.sort_by_key(|found| (found.name, found.path.clone()));
    Ok(search)
}

fn single(path: &Path) -> Result<Search> {
    let name = path.file_name().and_then(OsStr::to_str).and_then(VolumeName::parse);
    let Some(name) = name else { return Ok(Search { volumes: Vec::new(), others: 1 }) };
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = open_directory(CWD, above.as_os_str(), OFlags::empty()).map_err(|e| file("open", above, &e))?;
    let entry = path.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
    let found = Found { name, path: path.into(), directory: Arc::new(directory), entry };
    Ok(Search { volumes: vec![found], others: 0 })
}

fn open_directory(at: impl std::os::fd::AsFd, name: &OsStr, more: OFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    openat(at, name, flags, Mode::empty()).map_err(Into::into)
}

/// Adds the volumes of one directory, and hands on the names of directories of pouches.
fn look_into(directory: &Arc<OwnedFd>, path: &Path, search: &mut Search, pouch: &mut dyn FnMut(&[u8])) -> Result<()> {
    let unreadable = |error: rustix::io::Errno| file("read", path, &error.into());
    let mut names = 0;
    for entry in Dir::read_from(directory.as_fd()).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = CStr::to_bytes(entry.file_name());
        if name == b"." || name == b".." {
            continue;
        }
        names += 1;
        if names > NAMES_MAX {
            return Err(too_much(path, NAMES_MAX));
        }
        let text = std::str::from_utf8(name).unwrap_or_default();
        if let Some(volume) = VolumeName::parse(text) {
            let path = path.join(OsStr::from_bytes(name));
            search.volumes.push(Found { name: volume, path, directory: directory.clone(), entry: name.to_vec() });
        } else if parse_directory_name(text).is_some() {
            pouch(name);
        } else if !text.eq_ignore_ascii_case(readme::NAME) {
            search.others += 1;
        }
    }
    Ok(())
}

fn too_much(path: &Path, most: usize) -> ApiError {
    ApiError::new(ErrorKind::PouchDamaged, format!("{} holds more than {most} names", path.display()))
        .safe("Nothing was read.")
        .next("Name the directory of one pouch; if it is as full, it was not made by Portolan.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{fs, os::unix::fs::symlink};

    use portolan_protocol::id::PouchId;

    use super::*;

    const NAME: VolumeName = VolumeName { pouch: PouchId([7; 16]), volume: 1 };

    #[test]
    fn volumes_are_found_in_a_pouch_and_around_it() {
        let medium = tempfile::tempdir().unwrap();
        let pouch = medium.path().join(NAME.pouch.to_string());
        fs::create_dir(&pouch).unwrap();
        fs::write(pouch.join(NAME.to_string()), "x").unwrap();
        fs::write(pouch.join("README.txt"), "x").unwrap();
        fs::write(medium.path().join("holiday.jpg"), "x").unwrap();
        fs::create_dir(medium.path().join("music")).unwrap();
        for path in [medium.path(), &pouch] {
            let search = search(path).unwrap();
            assert_eq!(search.volumes.iter().map(|found| found.name).collect::<Vec<_>>(), [NAME]);
            assert_eq!(search.volumes[0].open().unwrap().1, 1);
        }
        assert_eq!(search(medium.path()).unwrap().others, 2);
        assert_eq!(search(&pouch.join(NAME.to_string())).unwrap().volumes.len(), 1);
    }

    #[test]
    fn links_pipes_directories_and_sparse_giants_are_not_read() {
        let medium = tempfile::tempdir().unwrap();
        let place = medium.path().join(NAME.to_string());
        let refused = || search(medium.path()).unwrap().volumes[0].open().unwrap_err().message;
        symlink("/etc/hostname", &place).unwrap();
        assert!(refused().contains("link"));
        fs::remove_file(&place).unwrap();
        rustix::fs::mknodat(CWD, &place, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert!(refused().contains("no file"));
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        assert!(refused().contains("no file"));
        fs::remove_dir(&place).unwrap();
        File::create(&place).unwrap().set_len(1 << 40).unwrap();
        assert!(refused().contains("larger"));
    }

    #[test]
    fn a_directory_that_is_a_link_is_not_entered_and_a_crowd_is_refused() {
        let (medium, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join(NAME.to_string()), "x").unwrap();
        symlink(other.path(), medium.path().join(NAME.pouch.to_string())).unwrap();
        let found = search(medium.path()).unwrap();
        assert_eq!((found.volumes.len(), found.others), (0, 1));
        (0..=NAMES_MAX).for_each(|number| fs::write(other.path().join(number.to_string()), "").unwrap());
        assert!(search(other.path()).unwrap_err().message.contains("more than"));
    }
}
