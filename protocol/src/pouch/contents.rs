//! The contents list of a volume: which entries it holds, and which payloads of entries that the recipient had without them. The
//! sender keeps it, and derives from it what a peer holds once the peer says which volumes it holds.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// Payloads alone, for `count` entries of a log from `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payloads {
    /// Which log.
    pub log: LogKey,
    /// The place of the first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl Payloads {
    /// The place after the last.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.count)
    }
}

/// What a message adds to the contents of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Entries.
    Entries(Extent),
    /// The payload of the entry at a place of a log.
    Payload(LogKey, u64),
}

/// What a volume holds of one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceContents {
    /// Which space.
    pub space: SpaceId,
    /// Ranges of entries, in the order in which they stand in the volume.
    pub extents: Vec<Extent>,
    /// Payloads, in the same order.
    pub payloads: Vec<Payloads>,
}

/// What a volume holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Spaces, in the order of their ids.
    pub spaces: Vec<SpaceContents>,
}

impl Contents {
    /// Adds something behind what is there.
    pub fn add(&mut self, space: SpaceId, item: Item) {
        let index = match self.spaces.binary_search_by_key(&space, |contents| contents.space) {
            Ok(index) => index,
            Err(index) => {
                self.spaces.insert(index, SpaceContents { space, extents: Vec::new(), payloads: Vec::new() });
                index
            }
        };
        let SpaceContents { extents, payloads, .. } = &mut self.spaces[index];
        match item {
            Item::Entries(extent) => {
                match extents.last_mut().filter(|last| last.log == extent.log && last.to == extent.from) {
                    Some(last) => (last.to, last.head) = (extent.to, extent.head),
                    None => extents.push(extent),
                }
            }
            Item::Payload(log, seq) => {
                let follows = |last: &&mut Payloads| last.log == log && last.first.checked_add(last.count) == Some(seq);
                match payloads.last_mut().filter(follows) {
                    Some(last) => last.count += 1,
                    None => payloads.push(Payloads { log, first: seq, count: 1 }),
                }
            }
        }
    }

    /// Whether one more range of whatever space may be added.
    pub fn has_room(&self) -> bool {
        self.ranges() < EXTENTS_MAX && self.spaces.len() < SPACES_MAX
    }

    /// How many ranges of entries and of payloads there are.
    pub fn ranges(&self) -> usize {
        self.spaces.iter().map(|space| space.extents.len() + space.payloads.len()).sum()
    }

    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        self.extents().map(|(_, extent)| extent.to.saturating_sub(extent.from)).fold(0, u64::saturating_add)
    }

    /// How many payloads there are beside the entries.
    pub fn payload_count(&self) -> u64 {
        self.payloads().map(|(_, payloads)| payloads.count).fold(0, u64::saturating_add)
    }

    /// The ranges of entries with their spaces.
    pub fn extents(&self) -> impl Iterator<Item = (SpaceId, &Extent)> {
        self.spaces.iter().flat_map(|of| of.extents.iter().map(|extent| (of.space, extent)))
    }

    /// The ranges of payloads with their spaces.
    pub fn payloads(&self) -> impl Iterator<Item = (SpaceId, &Payloads)> {
        self.spaces.iter().flat_map(|of| of.payloads.iter().map(|payloads| (of.space, payloads)))
    }

    /// No more bytes than this does the list take when it is encoded, `more` ranges of other spaces added.
    pub(super) fn bytes_most(&self, more: usize) -> usize {
        10 + (self.spaces.len() + more) * 52 + (self.ranges() + more) * 100
    }

    /// The digest, from which those of several volumes are made.
    pub fn digest(&self) -> ContentsDigest {
        shorten(Context::POUCH_CONTENTS.hash(&[&encode_part(self)]))
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

    fn entries(log: u8, from: u64, to: u64) -> Item {
        Item::Entries(extent(log, from, to))
    }

    #[test]
    fn ranges_that_follow_one_another_are_one() {
        let mut contents = Contents::default();
        contents.add(SpaceId([2; 32]), entries(1, 0, 5));
        contents.add(SpaceId([2; 32]), entries(1, 5, 9));
        contents.add(SpaceId([1; 32]), entries(1, 9, 10));
        contents.add(SpaceId([2; 32]), entries(1, 12, 13));
        let log = extent(1, 0, 1).log;
        [3, 4, 9].into_iter().for_each(|seq| contents.add(SpaceId([2; 32]), Item::Payload(log, seq)));
        assert_eq!(contents.spaces[1].extents, [extent(1, 0, 9), extent(1, 12, 13)]);
        let payloads = |first, count| Payloads { log, first, count };
        assert_eq!(contents.spaces[1].payloads, [payloads(3, 2), payloads(9, 1)]);
        assert_eq!((contents.ranges(), contents.entries(), contents.payload_count()), (5, 11, 3));
        assert!(encode_part(&contents).len() <= contents.bytes_most(0));
    }

    #[test]
    fn the_longest_numbers_stay_within_the_estimate() {
        let mut contents = Contents::default();
        (0..200).for_each(|log| contents.add(SpaceId([log; 32]), entries(log, u64::MAX - 2, u64::MAX)));
        (0..200).for_each(|log| {
            contents.add(SpaceId([log; 32]), Item::Payload(extent(log, 0, 1).log, u64::MAX - 1));
        });
        assert!(encode_part(&contents).len() <= contents.bytes_most(0));
    }
}
