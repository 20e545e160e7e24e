//! A peer's signed word that it holds some volumes of a pouch durably: the short receipt, which fits a QR code
//! (`code.rs`) and needs no list of logs, since the sender kept that.

use serde::{Deserialize, Serialize};

use super::contents::{ContentsDigest, digest_of_volumes};
use crate::{
    codec,
    crypto::signing::{BadSignature, Purpose, Signature, SigningKey, Verifier},
    id::{Incarnation, PouchId},
    limits::VOLUMES_MAX,
};

/// Bytes of the largest set.
const SET_BYTES_MAX: usize = VOLUMES_MAX as usize / 8;

/// Numbers of volumes: bit `n - 1` of the bytes, low bits first, for volume `n`; no zero byte at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeSet(#[serde(with = "serde_bytes")] Vec<u8>);

impl VolumeSet {
    /// Adds a volume; tells whether its number is one that a volume may have.
    pub fn insert(&mut self, volume: u16) -> bool {
        if !(1..=VOLUMES_MAX).contains(&volume) {
            return false;
        }
        let (byte, bit) = place(volume);
        self.0.resize(self.0.len().max(byte + 1), 0);
        self.0[byte] |= bit;
        true
    }

    /// Whether a volume is in it.
    pub fn contains(&self, volume: u16) -> bool {
        let (byte, bit) = place(volume);
        volume > 0 && self.0.get(byte).is_some_and(|bits| bits & bit != 0)
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        (1..=VOLUMES_MAX).filter(|volume| self.contains(*volume))
    }

    /// Whether no volume is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks what a stranger says: at least one volume, in the one form.
    pub fn is_plausible(&self) -> bool {
        (1..=SET_BYTES_MAX).contains(&self.0.len()) && self.0.last() != Some(&0)
    }
}

impl FromIterator<u16> for VolumeSet {
    /// The volumes among the numbers.
    fn from_iter<I: IntoIterator<Item = u16>>(volumes: I) -> Self {
        let mut set = VolumeSet::default();
        for volume in volumes {
            set.insert(volume);
        }
        set
    }
}

fn place(volume: u16) -> (usize, u8) {
    let index = usize::from(volume.saturating_sub(1));
    (index / 8, 1 << (index % 8))
}

/// See the head of the file. It names neither who signed it nor for whom: the sender of the pouch knows its few recipients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which pouch.
    pub pouch: PouchId,
    /// Every entry of these volumes is held durably, none of them only parked.
    pub volumes: VolumeSet,
    /// The digest of what these volumes held.
    pub contents: ContentsDigest,
    /// The life of the issuer's store, as in receipts.
    pub incarnation: Incarnation,
    /// Counts with the issuer's receipts, and like them the highest counts.
    pub counter: u64,
    signature: Signature,
}

impl Held {
    /// Signs for `volumes`, given in order as number and digest of contents.
    pub fn sign(
        pouch: PouchId,
        volumes: &[(u16, ContentsDigest)],
        incarnation: Incarnation,
        counter: u64,
        key: &SigningKey,
    ) -> Held {
        let contents = digest_of_volumes(volumes.iter().map(|(volume, digest)| (*volume, digest)));
        let volumes = volumes.iter().map(|(volume, _)| *volume).collect();
        let signature = Signature([0; 64]);
        let mut held = Held { pouch, volumes, contents, incarnation, counter, signature };
        held.signature = key.sign(Purpose::POUCH_HELD, &held.statement());
        held
    }

    /// Checks the signature with the key of one who may have signed it.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, issuer: &Verifier) -> Result<(), BadSignature> {
        issuer.verify(Purpose::POUCH_HELD, &self.statement(), &self.signature)
    }

    /// Whether the volumes are those that the sender wrote: `kept` gives the digest of each that it kept a list of.
    pub fn fits(&self, kept: impl Fn(u16) -> Option<ContentsDigest>) -> bool {
        let digests: Option<Vec<(u16, ContentsDigest)>> =
            self.volumes.iter().map(|volume| Some((volume, kept(volume)?))).collect();
        digests.is_some_and(|digests| {
            digest_of_volumes(digests.iter().map(|(volume, digest)| (*volume, digest))) == self.contents
        })
    }

    fn statement(&self) -> Vec<u8> {
        codec::encode(&(&self.pouch, &self.volumes, &self.contents, &self.incarnation, &self.counter))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let set: VolumeSet = [1, 9, VOLUMES_MAX, 0, VOLUMES_MAX + 1].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 9, VOLUMES_MAX]);
        assert!(set.is_plausible() && !set.contains(0) && !set.contains(u16::MAX));
        assert!(!VolumeSet::default().is_plausible());
        assert!(!VolumeSet(vec![1, 0]).is_plausible());
        assert!(!VolumeSet(vec![1; SET_BYTES_MAX + 1]).is_plausible());
    }

    #[test]
    fn a_receipt_is_for_these_volumes_with_these_contents() {
        let key = SigningKey::from_seed(&[1; 32]);
        let held = Held::sign(PouchId([2; 16]), &[(1, [3; 16]), (4, [5; 16])], Incarnation([6; 16]), 7, &key);
        let verifier = key.public().verifier().unwrap();
        assert_eq!(held.verify(&verifier), Ok(()));
        assert!(held.verify(&SigningKey::from_seed(&[2; 32]).public().verifier().unwrap()).is_err());
        let kept = |volume| [(1, [3; 16]), (2, [8; 16]), (4, [5; 16])].into_iter().find(|v| v.0 == volume).map(|v| v.1);
        assert!(held.fits(kept));
        assert!(!held.fits(|volume| kept(volume).map(|_| [9; 16])));
        assert!(!held.fits(|volume| kept(volume).filter(|_| volume != 4)));
        for altered in [
            Held { pouch: PouchId([3; 16]), ..held.clone() },
            Held { volumes: [1].into_iter().collect(), ..held.clone() },
            Held { contents: [0; 16], ..held.clone() },
            Held { incarnation: Incarnation([0; 16]), ..held.clone() },
            Held { counter: 8, ..held.clone() },
        ] {
            assert!(altered.verify(&verifier).is_err(), "{altered:?}");
        }
    }
}
