//! A folder of pages that any browser opens from a stick: what a space holds, to be read and searched without a daemon, a server or a
//! network.
//!
//! ```text
//! index.html, list-2.html, ...   all records by title
//! records/ID.html                a page for each
//! attachments/ID/NAME            its files, where they are wanted
//! reader/reader.js, reader.css   the search, the look
//! reader/records.js              all records in short, for the search
//! reader/search.js, words/N.js   which word stands in which record
//! ```
//!
//! Records are taken one after the other and kept on disk; pages are written when all are known, since a page tells what leads to it.

mod direction;
mod escape;
mod words;

mod catalogue;
mod frame;
mod markdown;
mod search_words;
mod spool;

mod fields;
mod list_pages;

mod files;

mod record_page;

use std::{collections::BTreeMap, path::Path};

use portolan_protocol::{
    api::DocumentView,
    record::{Kind, RecordView, Value, field_of},
};

use self::{
    catalogue::Catalogue,
    frame::Frame,
    list_pages::List,
    search_words::Index,
    spool::{Spool, Spooled},
};
use super::Folder;
use crate::error::Result;

pub use list_pages::Marked;
pub use words::Interface;

const STYLE: &str = include_str!("reader.css");
const SCRIPT: &str = include_str!("reader.js");

/// The reader, while records are taken.
#[derive(Debug)]
pub struct Reader {
    folder: Folder,
    spool: Spool,
    catalogue: Catalogue,
    index: Index,
}

impl Reader {
    /// Begins in the folder.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn create(path: &Path, folder: Folder) -> Result<Self> {
        Ok(Self { folder, spool: Spool::create(path)?, catalogue: Catalogue::default(), index: Index::default() })
    }

    /// The folder, for what is no page.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Takes a record, and the files of it that lie in the folder: by the ids of attachments, their paths below it.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn add(&mut self, view: DocumentView, files: BTreeMap<String, String>) -> Result<()> {
        let number = u32::try_from(self.catalogue.add(&view.record)).unwrap_or(u32::MAX);
        let (titles, texts) = (texts(&view.record, true), texts(&view.record, false));
        self.index.add(number, titles, texts);
        self.spool.push(&Spooled { view, files })
    }

    /// Writes the pages; `written` is told how many records are.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn finish(self, space: &str, words: Interface, marked: &Marked, mut written: impl FnMut(u64)) -> Result<()> {
        let Self { folder, spool, catalogue, index } = self;
        for directory in ["reader", "reader/words", "records"] {
            folder.directory(directory)?;
        }
        folder.file("reader/reader.css", STYLE)?;
        folder.file("reader/reader.js", SCRIPT)?;
        let ranks = catalogue.ranks();
        index.write(&ranks, |name, text| folder.file(name, text))?;
        let frame = Frame { words, space, root: "" };
        let list = List::new(&frame, &catalogue, &ranks, marked);
        folder.file("reader/records.js", &list.script())?;
        let frame = Frame { root: "../", ..frame };
        let mut number = 0;
        spool.read(|record| {
            folder.file(
                &format!("records/{}.html", record.view.record.id),
                &record_page::page(&frame, &catalogue, &record),
            )?;
            number += 1;
            written(number);
            Ok(())
        })?;
        // The first page is there when all that it leads to is.
        (0..list.pages()).rev().try_for_each(|number| folder.file(&List::name(number), &list.page(number)))?;
        folder.finish()
    }

    /// The language that most records are in, of those that the reader speaks.
    pub fn usual_language(&self) -> Interface {
        let spoken =
            self.catalogue.heads().iter().filter_map(|head| head.language.as_deref()).filter_map(Interface::of);
        let mut counts = [0_usize; Interface::ALL.len()];
        spoken.for_each(|language| counts[language as usize] += 1);
        let most = Interface::ALL.into_iter().rev().max_by_key(|language| counts[*language as usize]);
        most.unwrap_or(Interface::English)
    }
}

/// The titles of a record, or its other texts and ids, as far as people look for them; those that are contested too.
fn texts(record: &RecordView, titles: bool) -> impl Iterator<Item = &str> {
    let wanted = move |key: &str| key.starts_with("title/") == titles && is_for_people(key);
    let values = record.fields.iter().filter(move |(key, _)| wanted(key)).flat_map(|(key, value)| {
        let conflicts = record.conflicts.get(key).into_iter().flatten();
        std::iter::once(value).chain(conflicts).filter_map(Value::as_str)
    });
    let is_set = |key: &str| ["tags/", "areas/", "programmes/"].iter().any(|set| key.starts_with(set));
    let members = record.fields.iter().filter(move |(key, value)| is_set(key) && **value == Value::Bool(true));
    let ids = members.filter_map(|(key, _)| key.split_once('/')).map(|(_, id)| id);
    values.chain(ids.filter(move |_| !titles))
}

/// Whether a key holds words that people look for.
fn is_for_people(key: &str) -> bool {
    let is_apparatus = matches!(key, "type" | "schema" | "language" | "status" | "marking")
        || ["translations/", "retention/"].iter().any(|set| key.starts_with(set))
        || ["links/", "attachments/"].iter().any(|set| key.starts_with(set)) && !is_in_a_language(key);
    let kind = field_of(key).map(|field| field.kind);
    !is_apparatus && !matches!(kind, Some(Kind::Position | Kind::Marking | Kind::Member))
}

fn is_in_a_language(key: &str) -> bool {
    portolan_protocol::record::language_of(key).is_some()
}

#[cfg(test)]
mod tests {
    use portolan_protocol::id::DocumentId;

    use super::*;

    #[test]
    fn what_is_no_member_any_more_is_not_found() {
        let values = [("tags/gone", false), ("tags/here", true)];
        let values = values.map(|(key, is_member)| (key.to_owned(), vec![is_member.into()]));
        let record = RecordView::new(DocumentId([1; 16]), vec![], values.into());
        assert_eq!(texts(&record, false).collect::<Vec<_>>(), ["here"]);
    }
}
