//! What the node wants to fetch by itself: small ones first, each once.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{attachment::Layout, id::AttachmentId};

/// Attachments that wait; what is more is found again when these are done.
const WANTED_MAX: usize = 16_384;

/// See the head of the file.
#[derive(Default)]
pub(super) struct Queue {
    by_size: BTreeSet<(u64, AttachmentId)>,
    sizes: BTreeMap<AttachmentId, u64>,
    /// Whether some were left out.
    is_cut: bool,
    /// Whether one was fetched since everything was gone through.
    progressed: bool,
}

/// What is to be done about those that were left out, once nothing waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// There are none.
    Nothing,
    /// Go through everything again.
    Now,
    /// That too, but later: of those that had room nothing could be fetched.
    Later,
}

impl Queue {
    /// Adds one; of two sizes that records say, the one said last counts.
    pub(super) fn put(&mut self, id: AttachmentId, size: u64) {
        self.remove(&id);
        if self.sizes.len() >= WANTED_MAX {
            self.is_cut = true;
            return;
        }
        self.sizes.insert(id, size);
        self.by_size.insert((size, id));
    }

    pub(super) fn remove(&mut self, id: &AttachmentId) {
        if let Some(size) = self.sizes.remove(id) {
            self.by_size.remove(&(size, *id));
        }
    }

    /// Notes that one was fetched.
    pub(super) fn fetched(&mut self) {
        self.progressed = true;
    }

    /// Says what is to be done about those that were left out, and takes it for done.
    pub(super) fn take_left_out(&mut self) -> LeftOut {
        match (std::mem::take(&mut self.is_cut), std::mem::take(&mut self.progressed)) {
            (false, _) => LeftOut::Nothing,
            (true, true) => LeftOut::Now,
            (true, false) => LeftOut::Later,
        }
    }

    /// Takes the smallest.
    pub(super) fn take(&mut self) -> Option<(AttachmentId, Layout)> {
        let (size, id) = self.by_size.pop_first()?;
        self.sizes.remove(&id);
        Layout::of_plaintext(size).ok().map(|layout| (id, layout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ones_come_first_and_each_once() {
        let mut queue = Queue::default();
        let id = |byte| AttachmentId([byte; 32]);
        queue.put(id(1), 300);
        queue.put(id(2), 20);
        queue.put(id(1), 100);
        queue.put(id(3), 50);
        queue.remove(&id(3));
        let taken: Vec<_> =
            std::iter::from_fn(|| queue.take()).map(|(id, size)| (id, size.plaintext_bytes())).collect();
        assert_eq!(taken, [(id(2), 20), (id(1), 100)]);
    }

    #[test]
    fn what_had_no_room_is_looked_for_at_once_only_after_something_came() {
        let mut queue = Queue::default();
        assert_eq!(queue.take_left_out(), LeftOut::Nothing);
        let fill = |queue: &mut Queue| {
            for number in 0..=WANTED_MAX as u64 {
                let mut id = AttachmentId([0; 32]);
                id.0[..8].copy_from_slice(&number.to_be_bytes());
                queue.put(id, number);
            }
            while queue.take().is_some() {}
        };
        fill(&mut queue);
        assert_eq!(queue.take_left_out(), LeftOut::Later);
        fill(&mut queue);
        queue.fetched();
        assert_eq!([(); 2].map(|()| queue.take_left_out()), [LeftOut::Now, LeftOut::Nothing]);
    }
}
