//! The canonical, bounded binary encoding (`docs/spec/encoding.md`).
//!
//! Values are postcard; a value has exactly one encoding, so bytes that decode but do not encode back to themselves are
//! refused. Whatever stands alone begins with the suite byte.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::limits::SUITE;

/// Why bytes are not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// More bytes than this kind of value may have.
    #[error("{actual} bytes where at most {limit} are allowed")]
    TooLong {
        /// Bytes that were offered.
        actual: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// The first byte names a format suite that this release does not know.
    #[error("format suite {0} is not known to this release; it may need an upgrade")]
    Suite(u8),
    /// The bytes end early, hold an impossible value, or hold more than the value.
    #[error("malformed bytes")]
    Malformed,
    /// The bytes are a value, but not its one canonical encoding.
    #[error("not the canonical encoding")]
    NotCanonical,
}

/// Encodes `value` without a suite byte: for parts of something larger.
pub fn encode_part<T: Serialize>(value: &T) -> Vec<u8> {
    // Every encoded type is made of integers, byte strings, sequences of known length and enums; postcard into a
    // growing buffer cannot fail on these.
    postcard::to_allocvec(value).unwrap_or_default()
}

/// Decodes what [`encode_part`] wrote; the whole of `bytes` must be the value.
///
/// # Errors
/// [`DecodeError`] when there are more than `limit` bytes, or they are not the canonical encoding of a `T`.
pub fn decode_part<T: Serialize + DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong { actual: bytes.len(), limit });
    }
    let value: T = postcard::from_bytes(bytes).map_err(|_| DecodeError::Malformed)?;
    if encode_part(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// Encodes `value` behind the suite byte: for everything that stands alone.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![SUITE]).unwrap_or_default()
}

/// Decodes what [`encode`] wrote.
///
/// # Errors
/// [`DecodeError`] when there are more than `limit` bytes, the suite is unknown, or the rest is not the canonical
/// encoding of a `T`.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    match bytes.split_first() {
        None => Err(DecodeError::Malformed),
        Some((&SUITE, rest)) => decode_part(rest, limit),
        Some((&suite, _)) => Err(DecodeError::Suite(suite)),
    }
}

/// Lists of byte strings, for `#[serde(with = "...")]`: encoded like any list, but copied whole rather than byte by byte.
pub mod byte_strings {
    use serde::{Deserialize, Deserializer, Serializer, ser::SerializeSeq};
    use serde_bytes::{ByteBuf, Bytes};

    /// Writes the list.
    ///
    /// # Errors
    /// What the serializer says.
    pub fn serialize<S: Serializer>(list: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(list.len()))?;
        for bytes in list {
            sequence.serialize_element(Bytes::new(bytes))?;
        }
        sequence.end()
    }

    /// Reads the list.
    ///
    /// # Errors
    /// What the deserializer says.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        let list = Vec::<ByteBuf>::deserialize(deserializer)?;
        Ok(list.into_iter().map(ByteBuf::into_vec).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlong_integer_is_not_canonical() {
        assert_eq!(decode_part::<u32>(&[0x80, 0x00], 8), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn a_trailing_byte_is_refused() {
        assert_eq!(decode_part::<u8>(&[1, 2], 8), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn an_unknown_suite_is_named() {
        assert_eq!(decode::<u8>(&[9, 1], 8), Err(DecodeError::Suite(9)));
    }

    #[test]
    fn a_value_comes_back() {
        assert_eq!(decode::<(u64, Vec<u8>)>(&encode(&(700u64, vec![1u8, 2])), 64), Ok((700, vec![1, 2])));
    }

    #[test]
    fn a_declared_length_beyond_the_bytes_allocates_nothing() {
        assert_eq!(decode_part::<Vec<u64>>(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1], 64), Err(DecodeError::Malformed));
    }
}
