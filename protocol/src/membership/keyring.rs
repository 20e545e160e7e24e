//! The keyring: the epoch secrets of one space that this node has been given. It opens wraps and walks to earlier epochs;
//! whether an epoch may be used is the membership's to say.
//!
//! A secret gives a content key and a history key. A wrap holds both keys (64 bytes), or the content key alone (32 bytes)
//! for a member that may not read what was written before it came.

use std::{collections::BTreeMap, sync::Arc};

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    epochs::id_of,
    graph::{Body, Index},
    roll::Membership,
};
use crate::{
    control::{Epoch, EpochSecretWrap, wrap_info},
    crypto::{
        aead::Key,
        hash::Context,
        sealing::{Sealed, SealingError, SealingPublicKey, SealingSecret},
    },
    entry::{Heads, LogKey},
    id::{EpochId, NodeId, SpaceId},
};

/// A sealed secret that does not hold the keys to which the epoch is committed: whoever sealed it was faulty or lied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the sealed secret of epoch {epoch} is not the one that the epoch is committed to")]
pub struct BadWrap {
    /// Which epoch.
    pub epoch: EpochId,
}

/// The secret that a new epoch is made of.
pub struct EpochSecret(Zeroizing<[u8; 32]>);

impl EpochSecret {
    /// Draws a secret.
    pub fn draw(rng: &mut dyn CryptoRng) -> EpochSecret {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut());
        EpochSecret(secret)
    }

    /// The keys that follow from it.
    pub fn keys(&self) -> EpochKeys {
        EpochKeys {
            content: Zeroizing::new(Context::EPOCH_CONTENT.hash(&[self.0.as_ref()])),
            history: Some(Zeroizing::new(Context::EPOCH_HISTORY.hash(&[self.0.as_ref()]))),
        }
    }
}

/// The keys of one epoch, as far as a member has them.
#[derive(Clone)]
pub struct EpochKeys {
    content: Zeroizing<[u8; 32]>,
    history: Option<Zeroizing<[u8; 32]>>,
}

impl EpochKeys {
    /// Encrypts content, by way of [`log_key`].
    pub fn content(&self) -> &[u8; 32] {
        &self.content
    }

    /// The commitments that the epoch's entry carries, for content and history; none without the history key.
    pub fn commitments(&self) -> Option<([u8; 32], [u8; 32])> {
        let history = self.history.as_ref()?;
        Some((
            Context::CONTENT_COMMITMENT.hash(&[self.content.as_ref()]),
            Context::HISTORY_COMMITMENT.hash(&[history.as_ref()]),
        ))
    }

    /// What is sealed to a reader: both keys, or the content key alone.
    fn plaintext(&self, history: bool) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(self.content.to_vec());
        if let Some(key) = self.history.as_ref().filter(|_| history) {
            bytes.extend_from_slice(key.as_ref());
        }
        bytes
    }

    /// Reads [`EpochKeys::plaintext`] and checks it against the epoch's commitments.
    fn read(bytes: &[u8], epoch: &Epoch) -> Option<EpochKeys> {
        let (content, rest) = bytes.split_first_chunk::<32>()?;
        let history = match rest.len() {
            0 => None,
            _ => Some(Zeroizing::new(<[u8; 32]>::try_from(rest).ok()?)),
        };
        let of_history = history.as_ref().map(|key| Context::HISTORY_COMMITMENT.hash(&[key.as_ref()]));
        let genuine = Context::CONTENT_COMMITMENT.hash(&[content]) == epoch.content_commitment
            && of_history.is_none_or(|commitment| commitment == epoch.history_commitment);
        genuine.then(|| EpochKeys { content: Zeroizing::new(*content), history })
    }

    /// Seals the keys to a reader.
    ///
    /// # Errors
    /// [`SealingError::BadKey`] when the reader's key is unusable.
    pub(super) fn wrap(
        &self,
        space: &SpaceId,
        reader: (&NodeId, &SealingPublicKey),
        content_commitment: &[u8; 32],
        history: bool,
        rng: &mut dyn CryptoRng,
    ) -> Result<Sealed, SealingError> {
        let (node, key) = reader;
        key.seal(&wrap_info(space, node, content_commitment), &self.plaintext(history), rng)
    }

    /// Seals the keys of the earlier epoch `id` under this epoch's history key; nothing without one.
    pub(super) fn seal_earlier(&self, id: &EpochId, earlier: &EpochKeys, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let mut randomness = [0; 32];
        rng.fill_bytes(&mut randomness);
        let seal = |key: &Zeroizing<[u8; 32]>| Key::new(key).seal(&randomness, &id.0, &earlier.plaintext(true));
        self.history.as_ref().map(seal).unwrap_or_default()
    }
}

/// The key that encrypts the payloads of one log under one epoch.
pub fn log_key(content: &[u8; 32], space: &SpaceId, log: &LogKey) -> Key {
    Key::new(&Zeroizing::new(Context::LOG_KEY.hash(&[content, &space.0, &log.author.0, &log.log.0])))
}

/// The epoch secrets that a node holds of one space.
#[derive(Clone)]
pub struct Keyring {
    node: NodeId,
    secret: Arc<SealingSecret>,
    keys: BTreeMap<EpochId, EpochKeys>,
    /// How many of the held control entries were looked at.
    looked: Index,
}

impl Keyring {
    /// A keyring without keys, for the node that `secret` belongs to.
    pub fn new(node: NodeId, secret: Arc<SealingSecret>) -> Keyring {
        Keyring { node, secret, keys: BTreeMap::new(), looked: 0 }
    }

    /// Opens what control entries that came since the last call hold for this node. Call it with the same membership as it
    /// grows. What does not open or is not what the epoch is committed to is left out and told.
    pub fn absorb(&mut self, membership: &Membership) -> Vec<BadWrap> {
        let mut bad = Vec::new();
        for index in self.looked..membership.graph.len() {
            let link = membership.graph.link(index);
            match &link.body {
                Body::Epoch(epoch) if membership.epochs.find(&id_of(link)).is_some() => {
                    let mine = epoch.recipients.binary_search_by_key(&self.node, |recipient| recipient.node);
                    if let Some(recipient) = mine.ok().and_then(|place| epoch.recipients.get(place)) {
                        bad.extend(self.take(membership, id_of(link), &recipient.sealed));
                    }
                }
                Body::Grant { member, grant } if *member == self.node => {
                    for EpochSecretWrap { epoch, sealed } in &grant.secrets {
                        bad.extend(self.take(membership, *epoch, sealed));
                    }
                }
                _ => {}
            }
        }
        self.looked = membership.graph.len();
        bad
    }

    fn take(&mut self, membership: &Membership, id: EpochId, sealed: &Sealed) -> Option<BadWrap> {
        let epoch = entry_of(membership, &id)?;
        let info = wrap_info(&membership.space(), &self.node, &epoch.content_commitment);
        let opened = self.secret.open(&info, sealed).ok().and_then(|bytes| EpochKeys::read(&bytes, epoch));
        let Some(keys) = opened else { return Some(BadWrap { epoch: id }) };
        self.keep(membership, id, keys);
        None
    }

    /// Keeps keys, and those of every earlier epoch that they lead to.
    fn keep(&mut self, membership: &Membership, id: EpochId, keys: EpochKeys) {
        let mut found = vec![(id, keys)];
        while let Some((id, keys)) = found.pop() {
            let nothing_new = |held: &EpochKeys| held.history.is_some() || keys.history.is_none();
            if self.keys.get(&id).is_some_and(nothing_new) {
                continue;
            }
            if let (Some(history), Some(epoch)) = (&keys.history, entry_of(membership, &id)) {
                let history = Key::new(history);
                for previous in &epoch.previous {
                    let opened = history.open(&previous.epoch.0, &previous.sealed).ok().map(Zeroizing::new);
                    let earlier = entry_of(membership, &previous.epoch);
                    let read = opened.zip(earlier).and_then(|(bytes, earlier)| EpochKeys::read(&bytes, earlier));
                    found.extend(read.map(|keys| (previous.epoch, keys)));
                }
            }
            self.keys.insert(id, keys);
        }
    }

    /// The keys of an epoch, as far as this node has them.
    pub fn keys(&self, epoch: &EpochId) -> Option<&EpochKeys> {
        self.keys.get(epoch)
    }

    /// The content key of an epoch.
    pub fn content_key(&self, epoch: &EpochId) -> Option<&[u8; 32]> {
        self.keys.get(epoch).map(EpochKeys::content)
    }

    /// Whether the history key of an epoch is held: the node can give others what was written before.
    pub fn has_history(&self, epoch: &EpochId) -> bool {
        self.keys.get(epoch).is_some_and(|keys| keys.history.is_some())
    }

    /// The epoch to write under for one who cites `heads`: this node has its key, it may be used there, and every reader
    /// of today can read it. None when a new epoch is needed first.
    pub fn usable_epoch(&self, membership: &Membership, heads: &Heads) -> Option<EpochId> {
        membership.usable_epochs(heads).into_iter().find(|epoch| self.keys.contains_key(epoch))
    }
}

fn entry_of<'a>(membership: &'a Membership, id: &EpochId) -> Option<&'a Epoch> {
    match &membership.graph.link(membership.epochs.find(id)?).body {
        Body::Epoch(epoch) => Some(epoch),
        _ => None,
    }
}
