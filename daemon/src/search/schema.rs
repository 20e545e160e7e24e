//! The fields of the index, and an entry as a document of it.
//!
//! ```text
//! row       id (16), space (32): names the entry, for replacing it, and for the order among equals
//! space     32 bytes
//! facet     facet, U+001F, value: what entries are narrowed by
//! label     labels of concepts, folded, whole
//! updated   milliseconds
//! kept      what is shown of an entry that was found: postcard
//! title/*, text/*   words, for each form
//! ```

use portolan_protocol::{
    folding::beginning,
    id::{DocumentId, SpaceId},
};
use serde::{Deserialize, Serialize};
use tantivy::{
    Index, TantivyDocument, Term,
    schema::{
        FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value as _,
    },
    tokenizer::TokenizerManager,
};

use super::{
    analysis::{Analysers, FORMS, Form, name, place},
    entry::Entry,
};

/// The version of all this; another one is built anew.
pub(super) const FORMAT: &str = "2";

/// Bytes of texts that are kept for passages, of one entry.
const KEPT_BYTES_MAX: usize = 32 << 10;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) row: Field,
    pub(super) space: Field,
    pub(super) facet: Field,
    pub(super) label: Field,
    pub(super) updated: Field,
    kept: Field,
    titles: Vec<Field>,
    texts: Vec<Field>,
}

/// What is kept of an entry beside its words.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Key and text, up to a bound.
    pub(super) texts: Vec<(String, String)>,
    /// Notation and label, where it is a concept.
    pub(super) concept: Option<(String, String)>,
}

/// The name of the column by which equals are put in order.
pub(super) const ROW: &str = "row";

impl Fields {
    /// The fields, and the schema that they make.
    pub(super) fn new() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let words = |form: Form| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(name(form))
                .set_index_option(IndexRecordOption::WithFreqsAndPositions);
            TextOptions::default().set_indexing_options(indexing)
        };
        let fields = Fields {
            row: schema.add_bytes_field(ROW, INDEXED | FAST),
            space: schema.add_bytes_field("space", INDEXED),
            facet: schema.add_text_field("facet", STRING),
            label: schema.add_text_field("label", STRING),
            updated: schema.add_u64_field("updated", INDEXED | FAST),
            kept: schema.add_bytes_field("kept", STORED),
            titles: FORMS.map(|form| schema.add_text_field(&format!("title/{}", name(form)), words(form))).into(),
            texts: FORMS.map(|form| schema.add_text_field(&format!("text/{}", name(form)), words(form))).into(),
        };
        (schema.build(), fields)
    }

    /// The field of titles, and that of other texts, in a form.
    pub(super) fn words(&self, form: Form) -> (Field, Field) {
        (self.titles[place(form)], self.texts[place(form)])
    }

    /// What names the entry of a record.
    pub(super) fn row(&self, space: &SpaceId, id: &DocumentId) -> Term {
        Term::from_field_bytes(self.row, &[&id.0[..], &space.0].concat())
    }

    /// An entry as the index takes it.
    pub(super) fn document(&self, entry: &Entry, analysers: &mut Analysers) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_bytes(self.row, &[&entry.id.0[..], &entry.space.0].concat());
        document.add_bytes(self.space, &entry.space.0);
        entry.facets.iter().for_each(|facet| document.add_text(self.facet, facet));
        entry.updated_ms.iter().for_each(|updated| document.add_u64(self.updated, *updated));
        for text in &entry.texts {
            for form in std::iter::once(None).chain(text.language.map(Some)) {
                let (title, other) = self.words(form);
                document.add_text(if text.is_title() { title } else { other }, &text.text);
            }
        }
        for label in entry.concept.iter().flat_map(|concept| &concept.labels) {
            document.add_text(self.label, whole_label(analysers, label));
        }
        // Postcard refuses only what has no length.
        document.add_bytes(self.kept, &postcard::to_allocvec(&kept(entry)).unwrap_or_default());
        document
    }

    /// What was kept of a document.
    pub(super) fn kept(&self, document: &TantivyDocument) -> Kept {
        let bytes = document.get_first(self.kept).and_then(|value| value.as_bytes());
        bytes.and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default()
    }
}

/// The record that a row names.
pub(super) fn record(row: &[u8]) -> Option<(SpaceId, DocumentId)> {
    let (id, space) = row.split_first_chunk::<16>()?;
    Some((SpaceId(space.try_into().ok()?), DocumentId(*id)))
}

/// A label, or a question, as labels are compared.
pub(super) fn whole_label(analysers: &mut Analysers, label: &str) -> String {
    let words: Vec<String> = analysers.words(None, label).into_iter().map(|word| word.text).collect();
    words.join(" ")
}

/// The ways from texts to words, under the names that the fields call them by.
pub(super) fn install(analysers: &Analysers, index: &mut Index) {
    let manager = TokenizerManager::default();
    for form in FORMS {
        manager.register(name(form), analysers.of(form));
    }
    index.set_tokenizers(manager);
}

fn kept(entry: &Entry) -> Kept {
    let mut room = KEPT_BYTES_MAX;
    let mut texts = Vec::new();
    for text in &entry.texts {
        let start = beginning(&text.text, room);
        if !start.is_empty() {
            texts.push((text.key.clone(), start.to_owned()));
            room -= start.len();
        }
    }
    Kept { texts, concept: entry.concept.as_ref().map(|concept| (concept.notation.clone(), concept.label.clone())) }
}
