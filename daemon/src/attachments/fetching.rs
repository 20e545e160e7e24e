//! Fetching one attachment: from whoever holds it, from where it was reached, verified as it comes.

use std::time::Duration;

use portolan_protocol::{
    attachment::{Answer, Layout, PIECE_ENCODED_BYTES_MAX, Request, Wish, piece_at},
    id::{AttachmentId, NodeId, SpaceId},
};
use tokio::{sync::watch, time::timeout};
use tracing::{debug, info, warn};

use super::{
    error::{AttachmentsError, blocking},
    handle::Attachments,
    part::Part,
};
use crate::transport::Exchange;

/// A piece has to be there by then: 17 kbit/s.
const PIECE_TIMEOUT: Duration = Duration::from_secs(120);
/// How often a peer is gone back to although the exchange with it was cut, while something came each time.
const CUTS_MAX: u32 = 64;

/// Who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it.
    Awaited,
    /// The node itself: it makes way for what somebody waits for.
    ByTheWay,
}

/// What fetching came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes of the ciphertext that were here before.
    pub resumed_at: u64,
    /// Bytes that came now.
    pub bytes: u64,
}

/// Counts one who waits, while it lives.
pub(super) struct Awaiting(watch::Sender<usize>);

impl Awaiting {
    pub(super) fn new(count: &watch::Sender<usize>) -> Awaiting {
        count.send_modify(|count| *count += 1);
        Awaiting(count.clone())
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Attachments {
    /// Fetches an attachment to which a record of `space` refers, unless it is here. `tell` hears how many bytes are here.
    ///
    /// # Errors
    /// [`AttachmentsError::Missing`] when nobody who is connected holds it, [`AttachmentsError::NoRoom`],
    /// [`AttachmentsError::Later`] when it made way.
    pub async fn fetch(
        &self,
        id: AttachmentId,
        layout: Layout,
        urgency: Urgency,
        mut tell: impl FnMut(u64),
    ) -> Result<Fetched, AttachmentsError> {
        let awaiting = (urgency == Urgency::Awaited).then(|| Awaiting::new(&self.shared().awaited));
        let _turn = self.turn(id).await;
        let _lane = self.shared().lanes.acquire().await.map_err(|_| AttachmentsError::Unexpected)?;
        if self.files().held(&id).is_some() {
            return Ok(Fetched { resumed_at: layout.ciphertext_bytes(), bytes: 0 });
        }
        let sources = self.sources(id).await?;
        if sources.is_empty() && self.files().partial(&id) == 0 {
            return Err(AttachmentsError::Missing { id, holders: Vec::new() });
        }
        let files = self.files().clone();
        let part = blocking(move || files.part(id, layout)).await?;
        let resumed_at = part.bytes();
        tell(resumed_at);
        let mut fetch = Fetch { attachments: self, id, layout, urgency, part, tell: &mut tell };
        let ended = fetch.by_anybody(sources).await;
        let bytes = fetch.part.bytes().saturating_sub(resumed_at);
        ended?;
        let part = fetch.part;
        blocking(move || part.settle()).await?;
        drop(awaiting);
        info!(attachment = %id, resumed_at, bytes, "an attachment was fetched");
        Ok(Fetched { resumed_at, bytes })
    }

    /// Whom to ask: those who said that they hold it, then those who said nothing, then the others.
    async fn sources(&self, id: AttachmentId) -> Result<Vec<(NodeId, SpaceId)>, AttachmentsError> {
        let shared = self.shared();
        let told = shared.holders.of(&id);
        let mut sources: Vec<(NodeId, SpaceId)> = Vec::new();
        for reference in shared.documents.referring(id).await? {
            for peer in self.peers_in(&reference.space) {
                if !sources.iter().any(|(known, _)| *known == peer) {
                    sources.push((peer, reference.space));
                }
            }
        }
        sources.sort_by_key(|(peer, _)| match told.get(peer) {
            Some(told) if told.held => 0,
            None => 1,
            Some(_) => 2,
        });
        Ok(sources)
    }
}

struct Fetch<'a, T> {
    attachments: &'a Attachments,
    id: AttachmentId,
    layout: Layout,
    urgency: Urgency,
    part: Part,
    tell: &'a mut T,
}

impl<T: FnMut(u64)> Fetch<'_, T> {
    async fn by_anybody(&mut self, sources: Vec<(NodeId, SpaceId)>) -> Result<(), AttachmentsError> {
        if self.part.is_whole() {
            return Ok(());
        }
        for (peer, space) in sources {
            for _ in 0..CUTS_MAX {
                let before = self.part.reached();
                match self.by_one(peer, space).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => break,
                    Err(AttachmentsError::Liar { peer, why }) => {
                        warn!(%peer, attachment = %self.id, why, "a peer sent what is not the attachment");
                        self.attachments.shared().holders.note(self.id, peer, false);
                        break;
                    }
                    Err(AttachmentsError::Cut(why)) => {
                        debug!(%peer, attachment = %self.id, why, "fetching was cut");
                        if self.part.reached() == before {
                            break;
                        }
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        Err(AttachmentsError::Missing { id: self.id, holders: Vec::new() })
    }

    /// Fetches from one peer; false when it does not hold it, or not for us.
    async fn by_one(&mut self, peer: NodeId, space: SpaceId) -> Result<bool, AttachmentsError> {
        let wish = Wish::Send { offset: self.part.reached() };
        let (mut exchange, answer) =
            self.attachments.request(peer, Request { space, attachment: self.id, wish }).await?;
        match answer {
            Answer::Held(layout) if layout == self.layout => {}
            Answer::Held(layout) => {
                let (told, said) = (layout.ciphertext_bytes(), self.layout.ciphertext_bytes());
                let why = format!("it has {told} bytes, and by the record {said}");
                return Err(AttachmentsError::Liar { peer, why });
            }
            Answer::NotHeld | Answer::NotAllowed | Answer::Busy => return Ok(false),
        }
        while !self.part.is_whole() {
            if self.urgency == Urgency::ByTheWay && *self.attachments.shared().awaited.borrow() > 0 {
                return Err(AttachmentsError::Later);
            }
            self.piece(peer, &mut exchange).await?;
        }
        Ok(true)
    }

    async fn piece(&mut self, peer: NodeId, exchange: &mut Exchange) -> Result<(), AttachmentsError> {
        let liar = |why: String| AttachmentsError::Liar { peer, why };
        let came = async {
            let mut length = [0; 4];
            exchange.read(&mut length).await.map_err(|error| AttachmentsError::Cut(error.to_string()))?;
            let length = u32::from_be_bytes(length) as usize;
            if !(1..=PIECE_ENCODED_BYTES_MAX).contains(&length) {
                return Err(liar(format!("a piece of {length} bytes")));
            }
            let mut piece = vec![0; length];
            exchange.read(&mut piece).await.map_err(|error| AttachmentsError::Cut(error.to_string()))?;
            Ok(piece)
        };
        let piece = timeout(PIECE_TIMEOUT, came).await;
        let piece = piece.unwrap_or_else(|_| Err(AttachmentsError::Cut("nothing came for too long".into())))?;
        let range = piece_at(self.layout.ciphertext_bytes(), self.part.reached());
        let (mut part, end) = (self.part.clone(), range.end);
        match blocking(move || part.take(&range, &piece).map(|()| part)).await {
            Ok(part) => self.part = part,
            Err(AttachmentsError::File(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(liar(error.to_string()));
            }
            Err(error) => return Err(error),
        }
        (self.tell)(self.part.bytes());
        if self.part.reached() > end && !self.part.is_whole() {
            // The sender goes on with what is here already.
            return Err(AttachmentsError::Cut("what follows is here; it goes on behind that".into()));
        }
        Ok(())
    }
}
