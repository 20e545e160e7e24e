//! Open documents, the least recently used dropped first, within a budget of bytes.

use std::collections::BTreeMap;

use portolan_protocol::record::Updated;

use crate::automerge_door::Document;

/// A document in memory.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) document: Document,
    /// Whether everything it was given fitted: only then may it be built on.
    pub(super) whole: bool,
    /// Whether it shows what is accepted now.
    pub(super) current: bool,
    pub(super) updated: Option<Updated>,
    /// Whether one person made all changes that nothing follows.
    pub(super) by_one: bool,
    /// How many of its changes the last snapshot holds.
    pub(super) saved: u32,
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Cache {
    budget_bytes: usize,
    bytes: usize,
    tick: u64,
    open: BTreeMap<u64, (Open, usize, u64)>,
    by_use: BTreeMap<u64, u64>,
}

impl Cache {
    pub(super) fn new(budget_bytes: usize) -> Cache {
        Cache { budget_bytes, bytes: 0, tick: 0, open: BTreeMap::new(), by_use: BTreeMap::new() }
    }

    /// Takes a document out.
    pub(super) fn take(&mut self, number: u64) -> Option<Open> {
        let (open, bytes, tick) = self.open.remove(&number)?;
        self.bytes -= bytes;
        self.by_use.remove(&tick);
        Some(open)
    }

    /// Puts a document in, as the one used last. One that is larger than the budget is not kept.
    pub(super) fn put(&mut self, number: u64, open: Open) {
        self.take(number);
        let bytes = open.document.size_bytes();
        self.tick += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.by_use.insert(self.tick, number);
        self.open.insert(number, (open, bytes, self.tick));
        while self.bytes > self.budget_bytes
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            let oldest = *oldest;
            self.take(oldest);
        }
    }

    /// Notes that a document no longer shows what is accepted.
    pub(super) fn outdate(&mut self, number: u64) {
        if let Some((open, ..)) = self.open.get_mut(&number) {
            open.current = false;
        }
    }

    #[cfg(test)]
    fn holds(&self, number: u64) -> bool {
        self.open.contains_key(&number)
    }

    /// An estimate of the memory taken.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        *self = Cache::new(self.budget_bytes);
    }
}

#[cfg(test)]
mod tests {
    use portolan_protocol::id::DocumentId;

    use super::*;

    fn open() -> Open {
        let document = Document::new(DocumentId([1; 16]));
        Open { document, whole: true, current: true, updated: None, by_one: true, saved: 0 }
    }

    #[test]
    fn the_least_recently_used_goes_first_and_the_budget_holds() {
        let one = open().document.size_bytes();
        let mut cache = Cache::new(3 * one);
        (0..3).for_each(|number| cache.put(number, open()));
        let used = cache.take(0).into_iter().next();
        used.into_iter().for_each(|used| cache.put(0, used));
        cache.put(3, open());
        assert!(cache.bytes() <= 3 * one);
        assert_eq!((cache.holds(0), cache.holds(1), cache.holds(3)), (true, false, true));
        let mut small = Cache::new(one - 1);
        small.put(0, open());
        assert_eq!((small.holds(0), small.bytes()), (false, 0));
    }
}
