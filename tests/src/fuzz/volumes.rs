//! Volumes: bytes as they may lie on a medium, and whatever one who has all keys may seal.

use portolan_protocol::{
    crypto::{
        sealing::SealingSecret,
        signing::{SigningKey, Verifier},
    },
    id::{Incarnation, NodeId, PouchId},
    message::Message,
    pouch::{Address, Held, Padding, Scanner, VolumeReader, VolumeWriter},
    time::Timestamp,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use super::bytes::Bytes;

const SENDER: NodeId = NodeId([11; 32]);
const RECIPIENT: NodeId = NodeId([12; 32]);
const VOLUME_BYTES: u64 = 8 << 20;

/// See the head of the file. The first byte chooses which of the two.
#[allow(clippy::expect_used, reason = "constants")]
pub fn volumes(data: &[u8]) {
    let signing = SigningKey::from_seed(&[1; 32]);
    let sealing = SealingSecret::from_seed(&[2; 32]).expect("a seed");
    let mut data = Bytes(data);
    if data.byte() % 2 == 0 {
        let mut scanner = Scanner::new();
        if data.0.chunks(777).all(|piece| scanner.push(piece).is_ok()) {
            drop(scanner.finish());
        }
        return read(data.0, &signing, sealing);
    }
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let address = Address {
        pouch: PouchId([30; 16]),
        volume: 1 + u16::from(data.byte()),
        sender: SENDER,
        key: &signing,
        recipients: vec![(RECIPIENT, sealing.public())],
        time: Timestamp(u64::from(data.byte())),
    };
    let mut out = Vec::new();
    let Ok(mut writer) = VolumeWriter::begin(address, VOLUME_BYTES, &mut rng, &mut out) else { return };
    while !data.is_empty() {
        let piece = data.piece();
        if data.byte() == 0 {
            let volume = (1 + u16::from(data.byte()), [4; 16]);
            let held = Held::sign(PouchId([5; 16]), &[volume], Incarnation([6; 16]), 7, &signing);
            drop(writer.held(held, &mut out));
        } else if let Ok(message) = Message::decode(piece) {
            drop(writer.message(message, &mut out));
        }
    }
    writer.close(true, Padding::Padme, &mut out).expect("a volume has room for its end");
    read(&out, &signing, sealing);
}

fn read(volume: &[u8], key: &SigningKey, sealing: SealingSecret) {
    let senders =
        |node: &NodeId| -> Option<Verifier> { (*node == SENDER).then(|| key.public().verifier().ok()).flatten() };
    let mut reader = VolumeReader::new(RECIPIENT, sealing);
    for piece in volume.chunks(10_000) {
        if reader.push(piece, &senders).is_err() {
            return;
        }
    }
    drop(reader.finish(&senders));
}
