//! One writer at a time for each record. Locks are taken all at once or not at all, so nobody holds one and waits for another.

use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portolan_protocol::id::{DocumentId, SpaceId};
use tokio::sync::Notify;

/// See the head of the file.
#[derive(Default)]
pub(super) struct Locks {
    busy: Mutex<BTreeSet<(SpaceId, DocumentId)>>,
    freed: Notify,
}

/// The right to write some records, until it is dropped.
pub(super) struct Guard {
    locks: Arc<Locks>,
    held: Vec<(SpaceId, DocumentId)>,
}

impl Locks {
    fn busy(&self) -> MutexGuard<'_, BTreeSet<(SpaceId, DocumentId)>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to write `records`, if nobody has it for any of them.
    pub(super) fn try_lock(self: &Arc<Self>, records: &[(SpaceId, DocumentId)]) -> Option<Guard> {
        let mut busy = self.busy();
        if records.iter().any(|record| busy.contains(record)) {
            return None;
        }
        busy.extend(records);
        Some(Guard { locks: self.clone(), held: records.to_vec() })
    }

    /// The right to write `records`, when all of them are free. The caller holds no other.
    pub(super) async fn lock(self: &Arc<Self>, records: &[(SpaceId, DocumentId)]) -> Guard {
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            if let Some(guard) = self.try_lock(records) {
                return guard;
            }
            freed.await;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut busy = self.locks.busy();
        for record in &self.held {
            busy.remove(record);
        }
        drop(busy);
        self.locks.freed.notify_waiters();
    }
}
