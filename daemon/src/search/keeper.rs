//! The thread that owns the index: it takes what records are handed to it, and makes it found in batches.
//!
//! What is not committed is lost in a crash, and nothing is lost with it: the index says up to which revision it holds
//! everything, and whoever hands records over begins again behind that.

use std::{
    collections::BTreeMap,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use data_encoding::HEXLOWER;
use portolan_protocol::id::SpaceId;
use tantivy::{
    Index, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError,
    directory::MmapDirectory,
    indexer::{IndexWriterOptions, LogMergePolicy},
};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::{
    analysis::Analysers,
    channel::{Channel, Put, Table, Turn},
    readable::Readable,
    schema::{FORMAT, Fields, install},
};
use crate::clock;

/// Memory in which words are gathered before they go to a file.
const GATHERED_BYTES: usize = 20 << 20;
/// Bytes of entries that one commit holds, about: they also wait in a queue of the library's.
const COMMIT_BYTES: usize = 16 << 20;
/// How long an entry waits for others before it can be found.
const WAIT_LEAST: Duration = Duration::from_millis(200);
const WAIT_MOST: Duration = Duration::from_millis(900);
/// Of the time, this share at most goes into commits, while the wait allows it.
const COMMITS_SHARE: u32 = 5;
/// Pause after a failure, of a full disk for instance.
const PAUSE: Duration = Duration::from_secs(5);
/// Blocks of kept texts that stay in memory.
const CACHED_BLOCKS: usize = 16;
/// The file that says in which format the index is.
const VERSION_FILE: &str = "version";

/// The index as it is written.
struct Open {
    writer: IndexWriter,
    readable: Readable,
    analysers: Analysers,
}

/// What was taken and is not committed.
#[derive(Default)]
struct Gathered {
    spaces: BTreeMap<SpaceId, u64>,
    bytes: usize,
    settled: u64,
    since: Option<Instant>,
}

/// See the head of the file.
pub(super) struct Keeper {
    directory: PathBuf,
    channel: Arc<Channel>,
    table: Option<Table>,
    open: Option<Open>,
    gathered: Gathered,
    /// How long an entry waits for others now.
    wait: Duration,
    /// When a step failed last.
    failed: Option<Instant>,
}

impl Keeper {
    pub(super) fn new(directory: PathBuf, channel: Arc<Channel>) -> Keeper {
        let gathered = Gathered::default();
        Keeper { directory, channel, table: None, open: None, gathered, wait: WAIT_LEAST, failed: None }
    }

    /// Runs until it is told to stop. What is gathered then is left: whoever closes waits for it first.
    pub(super) fn run(mut self) {
        loop {
            let due = self.gathered.since.map(|since| since + self.wait);
            let turn = self.channel.next(due);
            let stops = matches!(turn, Turn::Stop);
            let outcome = catch_unwind(AssertUnwindSafe(|| self.take(turn)));
            if stops {
                return;
            }
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.fail(&error.to_string(), is_damage(&error)),
                Err(_) => self.fail("a step of indexing panicked", true),
            }
        }
    }

    fn take(&mut self, turn: Turn) -> tantivy::Result<()> {
        match turn {
            Turn::Stop => self.open = None,
            Turn::Open { table, anew } => {
                self.close();
                self.table = Some(table);
                let (open, settled) = self.open(table, anew)?;
                self.gathered = Gathered { settled, ..Gathered::default() };
                let readable = open.readable.clone();
                self.open = Some(open);
                self.channel.opened(readable, settled);
            }
            Turn::Take(puts) => {
                let Some(open) = &mut self.open else { return Ok(()) };
                self.gathered.since.get_or_insert_with(clock::monotonic);
                for put in puts {
                    open.put(&put, &mut self.gathered)?;
                }
                if self.gathered.bytes >= COMMIT_BYTES {
                    self.commit()?;
                }
            }
            Turn::Commit(waiters) => {
                self.commit()?;
                // Who waited may have gone.
                waiters.into_iter().for_each(|waiter| {
                    let _ = waiter.send(());
                });
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> tantivy::Result<()> {
        let (Some(open), Some(table)) = (&mut self.open, self.table) else { return Ok(()) };
        if self.gathered.since.is_some() {
            let start = clock::monotonic();
            let mut prepared = open.writer.prepare_commit()?;
            prepared.set_payload(&format!("{} {}", name(&table), self.gathered.settled));
            prepared.commit()?;
            open.readable.reader.reload()?;
            self.wait = (start.elapsed() * COMMITS_SHARE).clamp(WAIT_LEAST, WAIT_MOST);
            let settled = self.gathered.settled;
            let done = std::mem::take(&mut self.gathered);
            self.gathered.settled = settled;
            self.channel.committed(done.spaces);
        }
        Ok(())
    }

    fn close(&mut self) {
        self.open = None;
        self.gathered = Gathered::default();
    }

    /// Everything since the last commit is lost; it is handed over again once the index is open.
    fn fail(&mut self, why: &str, damaged: bool) {
        if damaged {
            error!(why, "the search index is damaged; it is thrown away and built anew from the records");
        } else {
            warn!(why, "the search index cannot be written now; it is tried again");
        }
        self.close();
        // Damage that comes back at once is not helped by building anew.
        let again = self.failed.replace(clock::monotonic()).is_some_and(|before| before.elapsed() < 4 * PAUSE);
        let pause = if damaged && !again { Duration::ZERO } else { PAUSE };
        self.channel.failed(clock::monotonic() + pause, damaged);
    }

    /// Opens the index of `table`, and says up to which revision it holds everything. What is of another table or format, or
    /// does not hold together, is built anew.
    fn open(&self, table: Table, anew: bool) -> tantivy::Result<(Open, u64)> {
        if !anew && self.is_of_this_format() {
            match catch_unwind(AssertUnwindSafe(|| Open::there(&self.directory, table))) {
                Ok(Ok(Some(open))) => return Ok(open),
                Ok(Ok(None)) => info!("the search index is of other records than there are; it is built anew"),
                Ok(Err(error)) if !is_damage(&error) => return Err(error),
                Ok(Err(error)) => error!(%error, "the search index is damaged; it is built anew from the records"),
                Err(_) => error!("the search index cannot be read; it is built anew from the records"),
            }
        }
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        fs::create_dir_all(&self.directory)?;
        let open = Open::new(&self.directory)?;
        fs::write(self.directory.join(VERSION_FILE), format!("{FORMAT}\n"))?;
        Ok((open, 0))
    }

    fn is_of_this_format(&self) -> bool {
        fs::read_to_string(self.directory.join(VERSION_FILE)).is_ok_and(|version| version.trim() == FORMAT)
    }
}

impl Open {
    fn new(directory: &Path) -> tantivy::Result<Open> {
        let (schema, fields) = Fields::new();
        let directory = MmapDirectory::open(directory)?;
        Open::with(Index::create(directory, schema, tantivy::IndexSettings::default())?, fields)
    }

    /// The index that is there; none where it is not the one of `table`.
    fn there(directory: &Path, table: Table) -> tantivy::Result<Option<(Open, u64)>> {
        let index = Index::open_in_dir(directory)?;
        let (schema, fields) = Fields::new();
        if index.schema() != schema {
            return Ok(None);
        }
        let payload = index.load_metas()?.payload.unwrap_or_default();
        let settled = match payload.split_once(' ') {
            Some((of, settled)) if of == name(&table) => settled.parse().unwrap_or_default(),
            // Nothing was ever committed to it.
            None if payload.is_empty() => 0,
            _ => return Ok(None),
        };
        if let Some(file) = index.validate_checksum()?.into_iter().next() {
            let why = format!("{} is not as it was written", file.display());
            return Err(TantivyError::DataCorruption(tantivy::error::DataCorruption::comment_only(why)));
        }
        Ok(Some((Open::with(index, fields)?, settled)))
    }

    fn with(mut index: Index, fields: Fields) -> tantivy::Result<Open> {
        let analysers = Analysers::new();
        install(&analysers, &mut index);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(GATHERED_BYTES)
            .build();
        let writer: IndexWriter = index.writer_with_options(options)?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(0.3);
        writer.set_merge_policy(Box::new(policy));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(CACHED_BLOCKS)
            .try_into()?;
        let readable = Readable { reader, fields, analysers: analysers.clone() };
        Ok(Open { writer, readable, analysers })
    }

    fn put(&mut self, put: &Put, gathered: &mut Gathered) -> tantivy::Result<()> {
        let fields = &self.readable.fields;
        self.writer.delete_term(fields.row(&put.space, &put.id));
        if let Some(entry) = &put.entry {
            let document: TantivyDocument = fields.document(entry, &mut self.analysers);
            self.writer.add_document(document)?;
        }
        *gathered.spaces.entry(put.space).or_default() += 1;
        gathered.bytes += put.bytes();
        gathered.settled = put.settled;
        Ok(())
    }
}

/// A table as the index writes it down.
fn name(table: &Table) -> String {
    HEXLOWER.encode(table)
}

/// Whether a failure says that the files are not what they should be, rather than that they cannot be had now.
fn is_damage(error: &TantivyError) -> bool {
    let is_passing = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::OutOfMemory
        ) || error.raw_os_error() == Some(TOO_MANY_FILES)
    };
    match error {
        TantivyError::LockFailure(..) | TantivyError::OpenWriteError(_) => false,
        TantivyError::IoError(error) => !is_passing(error),
        TantivyError::OpenReadError(tantivy::directory::error::OpenReadError::IoError { io_error, .. }) => {
            !is_passing(io_error)
        }
        // The worker's thread does not say which failure of the system it met; what is damaged shows when it is opened.
        TantivyError::ErrorInThread(_) => false,
        _ => true,
    }
}

/// `EMFILE`.
const TOO_MANY_FILES: i32 = 24;
