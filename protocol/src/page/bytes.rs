//! The pieces of which a page is made: flags, and numbers of variable length.

use super::RunError;

pub(super) const HEADS: u8 = 1;
pub(super) const EPOCH: u8 = 2;
pub(super) const PREDECESSOR: u8 = 4;
pub(super) const GAP: u8 = 8;
pub(super) const ELSEWHERE: u8 = 16;

pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// LEB128, shortest form only.
pub(super) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn read_varint(rest: &mut &[u8]) -> Result<u64, RunError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take::<1>(rest)?[0];
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Err(RunError::Malformed);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return if byte == 0 && shift > 0 { Err(RunError::NotCanonical) } else { Ok(value) };
        }
    }
    Err(RunError::Malformed)
}

pub(super) fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], RunError> {
    let (head, tail) = rest.split_first_chunk().ok_or(RunError::Malformed)?;
    *rest = tail;
    Ok(head)
}

pub(super) fn take_slice<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], RunError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(RunError::Malformed)?;
    *rest = tail;
    Ok(head)
}
