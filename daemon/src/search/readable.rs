//! The index as it is read: by many at once, each at the moment of the last commit.

use tantivy::IndexReader;

use super::{analysis::Analysers, schema::Fields};

/// See the head of the file.
#[derive(Clone)]
pub(super) struct Readable {
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
    pub(super) analysers: Analysers,
}
