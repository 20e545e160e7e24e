//! A store in memory that loses what was not synced: the entries, the core's rows and the heads journal of one machine.
//!
//! It keeps what `portolan_protocol::image::Image` promises and nothing of how the daemon's store does it.

use std::collections::BTreeMap;

use portolan_protocol::{
    commit::Commit,
    crypto::signing::Signature,
    entry::{Entry, Header, LogKey, LogKind, payload_hash},
    frontier::LogFrontier,
    id::{EntryHash, Incarnation, PayloadHash, SpaceId},
    image::{Image, LogImage},
    limits::RUN_ENTRIES_MAX,
    page::{LogContext, PagePayload, PageWriter, Tip},
};

/// Aim for the pages of a run, far below what the daemon takes, so that short logs have several.
const PAGE_BYTES: usize = 1_200;
/// Entries in one frame: few, so that ranges become several frames.
const FRAME_ENTRIES: usize = 16;

/// One entry as it lies on the disk.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its header.
    pub header: Header,
    /// Its signature.
    pub signature: Signature,
    /// Its hash.
    pub hash: EntryHash,
    /// Its payload, or none where that is a gap.
    pub payload: Option<Vec<u8>>,
}

/// One log.
#[derive(Clone, Debug)]
pub struct HeldLog {
    /// Space, log and kind.
    pub context: LogContext,
    /// Its entries in order.
    pub entries: Vec<Held>,
}

/// What survives a crash.
#[derive(Clone, Debug, Default)]
struct Durable {
    incarnation: Incarnation,
    logs: BTreeMap<(SpaceId, LogKey), HeldLog>,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The heads journal: the acknowledged end of each log, apart from the store.
#[derive(Clone, Debug, Default)]
struct Journal {
    incarnation: Incarnation,
    heads: BTreeMap<(SpaceId, LogKey), (u64, EntryHash)>,
    /// A loss was noticed and the core has not noted it durably yet.
    distrust: bool,
}

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    durable: Durable,
    unsynced: Vec<Batch>,
    journal: Journal,
}

/// A commit in a form that can be kept and cloned.
#[derive(Clone, Debug, Default)]
struct Batch {
    entries: Vec<(LogContext, Held)>,
    fills: Vec<(LogContext, u64, Vec<u8>)>,
    state: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Disk {
    /// An empty disk.
    pub fn new(incarnation: Incarnation) -> Disk {
        let durable = Durable { incarnation, ..Durable::default() };
        Disk { durable, journal: Journal { incarnation, ..Journal::default() }, unsynced: Vec::new() }
    }

    /// Writes a commit, which a crash may still undo.
    ///
    /// # Panics
    /// When a run cannot be read, which the core has verified.
    #[allow(clippy::expect_used, reason = "an authentic run can be read")]
    pub fn write(&mut self, commit: &Commit) {
        let mut kept = Batch { state: commit.state.clone(), ..Batch::default() };
        for run in &commit.runs {
            let context = *run.context();
            run.try_for_each(|entry| {
                let payload = match entry.payload {
                    PagePayload::Inline(payload) => Some(payload.to_vec()),
                    PagePayload::Gap | PagePayload::Elsewhere => None,
                };
                let held = Held { header: entry.header, signature: entry.signature, hash: entry.hash, payload };
                kept.entries.push((context, held));
                Ok::<_, portolan_protocol::page::RunError>(())
            })
            .expect("an authentic run");
        }
        kept.fills = commit.fills.iter().map(|fill| (fill.context, fill.seq, fill.payload.clone())).collect();
        self.unsynced.push(kept);
    }

    /// Makes everything written so far durable, then notes the heads in the journal.
    ///
    /// # Panics
    /// When a run does not continue its log: the core has broken its word.
    pub fn sync(&mut self) {
        for commit in std::mem::take(&mut self.unsynced) {
            for (context, held) in commit.entries {
                let log = self.durable.logs.entry((context.space, context.log));
                let log = log.or_insert_with(|| HeldLog { context, entries: Vec::new() });
                let end = (log.entries.len() as u64, log.entries.last().map_or_else(EntryHash::default, |e| e.hash));
                assert_eq!(end, (held.header.seq, held.header.previous), "a run continues its log");
                assert_eq!(log.context, context, "a log keeps its kind");
                let head = (held.header.seq + 1, held.hash);
                self.journal.heads.insert((context.space, context.log), head);
                log.entries.push(held);
            }
            for (context, seq, payload) in commit.fills {
                let place = usize::try_from(seq).unwrap_or(usize::MAX);
                let log = self.durable.logs.get_mut(&(context.space, context.log));
                let entry = log.and_then(|log| log.entries.get_mut(place));
                let fits = entry.as_ref().is_some_and(|entry| entry.header.payload_hash == payload_hash(&payload));
                assert!(fits, "a payload fills the gap of its entry");
                if let Some(entry) = entry {
                    entry.payload = Some(payload);
                }
            }
            for (key, value) in commit.state {
                match value {
                    Some(value) => self.durable.state.insert(key, value),
                    None => self.durable.state.remove(&key),
                };
            }
        }
    }

    /// The power fails.
    pub fn crash(&mut self) {
        self.unsynced.clear();
    }

    /// Somebody puts an older state of the store back. The journal stays, so the loss is noticed.
    pub fn restore(&mut self, older: &Disk) {
        self.durable = older.durable.clone();
        self.unsynced.clear();
    }

    /// What the core is given when it starts; `fresh` names the new life of the store if something was lost.
    pub fn open(&mut self, fresh: Incarnation) -> Image {
        let lost = self.journal.incarnation != self.durable.incarnation
            || self.journal.heads.iter().any(|(key, (end, hash))| self.hash_before(key, *end) != Some(*hash));
        if lost {
            self.durable.incarnation = fresh;
            let heads = self.durable.logs.iter().filter_map(|(key, log)| Some((*key, log.head()?))).collect();
            self.journal = Journal { incarnation: fresh, heads, distrust: true };
        }
        Image {
            incarnation: self.durable.incarnation,
            trusted: !self.journal.distrust,
            logs: self.durable.logs.values().map(HeldLog::image).collect(),
            state: self.durable.state.clone(),
        }
    }

    /// The core has durably noted to write to none of its old logs.
    pub fn settle(&mut self) {
        self.journal.distrust = false;
    }

    /// The durable logs of a space.
    pub fn logs(&self, space: SpaceId) -> impl Iterator<Item = &HeldLog> {
        self.durable.logs.iter().filter(move |((id, _), _)| *id == space).map(|(_, log)| log)
    }

    /// Every durable log.
    pub fn all_logs(&self) -> impl Iterator<Item = &HeldLog> {
        self.durable.logs.values()
    }

    /// One durable log.
    pub fn log(&self, context: &LogContext) -> Option<&HeldLog> {
        self.durable.logs.get(&(context.space, context.log))
    }

    /// The core's rows.
    pub fn state(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.durable.state
    }

    /// Throws the payload of a data entry away, as a purge will; the next start shows it as a gap.
    pub fn forget_payload(&mut self, space: SpaceId, log: LogKey, seq: u64) {
        let place = usize::try_from(seq).unwrap_or(usize::MAX);
        let log = self.durable.logs.get_mut(&(space, log));
        if let Some(entry) = log.and_then(|log| log.entries.get_mut(place)) {
            entry.payload = None;
        }
    }

    /// Whether everything that a frontier says of a log is durable here.
    pub fn vouches_for(&self, space: SpaceId, told: &LogFrontier) -> bool {
        let key = (space, told.log);
        if told.next_seq == 0 {
            return true;
        }
        let gap = |seq: u64| told.gaps.iter().any(|(first, count)| (*first..first + count).contains(&seq));
        let whole = self.durable.logs.get(&key).is_some_and(|log| {
            let prefix = log.entries.iter().take(usize::try_from(told.next_seq).unwrap_or(usize::MAX));
            prefix.zip(0..).all(|(entry, seq)| entry.payload.is_some() || gap(seq))
        });
        whole && self.hash_before(&key, told.next_seq) == Some(told.hash)
    }

    fn hash_before(&self, key: &(SpaceId, LogKey), end: u64) -> Option<EntryHash> {
        let last = usize::try_from(end.checked_sub(1)?).ok()?;
        Some(self.durable.logs.get(key)?.entries.get(last)?.hash)
    }

    /// Entries `from..to` as pages, frame by frame.
    pub fn frames(&self, context: &LogContext, from: u64, to: u64) -> Vec<Vec<Vec<u8>>> {
        let Some(log) = self.log(context) else { return Vec::new() };
        log.range(from, to).chunks(FRAME_ENTRIES).map(pages).collect()
    }

    /// Entries `from..to` as the pages of one run; none when they are not all held.
    pub fn pages(&self, context: &LogContext, from: u64, to: u64) -> Option<Vec<Vec<u8>>> {
        let range = self.log(context)?.range(from, to);
        (range.len() as u64 == to - from && range.len() <= RUN_ENTRIES_MAX).then(|| pages(range))
    }

    /// The payload of one entry.
    pub fn payload(&self, context: &LogContext, seq: u64) -> Option<Vec<u8>> {
        self.log(context)?.entries.get(usize::try_from(seq).ok()?)?.payload.clone()
    }
}

impl HeldLog {
    fn range(&self, from: u64, to: u64) -> &[Held] {
        let place = |seq: u64| usize::try_from(seq).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries.get(place(from)..place(to)).unwrap_or_default()
    }

    fn head(&self) -> Option<(u64, EntryHash)> {
        self.entries.last().map(|last| (last.header.seq + 1, last.hash))
    }

    fn image(&self) -> LogImage {
        let tip = self.entries.last().map_or_else(Tip::empty, |last| Tip {
            next_seq: last.header.seq + 1,
            hash: last.hash,
            heads: last.header.heads.clone(),
            epoch: last.header.epoch,
        });
        let gaps: Vec<(u64, PayloadHash)> = self
            .entries
            .iter()
            .filter(|entry| entry.payload.is_none())
            .map(|entry| (entry.header.seq, entry.header.payload_hash))
            .collect();
        let pages = if self.context.kind == LogKind::Control { pages(&self.entries) } else { Vec::new() };
        LogImage { context: self.context, tip, pages, gaps }
    }
}

/// Encodes consecutive entries.
pub fn pages(entries: &[Held]) -> Vec<Vec<u8>> {
    let mut pages = Vec::new();
    let mut writer: Option<PageWriter> = None;
    for held in entries {
        let full = writer.take_if(|writer| writer.bytes().len() > PAGE_BYTES);
        pages.extend(full.map(PageWriter::into_bytes));
        let writer = writer.get_or_insert_with(|| PageWriter::new(held.header.seq, held.header.previous));
        let Held { header, signature, payload, .. } = held.clone();
        writer.push(&Entry { header, signature, payload });
    }
    pages.extend(writer.map(PageWriter::into_bytes));
    pages
}
