//! Asking peers whether they hold an attachment.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use portolan_protocol::{
    attachment::{ANSWER_BYTES, Answer, Request, Wish},
    id::{AttachmentId, NodeId, SpaceId},
};
use tokio::time::timeout;

use super::{error::AttachmentsError, handle::Attachments};
use crate::transport::{Exchange, TransportError};

/// The answer has to be there by then: two round trips by satellite, and a busy disk.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// What was said less long ago is not asked again.
const FRESH: Duration = Duration::from_secs(15);
/// Questions that are out at a time, and how long somebody is kept waiting for all of them.
const QUESTIONS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(3);

impl Attachments {
    /// Peers that are connected and may hold what a record of `space` refers to.
    pub(super) fn peers_in(&self, space: &SpaceId) -> Vec<NodeId> {
        let connected = self.shared().engine.connected();
        connected.into_iter().filter(|peer| self.shared().is_reader(space, *peer)).collect()
    }

    /// Asks connected peers who holds these, where they have not said so lately. Whoever does not answer in time is not known to.
    pub async fn ask(&self, space: SpaceId, ids: Vec<AttachmentId>) {
        let peers = self.peers_in(&space);
        let questions = ids.into_iter().flat_map(|id| peers.iter().map(move |peer| (*peer, id)));
        let questions: Vec<_> = questions
            .filter(|(peer, id)| !self.shared().holders.is_fresh(id, peer, FRESH))
            .map(|(peer, id)| self.question(peer, space, id))
            .collect();
        let all = stream::iter(questions).buffer_unordered(QUESTIONS).for_each(|()| async {});
        // What did not come by then is asked again next time.
        let _ = timeout(PATIENCE, all).await;
    }

    async fn question(&self, peer: NodeId, space: SpaceId, attachment: AttachmentId) {
        // A peer that cannot be asked has said nothing.
        let _ = self.request(peer, Request { space, attachment, wish: Wish::Whether }).await;
    }

    /// Asks a peer something, and takes note of what it says.
    pub(super) async fn request(&self, peer: NodeId, request: Request) -> Result<(Exchange, Answer), AttachmentsError> {
        let asked = async {
            let mut exchange = self.shared().engine.exchange(&peer).await?;
            exchange.write(request.encode().to_vec()).await?;
            exchange.finish();
            let mut answer = [0; ANSWER_BYTES];
            exchange.read(&mut answer).await?;
            Ok::<_, TransportError>((exchange, answer))
        };
        let asked = timeout(ANSWER_TIMEOUT, asked).await.map_err(|_| TransportError::TimedOut).and_then(|asked| asked);
        let (exchange, answer) = asked.map_err(|error| AttachmentsError::Cut(error.to_string()))?;
        let answer = Answer::decode(&answer)?;
        if answer != Answer::Busy {
            let held = matches!(answer, Answer::Held(_));
            self.shared().holders.note(request.attachment, peer, held);
        }
        Ok((exchange, answer))
    }
}
