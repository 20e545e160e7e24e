//! Small files of the home that are kept whole: read once, and replaced by a new file, durably, at each change. It knows no
//! meaning.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// Larger files are not read: none that is written here comes near.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Why a file could not be read or replaced. The old one is still there.
#[derive(Debug, Error)]
pub enum KeptError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not hold what was written.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Puts a file in the place of another: afterwards the new one is on the disk under its name, or the old one still is.
///
/// # Errors
/// [`KeptError::File`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), KeptError> {
    // The whole name, since others here may differ in their endings alone.
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    };
    write().map_err(|source| KeptError::File { path: path.into(), source })
}

/// Reads a file that [`replace`] wrote; none where there is none.
///
/// # Errors
/// [`KeptError`].
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, KeptError> {
    let at = |source| KeptError::File { path: path.into(), source };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(at)?,
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(at)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(KeptError::Damaged { path: path.into(), reason: "larger than what is ever written there".into() });
    }
    Ok(Some(bytes))
}

/// A value and its file, in JSON.
#[derive(Debug)]
pub struct Kept<T> {
    path: PathBuf,
    value: RwLock<Arc<T>>,
    /// Held while the file is being replaced, so that changes follow one another.
    changing: Mutex<()>,
}

impl<T: Serialize + DeserializeOwned + Clone + Default> Kept<T> {
    /// Reads the file; without one the value is the default.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn open(path: PathBuf) -> Result<Kept<T>, KeptError> {
        let value = match read(&path)? {
            None => T::default(),
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| KeptError::Damaged { path: path.clone(), reason: error.to_string() })?,
        };
        Ok(Kept::with(path, value))
    }

    /// Begins with a value that is not on the disk, whatever the file holds.
    pub fn with(path: PathBuf, value: T) -> Kept<T> {
        Kept { path, value: RwLock::new(Arc::new(value)), changing: Mutex::new(()) }
    }

    /// The value as it is.
    pub fn value(&self) -> Arc<T> {
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the value; it counts once it is on the disk. Blocks.
    ///
    /// # Errors
    /// What `change` says, or [`KeptError::File`]; then nothing was changed.
    pub fn change<R, E: From<KeptError>>(&self, change: impl FnOnce(&mut T) -> Result<R, E>) -> Result<R, E> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut value = T::clone(&self.value());
        let result = change(&mut value)?;
        self.write(&value)?;
        self.set(value);
        Ok(result)
    }

    /// Changes the value, whether or not the disk takes it; the next change brings it there too. Blocks.
    ///
    /// # Errors
    /// [`KeptError::File`]; the value is changed all the same.
    pub fn change_first(&self, change: impl FnOnce(&mut T)) -> Result<(), KeptError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut value = T::clone(&self.value());
        change(&mut value);
        self.set(value);
        self.write(&self.value())
    }

    fn set(&self, value: T) {
        *self.value.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }

    fn write(&self, value: &T) -> Result<(), KeptError> {
        let damaged =
            |error: serde_json::Error| KeptError::Damaged { path: self.path.clone(), reason: error.to_string() };
        replace(&self.path, &serde_json::to_vec_pretty(value).map_err(damaged)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn seven(numbers: &mut Vec<u32>) -> Result<(), KeptError> {
        numbers.push(7);
        Ok(())
    }

    #[test]
    fn a_change_comes_back_and_a_refused_one_does_not() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("numbers.json");
        let kept = Kept::<Vec<u32>>::open(path.clone()).unwrap();
        kept.change(seven).unwrap();
        let refused = |numbers: &mut Vec<u32>| {
            numbers.clear();
            Err::<(), _>(KeptError::Damaged { path: "".into(), reason: String::new() })
        };
        kept.change(refused).unwrap_err();
        assert_eq!(*kept.value(), [7]);
        assert_eq!(*Kept::<Vec<u32>>::open(path.clone()).unwrap().value(), [7]);
        fs::write(&path, "[7").unwrap();
        assert!(matches!(Kept::<Vec<u32>>::open(path), Err(KeptError::Damaged { .. })));
    }

    #[test]
    fn a_directory_that_takes_nothing_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let kept = Kept::<Vec<u32>>::open(home.path().join("gone/numbers.json")).unwrap();
        kept.change(seven).unwrap_err();
        assert!(kept.value().is_empty());
        kept.change_first(|numbers| numbers.push(8)).unwrap_err();
        assert_eq!(*kept.value(), [8]);
    }

    #[test]
    fn files_that_differ_in_their_endings_have_drafts_of_their_own() {
        let home = tempfile::tempdir().unwrap();
        // What cannot be written as a file stands in the way of one of them.
        fs::create_dir(home.path().join("a.001.new")).unwrap();
        replace(&home.path().join("a.001"), b"1").unwrap_err();
        replace(&home.path().join("a.002"), b"2").unwrap();
        fs::create_dir(home.path().join("a.new")).unwrap();
        replace(&home.path().join("a.003"), b"3").unwrap();
        assert_eq!(read(&home.path().join("a.002")).unwrap().unwrap(), b"2");
    }
}
