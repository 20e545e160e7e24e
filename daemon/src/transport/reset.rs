//! Stateless resets that survive a restart: a node that has lost a connection says so at the peer's next packet.

use quinn::{ConnectionId, ConnectionIdGenerator, crypto};
use rand_core::Rng;

use crate::clock;

/// Length of our connection ids.
const ID_BYTES: usize = 8;

/// Key of stateless resets: BLAKE3 with a key takes the place of HMAC.
pub(super) struct ResetKey(pub [u8; 32]);

impl crypto::HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature: &mut [u8]) {
        for (to, from) in signature.iter_mut().zip(blake3::keyed_hash(&self.0, data).as_bytes()) {
            *to = *from;
        }
    }

    fn signature_len(&self) -> usize {
        blake3::OUT_LEN
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), crypto::CryptoError> {
        // In constant time: `blake3::Hash` compares so.
        if blake3::keyed_hash(&self.0, data) == *signature { Ok(()) } else { Err(crypto::CryptoError) }
    }
}

/// Random connection ids. The library's own are tied to one run, and a packet with an id of an earlier run would be
/// dropped where a reset should answer.
pub(super) struct RandomIds;

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; ID_BYTES];
        clock::rng().fill_bytes(&mut id);
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}
