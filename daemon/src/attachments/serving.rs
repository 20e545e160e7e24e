//! Answering peers: whether something is held, and the bytes of it, to those who may read a record that refers to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portolan_protocol::{
    attachment::{Answer, Layout, REQUEST_BYTES, Request, Wish, piece_at},
    id::{AttachmentId, NodeId, SpaceId},
};
use tokio::{sync::Semaphore, time::timeout};
use tracing::debug;

use super::{
    error::{AttachmentsError, blocking},
    handle::{Attachments, LANES},
};
use crate::{documents::Stage, engine::Exchanges, transport::Exchange};

/// Requests that are answered at a time.
const REQUESTS_MAX: usize = 256;
/// Files that are sent at a time.
const SENDING_MAX: usize = 16;
/// A request has to be there by then.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it is waited for records to be looked at.
const SUMMARY_TIMEOUT: Duration = Duration::from_secs(2);
/// A piece has to be taken by then.
const PIECE_TIMEOUT: Duration = Duration::from_secs(120);

/// Who is being sent how much.
#[derive(Clone, Default)]
struct Sending(Arc<Mutex<BTreeMap<NodeId, usize>>>);

/// One place, given back when dropped.
struct Place(Sending, NodeId);

impl Sending {
    fn enter(&self, peer: NodeId) -> Option<Place> {
        let mut sending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // As many as a node fetches at a time; a peer that does not is served, one that wants more waits.
        let is_full = sending.values().sum::<usize>() >= SENDING_MAX;
        let own = sending.entry(peer).or_default();
        if is_full || *own >= LANES {
            return None;
        }
        *own += 1;
        Some(Place(self.clone(), peer))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sending = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = sending.get_mut(&self.1) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                sending.remove(&self.1);
            }
        }
    }
}

impl Attachments {
    /// Answers what peers ask, until the engine has ended.
    pub async fn serve(self, mut exchanges: Exchanges) {
        let places = Arc::new(Semaphore::new(REQUESTS_MAX));
        let sending = Sending::default();
        while let Some((peer, exchange)) = exchanges.recv().await {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let (this, sending) = (self.clone(), sending.clone());
            tokio::spawn(async move {
                if let Err(error) = this.answer(peer, exchange, &sending).await {
                    debug!(%peer, %error, "a request for an attachment came to no end");
                }
                drop(place);
            });
        }
    }

    async fn answer(&self, peer: NodeId, mut exchange: Exchange, sending: &Sending) -> Result<(), AttachmentsError> {
        let cut = |error: &dyn std::fmt::Display| AttachmentsError::Cut(error.to_string());
        let mut request = [0; REQUEST_BYTES];
        let came = timeout(REQUEST_TIMEOUT, exchange.read(&mut request)).await;
        came.map_err(|error| cut(&error))?.map_err(|error| cut(&error))?;
        let Request { space, attachment, wish } = Request::decode(&request)?;
        let held = self.held_for(peer, space, attachment).await?;
        let place = match (held, wish) {
            (Answer::Held(_), Wish::Send { .. }) => sending.enter(peer),
            _ => None,
        };
        let answer = match (held, wish, &place) {
            (Answer::Held(_), Wish::Send { .. }, None) => Answer::Busy,
            (held, ..) => held,
        };
        exchange.write(answer.encode().to_vec()).await.map_err(|error| cut(&error))?;
        let (Answer::Held(layout), Wish::Send { offset }) = (answer, wish) else {
            exchange.finish();
            return Ok(());
        };
        let sent = self.send(peer, space, attachment, layout, offset, &mut exchange).await;
        match &sent {
            Ok(()) => exchange.finish(),
            Err(_) => exchange.abandon(),
        }
        drop(place);
        sent
    }

    /// What a peer is told: it learns of nothing that it may not read.
    async fn held_for(
        &self,
        peer: NodeId,
        space: SpaceId,
        attachment: AttachmentId,
    ) -> Result<Answer, AttachmentsError> {
        if !self.shared().is_reader(&space, peer) {
            return Ok(Answer::NotAllowed);
        }
        let Some(Ok(layout)) = self.files().held(&attachment).map(Layout::of_ciphertext) else {
            return Ok(Answer::NotHeld);
        };
        if !self.is_referenced(space, attachment).await? {
            // The peer may have looked at a new record before this node has.
            let _ = timeout(SUMMARY_TIMEOUT, self.shared().documents.flush(Stage::Summarised)).await;
            if !self.is_referenced(space, attachment).await? {
                return Ok(Answer::NotHeld);
            }
        }
        Ok(Answer::Held(layout))
    }

    async fn is_referenced(&self, space: SpaceId, attachment: AttachmentId) -> Result<bool, AttachmentsError> {
        let referring = self.shared().documents.referring(attachment).await?;
        Ok(referring.iter().any(|reference| reference.space == space))
    }

    async fn send(
        &self,
        peer: NodeId,
        space: SpaceId,
        id: AttachmentId,
        layout: Layout,
        offset: u64,
        exchange: &mut Exchange,
    ) -> Result<(), AttachmentsError> {
        let total = layout.ciphertext_bytes();
        let mut reached = offset;
        while reached < total {
            // It may be removed while it is being served.
            if !self.shared().is_reader(&space, peer) {
                return Err(AttachmentsError::Cut("the peer may not read the space any more".into()));
            }
            let range = piece_at(total, reached);
            reached = range.end;
            let files = self.files().clone();
            let encoded = blocking(move || files.encode(id, total, &range)).await?;
            let length = u32::try_from(encoded.len()).map_err(|_| AttachmentsError::Unexpected)?;
            let sent = async {
                exchange.write(length.to_be_bytes().to_vec()).await?;
                exchange.write(encoded).await
            };
            let sent = timeout(PIECE_TIMEOUT, sent).await;
            let sent = sent.map_err(|_| AttachmentsError::Cut("the peer takes nothing".into()))?;
            sent.map_err(|error| AttachmentsError::Cut(error.to_string()))?;
        }
        Ok(())
    }
}
