//! The contents list of a volume: which ranges of which logs it holds. The sender keeps it, and derives from it how far a
//! peer holds each log once the peer says which volumes it holds.

use serde::{Deserialize, Serialize};

use crate::{
    codec::encode_part,
    crypto::hash::Context,
    entry::LogKey,
    id::{EntryHash, SpaceId},
    limits::{EXTENTS_MAX, SPACES_MAX},
};

/// The digest of contents: the first 16 bytes of a hash.
pub type ContentsDigest = [u8; 16];

/// Entries `from..to` of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Which log.
    pub log: LogKey,
    /// The first entry.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
    /// The hash of the last entry.
    pub head: EntryHash,
}

/// What a volume holds of one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceContents {
    /// Which space.
    pub space: SpaceId,
    /// Ranges of entries, in the order in which they stand in the volume.
    pub extents: Vec<Extent>,
}

/// What a volume holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Spaces, in the order of their ids.
    pub spaces: Vec<SpaceContents>,
}

impl Contents {
    /// Adds a range behind those that are there.
    pub fn add(&mut self, space: SpaceId, extent: Extent) {
        let index = match self.spaces.binary_search_by_key(&space, |contents| contents.space) {
            Ok(index) => index,
            Err(index) => {
                self.spaces.insert(index, SpaceContents { space, extents: Vec::new() });
                index
            }
        };
        let extents = &mut self.spaces[index].extents;
        match extents.last_mut().filter(|last| last.log == extent.log && last.to == extent.from) {
            Some(last) => (last.to, last.head) = (extent.to, extent.head),
            None => extents.push(extent),
        }
    }

    /// Whether one more range of whatever space may be added.
    pub fn has_room(&self) -> bool {
        self.extents() < EXTENTS_MAX && self.spaces.len() < SPACES_MAX
    }

    /// How many ranges there are.
    pub fn extents(&self) -> usize {
        self.spaces.iter().map(|space| space.extents.len()).sum()
    }

    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        let extents = self.spaces.iter().flat_map(|space| &space.extents);
        extents.map(|extent| extent.to.saturating_sub(extent.from)).fold(0, u64::saturating_add)
    }

    /// No more bytes than this does the list take when it is encoded, `more` ranges of other spaces added.
    pub(super) fn bytes_most(&self, more: usize) -> usize {
        10 + (self.spaces.len() + more) * 42 + (self.extents() + more) * 100
    }

    /// The digest, from which those of several volumes are made.
    pub fn digest(&self) -> ContentsDigest {
        shorten(Context::POUCH_CONTENTS.hash(&[&encode_part(self)]))
    }

    /// Checks what a stranger says: spaces in order, ranges not empty, no more of either than there may be.
    pub fn is_plausible(&self) -> bool {
        self.spaces.len() <= SPACES_MAX
            && self.extents() <= EXTENTS_MAX
            && self.spaces.windows(2).all(|pair| pair[0].space < pair[1].space)
            && self
                .spaces
                .iter()
                .all(|space| !space.extents.is_empty() && space.extents.iter().all(|extent| extent.from < extent.to))
    }
}

/// The digest of the contents of several volumes, given with their numbers in order.
pub fn digest_of_volumes<'a>(volumes: impl IntoIterator<Item = (u16, &'a ContentsDigest)>) -> ContentsDigest {
    let mut hasher = Context::POUCH_CONTENTS.hasher();
    for (volume, digest) in volumes {
        hasher.update(&volume.to_be_bytes());
        hasher.update(digest);
    }
    shorten(*hasher.finalize().as_bytes())
}

fn shorten(hash: [u8; 32]) -> ContentsDigest {
    let mut digest = ContentsDigest::default();
    digest.copy_from_slice(&hash[..16]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entry::LogKind,
        id::{LogId, NodeId},
    };

    fn extent(log: u8, from: u64, to: u64) -> Extent {
        let log = LogKey { author: NodeId([1; 32]), log: LogKind::Data.log_id([log; LogId::BYTES]) };
        Extent { log, from, to, head: EntryHash([to as u8; 32]) }
    }

    #[test]
    fn ranges_that_follow_one_another_are_one() {
        let mut contents = Contents::default();
        contents.add(SpaceId([2; 32]), extent(1, 0, 5));
        contents.add(SpaceId([2; 32]), extent(1, 5, 9));
        contents.add(SpaceId([1; 32]), extent(1, 9, 10));
        contents.add(SpaceId([2; 32]), extent(1, 12, 13));
        assert_eq!(contents.spaces[1].extents, [extent(1, 0, 9), extent(1, 12, 13)]);
        assert_eq!((contents.extents(), contents.entries()), (3, 11));
        assert!(contents.is_plausible());
        assert!(encode_part(&contents).len() <= contents.bytes_most(0));
    }

    #[test]
    fn the_longest_numbers_stay_within_the_estimate() {
        let mut contents = Contents::default();
        (0..200).for_each(|log| contents.add(SpaceId([log; 32]), extent(log, u64::MAX - 2, u64::MAX)));
        assert!(encode_part(&contents).len() <= contents.bytes_most(0));
    }

    #[test]
    fn what_makes_no_sense_is_implausible() {
        let of = |space: u8, extents| SpaceContents { space: SpaceId([space; 32]), extents };
        let plausible = |spaces| Contents { spaces }.is_plausible();
        assert!(plausible(vec![of(1, vec![extent(1, 0, 1)])]));
        assert!(!plausible(vec![of(1, vec![])]));
        assert!(!plausible(vec![of(1, vec![extent(1, 1, 1)])]));
        assert!(!plausible(vec![of(1, vec![extent(1, 0, 1)]), of(1, vec![extent(1, 0, 1)])]));
        assert!(!plausible(vec![of(1, vec![extent(1, 0, 1); EXTENTS_MAX + 1])]));
    }
}
