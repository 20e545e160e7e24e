//! The header of a volume: what may stand outside the seal, and the slots of those who may open it.
//!
//! ```text
//!   0   1 suite (1)          35  32 commitment to the secret
//!   1  16 pouch id           67  16 x 1168 slots: encapsulated key (1120), sealed secret (32 + 16)
//!  17   2 volume number   18755  32 check: hash over all before it
//!  19  16 mark: hash over all before it
//! ```

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::error::{PouchError, WriteError};
use crate::{
    crypto::{
        chunks::ChunkKey,
        hash::Context,
        sealing::{Sealed, SealingError, SealingPublicKey, SealingSecret},
    },
    id::{NodeId, PouchId},
    limits::{POUCH_SLOTS, SUITE, VOLUMES_MAX},
};

/// Bytes of a header.
pub const HEADER_BYTES: usize = SLOTS_AT + POUCH_SLOTS * SLOT_BYTES + CHECK_BYTES;

/// Bytes that tell a volume from other files; the same in every suite.
pub(super) const MARKED_BYTES: usize = 35;
/// Bytes of a check.
pub(super) const CHECK_BYTES: usize = 32;

const MARK_AT: usize = 19;
const SLOTS_AT: usize = MARKED_BYTES + 32;
const ENCAPSULATED_BYTES: usize = 1_120;
pub(super) const SECRET_BYTES: usize = 32;
const SLOT_BYTES: usize = ENCAPSULATED_BYTES + SECRET_BYTES + 16;
const INFO: &[u8] = b"portolan pouch v1\0";

/// The secret of one volume. No other volume has it, not even of the same pouch.
pub(super) type Secret = Zeroizing<[u8; SECRET_BYTES]>;

/// What stands outside the seal of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The pouch.
    pub pouch: PouchId,
    /// The volume's number, from 1.
    pub volume: u16,
    /// The commitment to the secret, so that all recipients open the same.
    pub commitment: [u8; 32],
    bytes: Vec<u8>,
}

impl Header {
    /// Seals `secret` to `recipients` in slots drawn by lot. All others hold a secret sealed to a key that is thrown away, since
    /// made-up bytes could be told from an encapsulated key.
    ///
    /// # Errors
    /// [`WriteError::Recipients`], [`WriteError::Number`], [`WriteError::Key`].
    pub(super) fn seal(
        pouch: PouchId,
        volume: u16,
        secret: &Secret,
        recipients: &[(NodeId, SealingPublicKey)],
        rng: &mut dyn CryptoRng,
    ) -> Result<Header, WriteError> {
        if recipients.is_empty() || recipients.len() > POUCH_SLOTS {
            return Err(WriteError::Recipients);
        }
        if !(1..=VOLUMES_MAX).contains(&volume) {
            return Err(WriteError::Number);
        }
        let commitment = commitment(secret);
        let mut bytes = vec![SUITE];
        bytes.extend_from_slice(&pouch.0);
        bytes.extend_from_slice(&volume.to_be_bytes());
        bytes.extend_from_slice(&mark(&bytes));
        bytes.extend_from_slice(&commitment);
        let info = info(&pouch, volume);
        for place in lots(recipients.len(), rng) {
            let slot = match place.and_then(|index| recipients.get(index)) {
                Some((node, key)) => key.seal(&info, &secret[..], rng).map_err(|_| WriteError::Key(*node))?,
                None => seal_to_nobody(&info, rng).map_err(|_| WriteError::Recipients)?,
            };
            bytes.extend_from_slice(&slot.encapsulated);
            bytes.extend_from_slice(&slot.ciphertext);
        }
        let check = Context::POUCH_CHECK.hash(&[&bytes]);
        bytes.extend_from_slice(&check);
        Ok(Header { pouch, volume, commitment, bytes })
    }

    /// Reads a whole header. No key is needed.
    ///
    /// # Errors
    /// [`PouchError::NotAPouch`], [`PouchError::Future`], [`PouchError::Truncated`], [`PouchError::Damaged`].
    pub fn parse(bytes: &[u8]) -> Result<Header, PouchError> {
        let marked = bytes.first_chunk::<MARKED_BYTES>().ok_or(PouchError::NotAPouch)?;
        if mark(&marked[..MARK_AT]) != marked[MARK_AT..] {
            return Err(PouchError::NotAPouch);
        }
        if marked[0] != SUITE {
            return Err(PouchError::Future(marked[0]));
        }
        let truncated = PouchError::Truncated { at: bytes.len() as u64 };
        let bytes = bytes.first_chunk::<HEADER_BYTES>().ok_or(truncated)?;
        let (body, check) = bytes.split_at(HEADER_BYTES - CHECK_BYTES);
        if Context::POUCH_CHECK.hash(&[body]) != check {
            return Err(PouchError::Damaged { at: MARKED_BYTES as u64, end: HEADER_BYTES as u64 });
        }
        let mut pouch = PouchId::default();
        pouch.0.copy_from_slice(&body[1..17]);
        let mut commitment = [0; 32];
        commitment.copy_from_slice(&body[MARKED_BYTES..SLOTS_AT]);
        let volume = u16::from_be_bytes([body[17], body[18]]);
        if !(1..=VOLUMES_MAX).contains(&volume) {
            return Err(PouchError::Bound("the number of a volume"));
        }
        Ok(Header { pouch, volume, commitment, bytes: bytes.to_vec() })
    }

    /// The bytes of the header.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The check at its end, from which those of the blocks go on.
    pub(super) fn check(&self) -> [u8; CHECK_BYTES] {
        self.bytes.last_chunk().copied().unwrap_or_default()
    }

    /// Tries every slot with this node's key.
    ///
    /// # Errors
    /// [`PouchError::NotForThisNode`].
    pub(super) fn open(&self, key: &SealingSecret) -> Result<Secret, PouchError> {
        let info = info(&self.pouch, self.volume);
        let slots = self.bytes[SLOTS_AT..].chunks_exact(SLOT_BYTES).take(POUCH_SLOTS);
        let opened = slots.filter_map(|slot| {
            let (encapsulated, ciphertext) = slot.split_at(ENCAPSULATED_BYTES);
            let sealed = Sealed { encapsulated: encapsulated.to_vec(), ciphertext: ciphertext.to_vec() };
            let opened = key.open(&info, &sealed).ok()?;
            let mut secret = Secret::default();
            secret.copy_from_slice(opened.get(..SECRET_BYTES)?);
            Some(secret)
        });
        let mut committed = opened.filter(|secret| commitment(secret) == self.commitment);
        committed.next().ok_or(PouchError::NotForThisNode)
    }

    /// The key of the chunks: of the secret, and of everything that stands before them.
    pub(super) fn chunk_key(&self, secret: &Secret) -> ChunkKey {
        let key = Zeroizing::new(Context::POUCH_KEY.hash(&[&secret[..], &self.check()]));
        ChunkKey::new(&key)
    }
}

/// The commitment to a secret.
pub(super) fn commitment(secret: &Secret) -> [u8; 32] {
    Context::POUCH_COMMITMENT.hash(&[&secret[..]])
}

fn mark(bytes: &[u8]) -> [u8; MARKED_BYTES - MARK_AT] {
    let mut mark = [0; MARKED_BYTES - MARK_AT];
    mark.copy_from_slice(&Context::POUCH_MARK.hash(&[bytes])[..MARKED_BYTES - MARK_AT]);
    mark
}

fn info(pouch: &PouchId, volume: u16) -> Vec<u8> {
    [INFO, &pouch.0, &volume.to_be_bytes()].concat()
}

fn seal_to_nobody(info: &[u8], rng: &mut dyn CryptoRng) -> Result<Sealed, SealingError> {
    let (mut seed, mut secret) = (Secret::default(), Secret::default());
    rng.fill_bytes(&mut seed[..]);
    rng.fill_bytes(&mut secret[..]);
    SealingSecret::from_seed(&seed)?.public().seal(info, &secret[..], rng)
}

/// Which recipient each slot is for, by lot (Fisher and Yates).
fn lots(recipients: usize, rng: &mut dyn CryptoRng) -> Vec<Option<usize>> {
    let mut places: Vec<Option<usize>> = (0..POUCH_SLOTS).map(|slot| Some(slot).filter(|s| *s < recipients)).collect();
    for last in (1..places.len()).rev() {
        let drawn = rng.next_u64() % (last as u64 + 1);
        places.swap(last, usize::try_from(drawn).unwrap_or(last));
    }
    places
}
