//! Golden vectors of the pouch: whole volumes and receipt codes, good and bad (`tests/vectors/README.md`). When one fails it
//! prints the line that the file would have to hold; to put that there is to change the format.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by panicking")]

use std::{fmt::Debug, sync::Arc};

use data_encoding::HEXLOWER;
use portolan_protocol::{
    attachment::{AttachmentKey, Layout, Sealer},
    crypto::{
        hash::{Context, file as file_hash},
        sealing::SealingSecret,
        signing::{SigningKey, Verifier},
    },
    entry::{Entry, Header, Heads, LogKey, LogKind, payload_hash},
    id::{AttachmentId, EntryHash, EpochId, Incarnation, NodeId, PouchId, SpaceId},
    limits::VOLUME_BYTES_MAX,
    message::Message,
    page::{LogContext, PageWriter},
    pouch::{
        Address, Carried, FilePiece, FileRange, HEADER_BYTES, Held, Padding, PouchError, VolumeReader, VolumeWriter,
        from_code, to_code,
    },
    time::Timestamp,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const SENDER: NodeId = NodeId([11; 32]);
const RECIPIENT: NodeId = NodeId([12; 32]);

/// One line of a vector file: `good NAME HEX`, or `bad NAME HEX ERROR`.
type Line = (&'static str, Vec<u8>, Option<String>);

fn check<T, E: Debug>(held: &str, lines: &[Line], read: impl Fn(&[u8]) -> Result<T, E>) {
    let held: Vec<&str> = held.lines().filter(|line| !line.starts_with('#')).collect();
    let new = lines.iter().map(|(name, bytes, error)| match error {
        None => format!("good {name} {}", HEXLOWER.encode(bytes)),
        Some(error) => format!("bad {name} {} {error}", HEXLOWER.encode(bytes)),
    });
    let new: Vec<String> = new.collect();
    for (index, line) in new.iter().enumerate() {
        assert!(held.get(index) == Some(&line.as_str()), "the bytes changed:\n{line}");
    }
    assert_eq!(held.len(), new.len(), "the file holds vectors that nobody checks");
    for (name, bytes, error) in lines {
        assert_eq!(read(bytes).err().map(|error| format!("{error:?}")), *error, "{name}");
    }
}

fn good(name: &'static str, bytes: Vec<u8>) -> Line {
    (name, bytes, None)
}

fn bad(name: &'static str, bytes: Vec<u8>, error: &str) -> Line {
    (name, bytes, Some(error.into()))
}

fn signing() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn sealing() -> SealingSecret {
    SealingSecret::from_seed(&[2; 32]).unwrap()
}

fn held() -> Held {
    Held::sign(PouchId([31; 16]), &[(1, [32; 16]), (9, [33; 16])], Incarnation([34; 16]), 70_000, &signing())
}

fn run() -> Message {
    let log = LogKey { author: SENDER, log: LogKind::Data.log_id([12; 16]) };
    let context = LogContext { space: SpaceId([10; 32]), log, kind: LogKind::Data };
    let header = Header {
        space: context.space,
        log,
        kind: context.kind,
        seq: 0,
        previous: EntryHash::default(),
        predecessor: None,
        heads: Arc::new(Heads::default()),
        epoch: Some(EpochId([13; 32])),
        payload_length: 7,
        payload_hash: payload_hash(b"payload"),
        time: Timestamp(1_800_000_000_000),
    };
    let mut page = PageWriter::new(0, EntryHash::default());
    page.push(&Entry { signature: header.sign(&signing()), header, payload: Some(b"payload".to_vec()) });
    Message::run(&context, vec![page.into_bytes()])
}

/// Payloads of two entries that were held without them.
fn payload(seq: u64) -> Message {
    let log = LogKey { author: SENDER, log: LogKind::Data.log_id([14; 16]) };
    Message::Payload { space: SpaceId([10; 32]), log, seq, payload: b"payload".to_vec() }
}

/// A volume of one run, what the sender holds and two payloads, padded.
fn volume(sender: NodeId, key: &SigningKey, to: NodeId, sealed_to: &SealingSecret) -> Vec<u8> {
    let mut rng = ChaCha20Rng::from_seed([6; 32]);
    let recipients = vec![(to, sealed_to.public())];
    let address =
        Address { pouch: PouchId([30; 16]), volume: 2, sender, key, recipients, time: Timestamp(1_800_000_000_000) };
    let mut out = Vec::new();
    let mut writer = VolumeWriter::begin(address, VOLUME_BYTES_MAX, &mut rng, &mut out).unwrap();
    writer.message(run(), &mut out).unwrap();
    writer.held(held(), &mut out).unwrap();
    [3, 4].into_iter().for_each(|seq| writer.message(payload(seq), &mut out).unwrap());
    writer.close(true, Padding::Padme, &mut out).unwrap();
    out
}

/// A file of five bytes, as the key of the vectors seals it.
fn file() -> (FileRange, Vec<u8>) {
    let mut out = Vec::new();
    let mut sealer = Sealer::new(&AttachmentKey::new([0x29; 32]), &mut out);
    sealer.add(b"tides", &mut out).unwrap();
    let bytes = sealer.finish(&mut out).ciphertext_bytes();
    (FileRange { attachment: AttachmentId(file_hash(&out)), bytes, from: 0, to: bytes }, out)
}

/// A first volume that says which files its sender holds, and carries one and the last piece of another.
fn volume_with_files() -> Vec<u8> {
    let (mut rng, key) = (ChaCha20Rng::from_seed([6; 32]), signing());
    let recipients = vec![(RECIPIENT, sealing().public())];
    let time = Timestamp(1_800_000_000_000);
    let address = Address { pouch: PouchId([30; 16]), volume: 1, sender: SENDER, key: &key, recipients, time };
    let mut out = Vec::new();
    let mut writer = VolumeWriter::begin(address, VOLUME_BYTES_MAX, &mut rng, &mut out).unwrap();
    writer.files(vec![AttachmentId([35; 32]), AttachmentId([36; 32])], &mut out).unwrap();
    writer.message(run(), &mut out).unwrap();
    let (first, ciphertext) = file();
    let bytes = Layout::of_plaintext(262_150).unwrap().ciphertext_bytes();
    let second = FileRange { attachment: AttachmentId([36; 32]), bytes, from: 262_144, to: bytes };
    writer.end_entries(vec![first, second], true, &mut out).unwrap();
    writer.piece(Some(ciphertext), &mut out);
    // Two hashes and the last bytes; what they prove is not looked at here.
    writer.piece(Some(vec![37; 64 + (bytes - 262_144) as usize]), &mut out);
    writer.close(true, Padding::None, &mut out).unwrap();
    out
}

fn read_files(volume: &[u8]) -> Result<(), PouchError> {
    let senders =
        |node: &NodeId| -> Option<Verifier> { (*node == SENDER).then(|| signing().public().verifier().unwrap()) };
    let mut reader = VolumeReader::new(RECIPIENT, sealing());
    let mut carried = reader.push(volume, &senders)?;
    let end = reader.finish(&senders)?;
    carried.extend(end.carried);
    let (range, ciphertext) = file();
    let FileRange { attachment, bytes, .. } = range;
    assert_eq!(carried[0], Carried::Files(vec![AttachmentId([35; 32]), AttachmentId([36; 32])]));
    assert_eq!(carried[2], Carried::Piece(FilePiece { attachment, bytes, range: 0..bytes, encoded: ciphertext }));
    assert_eq!((carried.len(), end.closing.files.len(), end.trouble), (4, 2, None));
    Ok(())
}

fn read(volume: &[u8]) -> Result<(), PouchError> {
    let senders =
        |node: &NodeId| -> Option<Verifier> { (*node == SENDER).then(|| signing().public().verifier().unwrap()) };
    let mut reader = VolumeReader::new(RECIPIENT, sealing());
    let mut carried = reader.push(volume, &senders)?;
    let end = reader.finish(&senders)?;
    carried.extend(end.carried);
    let contents = end.closing.contents;
    assert_eq!((carried.len(), contents.entries(), contents.payload_count()), (4, 1, 2));
    Ok(())
}

fn flipped(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 1;
    bytes
}

/// As the page says: the mark and the check of the only block, computed anew.
fn renewed(mut bytes: Vec<u8>) -> Vec<u8> {
    let mark = Context::POUCH_MARK.hash(&[&bytes[..19]]);
    bytes[19..35].copy_from_slice(&mark[..16]);
    if let Some(end) = bytes.len().checked_sub(32).filter(|end| *end > HEADER_BYTES) {
        let check =
            Context::POUCH_CHECK.hash(&[&bytes[HEADER_BYTES - 32..HEADER_BYTES], &[1], &bytes[HEADER_BYTES..end]]);
        bytes[end..].copy_from_slice(&check);
    }
    bytes
}

#[test]
fn volumes() {
    let other = SealingSecret::from_seed(&[9; 32]).unwrap();
    let bytes = volume(SENDER, &signing(), RECIPIENT, &sealing());
    let named = |node: NodeId, error: &str| format!("{error}({node:?})");
    let in_block = |length: usize| format!("Damaged {{ at: {HEADER_BYTES}, end: {length} }}");
    let stranger = volume(RECIPIENT, &signing(), RECIPIENT, &sealing());
    let forged = volume(SENDER, &SigningKey::from_seed(&[9; 32]), RECIPIENT, &sealing());
    let lines = [
        good("one-run-and-payloads", bytes.clone()),
        bad("empty", Vec::new(), "NotAPouch"),
        bad("another-file", b"# Minutes of the steering group, March".to_vec(), "NotAPouch"),
        bad("another-id", flipped(&bytes[..35], 1), "NotAPouch"),
        bad("suite-2", renewed([&[2], &bytes[1..35]].concat()), "Future(2)"),
        bad("cut-in-the-header", bytes[..100].to_vec(), "Truncated { at: 100 }"),
        bad("cut-in-a-tag", bytes[..HEADER_BYTES + 48].to_vec(), "Truncated { at: 18835 }"),
        bad("cut-in-a-block", bytes[..bytes.len() - 1].to_vec(), &in_block(bytes.len() - 1)),
        bad("damaged-slot", flipped(&bytes, 9_000), "Damaged { at: 35, end: 18787 }"),
        bad("damaged-chunk", flipped(&bytes, HEADER_BYTES + 9), &in_block(bytes.len())),
        bad("altered-chunk", renewed(flipped(&bytes, HEADER_BYTES + 9)), "Altered { at: 18787 }"),
        bad("for-another-node", volume(SENDER, &signing(), RECIPIENT, &other), "NotForThisNode"),
        bad("unknown-sender", stranger, &named(RECIPIENT, "UnknownSender")),
        bad("another-signature", forged, &named(SENDER, "BadSignature")),
        bad("readdressed", volume(SENDER, &signing(), NodeId([99; 32]), &sealing()), &named(SENDER, "Readdressed")),
    ];
    check(include_str!("../../tests/vectors/pouch.txt"), &lines, read);
}

#[test]
fn files() {
    let bytes = volume_with_files();
    let end = bytes.len();
    let lines = [
        good("one-run-and-pieces", bytes.clone()),
        bad(
            "damaged-chunk",
            flipped(&bytes, HEADER_BYTES + 9),
            &format!("Damaged {{ at: {HEADER_BYTES}, end: {end} }}"),
        ),
    ];
    check(include_str!("../../tests/vectors/pouch_files.txt"), &lines, read_files);
}

#[test]
fn codes() {
    let code = to_code(&held());
    let lines: Vec<&str> = code.lines().collect();
    let spoken = code.to_lowercase().replace('\n', " - ");
    let swapped = [&[lines[1], lines[0]], &lines[2..]].concat().join("\n");
    let mistyped = [if code.starts_with('A') { "B" } else { "A" }, &code[1..]].concat();
    let lines = [
        good("code", code.clone().into_bytes()),
        good("spoken", spoken.into_bytes()),
        bad("mistyped", mistyped.into_bytes(), "Line(1)"),
        bad("cut-short", code.as_bytes()[..26 * 3].to_vec(), "Checksum"),
        bad("lines-exchanged", swapped.into_bytes(), "Checksum"),
        bad("foreign-letter", [code.as_bytes(), b"9"].concat(), "Character('9')"),
        bad("empty", Vec::new(), "Checksum"),
    ];
    check(include_str!("../../tests/vectors/pouch_code.txt"), &lines, |bytes| {
        let held = from_code(std::str::from_utf8(bytes).unwrap())?;
        assert_eq!(held.verify(&signing().public().verifier().unwrap()), Ok(()));
        Ok::<_, portolan_protocol::pouch::CodeError>(held)
    });
}
