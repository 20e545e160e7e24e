//! What people would be shown: the changes of each document that are accepted, readable and stand on nothing missing.
//!
//! It does what the daemon's documents do with membership and keys, and leaves Automerge out: a document is the set of its
//! changes.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{
    change::ChangePayload,
    entry::{EntryRef, LogKind},
    id::DocumentId,
    membership::{DataEntry, DataLog, DataPosition, Reason, Standing, StandingCache, lifted, log_key},
    view::SpaceView,
};

use super::disk::{Disk, Held, HeldLog};

/// What one machine makes of a space.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The standing of each data entry.
    pub standings: BTreeMap<EntryRef, Standing>,
    /// Quarantined entries that are applied because others stand on them.
    pub lifted: BTreeSet<EntryRef>,
    /// Entries whose payload this machine has no key for, or does not hold.
    pub unreadable: BTreeSet<EntryRef>,
    /// Every change that can be read, accepted or not.
    pub changes: BTreeMap<EntryRef, ChangePayload>,
    /// The documents: their applied changes.
    pub documents: BTreeMap<DocumentId, BTreeSet<EntryRef>>,
}

impl Shown {
    /// The changes of a document that no other shown one depends on: what the next change depends on.
    pub fn ends(&self, document: DocumentId) -> Vec<EntryRef> {
        let shown = self.documents.get(&document).cloned().unwrap_or_default();
        let below: BTreeSet<EntryRef> =
            shown.iter().filter_map(|entry| self.changes.get(entry)).flat_map(|c| c.dependencies.clone()).collect();
        shown.difference(&below).copied().collect()
    }

    /// Whether an entry is applied, its dependencies aside.
    pub fn applies(&self, entry: &EntryRef) -> bool {
        self.standings.get(entry) == Some(&Standing::Accepted) || self.lifted.contains(entry)
    }

    /// All changes shown in any document.
    pub fn all(&self) -> BTreeSet<EntryRef> {
        self.documents.values().flatten().copied().collect()
    }
}

/// Reads a space from a disk with the eyes of `view`.
pub fn shown(disk: &Disk, view: &SpaceView) -> Shown {
    let mut shown = Shown::default();
    let logs: Vec<&HeldLog> = disk.logs(view.space).filter(|log| log.context.kind == LogKind::Data).collect();
    let mut cache = StandingCache::default();
    let mut entries = Vec::new();
    for log in &logs {
        let standings = standings(log, disk, view, &mut cache);
        for (held, standing) in log.entries.iter().zip(standings) {
            let reference = reference(held);
            let change = read(held, view);
            let dependencies = change.as_ref().map(|change| change.dependencies.clone()).unwrap_or_default();
            match change {
                Some(change) => drop(shown.changes.insert(reference, change)),
                None => drop(shown.unreadable.insert(reference)),
            }
            shown.standings.insert(reference, standing.clone());
            entries.push(DataEntry { reference, standing, heads: held.header.heads.clone(), dependencies });
        }
    }
    let data_logs: Vec<DataLog> = logs.iter().map(|log| data_log(log)).collect();
    shown.lifted = lifted(&view.membership, &entries, &data_logs);
    collect_documents(&mut shown);
    shown
}

fn standings(log: &HeldLog, disk: &Disk, view: &SpaceView, cache: &mut StandingCache) -> Vec<Standing> {
    let Some(first) = log.entries.first() else { return Vec::new() };
    let predecessor = first.header.predecessor.and_then(|end| {
        let log = disk.logs(view.space).find(|log| log.context.log == end.log)?;
        log.entries.get(usize::try_from(end.seq).ok()?).filter(|held| held.hash == end.hash)
    });
    let mut previous = None;
    let mut standings = Vec::new();
    for held in &log.entries {
        let position = DataPosition {
            reference: reference(held),
            heads: &held.header.heads,
            opening_heads: &first.header.heads,
            predecessor_heads: predecessor.map(|held| &*held.header.heads),
            previous_heads: previous,
            epoch: held.header.epoch,
        };
        let standing = view.membership.standing(&position, cache);
        if standing != Standing::Quarantined(Reason::Regressed) {
            previous = Some(&held.header.heads);
        }
        standings.push(standing);
    }
    standings
}

fn data_log(log: &HeldLog) -> DataLog {
    let mut cited = Vec::new();
    for held in &log.entries {
        if cited.last() != Some(&held.header.heads) {
            cited.push(held.header.heads.clone());
        }
    }
    let predecessor = log.entries.first().and_then(|first| first.header.predecessor);
    DataLog { log: log.context.log, predecessor, cited }
}

fn reference(held: &Held) -> EntryRef {
    EntryRef { log: held.header.log, seq: held.header.seq, hash: held.hash }
}

fn read(held: &Held, view: &SpaceView) -> Option<ChangePayload> {
    let content = view.keyring.content_key(&held.header.epoch?)?;
    let key = log_key(content, &view.space, &held.header.log);
    let plaintext = key.open(&held.header.associated_data(), held.payload.as_deref()?).ok()?;
    ChangePayload::decode(&plaintext).ok()
}

/// A change is shown once everything that it depends on is.
fn collect_documents(shown: &mut Shown) {
    loop {
        let before = shown.all().len();
        let known = shown.all();
        for (entry, change) in &shown.changes {
            let stands = change.dependencies.iter().all(|dependency| known.contains(dependency));
            if stands && shown.applies(entry) {
                shown.documents.entry(change.document).or_default().insert(*entry);
            }
        }
        if shown.all().len() == before {
            return;
        }
    }
}
