//! All files under a path, read on every core and given out in order.
//!
//! Worker `n` of `m` reads files n, n+m, n+2m and so on into a channel of its own, so taking from the channels in turn
//! gives the order of the paths, and a slow taker stops the workers after a few files each.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use super::{
    content::ImportedFile,
    error::{Fault, ImportError},
    file::{self, Options},
    html::Converter,
    language,
    walk::{Found, Walk, walk},
};

/// Files that one worker may be ahead.
const AHEAD: usize = 32;

/// Stack of a worker; the converter recurses as deep as `clean` lets it.
const STACK_BYTES: usize = 8 << 20;

/// Most workers.
const WORKERS_MAX: usize = 16;

type Outcome = Result<ImportedFile, ImportError>;

/// The files under a path: first what could not be looked at, then every file in the order of paths.
#[derive(Debug)]
pub struct Files {
    errors: std::vec::IntoIter<ImportError>,
    found: Arc<Vec<Found>>,
    workers: Vec<Receiver<Outcome>>,
    next: usize,
    passed_over: usize,
}

/// Reads everything under `path`.
///
/// # Errors
/// The path itself cannot be walked. What is wrong with a single file comes out of the iterator in its place.
pub fn read(path: &Path, options: &Options) -> Result<Files, ImportError> {
    let Walk { files, passed_over, errors, .. } = walk(path)?;
    let found = Arc::new(files);
    let mut options = options.clone();
    options.directory_language = options.directory_language.or_else(|| directory_language(path));
    let options = Arc::new(options);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let count = cores.min(WORKERS_MAX).min(found.len());
    let workers = (0..count).map(|worker| spawn(worker, count, &found, &options)).collect::<Result<_, _>>();
    let workers = workers.map_err(|error| Fault::Io(error).at(&path.to_string_lossy()))?;
    Ok(Files { errors: errors.into_iter(), found, workers, next: 0, passed_over })
}

/// What a source is called that was given no name: as its directory, whether one file of it is imported or all.
pub fn source_name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = if path.is_file() { path.parent() } else { Some(path.as_path()) };
    let name = directory.and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn directory_language(path: &Path) -> Option<String> {
    language::narrow(&source_name(path))
}

fn spawn(
    worker: usize,
    count: usize,
    found: &Arc<Vec<Found>>,
    options: &Arc<Options>,
) -> std::io::Result<Receiver<Outcome>> {
    let (outcomes, receiver) = sync_channel(AHEAD);
    let (found, options) = (Arc::clone(found), Arc::clone(options));
    thread::Builder::new()
        .name(format!("import-{worker}"))
        .stack_size(STACK_BYTES)
        .spawn(move || work(found.iter().skip(worker).step_by(count), &options, &outcomes))?;
    Ok(receiver)
}

fn work<'a>(files: impl Iterator<Item = &'a Found>, options: &Options, outcomes: &SyncSender<Outcome>) {
    let converter = Converter::default();
    for found in files {
        let outcome = file::read(found, options, &converter).map_err(|fault| fault.at(&found.relative));
        if outcomes.send(outcome).is_err() {
            // Nobody takes any more.
            return;
        }
    }
}

impl Files {
    /// How many files there are to read in all.
    pub fn total(&self) -> usize {
        self.found.len()
    }

    /// Files of other formats, and links, that were not looked into.
    pub fn passed_over(&self) -> usize {
        self.passed_over
    }
}

impl Iterator for Files {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        if let Some(error) = self.errors.next() {
            return Some(Err(error));
        }
        let found = self.found.get(self.next)?;
        let worker = self.next.checked_rem(self.workers.len()).and_then(|worker| self.workers.get(worker));
        self.next += 1;
        match worker.map(Receiver::recv) {
            Some(Ok(outcome)) => Some(outcome),
            _ => {
                self.next = self.found.len();
                Some(Err(Fault::Stopped.at(&found.relative)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[test]
    fn many_files_come_in_order_with_their_faults_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("fr");
        fs::create_dir(&root).unwrap();
        for number in 0..500 {
            let text = if number % 7 == 0 { String::new() } else { format!("# Page {number}\n\ntexte") };
            fs::write(root.join(format!("{number:03}.md")), text).unwrap();
        }
        let options = Options { source: source_name(&root), ..Options::default() };
        let files = read(&root, &options).unwrap();
        assert_eq!((files.total(), options.source.as_str()), (500, "fr"));
        for (number, file) in files.enumerate() {
            match file {
                Ok(file) => assert_eq!(file.path, format!("{number:03}.md")),
                Err(error) => assert_eq!(error.to_string(), format!("{number:03}.md: holds no text")),
            }
        }
        assert_eq!(read(&root, &options).unwrap().take(3).count(), 3, "a taker may stop early");
    }

    #[test]
    fn a_file_alone_is_the_same_document_as_in_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let (root, file) = (directory.path().join("guide"), directory.path().join("guide/a.fr.md"));
        fs::create_dir(&root).unwrap();
        fs::write(&file, "x").unwrap();
        let document = |path: &Path| {
            let options = Options { source: source_name(path), ..Options::default() };
            read(path, &options).unwrap().next().unwrap().unwrap().document
        };
        assert_eq!(document(&root), document(&file));
    }
}
