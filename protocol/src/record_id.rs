//! Ids that are derived instead of drawn: what two nodes import apart from the same source is one record.
//!
//! An id is no secret and proves nothing; who wrote what is said by signatures alone.

use data_encoding::BASE32_NOPAD;

use crate::id::{DocumentId, SpaceId};

const DOCUMENT: &str = "portolan 2026-11 suite 1 document imported from a source";
const ITEM: &str = "portolan 2026-11 suite 1 item imported into a list";

/// Bytes of an item's id: enough that the items of one record never meet by chance.
const ITEM_BYTES: usize = 10;

/// The document for the file at `path` of the source called `source`, in `space`.
///
/// `path` is relative to the source, with `/` between its parts.
pub fn imported_document(space: &SpaceId, source: &str, path: &str) -> DocumentId {
    let mut hasher = blake3::Hasher::new_derive_key(DOCUMENT);
    hasher.update(space.as_bytes());
    update_counted(&mut hasher, source);
    update_counted(&mut hasher, path);
    let mut id = DocumentId::default();
    hasher.finalize_xof().fill(&mut id.0);
    id
}

/// The `<id>` under which a list item with this content stands in a record's flat keys.
pub fn imported_item(content: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(ITEM);
    update_counted(&mut hasher, content);
    let mut bytes = [0; ITEM_BYTES];
    hasher.finalize_xof().fill(&mut bytes);
    BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
}

/// The length goes before the text, so that no two lists of texts are the same bytes.
fn update_counted(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: SpaceId = SpaceId([7; 32]);

    #[test]
    fn the_same_source_is_the_same_document() {
        assert_eq!(imported_document(&SPACE, "guide", "fr/a.md"), imported_document(&SPACE, "guide", "fr/a.md"));
        assert_eq!(imported_document(&SPACE, "guide", "fr/a.md").to_string(), "rlssrc37wmli5ka2amj5fp4yfu");
        assert_eq!(imported_item("Lire une carte"), "q5bgvwsfo3s645f4");
    }

    #[test]
    fn every_part_counts_and_none_runs_into_the_next() {
        let ids = [
            imported_document(&SPACE, "guide", "a.md"),
            imported_document(&SpaceId([8; 32]), "guide", "a.md"),
            imported_document(&SPACE, "guid", "ea.md"),
            imported_document(&SPACE, "", "guidea.md"),
        ];
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids.iter().skip(index + 1).any(|other| other == id), "{index}");
        }
    }
}
