//! Changes of records as a member may sign them: what the pre-validator lets through can be applied, shown, edited and kept.

use portolan_daemon::{
    automerge_door::Document,
    prevalidate::{SafeChange, outline},
};
use portolan_protocol::id::DocumentId;

use super::bytes::Bytes;
use crate::attacks;

/// The actor that all changes are by; the samples are as well.
pub const ACTOR: [u8; 32] = [3; 32];
/// Changes that one document is made of, at most.
const CHANGES_MAX: usize = 8;

/// See the head of the file. Each piece is the content of a change chunk; its frame and its checksum are made here, since no fuzzer
/// would find them.
pub fn changes(data: &[u8]) {
    let mut data = Bytes(data);
    let mut document = Document::new(DocumentId([1; 16]));
    for _ in 0..CHANGES_MAX {
        if data.is_empty() {
            break;
        }
        let raw = attacks::chunk(1, data.piece());
        drop(outline(&raw, &ACTOR));
        let Ok(change) = SafeChange::new(raw, &ACTOR) else { continue };
        assert!(change.references(|_| ()).is_ok(), "what passed can be gone through");
        if let Err(fault) = document.apply(&[change]) {
            unreachable!("the library fails on what passed: {fault}");
        }
    }
    assert!(document.view().is_ok() && document.summary(None).is_ok(), "what is applied can be shown");
    let kept = document.save().map(|bytes| Document::load(document.id(), &bytes));
    assert!(
        matches!(kept, Ok(Ok(kept)) if kept.heads() == document.heads()),
        "what is applied can be kept, and is the same again"
    );
}
