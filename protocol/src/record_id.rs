//! Ids that are derived instead of drawn: what two nodes import apart from the same source is one record.
//!
//! An id is no secret and proves nothing; who wrote what is said by signatures alone.

use data_encoding::BASE32_NOPAD;

use crate::{
    crypto::hash::Context,
    id::{DocumentId, SpaceId},
};

/// Bytes of an item's id: enough that the items of one record never meet by chance.
const ITEM_BYTES: usize = 10;

/// The document for the file at `path` of the source called `source`, in `space`.
///
/// `path` is relative to the source, with `/` between its parts.
pub fn imported_document(space: &SpaceId, source: &str, path: &str) -> DocumentId {
    // The length goes before the name, so that it cannot run into the path.
    let length = (source.len() as u64).to_le_bytes();
    let hash = Context::IMPORTED_DOCUMENT.hash(&[space.as_bytes(), &length, source.as_bytes(), path.as_bytes()]);
    let mut id = DocumentId::default();
    id.0.copy_from_slice(&hash[..DocumentId::BYTES]);
    id
}

/// The `<id>` under which a list item with this content stands in a record's flat keys.
pub fn imported_item(content: &str) -> String {
    let hash = Context::IMPORTED_ITEM.hash(&[content.as_bytes()]);
    BASE32_NOPAD.encode(&hash[..ITEM_BYTES]).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: SpaceId = SpaceId([7; 32]);

    #[test]
    fn the_same_source_is_the_same_document() {
        assert_eq!(imported_document(&SPACE, "guide", "fr/a.md"), imported_document(&SPACE, "guide", "fr/a.md"));
        assert_eq!(imported_document(&SPACE, "guide", "fr/a.md").to_string(), "yqleavaodrhb7d3on2xopubhd4");
        assert_eq!(imported_item("Lire une carte"), "vsp6td2nlsjxura2");
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
