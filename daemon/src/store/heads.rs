//! The heads journal: the last acknowledged entry of each log, kept outside sled, so that a loss inside it is noticed.
//! It holds no entries and cannot restore any.
//!
//! ```text
//! file   = magic "PTLHEAD1" (8), incarnation (16), crc32 of both (4), record...
//! record = log number (4), next seq (8), hash of the last entry (32), crc32 of it all (4); integers big-endian
//! ```
//!
//! The last record of a log counts. Log number 2^32 - 1 marks that the store was found behind the journal; its next seq is
//! the least log number not used so far. The file is rewritten under another name when most of it is outdated.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use portolan_protocol::id::{EntryHash, Incarnation};

use super::{disk::Disk, error::StoreError};

const MAGIC: &[u8; 8] = b"PTLHEAD1";
const HEADER_BYTES: usize = 28;
const RECORD_BYTES: usize = 48;
const DISTRUST: u32 = u32::MAX;
/// Outdated bytes that are tolerated whatever the number of logs.
const SLACK_BYTES: u64 = 1 << 20;
/// A home's journal is at most a few times its live size: what is longer was not written here.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The last acknowledged entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The place after it.
    pub next_seq: u64,
    /// Its hash.
    pub hash: EntryHash,
}

/// What a journal said when it was opened.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The store's incarnation as the journal knows it; none when there was no readable journal.
    pub incarnation: Option<Incarnation>,
    /// The heads by log number.
    pub heads: BTreeMap<u32, Head>,
    /// Set when a loss was noticed before and is not settled: the least log number not used so far.
    pub distrust: Option<u32>,
    /// Whether records before the last good one are damaged.
    pub damaged: bool,
}

/// An open journal.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Journal {
    /// Reads the journal of `home`, if there is one.
    pub(super) fn read(home: &Path) -> Result<Said, StoreError> {
        let path = path(home);
        let bytes = match fs::metadata(&path) {
            Ok(meta) if meta.len() > FILE_BYTES_MAX => return Ok(Said { damaged: true, ..Said::default() }),
            Ok(_) => fs::read(&path).map_err(|e| StoreError::io("reading the heads journal", e))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Said::default()),
            Err(error) => return Err(StoreError::io("reading the heads journal", error)),
        };
        Ok(parse(&bytes))
    }

    /// Writes a fresh journal in the place of the old one, durably.
    pub(super) fn write(
        home: &Path,
        disk: &dyn Disk,
        incarnation: Incarnation,
        heads: &BTreeMap<u32, Head>,
        distrust: Option<u32>,
    ) -> Result<Journal, StoreError> {
        let (path, draft) = (path(home), home.join("heads.new"));
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&incarnation.0);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        if let Some(number) = distrust {
            write_record(&mut bytes, DISTRUST, Head { next_seq: u64::from(number), hash: EntryHash::default() });
        }
        for (number, head) in heads {
            write_record(&mut bytes, *number, *head);
        }
        let written = File::create(&draft)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| disk.sync_file(&draft, &file)))
            .and_then(|()| fs::rename(&draft, &path))
            .and_then(|()| disk.sync_directory(home))
            .and_then(|()| OpenOptions::new().append(true).open(&path));
        let file = written.map_err(|e| StoreError::io("rewriting the heads journal", e))?;
        Ok(Journal { path, file, bytes: bytes.len() as u64 })
    }

    /// Appends heads and waits until they are on the medium.
    pub(super) fn append(&mut self, disk: &dyn Disk, heads: &BTreeMap<u32, Head>) -> Result<(), StoreError> {
        if heads.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(heads.len() * RECORD_BYTES);
        for (number, head) in heads {
            write_record(&mut bytes, *number, *head);
        }
        let written = self.file.write_all(&bytes).and_then(|()| disk.sync_file(&self.path, &self.file));
        self.bytes += bytes.len() as u64;
        written.map_err(|e| StoreError::io("writing the heads journal", e))
    }

    /// Whether most of the file is outdated, when it has to hold `logs` heads.
    pub(super) fn bloated(&self, logs: usize) -> bool {
        self.bytes > SLACK_BYTES + 4 * (logs * RECORD_BYTES) as u64
    }
}

fn path(home: &Path) -> PathBuf {
    home.join("heads")
}

fn write_record(out: &mut Vec<u8>, number: u32, head: Head) {
    let start = out.len();
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&head.next_seq.to_be_bytes());
    out.extend_from_slice(&head.hash.0);
    let sum = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

fn parse(bytes: &[u8]) -> Said {
    let mut said = Said::default();
    let Some((header, mut rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Said { damaged: true, ..said };
    };
    if &header[..8] != MAGIC || crc32fast::hash(&header[..24]).to_be_bytes() != header[24..] {
        return Said { damaged: true, ..said };
    }
    let mut incarnation = Incarnation::default();
    incarnation.0.copy_from_slice(&header[8..24]);
    said.incarnation = Some(incarnation);
    // Bad records at the very end are an append that was cut short, which nobody was told of; before a good one they are
    // damage.
    let mut bad = 0;
    while let Some((record, after)) = rest.split_first_chunk::<RECORD_BYTES>() {
        rest = after;
        match read_record(record) {
            None => bad += RECORD_BYTES,
            Some((number, head)) => {
                said.damaged |= bad > 0;
                bad = 0;
                said.note(number, head);
            }
        }
    }
    said
}

impl Said {
    fn note(&mut self, number: u32, head: Head) {
        if number == DISTRUST {
            self.distrust = Some(u32::try_from(head.next_seq).unwrap_or(DISTRUST - 1));
        } else {
            self.heads.insert(number, head);
        }
    }
}

fn read_record(record: &[u8; RECORD_BYTES]) -> Option<(u32, Head)> {
    let (body, sum) = record.split_last_chunk::<4>()?;
    if crc32fast::hash(body).to_be_bytes() != *sum {
        return None;
    }
    let (number, body) = body.split_first_chunk::<4>()?;
    let (next_seq, hash) = body.split_first_chunk::<8>()?;
    let head = Head { next_seq: u64::from_be_bytes(*next_seq), hash: EntryHash(hash.try_into().ok()?) };
    Some((u32::from_be_bytes(*number), head))
}
