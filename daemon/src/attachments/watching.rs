//! Fetching without being asked: what records refer to and the policy wants, when it is heard of, and again when somebody connects.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portolan_protocol::{api::Event, attachment::Layout, id::AttachmentId};
use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, sleep_until},
};
use tracing::{debug, warn};

use super::{
    error::AttachmentsError,
    fetching::Urgency,
    handle::{Attachments, LANES},
    queue::{LeftOut, Queue},
};
use crate::{clock, documents::Reference};

/// How long after a failure everything that is wanted is gone through again, if nobody connects before; each time twice as long.
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_MOST: Duration = Duration::from_secs(300);

/// See the head of the file. Clones share it.
#[derive(Clone)]
struct Wanted {
    attachments: Attachments,
    queue: Arc<Mutex<Queue>>,
    wake: Arc<Notify>,
    /// Something could not be fetched: it is looked for again.
    failed: Arc<Notify>,
}

impl Attachments {
    /// Fetches what the policy wants, as long as the node runs. `feed` tells of records.
    pub async fn watch(self, mut feed: broadcast::Receiver<Event>) {
        let wanted = Wanted {
            attachments: self.clone(),
            queue: Arc::default(),
            wake: Arc::new(Notify::new()),
            failed: Arc::new(Notify::new()),
        };
        for _ in 0..LANES {
            tokio::spawn(wanted.clone().work());
        }
        let mut moves = self.shared().engine.moves();
        let (mut again, mut wait) = (None, AGAIN);
        wanted.look_at_all().await;
        loop {
            tokio::select! {
                event = feed.recv() => match event {
                    Ok(Event::Document { space, document }) => {
                        // A save is told of before its summary is made; then it is told of again.
                        if let Ok(references) = self.shared().documents.references_of(space, document).await {
                            references.into_iter().for_each(|reference| wanted.look_at(reference));
                        }
                    }
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => wanted.look_at_all().await,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                moved = moves.changed() => {
                    if moved.is_err() {
                        return;
                    }
                    wait = AGAIN;
                    wanted.look_at_all().await;
                }
                () = wanted.failed.notified(), if again.is_none() => again = Some(clock::monotonic() + wait),
                () = until(again) => {
                    again = None;
                    wait = (wait * 2).min(AGAIN_MOST);
                    wanted.look_at_all().await;
                }
            }
        }
    }
}

/// Resolves at that moment, if there is one.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Wanted {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_at(&self, reference: Reference) {
        let shared = self.attachments.shared();
        let is_wanted = shared.policy.wants(reference.size);
        if is_wanted && self.attachments.files().held(&reference.attachment).is_none() {
            self.queue().put(reference.attachment, reference.size);
            self.wake.notify_one();
        }
    }

    async fn look_at_all(&self) {
        // Everything is found in its turn: what is not derived yet is told of when it is.
        let documents = &self.attachments.shared().documents;
        if let Err(error) = documents.each_reference(|reference| self.look_at(reference)).await {
            debug!(%error, "what records refer to is not known now");
        }
    }

    async fn work(self) {
        let mut awaited = self.attachments.shared().awaited.subscribe();
        loop {
            // Who asks for something goes first.
            if awaited.wait_for(|count| *count == 0).await.is_err() {
                return;
            }
            let next = self.queue().take();
            let Some((id, layout)) = next else {
                let left_out = self.queue().take_left_out();
                match left_out {
                    LeftOut::Now => {
                        self.look_at_all().await;
                        continue;
                    }
                    LeftOut::Later => self.failed.notify_one(),
                    LeftOut::Nothing => {}
                }
                self.wake.notified().await;
                continue;
            };
            // What else waits is for the other.
            self.wake.notify_one();
            self.fetch(id, layout).await;
        }
    }

    async fn fetch(&self, id: AttachmentId, layout: Layout) {
        match self.attachments.fetch(id, layout, Urgency::ByTheWay, |_| {}).await {
            Ok(_) => self.queue().fetched(),
            Err(AttachmentsError::Later) => self.queue().put(id, layout.plaintext_bytes()),
            Err(AttachmentsError::Missing { .. }) => self.failed.notify_one(),
            Err(error) => {
                warn!(attachment = %id, %error, "an attachment cannot be fetched now");
                self.failed.notify_one();
            }
        }
    }
}
