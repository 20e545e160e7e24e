//! Takes pages apart without asking who vouches for them.

use super::{LogContext, PagePayload, PageReader, PageWriter, RunError};

/// The same entries without their payloads.
///
/// # Errors
/// [`RunError`] when the pages cannot be read.
pub fn without_payloads(context: &LogContext, pages: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, RunError> {
    let mut writer: Option<PageWriter> = None;
    for page in pages {
        let mut reader = PageReader::new(context, page)?;
        let mut previous = reader.previous();
        while let Some(entry) = reader.next()? {
            let writer = writer.get_or_insert_with(|| PageWriter::new(entry.header.seq, previous));
            writer.push_parts(&entry.header, &entry.signature, entry.hash, PagePayload::Gap);
            previous = entry.hash;
        }
    }
    Ok(writer.map(PageWriter::into_bytes).into_iter().collect())
}

/// Splits pages into those with the entries before `seq` and those from it on. Nothing vouches for either part yet.
///
/// # Errors
/// [`RunError`] when the pages cannot be read.
pub fn split(context: &LogContext, pages: &[Vec<u8>], seq: u64) -> Result<[Vec<Vec<u8>>; 2], RunError> {
    let mut parts: [Option<PageWriter>; 2] = [None, None];
    for page in pages {
        let mut reader = PageReader::new(context, page)?;
        let mut previous = reader.previous();
        while let Some(entry) = reader.next()? {
            let part = &mut parts[usize::from(entry.header.seq >= seq)];
            let writer = part.get_or_insert_with(|| PageWriter::new(entry.header.seq, previous));
            writer.push_parts(&entry.header, &entry.signature, entry.hash, entry.payload);
            previous = entry.hash;
        }
    }
    Ok(parts.map(|part| part.map(PageWriter::into_bytes).into_iter().collect()))
}
