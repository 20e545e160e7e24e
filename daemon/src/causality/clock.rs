//! What is below a change, as a clock over chains; see the file above.

use std::sync::Arc;

/// For every chain the last change in it. Those of a chain of changes share all but the last place.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// By chain. Of the chain of `last` it may know an earlier change.
    pub(super) shared: Arc<[(u32, u32)]>,
    pub(super) last: Option<(u32, u32)>,
}

impl Clock {
    pub(super) fn len(&self) -> usize {
        self.shared.len() + usize::from(self.last.is_some())
    }

    fn places(&self) -> impl Iterator<Item = (u32, u32)> {
        self.shared.iter().copied().chain(self.last)
    }

    fn at(&self, chain: u32) -> Option<u32> {
        match self.last {
            Some((last, index)) if last == chain => Some(index),
            _ => {
                let place = self.shared.binary_search_by_key(&chain, |(chain, _)| *chain).ok()?;
                self.shared.get(place).map(|(_, index)| *index)
            }
        }
    }

    /// Whether the change of `other` is below.
    pub(super) fn covers(&self, other: &Clock) -> bool {
        other.last.is_some_and(|(chain, index)| self.at(chain) >= Some(index))
    }

    /// The places in one list: of each chain the last change that any of `clocks` has.
    pub(super) fn joined(clocks: &[&Clock]) -> Vec<(u32, u32)> {
        let mut places: Vec<(u32, u32)> = clocks.iter().flat_map(|clock| clock.places()).collect();
        // Each is sorted but for its end, which this sort makes use of.
        places.sort_by_key(|(chain, index)| (*chain, u32::MAX - index));
        places.dedup_by_key(|(chain, _)| *chain);
        places
    }
}
