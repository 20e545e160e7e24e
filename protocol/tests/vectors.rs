//! Golden vectors: the bytes of every format, good and bad, as files that another implementation can use
//! (`tests/vectors/README.md`). What this release writes must be those bytes, and it must read or refuse each of them as
//! the file says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what failed by panicking")]

use std::sync::Arc;

use data_encoding::HEXLOWER;
use portolan_protocol::{
    card::{Card, Profile, SignedHeader},
    change::{ChangePayload, PERSON_NAME_BYTES_MAX, PersonRef, REASON_BYTES_MAX, actor_id},
    control::{Control, Cut, Epoch, EpochSecretWrap, Genesis, Grant, PreviousEpoch, Recipient, Remove, Role},
    crypto::{
        sealing::{Sealed, SealingSecret},
        signing::{PublicKey, Signature, SigningKey},
    },
    entry::{Entry, EntryRef, Header, Heads, LogKey, LogKind, payload_hash},
    id::{DocumentId, EntryHash, EpochId, LogId, NodeId, OrganisationId, PersonId, SpaceId},
    page::{AuthenticRun, LogContext, PageWriter},
    time::Timestamp,
};

/// One line of a vector file: `good NAME HEX`, or `bad NAME HEX ERROR`.
struct Vector {
    name: &'static str,
    bytes: Vec<u8>,
    error: Option<String>,
}

fn good(name: &'static str, bytes: Vec<u8>) -> Vector {
    Vector { name, bytes, error: None }
}

fn bad(name: &'static str, bytes: Vec<u8>, error: &str) -> Vector {
    Vector { name, bytes, error: Some(error.into()) }
}

impl Vector {
    fn line(&self) -> String {
        let hex = HEXLOWER.encode(&self.bytes);
        match &self.error {
            None => format!("good {} {hex}", self.name),
            Some(error) => format!("bad {} {hex} {error}", self.name),
        }
    }
}

/// Checks that `file` is exactly `vectors`, and that reading each one ends as it says.
fn check<T, E: std::fmt::Debug>(file: &str, vectors: &[Vector], read: impl Fn(&[u8]) -> Result<T, E>) {
    let lines: Vec<String> = vectors.iter().map(Vector::line).collect();
    let held: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    for (index, line) in lines.iter().enumerate() {
        assert!(held.get(index) == Some(&line.as_str()), "the bytes changed:\n{line}");
    }
    assert_eq!(held.len(), lines.len(), "the file holds vectors that nobody checks");
    for vector in vectors {
        let error = read(&vector.bytes).err().map(|error| format!("{error:?}"));
        assert_eq!(error, vector.error, "{}", vector.name);
    }
}

fn flipped(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 1;
    bytes
}

fn longer(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0]].concat()
}

fn shorter(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - 1].to_vec()
}

fn signing() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn first_card() -> Card {
    let sealing = SealingSecret::from_seed(&[2; 32]).unwrap();
    let profile = Profile {
        name: "Rome Academy".into(),
        organisation_name: "Académie de Rome".into(),
        organisation: OrganisationId([5; 16]),
        country: "IT".into(),
        addresses: vec!["[2001:db8::1]:7443".into()],
    };
    Card::first(&signing(), PublicKey([3; 32]), &sealing, PublicKey([4; 32]), profile, Timestamp(1_800_000_000_000))
        .unwrap()
}

fn header_of_creator() -> SignedHeader {
    first_card().first_header().clone()
}

fn log() -> LogKey {
    LogKey { author: NodeId([11; 32]), log: LogKind::Data.log_id([12; 16]) }
}

fn reference(seq: u64) -> EntryRef {
    EntryRef { log: LogKey { author: NodeId([21; 32]), log: LogId([22; 16]) }, seq, hash: EntryHash([23; 32]) }
}

#[test]
fn cards() {
    let first = first_card();
    let profile = Profile { name: "Roma".into(), ..first.profile().clone() };
    let second = first.with_profile(&signing(), profile, Timestamp(1_800_000_000_001)).unwrap();
    let bytes = first.encode();
    let vectors = [
        good("first", bytes.clone()),
        good("second-version", second.encode()),
        bad("suite-2", [&[2], &bytes[1..]].concat(), "Decode(Suite(2))"),
        bad("empty", Vec::new(), "Decode(Malformed)"),
        bad("cut-short", shorter(&bytes), "Decode(Malformed)"),
        bad("trailing-byte", longer(&bytes), "Decode(NotCanonical)"),
        bad("another-key", flipped(&bytes, 3), "Signature"),
        bad(
            "another-name",
            flipped(&bytes, bytes.len() - 60),
            "Inconsistent(\"the profile is not the one that was signed\")",
        ),
    ];
    check(include_str!("../../tests/vectors/card.txt"), &vectors, Card::decode);
}

fn sealed(fill: u8) -> Sealed {
    Sealed { encapsulated: vec![fill; 8], ciphertext: vec![fill + 1; 8] }
}

#[test]
fn control_payloads() {
    let genesis = Genesis {
        nonce: [1; 32],
        roots: vec![signing().public()],
        threshold: 1,
        creator: header_of_creator(),
        organisation: OrganisationId([5; 16]),
    };
    let grant = Grant {
        member: header_of_creator(),
        role: Role::Writer,
        organisation: OrganisationId([6; 16]),
        history: true,
        secrets: vec![EpochSecretWrap { epoch: EpochId([7; 32]), sealed: sealed(8) }],
    };
    let cut = |log: u8, seq| Cut { log: LogId([log; 16]), seq, hash: EntryHash([log; 32]) };
    let remove = Control::Remove(Remove { member: NodeId([9; 32]), cuts: vec![cut(1, 0), cut(2, 300)] }).encode();
    let epoch = Epoch {
        recipients: vec![Recipient { node: NodeId([9; 32]), sealed: sealed(1) }],
        content_commitment: [2; 32],
        history_commitment: [3; 32],
        previous: vec![PreviousEpoch { epoch: EpochId([4; 32]), sealed: vec![5; 12] }],
    };
    let overlong = [&remove[..34], &[0x82, 0x00], &remove[35..]].concat();
    let vectors = [
        good("genesis", Control::Genesis(genesis).encode()),
        good("grant", Control::Grant(grant).encode()),
        good("remove", remove.clone()),
        good("epoch", Control::Epoch(epoch).encode()),
        bad("empty", Vec::new(), "Malformed(Malformed)"),
        bad("no-kind", vec![1], "Malformed(Malformed)"),
        bad("suite-2", [&[2], &remove[1..]].concat(), "Unknown(2)"),
        bad("kind-0", [&[1, 0], &remove[2..]].concat(), "Unknown(0)"),
        bad("kind-5", vec![1, 5], "Unknown(5)"),
        bad("cut-short", shorter(&remove), "Malformed(Malformed)"),
        bad("trailing-byte", longer(&remove), "Malformed(NotCanonical)"),
        bad("overlong-count", overlong, "Malformed(NotCanonical)"),
        bad(
            "count-beyond-the-bytes",
            [&remove[..34], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat(),
            "Malformed(Malformed)",
        ),
    ];
    check(include_str!("../../tests/vectors/control.txt"), &vectors, Control::decode);
}

fn headers() -> [Header; 3] {
    let payload = b"payload";
    let data = Header {
        space: SpaceId([10; 32]),
        log: log(),
        kind: LogKind::Data,
        seq: 0,
        previous: EntryHash::default(),
        predecessor: Some(reference(41)),
        heads: Arc::new(Heads::new(vec![reference(7), reference(3)])),
        epoch: Some(EpochId([13; 32])),
        payload_length: payload.len() as u32,
        payload_hash: payload_hash(payload),
        time: Timestamp(1_800_000_000_000),
    };
    let next = Header { seq: 1, previous: EntryHash([14; 32]), predecessor: None, ..data.clone() };
    let control =
        Header { kind: LogKind::Control, heads: Arc::default(), epoch: None, predecessor: None, ..data.clone() };
    [data, next, control]
}

#[test]
fn entry_headers() {
    let [data, next, control] = headers();
    let entry = Entry { signature: data.sign(&signing()), header: data.clone(), payload: None };
    let vectors = [
        good("data", data.encode().to_vec()),
        good("data-next", next.encode().to_vec()),
        good("control", control.encode().to_vec()),
        good("associated-data", data.associated_data().to_vec()),
        good("signature", entry.signature.0.to_vec()),
        good("entry-hash", entry.hash().0.to_vec()),
        good("heads-hash", data.heads.hash().to_vec()),
        good("payload-hash", data.payload_hash.0.to_vec()),
        good("actor", actor_id(&log(), &DOCUMENT, &SALT).to_vec()),
    ];
    // Headers are never read as such: a page implies most of them. So there are no bad ones.
    check(include_str!("../../tests/vectors/entry.txt"), &vectors, |_| Ok::<(), ()>(()));
}

/// What the actor of the golden changes is made of, beside [`log`].
const DOCUMENT: DocumentId = DocumentId([15; 16]);
const SALT: [u8; 16] = [16; 16];

/// A record's first change: `type` page, `schema` 1, `language` fr, `title/fr` Carte.
const CREATING: &str = "856f4a835906511401690020d7ce5ccdf6a2daf11c8e753ebb94af31fe6f5c317fbd13ec06974a5ca0c2f9e801010000\
    0006151f340142025605570c70027c086c616e677561676506736368656d61087469746c652f667204747970650404017c261456466672014361\
    727465706167650400";

/// The change after it: `title/fr` Carte des ports.
const EDITING: &str = "856f4a830fd07ef5017d0159065114906d0ca0309c617b64c1227b00437c252b52568acb6b2fdece3a723220d7ce5ccdf\
    6a2daf11c8e753ebb94af31fe6f5c317fbd13ec06974a5ca0c2f9e8020500000008150a340142025603570f7002710273027f087469746c652f66\
    72017f017ff60143617274652064657320706f7274737f017f007f03";

#[test]
fn changes() {
    let creating = ChangePayload {
        document: DOCUMENT,
        change: HEXLOWER.decode(CREATING.as_bytes()).unwrap(),
        person: PersonRef { id: PersonId([17; 16]), name: "Amina".into() },
        reason: String::new(),
        salt: SALT,
        dependencies: Vec::new(),
        person_signature: None,
    };
    let editing = ChangePayload {
        change: HEXLOWER.decode(EDITING.as_bytes()).unwrap(),
        person: PersonRef { name: "آمنة بن صالح".into(), ..creating.person.clone() },
        reason: "le titre entier".into(),
        dependencies: vec![reference(300), reference(7)],
        person_signature: Some(Signature([18; 64])),
        ..creating.clone()
    };
    let named = |bytes| PersonRef { name: "n".repeat(bytes), ..creating.person.clone() };
    let name_at = 1 + 16 + 1 + creating.change.len() + 16;
    let bytes = creating.encode();
    let without_tail = &bytes[..bytes.len() - 2];
    let vectors = [
        good("creating", bytes.clone()),
        good("editing", editing.encode()),
        good("longest-name", ChangePayload { person: named(PERSON_NAME_BYTES_MAX), ..creating.clone() }.encode()),
        bad("empty", Vec::new(), "Malformed"),
        bad("suite-2", [&[2], &bytes[1..]].concat(), "Suite(2)"),
        bad("cut-short", shorter(&bytes), "Malformed"),
        bad("trailing-byte", longer(&bytes), "NotCanonical"),
        bad("change-beyond-the-bytes", [&bytes[..17], &[0xff, 0xff, 0xff, 0x7f], &bytes[18..]].concat(), "Malformed"),
        bad("name-not-utf-8", [&bytes[..name_at + 1], &[0xff], &bytes[name_at + 2..]].concat(), "Malformed"),
        bad(
            "name-too-long",
            ChangePayload { person: named(PERSON_NAME_BYTES_MAX + 1), ..creating.clone() }.encode(),
            "Malformed",
        ),
        bad(
            "reason-too-long",
            ChangePayload { reason: "r".repeat(REASON_BYTES_MAX + 1), ..creating.clone() }.encode(),
            "Malformed",
        ),
        bad("dependencies-beyond-the-bytes", [without_tail, &[0x80, 0x08, 0]].concat(), "Malformed"),
        bad("overlong-count", [without_tail, &[0x80, 0, 0]].concat(), "NotCanonical"),
        bad("signature-neither-there-nor-not", [without_tail, &[0, 2]].concat(), "Malformed"),
    ];
    check(include_str!("../../tests/vectors/change.txt"), &vectors, ChangePayload::decode);
}

/// A page of three entries: with predecessor, with new heads, and with a missing payload.
fn page() -> Vec<u8> {
    let [data, next, _] = headers();
    let mut writer = PageWriter::new(0, EntryHash::default());
    let mut push = |mut header: Header, payload: Option<&[u8]>, previous: EntryHash| {
        header.previous = previous;
        let entry = Entry { signature: header.sign(&signing()), header, payload: payload.map(<[u8]>::to_vec) };
        writer.push(&entry);
        entry.hash()
    };
    let first = push(data, Some(b"payload"), EntryHash::default());
    let changed = Header { heads: Arc::new(Heads::new(vec![reference(8)])), time: Timestamp(1), ..next.clone() };
    let second = push(changed.clone(), Some(b"payload"), first);
    push(Header { seq: 2, ..changed }, None, second);
    writer.into_bytes()
}

#[test]
fn pages() {
    let page = page();
    let context = LogContext { space: SpaceId([10; 32]), log: log(), kind: LogKind::Data };
    let key = signing().public().verifier().unwrap();
    let flags = 34;
    let vectors = [
        good("three-entries", page.clone()),
        bad("empty", Vec::new(), "Malformed"),
        bad("no-entry", page[..flags].to_vec(), "Length"),
        bad("suite-2", [&[2], &page[1..]].concat(), "Suite(2)"),
        bad("unknown-flag", flipped_flag(&page, flags, 0x20), "Malformed"),
        bad("gap-and-elsewhere", flipped_flag(&page, flags, 0x18), "Malformed"),
        bad("previous-at-the-start", flipped(&page, 2), "Malformed"),
        bad("cut-short", shorter(&page), "Malformed"),
        bad("last-signature", flipped(&page, page.len() - 1), "Signature"),
        bad("first-signature", flipped(&page, flags + 1 + 7 + 1 + 177 + 33 + 88), "Signature"),
    ];
    check(include_str!("../../tests/vectors/page.txt"), &vectors, |bytes| {
        AuthenticRun::verify(context, vec![bytes.to_vec()], &key)
    });
}

fn flipped_flag(page: &[u8], place: usize, flag: u8) -> Vec<u8> {
    let mut page = page.to_vec();
    page[place] |= flag;
    page
}
