//! The door to the library for zip files: finds the manifest of a package, and looks at all names and sizes before it reads a byte.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use zip::ZipArchive;

use super::refusal::Refusal;

const MANIFEST: &str = "imsmanifest.xml";
/// Most files of a package.
const ENTRIES_MAX: usize = 100_000;
/// Longest table of them.
const DIRECTORY_BYTES_MAX: u64 = 32 << 20;
/// Longest manifest, unpacked.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// What a package may take unpacked, as a multiple of what it has; real ones come to 20 at the most.
const RATIO_MAX: u128 = 200;
/// Below this much nobody is harmed whatever the ratio.
const UNPACKED_FLOOR: u128 = 64 << 20;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
/// Where the end of the table must begin: within what a comment may take, and the larger form of it.
const TAIL_BYTES: u64 = 22 + 65_535 + 20 + 56;

/// The text of the manifest; none where the file is no zip, or has none at its top.
pub(super) fn manifest(mut opened: File) -> Result<Option<Vec<u8>>, Refusal> {
    let Ok(packed) = opened.seek(SeekFrom::End(0)) else { return Ok(None) };
    match directory(&mut opened, packed) {
        Ok(Some(within)) if within => {}
        Ok(Some(_)) => return Err(Refusal::Entries(ENTRIES_MAX)),
        // No zip, or one that cannot be read: a file like any other.
        Ok(None) | Err(_) => return Ok(None),
    }
    let Ok(mut archive) = ZipArchive::new(opened) else { return Ok(None) };
    let Some(place) = archive.index_for_name(MANIFEST) else { return Ok(None) };
    if archive.len() > ENTRIES_MAX {
        return Err(Refusal::Entries(ENTRIES_MAX));
    }
    let cannot = |error: &dyn std::fmt::Display| Refusal::Manifest(error.to_string());
    let mut unpacked = 0_u128;
    for number in 0..archive.len() {
        let entry = archive.by_index_raw(number).map_err(|error| cannot(&error))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if leads_elsewhere(&name) {
            return Err(Refusal::Traversal(name));
        }
        unpacked += u128::from(entry.size());
    }
    if unpacked > UNPACKED_FLOOR.max(RATIO_MAX * u128::from(packed)) {
        return Err(Refusal::Bomb { packed, unpacked });
    }
    let entry = archive.by_index(place).map_err(|error| cannot(&error))?;
    let mut text = Vec::new();
    // What it says of its own size is not believed.
    entry.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| cannot(&error))?;
    if text.len() as u64 > MANIFEST_BYTES_MAX {
        return Err(cannot(&format!("it has more than {MANIFEST_BYTES_MAX} bytes")));
    }
    Ok(Some(text))
}

/// Whether the table of files is within bounds; none where the file ends like no zip. The library would take all of it into memory.
fn directory(opened: &mut File, packed: u64) -> io::Result<Option<bool>> {
    let mut tail = Vec::new();
    opened.seek(SeekFrom::Start(packed.saturating_sub(TAIL_BYTES)))?;
    opened.take(TAIL_BYTES).read_to_end(&mut tail)?;
    opened.seek(SeekFrom::Start(0))?;
    let last = |mark: [u8; 4]| tail.windows(4).rposition(|window| window == mark);
    let number = |at: usize, bytes: usize| {
        let field = tail.get(at..at + bytes).unwrap_or_default();
        field.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let Some(end) = last(END) else { return Ok(None) };
    let (mut entries, mut bytes) = (number(end + 10, 2), number(end + 12, 4));
    if let Some(end) = last(END_64) {
        (entries, bytes) = (entries.max(number(end + 32, 8)), bytes.max(number(end + 40, 8)));
        // What the smaller form cannot say stands in it as the greatest number.
        bytes = if bytes == u64::from(u32::MAX) { number(end + 40, 8) } else { bytes };
    }
    Ok(Some(entries <= ENTRIES_MAX as u64 && bytes <= DIRECTORY_BYTES_MAX))
}

/// Whether a name leads out of a directory in which it is unpacked, on any system.
fn leads_elsewhere(name: &str) -> bool {
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with(['/', '\\'])
        || has_drive
        || name.contains('\0')
        || name.split(['/', '\\']).any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> File {
        let mut writer = ZipWriter::new(tempfile::tempfile().unwrap());
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn a_manifest_is_found_and_other_files_are_no_packages() {
        let files: [(&str, &[u8]); 2] = [("index.html", b"x"), (MANIFEST, b"<manifest/>")];
        assert_eq!(manifest(packed(&files)), Ok(Some(b"<manifest/>".to_vec())));
        assert_eq!(manifest(packed(&[("sub/imsmanifest.xml", b"x")])), Ok(None));
        let mut other = tempfile::tempfile().unwrap();
        other.write_all(b"%PDF-1.7 and PK\x05\x06 in it").unwrap();
        assert_eq!(manifest(other), Ok(None));
        assert_eq!(manifest(tempfile::tempfile().unwrap()), Ok(None));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../evil", "a/../../evil", "/etc/passwd", "..\\evil", "C:\\evil", "\\\\host\\share"] {
            let outcome = manifest(packed(&[(MANIFEST, b"<manifest/>"), (name, b"x")]));
            assert!(matches!(outcome, Err(Refusal::Traversal(_))), "{name}: {outcome:?}");
        }
    }

    #[test]
    fn bombs_and_giant_manifests_are_refused() {
        let zeros = vec![0; 80 << 20];
        let outcome = manifest(packed(&[(MANIFEST, b"<manifest/>"), ("zeros", &zeros)]));
        assert!(matches!(outcome, Err(Refusal::Bomb { .. })), "{outcome:?}");
        let outcome = manifest(packed(&[(MANIFEST, &zeros[..2 << 20])]));
        assert!(matches!(outcome, Err(Refusal::Manifest(_))), "{outcome:?}");
    }

    #[test]
    fn a_table_that_says_too_much_is_not_taken_into_memory() {
        let mut end = [0; 22];
        end[..4].copy_from_slice(&END);
        end[10..12].copy_from_slice(&2_u16.to_le_bytes());
        end[12..16].copy_from_slice(&(1_u32 << 30).to_le_bytes());
        let mut lying = tempfile::tempfile().unwrap();
        lying.write_all(&end).unwrap();
        assert_eq!(manifest(lying), Err(Refusal::Entries(ENTRIES_MAX)));
    }
}
