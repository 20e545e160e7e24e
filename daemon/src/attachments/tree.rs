//! The one door to bao-tree: the BLAKE3 tree over a ciphertext, by which any range of it is proved against the id.
//!
//! The hashes above groups of 16 KiB stand in a file beside the ciphertext, in pre-order and without a length in front.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    os::unix::fs::FileExt as _,
};

use bao_tree::{
    BaoTree, BlockSize, ChunkNum, ChunkRanges,
    io::{
        BaoContentItem,
        outboard::{EmptyOutboard, PreOrderOutboard},
        sync::{DecodeResponseIter, encode_ranges_validated, outboard},
    },
};
use portolan_protocol::id::AttachmentId;

/// 16 chunks of 1 KiB.
const GROUP: BlockSize = BlockSize::from_chunk_log(4);
const CHUNK_BYTES: u64 = 1 << 10;

fn tree(bytes: u64) -> BaoTree {
    BaoTree::new(bytes, GROUP)
}

fn chunks(range: &Range<u64>) -> ChunkRanges {
    ChunkRanges::from(ChunkNum(range.start / CHUNK_BYTES)..ChunkNum(range.end.div_ceil(CHUNK_BYTES)))
}

/// Reads a ciphertext of `bytes`, writes its hashes, and tells its id.
pub(super) fn build(data: impl Read, bytes: u64, hashes: &File) -> io::Result<AttachmentId> {
    hashes.set_len(0)?;
    let root = blake3::Hash::from_bytes([0; 32]);
    let mut built = PreOrderOutboard { root, tree: tree(bytes), data: hashes.try_clone()? };
    Ok(AttachmentId(*outboard(data, tree(bytes), &mut built)?.as_bytes()))
}

/// Reads a ciphertext of `bytes`, and tells its id.
pub(super) fn root(data: impl Read, bytes: u64) -> io::Result<AttachmentId> {
    let nowhere = EmptyOutboard { tree: tree(bytes), root: blake3::Hash::from_bytes([0; 32]) };
    Ok(AttachmentId(*outboard(data, tree(bytes), nowhere)?.as_bytes()))
}

/// A range of a ciphertext with the hashes that prove it. It begins at a group, and ends at one or at the end.
///
/// # Errors
/// Also when what is stored is damaged there: nothing false is sent.
pub(super) fn encode(
    id: AttachmentId,
    bytes: u64,
    range: &Range<u64>,
    data: &File,
    hashes: &File,
) -> io::Result<Vec<u8>> {
    let root = blake3::Hash::from_bytes(id.0);
    let stored = PreOrderOutboard { root, tree: tree(bytes), data: hashes.try_clone()? };
    let mut encoded = Vec::new();
    encode_ranges_validated(data, stored, &chunks(range), &mut encoded).map_err(io::Error::other)?;
    Ok(encoded)
}

/// Checks what [`encode`] made, group by group, and writes the groups into `target`, which begins at `base` of the ciphertext.
///
/// # Errors
/// Kind `InvalidData` when it is not the range of this attachment; what was written before is right.
pub(super) fn decode(
    id: AttachmentId,
    bytes: u64,
    range: &Range<u64>,
    encoded: &[u8],
    (target, base): (&File, u64),
) -> io::Result<()> {
    let (mut rest, ranges) = (encoded, chunks(range));
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let root = blake3::Hash::from_bytes(id.0);
    for item in DecodeResponseIter::new(root, tree(bytes), &mut rest, &ranges) {
        if let BaoContentItem::Leaf(leaf) = item.map_err(|error| invalid(error.to_string()))? {
            let place = leaf.offset.checked_sub(base).ok_or_else(|| invalid("bytes before the range".into()))?;
            target.write_all_at(&leaf.data, place)?;
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(invalid("more bytes than the range has".into())) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::{attachment::piece_bytes, crypto::hash};

    use super::*;

    const GROUP_BYTES: usize = 16 << 10;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|place| (place * 13 + place / 255) as u8).collect()
    }

    #[test]
    fn every_size_around_the_edges_of_groups_goes_over_in_ranges() {
        let edges = [1, 1_024, GROUP_BYTES, 2 * GROUP_BYTES, 5 * GROUP_BYTES, 16 * GROUP_BYTES];
        for length in edges.iter().flat_map(|edge| edge - 1..=edge + 1).filter(|length| *length > 0) {
            let data = bytes(length);
            let (stored, hashes, target) = (file(&data), file(b""), file(b""));
            let total = length as u64;
            let id = build(&data[..], total, &hashes).unwrap();
            assert_eq!(id.0, hash::file(&data), "the id is the plain hash");
            assert_eq!(root(&data[..], total).unwrap(), id);
            for start in (0..total).step_by(3 * GROUP_BYTES) {
                let range = start..total.min(start + 3 * GROUP_BYTES as u64);
                let encoded = encode(id, total, &range, &stored, &hashes).unwrap();
                assert_eq!(encoded.len() as u64, piece_bytes(total, &range), "{length} from {start}");
                decode(id, total, &range, &encoded, (&target, 0)).unwrap();
                let alone = file(b"");
                decode(id, total, &range, &encoded, (&alone, start)).unwrap();
                assert_eq!(alone.metadata().unwrap().len(), range.end - start);
            }
            let mut came = vec![0; length];
            target.read_exact_at(&mut came, 0).unwrap();
            assert_eq!(came, data, "{length}");
        }
    }

    #[test]
    fn a_flipped_byte_anywhere_is_found_and_nothing_false_is_written_or_sent() {
        let data = bytes(5 * GROUP_BYTES + 77);
        let (stored, hashes) = (file(&data), file(b""));
        let total = data.len() as u64;
        let id = build(&data[..], total, &hashes).unwrap();
        let range = GROUP_BYTES as u64..4 * GROUP_BYTES as u64;
        let encoded = encode(id, total, &range, &stored, &hashes).unwrap();
        for place in (0..encoded.len()).step_by(61).chain([0, 31, 63, 64, encoded.len() - 1]) {
            let mut damaged = encoded.clone();
            damaged[place] ^= 0x10;
            let target = file(b"");
            let error = decode(id, total, &range, &damaged, (&target, 0)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{place}");
            let mut came = vec![0; target.metadata().unwrap().len() as usize];
            target.read_exact_at(&mut came, 0).unwrap();
            let begun = came.get(GROUP_BYTES..).unwrap_or_default();
            assert!(data[GROUP_BYTES..].starts_with(begun), "{place}");
        }
        for wrong in [&encoded[..encoded.len() - 1], &[&encoded[..], &[0]].concat(), b""] {
            decode(id, total, &range, wrong, (&file(b""), 0)).unwrap_err();
        }
        decode(id, total + 1, &range, &encoded, (&file(b""), 0)).ok();
        decode(AttachmentId([1; 32]), total, &range, &encoded, (&file(b""), 0)).unwrap_err();
        stored.write_all_at(&[data[2 * GROUP_BYTES] ^ 1], 2 * GROUP_BYTES as u64).unwrap();
        encode(id, total, &range, &stored, &hashes).unwrap_err();
    }
}
