//! What pouches need of attachments: which ones records name, the bytes of those, and taking pieces as they come.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use portolan_protocol::{
    attachment::Layout,
    id::{AttachmentId, NodeId, SpaceId},
};
use tokio::time::timeout;

use super::{
    error::{AttachmentsError, blocking},
    fetching::Awaiting,
    handle::Attachments,
    part::Part,
    turns::Turn,
};
use crate::documents::Stage;

/// How long it is waited for whoever fetches the same attachment now.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// An attachment of which pieces come. Nobody else fetches it meanwhile.
pub struct Incoming {
    part: Part,
    _turn: Turn,
    _awaiting: Awaiting,
}

impl Attachments {
    /// The spaces that this node and all of these may read.
    pub fn readable_by(&self, nodes: &[NodeId]) -> BTreeSet<SpaceId> {
        let shared = self.shared();
        let everyone: Vec<NodeId> = nodes.iter().copied().chain([shared.engine.own()]).collect();
        let spaces = shared.engine.views().into_iter().map(|view| view.space);
        spaces.filter(|space| everyone.iter().all(|node| shared.is_reader(space, *node))).collect()
    }

    /// The attachments that records of these spaces name, once what is held was looked at.
    ///
    /// # Errors
    /// [`AttachmentsError::Documents`].
    pub async fn named_in(&self, spaces: &BTreeSet<SpaceId>) -> Result<BTreeSet<AttachmentId>, AttachmentsError> {
        self.look_at_records().await?;
        let mut named = BTreeSet::new();
        let note = |reference: crate::documents::Reference| {
            if spaces.contains(&reference.space) {
                named.insert(reference.attachment);
            }
        };
        self.shared().documents.each_reference(note).await?;
        Ok(named)
    }

    /// What a record calls an attachment; empty where none that can be read does.
    pub async fn name(&self, id: AttachmentId) -> String {
        let referring = self.shared().documents.referring(id).await.unwrap_or_default();
        let Some(reference) = referring.first() else { return String::new() };
        let attached = self.attached(reference.space, reference.document, id).await;
        attached.ok().and_then(|attached| attached.name(&[]).map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until everything that is held was looked at.
    ///
    /// # Errors
    /// [`AttachmentsError::Documents`].
    pub async fn look_at_records(&self) -> Result<(), AttachmentsError> {
        Ok(self.shared().documents.flush(Stage::Summarised).await?)
    }

    /// A piece with its proof. Blocks.
    ///
    /// # Errors
    /// Also where what is stored is damaged there.
    pub fn piece(&self, id: AttachmentId, bytes: u64, range: &Range<u64>) -> Result<Vec<u8>, AttachmentsError> {
        self.files().encode(id, bytes, range)
    }

    /// Begins to take pieces of an attachment, or goes on with it; none where it is here.
    ///
    /// # Errors
    /// [`AttachmentsError::Unnamed`] unless a record here names it with that size; [`AttachmentsError::NoRoom`];
    /// [`AttachmentsError::Later`] while somebody else fetches it.
    pub async fn incoming(&self, id: AttachmentId, layout: Layout) -> Result<Option<Incoming>, AttachmentsError> {
        let named = self.shared().documents.referring(id).await?;
        if !named.iter().any(|reference| reference.size == layout.plaintext_bytes()) {
            return Err(AttachmentsError::Unnamed(id));
        }
        let awaiting = Awaiting::new(&self.shared().awaited);
        let turn = timeout(TURN_TIMEOUT, self.turn(id)).await.map_err(|_| AttachmentsError::Later)?;
        if self.files().held(&id).is_some() {
            return Ok(None);
        }
        let files = self.files().clone();
        let part = blocking(move || files.part(id, layout)).await?;
        Ok(Some(Incoming { part, _turn: turn, _awaiting: awaiting }))
    }
}

impl Incoming {
    /// Bytes that are here of it.
    pub fn bytes(&self) -> u64 {
        self.part.bytes()
    }

    /// Takes a piece with its proof, unless it is here. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::File`], of kind `InvalidData` where it is not what it is said to be.
    pub fn take(&mut self, range: &Range<u64>, encoded: &[u8]) -> Result<(), AttachmentsError> {
        if self.part.has(range) { Ok(()) } else { self.part.take(range, encoded) }
    }

    /// No more comes now: what is here is made durable, and found under its name where that is all of it. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::Damaged`], [`AttachmentsError::File`].
    pub fn end(self) -> Result<(), AttachmentsError> {
        if self.part.is_whole() { self.part.settle() } else { self.part.sync() }
    }
}
