//! What the daemon does with pouches, as one value: packs them, tells of them, and takes receipts.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use portolan_protocol::{
    crypto::{
        sealing::{SealingPublicKey, SealingSecret},
        signing::{SigningKey, Verifier},
    },
    id::{NodeId, PouchId, SpaceId},
    input::{Command, Reply},
    pouch::{Held, Load, from_code},
    status::NodeStatus,
};
use rand_core::Rng as _;

use super::{
    archive::{Archive, Record},
    error::PouchesError,
    staging::Staging,
};
use crate::{attachments::Attachments, clock, config::Fetch, engine::Engine, store::Store};

/// What a partner's word for volumes comes to.
#[derive(Clone, Debug)]
pub struct Word {
    /// Whose it is.
    pub peer: NodeId,
    /// Whether it says more than was known.
    pub news: bool,
    /// The pouch that it speaks of.
    pub record: Record,
    /// The word itself.
    pub held: Held,
}

/// What is wanted of a new pouch.
#[derive(Clone, Debug)]
pub struct Order {
    /// For whom.
    pub to: Vec<NodeId>,
    /// Of one space only.
    pub space: Option<SpaceId>,
    /// How much.
    pub load: Load,
    /// Bytes of a volume, at most.
    pub volume_bytes: u64,
    /// Whether sizes are rounded up.
    pub padded: bool,
    /// Which attachments, by the size of the file.
    pub attachments: Fetch,
}

pub(super) struct Shared {
    pub(super) own: NodeId,
    pub(super) signing: SigningKey,
    pub(super) sealing: SealingSecret,
    pub(super) engine: Engine,
    pub(super) store: Store,
    /// None where only entries are carried.
    pub(super) attachments: Option<Attachments>,
    pub(super) archive: Archive,
    pub(super) staging: Staging,
    /// Entries and bytes of attachments that volumes being written hold so far.
    pub(super) writing: Mutex<BTreeMap<PouchId, (u64, u64)>>,
    /// One volume is taken at a time: what one brings, the next may wait for.
    pub(super) taking: tokio::sync::Mutex<()>,
}

/// The door to pouches. Clones share them.
#[derive(Clone)]
pub struct Pouches(pub(super) Arc<Shared>);

impl Pouches {
    /// Takes up what is kept below `home`, and removes what was staged when the daemon ended. Blocks.
    ///
    /// # Errors
    /// [`PouchesError`].
    pub fn open(
        home: &Path,
        (signing, sealing): (SigningKey, SealingSecret),
        engine: Engine,
        store: Store,
        attachments: Option<Attachments>,
    ) -> Result<Pouches, PouchesError> {
        Ok(Pouches(Arc::new(Shared {
            own: engine.own(),
            signing,
            sealing,
            engine,
            store,
            attachments,
            archive: Archive::open(home.join("pouches"))?,
            staging: Staging::open(home.join("staging"))?,
            writing: Mutex::default(),
            taking: tokio::sync::Mutex::default(),
        })))
    }

    /// Names what is to go into a pouch, and keeps that. Nothing counts as sent.
    ///
    /// # Errors
    /// [`PouchesError`].
    pub async fn pack(&self, order: Order) -> Result<Record, PouchesError> {
        let Order { space, load, volume_bytes, padded, .. } = order;
        let command = Command::Pack { recipients: order.to.clone(), space, load };
        let Reply::Plan(mut plan) = self.0.engine.command(command).await? else { return Err(PouchesError::Unexpected) };
        let left_out = self.choose(&order, &mut plan).await?;
        let mut id = PouchId::default();
        clock::rng().fill_bytes(&mut id.0);
        let record = Record::new(id, clock::now(), load, volume_bytes, padded, (*plan, left_out));
        let pouches = self.clone();
        tokio::task::spawn_blocking(move || pouches.0.archive.keep(record))
            .await
            .map_err(|_| PouchesError::Unexpected)?
    }

    /// Pouches that this node sent, the latest first. Blocks.
    ///
    /// # Errors
    /// [`PouchesError`].
    pub fn sent(&self) -> Result<Vec<Record>, PouchesError> {
        let mut records = self.0.archive.all()?;
        records.sort_by_key(|record| std::cmp::Reverse((record.created, record.id)));
        Ok(records)
    }

    /// One of them. Blocks.
    ///
    /// # Errors
    /// [`PouchesError::Unknown`] and others.
    pub fn record(&self, id: PouchId) -> Result<Record, PouchesError> {
        self.0.archive.record(id)?.ok_or(PouchesError::Unknown(id))
    }

    /// Notes that a volume was found whole on a medium. Blocks.
    ///
    /// # Errors
    /// [`PouchesError`], [`PouchesError::NoVolume`] where another one was written last under this number.
    pub fn verified(&self, id: PouchId, number: u16, hash: &[u8; 32]) -> Result<Record, PouchesError> {
        let record = self.record(id)?;
        let volume = number.checked_sub(1).and_then(|index| record.volumes.get(usize::from(index)));
        if volume.is_none_or(|volume| volume.packed.written.hash != *hash) {
            return Err(PouchesError::NoVolume(number));
        }
        self.0.archive.keep_verified(id, number, hash)?;
        self.record(id)
    }

    /// Entries, and bytes of attachments, that a volume of it that is being written holds so far, and all before it.
    pub fn being_written(&self, id: &PouchId) -> (u64, u64) {
        self.0.writing().get(id).copied().unwrap_or_default()
    }

    /// This node's words for pouches of peers.
    ///
    /// # Errors
    /// [`PouchesError`].
    pub async fn taken(&self) -> Result<Vec<(NodeId, Held, portolan_protocol::time::Timestamp)>, PouchesError> {
        match self.0.engine.command(Command::TakenPouches).await? {
            Reply::TakenPouches(taken) => Ok(taken),
            _ => Err(PouchesError::Unexpected),
        }
    }

    /// The volumes of a pouch of which a recipient has receipted every entry, by whatever route.
    ///
    /// # Errors
    /// [`PouchesError`].
    pub async fn arrived(&self, record: &Record, peer: NodeId) -> Result<Vec<u16>, PouchesError> {
        let contents = record.volumes.iter().map(|volume| volume.packed.written.contents.clone()).collect();
        match self.0.engine.command(Command::Arrived { peer, contents }).await? {
            Reply::Arrived(arrived) => Ok((1..).zip(arrived).filter(|(_, whole)| *whole).map(|(n, _)| n).collect()),
            _ => Err(PouchesError::Unexpected),
        }
    }

    /// Takes a partner's word for volumes, as a code.
    ///
    /// # Errors
    /// [`PouchesError`].
    pub async fn receipt(&self, code: &str) -> Result<Word, PouchesError> {
        let held = from_code(code)?;
        let pouch = held.pouch;
        self.take_held(held).await?.ok_or(PouchesError::Unknown(pouch))
    }

    /// Takes a partner's word for volumes; none where this node keeps nothing of such a pouch.
    pub(super) async fn take_held(&self, held: Held) -> Result<Option<Word>, PouchesError> {
        let (pouches, id) = (self.clone(), held.pouch);
        let record = tokio::task::spawn_blocking(move || pouches.0.archive.record(id));
        let Some(record) = record.await.map_err(|_| PouchesError::Unexpected)?? else { return Ok(None) };
        let kept = (1..).zip(&record.volumes).map(|(n, volume)| (n, volume.packed.written.contents.clone()));
        let command = Command::TakeHeld {
            recipients: record.plan.recipients.clone(),
            held: held.clone(),
            kept: kept.collect(),
            plan: Box::new(record.plan.clone()),
        };
        match self.0.engine.command(command).await? {
            Reply::Held { peer, news } => Ok(Some(Word { peer, news, record, held })),
            _ => Err(PouchesError::Unexpected),
        }
    }
}

impl Shared {
    pub(super) fn writing(&self) -> std::sync::MutexGuard<'_, BTreeMap<PouchId, (u64, u64)>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys that are sealed to.
pub(super) fn sealing_keys(
    status: &NodeStatus,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, SealingPublicKey)>, PouchesError> {
    let key = |node: &NodeId| {
        let peer = status.peers.iter().find(|peer| peer.card.node() == *node);
        peer.map(|peer| (*node, peer.card.keys().sealing.clone())).ok_or(PouchesError::NoPeer(*node))
    };
    nodes.iter().map(key).collect()
}

/// The keys of those from whom pouches are taken.
pub(super) fn signing_keys(status: &NodeStatus) -> BTreeMap<NodeId, Verifier> {
    let key = |peer: &portolan_protocol::status::PeerStatus| {
        peer.card.keys().signing.verifier().ok().map(|verifier| (peer.card.node(), verifier))
    };
    status.peers.iter().filter_map(key).collect()
}
