//! Names on the medium: lower-case letters, digits and dots, so that every file system keeps them and none confuses two.
//! They hold the pouch's random id and a number, nothing else.

use crate::{id::PouchId, limits::VOLUMES_MAX};

const SUFFIX: &str = ".portolan";
const ID_CHARACTERS: usize = 26;

/// The directory of a pouch.
pub fn directory_name(pouch: &PouchId) -> String {
    pouch.to_string()
}

/// The pouch that a directory is named after; capitals count like small letters.
pub fn parse_directory_name(name: &str) -> Option<PouchId> {
    name.parse().ok()
}

/// The name of one volume: `<id>.<number, three digits>.portolan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VolumeName {
    /// The pouch.
    pub pouch: PouchId,
    /// The volume's number, from 1.
    pub volume: u16,
}

impl std::fmt::Display for VolumeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}{SUFFIX}", self.pouch, self.volume)
    }
}

impl VolumeName {
    /// Reads a file's name, whatever its case; none when it is not the name of a volume.
    pub fn parse(name: &str) -> Option<VolumeName> {
        let lower = name.to_ascii_lowercase();
        let (id, rest) = lower.split_at_checked(ID_CHARACTERS)?;
        let number = rest.strip_prefix('.')?.strip_suffix(SUFFIX)?;
        let digits = number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        let volume = number.parse().ok().filter(|volume| digits && (1..=VOLUMES_MAX).contains(volume))?;
        Some(VolumeName { pouch: id.parse().ok()?, volume })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_whatever_the_case() {
        let name = VolumeName { pouch: PouchId([0x5c; 16]), volume: 7 };
        assert!(name.to_string().ends_with(".007.portolan"));
        assert_eq!(VolumeName::parse(&name.to_string()), Some(name));
        assert_eq!(VolumeName::parse(&name.to_string().to_uppercase()), Some(name));
        assert_eq!(parse_directory_name(&directory_name(&name.pouch)), Some(name.pouch));
    }

    #[test]
    fn other_names_are_none() {
        let id = PouchId([1; 16]);
        for rest in [".000.portolan", ".257.portolan", ".1.portolan", ".+01.portolan", ".001.portolan.exe", ".001", ""]
        {
            assert_eq!(VolumeName::parse(&format!("{id}{rest}")), None, "{rest}");
        }
        for name in ["README.txt", "..", "é.001.portolan", "ééééééééééééé.001.portolan"] {
            assert_eq!(VolumeName::parse(name), None, "{name}");
        }
    }
}
