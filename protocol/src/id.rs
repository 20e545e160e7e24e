//! Identifiers, each a type of its own. Text form: lower-case base32 (RFC 4648, no padding).

use std::{fmt, str::FromStr};

use data_encoding::{BASE32_NOPAD, DecodePartial};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

/// A text that is not an identifier of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not {kind}: expected {characters} characters of a-z and 2-7")]
pub struct ParseIdError {
    kind: &'static str,
    characters: usize,
}

fn to_text(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

fn from_text<const N: usize>(text: &str, kind: &'static str) -> Result<[u8; N], ParseIdError> {
    let error = ParseIdError { kind, characters: (N * 8).div_ceil(5) };
    if text.len() != error.characters {
        return Err(error);
    }
    let mut bytes = [0; N];
    let upper = text.to_ascii_uppercase();
    match BASE32_NOPAD.decode_mut(upper.as_bytes(), &mut bytes) {
        Ok(length) if length == N => Ok(bytes),
        Ok(_) | Err(DecodePartial { .. }) => Err(error),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $size:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// Size in bytes.
            pub const BYTES: usize = $size;

            /// The bytes themselves.
            pub fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_text(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &to_text(&self.0)[..8])
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                from_text(text, $kind).map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    <[u8; $size]>::deserialize(deserializer).map($name)
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let characters = ($size * 8_usize).div_ceil(5);
                schemars::json_schema!({ "type": "string", "pattern": format!("^[a-z2-7]{{{characters}}}$") })
            }
        }
    };
}

id!(
    /// A node: the hash of the header of its first card.
    NodeId, 32, "a node id"
);
id!(
    /// A space: the hash of its genesis payload.
    SpaceId, 32, "a space id"
);
id!(
    /// A log: random but for the first bit, which says what it holds (`entry::LogKind::log_id`).
    LogId, 16, "a log id"
);
id!(
    /// The hash of an entry: of its header and signature.
    EntryHash, 32, "an entry hash"
);
id!(
    /// The hash of an entry's payload as it is stored (encrypted, for data).
    PayloadHash, 32, "a payload hash"
);
id!(
    /// An epoch: the hash of the control entry that made it.
    EpochId, 32, "an epoch id"
);
id!(
    /// A record: random, or derived from the source of an import so that importing twice meets itself.
    DocumentId, 16, "a document id"
);
id!(
    /// A person of a node.
    PersonId, 16, "a person id"
);
id!(
    /// The pseudonymous organisation that a grant names.
    OrganisationId, 16, "an organisation id"
);
id!(
    /// One life of a store: drawn at random when the store is created or restored.
    Incarnation, 16, "a store incarnation"
);
id!(
    /// The digest of a frontier.
    FrontierDigest, 32, "a frontier digest"
);
id!(
    /// The hash of a card's header.
    CardHash, 32, "a card hash"
);
id!(
    /// The hash of a card's profile.
    ProfileHash, 32, "a profile hash"
);
id!(
    /// A pouch: drawn at random, the one name that stands outside its seal.
    PouchId, 16, "a pouch id"
);

id!(
    /// An attachment: the BLAKE3 hash of its ciphertext.
    AttachmentId, 32, "an attachment id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_comes_back() {
        let id = NodeId([7; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn loose_trailing_bits_are_refused() {
        let mut text = LogId([0; 16]).to_string();
        text.replace_range(25.., "b");
        assert!(text.parse::<LogId>().is_err());
    }

    #[test]
    fn a_wrong_length_says_what_was_expected() {
        let error = "abc".parse::<SpaceId>().map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(error, Err("not a space id: expected 52 characters of a-z and 2-7".into()));
    }
}
