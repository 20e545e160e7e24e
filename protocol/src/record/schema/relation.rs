//! The relations that links between records state, each with what it is called from the other end.

/// A relation: what `links/<id>/relation` may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// What the record that holds the link says of the target.
    pub name: &'static str,
    /// What the same link says when it is read from the target.
    pub inverse: &'static str,
}

const fn relation(name: &'static str, inverse: &'static str) -> Relation {
    Relation { name, inverse }
}

/// The relations. Every inverse is a relation too, whose inverse is the first.
pub const RELATIONS: &[Relation] = &[
    relation("see", "see"),
    relation("supersedes", "superseded_by"),
    relation("superseded_by", "supersedes"),
    relation("part_of", "has_part"),
    relation("has_part", "part_of"),
    relation("addresses", "addressed_by"),
    relation("addressed_by", "addresses"),
    relation("translation_of", "has_translation"),
    relation("has_translation", "translation_of"),
    relation("outcome_of", "has_outcome"),
    relation("has_outcome", "outcome_of"),
    relation("follows", "followed_by"),
    relation("followed_by", "follows"),
    relation("derived_from", "source_of"),
    relation("source_of", "derived_from"),
    relation("replies_to", "has_reply"),
    relation("has_reply", "replies_to"),
    relation("implements", "implemented_by"),
    relation("implemented_by", "implements"),
    relation("evidence_for", "has_evidence"),
    relation("has_evidence", "evidence_for"),
    relation("extract_of", "has_extract"),
    relation("has_extract", "extract_of"),
];

/// The names alone, for the row `links/<id>/relation`.
pub(super) const RELATION_NAMES: [&str; RELATIONS.len()] = {
    let mut names = [""; RELATIONS.len()];
    let mut index = 0;
    while index < RELATIONS.len() {
        names[index] = RELATIONS[index].name;
        index += 1;
    }
    names
};

/// What `relation` is called from the other end, where it is known.
pub fn inverse_relation(relation: &str) -> Option<&'static str> {
    RELATIONS.iter().find(|known| known.name == relation).map(|known| known.inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_relation_reads_both_ways() {
        for relation in RELATIONS {
            assert_eq!(inverse_relation(relation.inverse), Some(relation.name));
        }
        assert_eq!(inverse_relation("addresses"), Some("addressed_by"));
        assert_eq!(inverse_relation("likes"), None);
    }
}
