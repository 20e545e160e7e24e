//! How large volumes are: what fits in one, and sizes rounded up so that they say less.

use super::{header::HEADER_BYTES, scan::BLOCK_OVERHEAD_BYTES};
use crate::limits::{CHUNK_BYTES, VOLUME_BYTES_MAX};

/// What a volume's size may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// How much is in it.
    None,
    /// Little more than the order of magnitude: Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
    /// Communication with PURBs", 2019), at most 12 % and seldom more than 6 % longer.
    Padme,
}

impl Padding {
    /// The length to which a plaintext of `length` bytes is filled up with zeros, never beyond `most`.
    pub(super) fn fill(self, length: u64, most: u64) -> u64 {
        match self {
            Padding::None => length,
            Padding::Padme => padme(length).min(most).max(length),
        }
    }
}

/// Rounds up so that only as many leading bits are kept as the number of bits has bits.
fn padme(length: u64) -> u64 {
    let Some(exponent) = length.checked_ilog2().filter(|exponent| *exponent > 0) else { return length };
    let kept = exponent.ilog2() + 1;
    let mask = (1u64 << (exponent - kept.min(exponent))) - 1;
    length.checked_add(mask).map_or(length, |length| length & !mask)
}

/// Most bytes of plaintext in a volume of at most `volume_bytes`; zero when not even the header fits.
pub fn plaintext_room(volume_bytes: u64) -> u64 {
    let block = (CHUNK_BYTES + BLOCK_OVERHEAD_BYTES) as u64;
    let room = volume_bytes.min(VOLUME_BYTES_MAX).saturating_sub(HEADER_BYTES as u64);
    let rest = (room % block).saturating_sub(BLOCK_OVERHEAD_BYTES as u64);
    room / block * CHUNK_BYTES as u64 + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_by_little_and_to_few() {
        assert_eq!([9, 100, 1_000, 1_000_000].map(padme), [10, 104, 1_024, 1_015_808]);
        for length in 1..100_000 {
            assert!(padme(length) >= length && padme(length) as f64 <= length as f64 * 1.12, "{length}");
        }
        let mut sizes: Vec<u64> = (1 << 20..1 << 21).map(padme).collect();
        sizes.dedup();
        assert!(sizes.len() <= 33, "{}", sizes.len());
        assert_eq!(Padding::Padme.fill(1_000_000, 1_000_001), 1_000_001);
        assert_eq!(Padding::None.fill(1_000_000, u64::MAX), 1_000_000);
    }

    #[test]
    fn what_fits_fits_exactly() {
        let size =
            |plain: u64| HEADER_BYTES as u64 + plain + plain.div_ceil(CHUNK_BYTES as u64) * BLOCK_OVERHEAD_BYTES as u64;
        for volume in [1 << 20, 100_000, VOLUME_BYTES_MAX, 19_000, HEADER_BYTES as u64 + 2 * 65_584 + 49] {
            let room = plaintext_room(volume);
            assert!(size(room) <= volume && size(room + 1) > volume, "{volume}");
        }
        assert_eq!(plaintext_room(5), 0);
        assert_eq!(plaintext_room(u64::MAX), plaintext_room(VOLUME_BYTES_MAX));
    }
}
