//! Fetches of one attachment follow one another: the second finds it here, or goes on where the first stopped.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use portolan_protocol::id::AttachmentId;
use tokio::sync::{Mutex as Waiting, OwnedMutexGuard};

/// One's turn, over when it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

/// See the head of the file.
#[derive(Default)]
pub(super) struct Turns(Mutex<BTreeMap<AttachmentId, Weak<Waiting<()>>>>);

impl Turns {
    pub(super) async fn wait(&self, id: AttachmentId) -> Turn {
        let waiting = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, waiting| waiting.strong_count() > 0);
            let waiting = all.get(&id).and_then(Weak::upgrade).unwrap_or_default();
            all.insert(id, Arc::downgrade(&waiting));
            waiting
        };
        waiting.lock_owned().await
    }
}
