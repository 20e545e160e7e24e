//! The handle to attachments: what all parts of the room share.

use std::{path::Path, sync::Arc};

use portolan_protocol::{
    attachment::{Attached, attached},
    control::Role,
    id::{AttachmentId, DocumentId, NodeId, SpaceId},
};
use tokio::sync::{Semaphore, watch};

use super::{
    error::AttachmentsError,
    files::Files,
    holders::{Holders, Told},
    known::Known,
    turns::{Turn, Turns},
};
use crate::{config::Fetch, documents::Documents, engine::Engine, store::Store};

/// Name of the directory in the home.
const DIRECTORY: &str = "attachments";
/// Attachments that are fetched at a time.
pub(super) const LANES: usize = 2;

/// The attachments of this node. Clones share them.
#[derive(Clone)]
pub struct Attachments {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    files: Arc<Files>,
    known: Known,
    pub(super) engine: Engine,
    pub(super) documents: Documents,
    pub(super) policy: Fetch,
    pub(super) holders: Holders,
    pub(super) lanes: Semaphore,
    turns: Turns,
    /// How many fetches somebody waits for.
    pub(super) awaited: watch::Sender<usize>,
}

impl Attachments {
    /// Opens the attachments of the home.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(
        home: &Path,
        engine: Engine,
        documents: Documents,
        store: Store,
        policy: Fetch,
    ) -> Result<Attachments, AttachmentsError> {
        let shared = Shared {
            files: Arc::new(Files::open(home.join(DIRECTORY))?),
            known: Known::new(store),
            engine,
            documents,
            policy,
            holders: Holders::default(),
            lanes: Semaphore::new(LANES),
            turns: Turns::default(),
            awaited: watch::channel(0).0,
        };
        Ok(Attachments { shared: Arc::new(shared) })
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The files.
    pub fn files(&self) -> &Arc<Files> {
        &self.shared.files
    }

    pub(super) fn known(&self) -> &Known {
        &self.shared.known
    }

    /// Waits until nobody else fetches this one.
    pub(super) async fn turn(&self, id: AttachmentId) -> Turn {
        self.shared.turns.wait(id).await
    }

    /// What peers said of an attachment.
    pub fn told(&self, id: &AttachmentId) -> Vec<(NodeId, Told)> {
        self.shared.holders.of(id).into_iter().collect()
    }

    /// What a record says of one of its attachments.
    ///
    /// # Errors
    /// [`AttachmentsError::Documents`]; [`AttachmentsError::Unsaid`] when it does not refer to it.
    pub async fn attached(
        &self,
        space: SpaceId,
        document: DocumentId,
        id: AttachmentId,
    ) -> Result<Attached, AttachmentsError> {
        let shown = self.shared.documents.show(space, document).await?;
        let found = attached(&shown.record).into_iter().find(|attached| attached.id == id);
        found.ok_or(AttachmentsError::Unsaid("anything", id))
    }
}

impl Shared {
    /// Whether a node may read a space now, as far as this node knows.
    pub(super) fn is_reader(&self, space: &SpaceId, node: NodeId) -> bool {
        let view = self.engine.view(space);
        view.and_then(|view| view.membership.role(node)).is_some_and(|role| role >= Role::Reader)
    }
}
