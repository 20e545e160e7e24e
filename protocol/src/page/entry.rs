//! One entry as read from a page, and where its payload is.

use crate::{
    crypto::signing::Signature,
    entry::{EntryRef, Header},
    id::EntryHash,
};

/// Where the payload of an entry on a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagePayload<'a> {
    /// On the page.
    Inline(&'a [u8]),
    /// Not held.
    Gap,
    /// Held by the store under a key of its own.
    Elsewhere,
}

/// One entry as read from a page.
#[derive(Clone, Debug)]
pub struct PageEntry<'a> {
    /// The whole header, with what position implies filled in.
    pub header: Header,
    /// The signature as stated; unchecked.
    pub signature: Signature,
    /// The entry's hash.
    pub hash: EntryHash,
    /// The payload.
    pub payload: PagePayload<'a>,
}

impl PageEntry<'_> {
    /// The reference to the entry.
    pub fn reference(&self) -> EntryRef {
        EntryRef { log: self.header.log, seq: self.header.seq, hash: self.hash }
    }
}
