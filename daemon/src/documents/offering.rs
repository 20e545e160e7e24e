//! What is handed to the search: each record in the revision that it has. The search says up to which revision it holds
//! everything; what is behind that and was not taken is remembered here until it is.

use std::{collections::BTreeMap, sync::Arc};

use portolan_protocol::id::{DocumentId, SpaceId};

use super::catalogue::Catalogue;
use crate::search::{Entry, Put, Search};

/// See the head of the file.
pub(super) struct Offering {
    search: Option<Search>,
    nudge: Arc<dyn Fn() + Send + Sync>,
    /// The greatest revision that a record has.
    revision: u64,
    /// The greatest one at the start. After a crash the search may hold later revisions than the table: what they were made of is
    /// derived again, and gets revisions that begin here.
    begun: u64,
    ahead: Option<bool>,
    /// Records to be handed over, by revision, with their numbers.
    due: BTreeMap<SpaceId, BTreeMap<u64, u64>>,
}

impl Offering {
    /// To `search`, where there is one. `nudge` wakes whoever hands records over.
    pub(super) fn new(search: Option<Search>, nudge: Arc<dyn Fn() + Send + Sync>) -> Offering {
        Offering { search, nudge, revision: 0, begun: 0, ahead: None, due: BTreeMap::new() }
    }

    /// Begins with a table in which `revision` is the greatest.
    pub(super) fn begin(&mut self, table: [u8; 16], revision: u64) {
        self.due.clear();
        self.revision = self.revision.max(revision);
        (self.begun, self.ahead) = (self.revision, None);
        if let Some(search) = &self.search {
            search.attach(table, self.nudge.clone());
        }
    }

    /// The greatest revision that a record had at the start.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// The greatest revision that a record has.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// A revision that no record has yet.
    pub(super) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Hands a record over in the revision that it was given last of all, or remembers that it is due.
    pub(super) fn put(&mut self, space: SpaceId, id: DocumentId, number: u64, revision: u64, entry: Option<Entry>) {
        let Some(search) = &self.search else { return };
        let settled = self.first_due().map_or(revision, |due| revision.min(due.saturating_sub(1)));
        if !search.put(Put { space, id, entry, settled }) {
            self.due.entry(space).or_default().insert(revision, number);
        }
    }

    /// Hands over a record that was due.
    pub(super) fn put_due(&mut self, space: SpaceId, id: DocumentId, number: u64, revision: u64, entry: Option<Entry>) {
        self.drop_due(&space, revision);
        let Some(search) = &self.search else { return };
        let settled = self.first_due().map_or(self.revision, |due| due.saturating_sub(1));
        if !search.put(Put { space, id, entry, settled }) {
            self.due.entry(space).or_default().insert(revision, number);
        }
    }

    /// A record is in another revision by now.
    pub(super) fn drop_due(&mut self, space: &SpaceId, revision: u64) {
        if let Some(due) = self.due.get_mut(space) {
            due.remove(&revision);
            if due.is_empty() {
                self.due.remove(space);
            }
        }
    }

    fn first_due(&self) -> Option<u64> {
        self.due.values().filter_map(|due| due.first_key_value()).map(|(revision, _)| *revision).min()
    }

    /// Takes up what the search asks for.
    pub(super) fn take_up(&mut self, catalogue: &Catalogue) {
        let Some(settled) = self.search.as_ref().and_then(Search::take_offer) else { return };
        let is_ahead = *self.ahead.get_or_insert(settled > self.begun);
        let from = if is_ahead { settled.min(self.begun) } else { settled };
        self.due.clear();
        for (revision, space, number) in catalogue.newer(from) {
            self.due.entry(space).or_default().insert(revision, number);
        }
    }

    /// Some records that are due, the oldest revisions first: revision, space, number. Those of spaces that `can_open` alone.
    pub(super) fn some(&self, most: usize, can_open: impl Fn(&SpaceId) -> bool) -> Vec<(u64, SpaceId, u64)> {
        let of = |(space, due): (&SpaceId, &BTreeMap<u64, u64>)| {
            let space = *space;
            due.iter().take(most).map(move |(revision, number)| (*revision, space, *number)).collect::<Vec<_>>()
        };
        let mut some: Vec<_> = self.due.iter().filter(|(space, _)| can_open(space)).flat_map(of).collect();
        some.sort_unstable();
        some.truncate(most);
        some
    }

    /// Whether something can be done now.
    pub(super) fn has_work(&self, can_open: impl Fn(&SpaceId) -> bool) -> bool {
        let Some(search) = &self.search else { return false };
        search.has_offer() || (self.due.keys().any(can_open) && search.has_room())
    }

    /// Whether everything is handed over, or nobody knows when it can be.
    pub(super) fn is_done(&self, can_open: impl Fn(&SpaceId) -> bool) -> bool {
        let Some(search) = &self.search else { return true };
        search.is_failing() || (search.is_settled() && !self.due.keys().any(can_open))
    }

    /// Records of a space that cannot be found by their words yet.
    pub(super) fn behind(&self, space: &SpaceId) -> u64 {
        let Some(search) = &self.search else { return 0 };
        let due = self.due.get(space).map_or(0, |due| due.len() as u64);
        // While the index is not open nobody knows how many there are.
        (due + search.behind(space)).max(u64::from(!search.is_settled()))
    }

    /// The search.
    pub(super) fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }
}
