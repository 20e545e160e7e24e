//! How far what is derived of a space is behind what is durable. It takes in nothing itself.

use portolan_protocol::{entry::LogKey, id::SpaceId};

use super::{
    index::{FIRST, Index},
    rows::STRIP_ENTRIES,
};

impl Index {
    /// Whether a log can be taken in further.
    pub(super) fn goes_on(&self, key: &(SpaceId, LogKey)) -> bool {
        self.views.contains_key(&key.0) && !self.aside.contains_key(key)
    }

    /// Whether a log is to be gone through again, and can be.
    pub(super) fn is_reviewed(&self, number: u32) -> bool {
        let key = self.log(number).map(|log| (log.row.space, log.row.log));
        key.is_some_and(|key| self.views.contains_key(&key.0) && self.is_judged(&key))
    }

    /// Whether everything of a space that is durable was taken in and judged by its membership, as far as it can be.
    pub(super) fn is_level(&self, space: SpaceId) -> bool {
        let mut behind = self.behind.range((space, FIRST)..).take_while(|key| key.0 == space);
        !behind.any(|key| self.goes_on(key)) && !self.is_under_review(space)
    }

    /// Entries of a space that are not taken in, and those of logs that are to be gone through again.
    pub(super) fn entries_to_index(&self, space: SpaceId) -> u64 {
        let ends = self.ends.range((space, FIRST)..).take_while(|((of, _), _)| *of == space);
        let behind: u64 = ends.map(|(key, end)| end.saturating_sub(self.next(key))).sum();
        let logs = self.review.iter().filter_map(|(number, review)| self.log(*number).zip(Some(review)));
        let of = logs.filter(|(log, _)| log.row.space == space);
        behind + of.map(|(log, review)| log.row.next.saturating_sub(review.strip * STRIP_ENTRIES)).sum::<u64>()
    }

    /// Whether some log of a space is to be gone through again.
    pub(super) fn is_under_review(&self, space: SpaceId) -> bool {
        let of = |number: &u32| self.log(*number).is_some_and(|log| log.row.space == space);
        self.review.keys().any(|number| of(number) && self.is_reviewed(*number))
    }
}
