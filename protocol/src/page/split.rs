//! Takes pages apart without asking who vouches for them.

use super::{LogContext, PageEntry, PagePayload, PageReader, PageWriter, RunError};

/// The same entries without their payloads.
///
/// # Errors
/// [`RunError`] when the pages cannot be read.
pub fn without_payloads(context: &LogContext, pages: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, RunError> {
    let [pages] = copy(context, pages, |_| (0, PagePayload::Gap))?;
    Ok(pages)
}

/// Splits pages into those with the entries before `seq` and those from it on. Nothing vouches for either part yet.
///
/// # Errors
/// [`RunError`] when the pages cannot be read.
pub fn split(context: &LogContext, pages: &[Vec<u8>], seq: u64) -> Result<[Vec<Vec<u8>>; 2], RunError> {
    copy(context, pages, |entry| (usize::from(entry.header.seq >= seq), entry.payload))
}

/// Copies each entry to the one of `N` parts that `choose` names, with the payload that it gives. A part has one page, or
/// none where nothing was chosen for it.
fn copy<'a, const N: usize>(
    context: &LogContext,
    pages: &'a [Vec<u8>],
    choose: impl Fn(&PageEntry<'a>) -> (usize, PagePayload<'a>),
) -> Result<[Vec<Vec<u8>>; N], RunError> {
    let mut parts = [const { None::<PageWriter> }; N];
    for page in pages {
        let mut reader = PageReader::new(context, page)?;
        while let Some(entry) = reader.next()? {
            let (part, payload) = choose(&entry);
            let writer = parts[part].get_or_insert_with(|| PageWriter::new(entry.header.seq, entry.header.previous));
            writer.push_parts(&entry.header, &entry.signature, entry.hash, payload);
        }
    }
    Ok(parts.map(|part| part.map(PageWriter::into_bytes).into_iter().collect()))
}
