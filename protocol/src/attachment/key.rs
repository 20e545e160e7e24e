//! The key of one attachment, as a record keeps it.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use thiserror::Error;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the key of an attachment: expected 52 characters of a-z and 2-7")]
pub struct NotAKey;

/// The key that opens one attachment: drawn when the file is added, and used for nothing else. Text form: lower-case base32.
#[derive(Clone, PartialEq, Eq)]
pub struct AttachmentKey(Zeroizing<[u8; KEY_BYTES]>);

impl AttachmentKey {
    /// The key with these bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        AttachmentKey(Zeroizing::new(bytes))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Display for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE32_NOPAD.encode(&*self.0).to_ascii_lowercase())
    }
}

impl fmt::Debug for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttachmentKey")
    }
}

impl FromStr for AttachmentKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let is_lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        let bytes = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).map_err(|_| NotAKey)?;
        bytes.try_into().ok().filter(|_| is_lower).map(AttachmentKey::new).ok_or(NotAKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back_and_shows_nowhere_else() {
        let key = AttachmentKey::new([7; 32]);
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "AttachmentKey");
        for wrong in ["", "abc", &key.to_string().to_uppercase(), &format!("{key}a")] {
            assert_eq!(wrong.parse::<AttachmentKey>(), Err(NotAKey), "{wrong}");
        }
    }
}
