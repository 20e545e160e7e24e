//! Which attachments a node fetches by itself.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};

/// The default: slides and packages come by themselves, films do not.
const BELOW_DEFAULT: u64 = 64 << 20;

const UNITS: [(&str, u32); 5] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("B", 0)];

/// `fetch` in `[attachments]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// Every one.
    All,
    /// None but those that somebody asks for.
    None,
    /// Those of fewer bytes.
    Below(u64),
}

impl Fetch {
    /// Whether a file of so many bytes is fetched.
    pub fn wants(self, bytes: u64) -> bool {
        match self {
            Fetch::All => true,
            Fetch::None => false,
            Fetch::Below(limit) => bytes < limit,
        }
    }

    fn parse(text: &str) -> Option<Fetch> {
        match text {
            "all" => return Some(Fetch::All),
            "none" => return Some(Fetch::None),
            _ => {}
        }
        let size = text.strip_prefix("below ")?.trim();
        let digits = size.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let unit = size.get(digits.len()..)?.trim();
        let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let limit = digits.parse::<u64>().ok()?.checked_mul(1 << shift)?;
        Some(Fetch::Below(limit))
    }
}

impl Default for Fetch {
    fn default() -> Fetch {
        Fetch::Below(BELOW_DEFAULT)
    }
}

impl fmt::Display for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fetch::All => f.write_str("all"),
            Fetch::None => f.write_str("none"),
            Fetch::Below(limit) => {
                let even = |(_, shift): &&(&str, u32)| *limit > 0 && limit.trailing_zeros() >= *shift;
                let (unit, shift) =
                    UNITS.iter().rev().filter(even).max_by_key(|(_, shift)| *shift).unwrap_or(&UNITS[4]);
                write!(f, "below {} {unit}", limit >> shift)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Fetch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fetch, D::Error> {
        let text = String::deserialize(deserializer)?;
        Fetch::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is none of \"all\", \"none\", \"below SIZE\" such as \"below 64 MiB\""))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_comes_back_as_it_was_written() {
        for (text, policy) in [
            ("all", Fetch::All),
            ("none", Fetch::None),
            ("below 64 MiB", Fetch::default()),
            ("below 3 GiB", Fetch::Below(3 << 30)),
            ("below 7 B", Fetch::Below(7)),
            ("below 0 B", Fetch::Below(0)),
        ] {
            assert_eq!((Fetch::parse(text), policy.to_string().as_str()), (Some(policy), text));
        }
        for wrong in ["", "some", "below", "below x", "below 5", "below 5 MB", "below 99999999 TiB", "below -1 B"] {
            assert_eq!(Fetch::parse(wrong), None, "{wrong}");
        }
        assert!(Fetch::Below(8).wants(7) && !Fetch::Below(8).wants(8) && Fetch::All.wants(u64::MAX));
    }
}
