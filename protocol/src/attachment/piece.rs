//! How a ciphertext is cut into pieces, and how long each is with the hashes that prove it.
//!
//! A piece ends where the whole is divided evenly, wherever it was begun. Encoded, it is its bytes and, for each parent of the
//! BLAKE3 tree above groups of 16 KiB that lies on a way to them, two hashes of 32 bytes.

use std::ops::Range;

use super::layout::GROUP_BYTES;
use crate::limits::ATTACHMENT_PIECE_BYTES;

/// Bytes of the two hashes of a parent.
const PARENT_BYTES: u64 = 64;

/// The piece that begins at `from`, in a ciphertext of `total` bytes.
pub fn piece_at(total: u64, from: u64) -> Range<u64> {
    let end = (from / ATTACHMENT_PIECE_BYTES).saturating_add(1).saturating_mul(ATTACHMENT_PIECE_BYTES);
    from..end.min(total)
}

/// The pieces of a range of a ciphertext of `total` bytes, in order.
pub fn pieces(total: u64, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let first = Some(piece_at(total, range.start)).filter(|piece| !piece.is_empty() && piece.start < range.end);
    std::iter::successors(first, move |piece| Some(piece_at(total, piece.end)).filter(|next| next.start < range.end))
}

/// Bytes of a piece with its proof. It begins at a group, and ends at one or at the end of the ciphertext.
pub fn piece_bytes(total: u64, piece: &Range<u64>) -> u64 {
    piece.end.saturating_sub(piece.start) + PARENT_BYTES * parents(0, total, piece)
}

/// Parents within the subtree over `length` bytes from `start` on that lie on a way to the range.
fn parents(start: u64, length: u64, range: &Range<u64>) -> u64 {
    if length <= GROUP_BYTES || start >= range.end || start + length <= range.start {
        return 0;
    }
    // The left side of a BLAKE3 tree is full, and as large as it can be.
    let left = length.div_ceil(GROUP_BYTES).next_power_of_two() / 2 * GROUP_BYTES;
    1 + parents(start, left, range) + parents(start + left, length - left, range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attachment::PIECE_ENCODED_BYTES_MAX, limits::ATTACHMENT_BYTES_MAX};

    const PIECE: u64 = ATTACHMENT_PIECE_BYTES;

    #[test]
    fn pieces_end_where_the_whole_is_divided_evenly() {
        let all: Vec<_> = pieces(2 * PIECE + 5, GROUP_BYTES..2 * PIECE + 5).collect();
        assert_eq!(all, [GROUP_BYTES..PIECE, PIECE..2 * PIECE, 2 * PIECE..2 * PIECE + 5]);
        assert_eq!(pieces(9 * PIECE, PIECE..2 * PIECE).count(), 1);
        assert_eq!(pieces(17, 17..17).count() + pieces(17, 5..5).count(), 0);
    }

    #[test]
    fn none_is_longer_than_a_piece_may_be() {
        let total = ATTACHMENT_BYTES_MAX + 1 + 16 * (ATTACHMENT_BYTES_MAX >> 16);
        for place in (0..42).map(|shift| total >> shift) {
            let piece = piece_at(total, place / PIECE * PIECE);
            assert!(piece_bytes(total, &piece) <= PIECE_ENCODED_BYTES_MAX as u64, "{piece:?}");
        }
        assert_eq!(piece_bytes(17, &(0..17)), 17);
        assert_eq!(piece_bytes(3 * GROUP_BYTES, &(0..3 * GROUP_BYTES)), 3 * GROUP_BYTES + 128);
        assert_eq!(piece_bytes(3 * GROUP_BYTES, &(2 * GROUP_BYTES..3 * GROUP_BYTES)), GROUP_BYTES + 64);
    }
}
