//! From a stored payload to a change that may be given to the Automerge door. It looks at one entry alone.

use portolan_protocol::{
    change::{ChangePayload, actor_id},
    crypto::aead::Key,
    entry::{Header, LogKey},
    id::EpochId,
    membership::log_key,
    view::SpaceView,
};

use crate::prevalidate::{ChangeFacts, prevalidate};

/// A change as its author signed it.
pub(super) struct Reading {
    pub(super) payload: ChangePayload,
    pub(super) facts: ChangeFacts,
}

/// Why an entry holds no change that can be applied.
pub(super) enum Unread {
    /// The key of its epoch is not held.
    Sealed,
    /// Its content is no change in the language of records: the same on every node that can read it.
    Refused { payload: Option<Box<ChangePayload>>, why: String },
}

/// The key of the log and epoch read last. Making one costs more than opening a small payload.
#[derive(Default)]
pub(super) struct LastKey(Option<(LogKey, EpochId, Key)>);

impl LastKey {
    /// Opens a payload and looks through it.
    pub(super) fn read(&mut self, view: &SpaceView, header: &Header, stored: &[u8]) -> Result<Reading, Unread> {
        let payload = self.open(view, header, stored)?;
        let actor = actor_id(&header.log, &payload.document, &payload.salt);
        match prevalidate(&payload.change, &actor) {
            Ok(facts) if facts.dependencies.len() == payload.dependencies.len() => Ok(Reading { payload, facts }),
            Ok(facts) => {
                let (named, actual) = (payload.dependencies.len(), facts.dependencies.len());
                let why = format!("it names {named} entries to build on, and its change builds on {actual}");
                Err(Unread::Refused { payload: Some(Box::new(payload)), why })
            }
            Err(refusal) => Err(Unread::Refused { payload: Some(Box::new(payload)), why: refusal.to_string() }),
        }
    }

    /// Opens a payload.
    pub(super) fn open(&mut self, view: &SpaceView, header: &Header, stored: &[u8]) -> Result<ChangePayload, Unread> {
        let refused = |why: &str| Unread::Refused { payload: None, why: why.to_owned() };
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
