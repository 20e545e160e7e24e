//! What a volume promises: every byte flipped, every length cut, every size.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;
use crate::{
    crypto::sealing::Sealed,
    limits::{CHUNK_BYTES, POUCH_SLOTS, POUCHES_HELD_MAX, SPACES_MAX, VOLUME_BYTES_MAX},
};

fn address<'a>(key: &'a SigningKey, recipients: &[NodeId]) -> Address<'a> {
    let recipients = recipients.iter().map(|node| (*node, sealing(*node).public())).collect();
    Address { pouch: POUCH, volume: 1, sender: SENDER, key, recipients, time: Timestamp(1_800_000_000_000) }
}

fn volume(messages: &[Message], padding: Padding) -> Vec<u8> {
    volume_of(1, messages, padding)
}

fn volume_of(words: usize, messages: &[Message], padding: Padding) -> Vec<u8> {
    let (key, mut out) = (signing(), Vec::new());
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let address = address(&key, &[RECIPIENT, OTHER]);
    let mut writer = VolumeWriter::begin(address, VOLUME_BYTES_MAX, &mut rng, &mut out).unwrap();
    (0..words).for_each(|_| writer.held(held(), &mut out).unwrap());
    messages.iter().for_each(|message| writer.message(message.clone(), &mut out).unwrap());
    let written = writer.close(true, padding, &mut out).unwrap();
    assert_eq!(out[out.len() - 32..], written.hash);
    out
}

fn scan(volume: &[u8]) -> Result<[u8; 32], PouchError> {
    let mut scanner = Scanner::new();
    scanner.push(volume)?.into_iter().try_for_each(|piece| piece.sound().map(|_| ()))?;
    scanner.finish().map(|(_, hash)| hash)
}

#[test]
fn each_recipient_reads_what_was_written_in_whatever_steps() {
    let messages = [payload(10), payload(200_000), payload(0)];
    let expected: Vec<Carried> =
        std::iter::once(Carried::Held(held())).chain(messages.iter().cloned().map(Carried::Message)).collect();
    let bytes = volume(&messages, Padding::None);
    for (own, step) in [(RECIPIENT, 1 << 20), (OTHER, 65_584), (RECIPIENT, 777)] {
        let (carried, closing) = read(&bytes, own, step).unwrap();
        assert_eq!(carried, expected);
        // The same place three times: each is a range of its own.
        assert!(closing.last && closing.contents.ranges() == 3 && closing.contents.entries() == 0);
    }
    assert!(scan(&bytes).is_ok());
    assert_eq!(read(&bytes, NodeId([4; 32]), 1 << 20), Err(PouchError::NotForThisNode));
}

#[test]
fn every_flipped_byte_is_noticed_without_a_key_and_placed() {
    let bytes = volume(&[payload(10)], Padding::None);
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        let error = scan(&flipped).unwrap_err();
        match error {
            PouchError::NotAPouch => assert!(place < 35, "{place}"),
            PouchError::Damaged { at, end } => assert!((at..end).contains(&(place as u64)), "{place}: {at}..{end}"),
            other => panic!("{place}: {other}"),
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let bytes = volume(&[payload(10)], Padding::None);
    for length in 0..bytes.len() {
        let error = scan(&bytes[..length]).unwrap_err();
        match error {
            PouchError::NotAPouch => assert!(length < 35, "{length}"),
            PouchError::Truncated { at } => assert_eq!(at, length as u64),
            PouchError::Damaged { at, .. } => assert!(length > at as usize + 48, "{length}"),
            other => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn blocks_lost_at_the_end_or_exchanged_are_noticed() {
    let bytes = volume(&[payload(3 * CHUNK_BYTES)], Padding::None);
    let (block, start) = (CHUNK_BYTES + 48, HEADER_BYTES);
    let at = (start + 2 * block) as u64;
    assert_eq!(scan(&bytes[..start + 2 * block]), Err(PouchError::Truncated { at }));
    let exchanged = [&bytes[..start], &bytes[start + block..start + 2 * block], &bytes[start..start + block]].concat();
    assert!(matches!(scan(&exchanged), Err(PouchError::Damaged { at, .. }) if at == start as u64));
}

#[test]
fn one_who_renews_the_checks_is_told_from_damage() {
    let mut bytes = volume(&[payload(10)], Padding::None);
    bytes[HEADER_BYTES + 3] ^= 1;
    let before: [u8; 32] = bytes[HEADER_BYTES - 32..HEADER_BYTES].try_into().unwrap();
    let end = bytes.len() - 32;
    let check = scan::check(&before, crate::crypto::chunks::Place::Last, &bytes[HEADER_BYTES..end]);
    bytes[end..].copy_from_slice(&check);
    assert!(scan(&bytes).is_ok());
    assert_eq!(read(&bytes, RECIPIENT, 1 << 20), Err(PouchError::Altered { at: HEADER_BYTES as u64 }));
}

#[test]
fn the_contents_list_says_which_entries_the_runs_hold() {
    let (first, second, third) = (run(0, 2), run(7, 9), run(9, 10));
    let bytes = volume(&[first.0, second.0, payload(3), third.0], Padding::None);
    let (_, closing) = read(&bytes, RECIPIENT, 4_096).unwrap();
    let extents = vec![first.1, Extent { from: 7, ..third.1 }];
    let Message::Payload { space, log, seq, .. } = payload(3) else { panic!() };
    let payloads = vec![Payloads { log, first: seq, count: 1 }];
    assert_eq!(closing.contents.spaces, [SpaceContents { space, extents, payloads }]);
    assert_eq!((closing.contents.entries(), closing.contents.payload_count()), (5, 1));
}

#[test]
fn no_more_is_said_beside_entries_than_there_can_be() {
    let most = POUCH_SLOTS * POUCHES_HELD_MAX;
    assert!(read(&volume_of(most, &[], Padding::None), RECIPIENT, 1 << 20).is_ok());
    let frontier = |number: usize| {
        let mut space = SpaceId::default();
        space.0[..8].copy_from_slice(&number.to_be_bytes());
        Message::Frontier { space, mask: 1, logs: vec![] }
    };
    let spaces: Vec<Message> = (0..=SPACES_MAX).map(frontier).collect();
    for flood in [volume_of(most + 1, &[], Padding::None), volume_of(0, &spaces, Padding::None)] {
        assert_eq!(read(&flood, RECIPIENT, 1 << 20), Err(PouchError::Bound("what is said beside entries")));
    }
}

#[test]
fn a_chunk_that_ends_with_the_plaintext_is_the_last_one() {
    let closing = volume(&[payload(10)], Padding::None).len() - HEADER_BYTES - 48 - 10;
    for bytes in [CHUNK_BYTES - closing - 3, CHUNK_BYTES - closing - 2, CHUNK_BYTES - closing - 1] {
        let bytes = volume(&[payload(bytes)], Padding::None);
        assert_eq!(read(&bytes, RECIPIENT, 1 << 20).unwrap().0.len(), 2, "{}", bytes.len());
        assert_eq!(read(&bytes, RECIPIENT, 1_000).unwrap().0.len(), 2, "{}", bytes.len());
    }
}

#[test]
fn one_seed_writes_one_volume_and_padding_hides_sizes() {
    assert_eq!(volume(&[payload(10)], Padding::None), volume(&[payload(10)], Padding::None));
    let [one, two] = [300_000, 300_100].map(|bytes| volume(&[payload(bytes)], Padding::Padme));
    assert_eq!(one.len(), two.len());
    assert_eq!(read(&one, RECIPIENT, 9_999).unwrap().0.len(), 2);
}

#[test]
fn a_full_volume_says_so_and_closes_within_its_size() {
    let (key, mut out) = (signing(), Vec::new());
    let size = 200_000;
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut writer = VolumeWriter::begin(address(&key, &[RECIPIENT]), size, &mut rng, &mut out).unwrap();
    let mut count = 0;
    while writer.message(payload(1_000), &mut out).is_ok() {
        count += 1;
    }
    assert_eq!(writer.message(payload(1_000), &mut out), Err(WriteError::Full));
    writer.close(false, Padding::Padme, &mut out).unwrap();
    assert!(out.len() as u64 <= size && out.len() > 190_000, "{}", out.len());
    let (carried, closing) = read(&out, RECIPIENT, 4_096).unwrap();
    assert_eq!((carried.len(), closing.last), (count, false));
}

#[test]
fn what_is_for_nobody_or_asks_for_an_answer_is_not_written() {
    let (key, mut out) = (signing(), Vec::new());
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut begin = |address| VolumeWriter::begin(address, VOLUME_BYTES_MAX, &mut rng, &mut out).map(|_| ());
    assert_eq!(begin(address(&key, &[])), Err(WriteError::Recipients));
    let many: Vec<NodeId> = (1..=17).map(|id| NodeId([id; 32])).collect();
    assert_eq!(begin(address(&key, &many)), Err(WriteError::Recipients));
    assert_eq!(begin(Address { volume: 257, ..address(&key, &[OTHER]) }), Err(WriteError::Number));
    let mut writer = VolumeWriter::begin(address(&key, &[OTHER]), VOLUME_BYTES_MAX, &mut rng, &mut out).unwrap();
    assert_eq!(writer.message(Message::Again { space: SpaceId([1; 32]) }, &mut out), Err(WriteError::Message));
}

/// Bits that a byte of `bytes` tells on average; 8 when all values are equally frequent.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let shares = counts.into_iter().filter(|count| *count > 0).map(|count| f64::from(count) / bytes.len() as f64);
    -shares.map(|share| share * share.log2()).sum::<f64>()
}

#[test]
fn the_outside_tells_nothing() {
    let text = Message::Payload {
        space: SpaceId([5; 32]),
        log: LogKey { author: SENDER, log: LogId([4; 16]) },
        seq: 1,
        payload: b"Minutes of the steering group".repeat(2_000),
    };
    let bytes = volume(&[text], Padding::None);
    for secret in [&SENDER.0[..8], &RECIPIENT.0[..8], &OTHER.0[..8], &[5; 8], &[4; 8], b"steering", &[0; 4]] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{secret:?}");
    }
    assert!(entropy(&bytes) > 7.99, "{}", entropy(&bytes));
    for part in bytes.chunks(8 << 10).filter(|part| part.len() == 8 << 10) {
        assert!(entropy(part) > 7.95, "{}", entropy(part));
    }
}

#[test]
fn slots_look_the_same_whether_used_or_not_and_are_drawn_by_lot() {
    let key = signing();
    let mut opened = [0_u32; 16];
    for seed in 0..32 {
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let mut bytes = Vec::new();
        VolumeWriter::begin(address(&key, &[OTHER]), VOLUME_BYTES_MAX, &mut rng, &mut bytes).unwrap();
        let info = [b"portolan pouch v1\0".as_slice(), &POUCH.0, &[0, 1]].concat();
        for (place, slot) in bytes[67..67 + 16 * 1_168].chunks(1_168).enumerate() {
            // The public key of X25519 within ends in a byte below 128; random bytes would not.
            assert!(slot[1_119] < 0x80, "slot {place}");
            let sealed = Sealed { encapsulated: slot[..1_120].to_vec(), ciphertext: slot[1_120..].to_vec() };
            opened[place] += u32::from(sealing(OTHER).open(&info, &sealed).is_ok());
        }
    }
    assert_eq!(opened.iter().sum::<u32>(), 32);
    assert!(opened.iter().all(|count| *count < 10), "{opened:?}");
}
