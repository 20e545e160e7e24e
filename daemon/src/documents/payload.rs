//! From a stored payload to a change that may be given to the Automerge door. It looks at one entry alone.

use std::mem;

use portolan_protocol::{
    change::{ChangePayload, actor_id},
    crypto::aead::Key,
    entry::{Header, LogKey},
    id::{DocumentId, EpochId},
    membership::log_key,
    view::SpaceView,
};

use crate::prevalidate::SafeChange;

/// A change as its author signed it.
pub(super) struct Reading {
    /// The payload, its change taken out.
    pub(super) payload: ChangePayload,
    pub(super) change: SafeChange,
}

/// Why an entry holds no change that can be applied.
pub(super) enum Unread {
    /// The key of its epoch is not held.
    Sealed,
    /// Its content is no change in the language of records: the same on every node that can read it.
    Refused { document: Option<DocumentId>, why: String },
}

/// The key of the log and epoch read last. Making one costs more than opening a small payload.
#[derive(Default)]
pub(super) struct LastKey(Option<(LogKey, EpochId, Key)>);

impl LastKey {
    /// Opens a payload and looks through it.
    pub(super) fn read(&mut self, view: &SpaceView, header: &Header, stored: &[u8]) -> Result<Reading, Unread> {
        let mut payload = self.open(view, header, stored)?;
        let actor = actor_id(&header.log, &payload.document, &payload.salt);
        let why = match SafeChange::new(mem::take(&mut payload.change), &actor) {
            Ok(change) if change.facts().dependencies.len() == payload.dependencies.len() => {
                return Ok(Reading { payload, change });
            }
            Ok(change) => {
                let (named, actual) = (payload.dependencies.len(), change.facts().dependencies.len());
                format!("it names {named} entries to build on, and its change builds on {actual}")
            }
            Err(refusal) => refusal.to_string(),
        };
        Err(Unread::Refused { document: Some(payload.document), why })
    }

    /// Opens a payload.
    pub(super) fn open(&mut self, view: &SpaceView, header: &Header, stored: &[u8]) -> Result<ChangePayload, Unread> {
        let refused = |why: &str| Unread::Refused { document: None, why: why.to_owned() };
        let epoch = header.epoch.ok_or_else(|| refused("it names no epoch"))?;
        if self.0.as_ref().is_none_or(|(log, held, _)| (*log, *held) != (header.log, epoch)) {
            let content = view.keyring.content_key(&epoch).ok_or(Unread::Sealed)?;
            self.0 = Some((header.log, epoch, log_key(content, &header.space, &header.log)));
        }
        let (.., key) = self.0.as_ref().ok_or(Unread::Sealed)?;
        let plain = key
            .open(&header.associated_data(), stored)
            .map_err(|_| refused("it does not open with its epoch's key"))?;
        ChangePayload::decode(&plain).map_err(|error| refused(&error.to_string()))
    }
}
