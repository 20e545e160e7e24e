//! Epochs of many readers: how many one entry holds, and one reader's sealed secret by itself, proved against the payload
//! hash that the epoch's header signs (`docs/spec/membership.md`, "One wrap by itself"). The hash is BLAKE3, a tree over
//! chunks of 1,024 bytes, so the format allows that as it is; no product code asks for it yet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ops::Range;

use blake3::{
    CHUNK_LEN, Hasher,
    hazmat::{
        ChainingValue, ContextKey, HasherExt, Mode, hash_derive_key_context, left_subtree_len, merge_subtrees_non_root,
        merge_subtrees_root,
    },
};
use portolan_protocol::{
    control::{Control, Recipient, Role, wrap_info},
    crypto::sealing::Sealed,
    entry::Header,
    id::{NodeId, OrganisationId},
    limits::PAYLOAD_BYTES_MAX,
    membership::{Offer, READERS_MAX, Refusal},
    page::{AuthenticRun, PagePayload, RunError},
};
use portolan_tests::crowd::{Crowd, identity};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// As many as the decision page speaks of, near what one entry can hold.
const READERS: usize = 800;

/// A recipient with history: node, length and encapsulated key, length and ciphertext.
const RECIPIENT: usize = 32 + 2 + 1_120 + 1 + 80;

/// The chunks of a payload that hold what is asked for, and what takes the place of all others.
#[derive(Clone)]
struct Proof {
    /// In order, without what lies between.
    chunks: Vec<u8>,
    /// Chaining values of the subtrees without such a chunk, from left to right.
    siblings: Vec<ChainingValue>,
}

/// What is asked for: byte ranges of the payload.
type Wanted = [Range<usize>];

fn holds_wanted(wanted: &Wanted, at: usize, length: usize) -> bool {
    wanted.iter().any(|range| range.start < at + length && at < range.end)
}

/// Where the right half of a subtree begins.
fn middle(length: usize) -> usize {
    left_subtree_len(length as u64) as usize
}

fn chaining_value(key: &ContextKey, at: usize, subtree: &[u8]) -> ChainingValue {
    Hasher::new_from_context_key(key).set_input_offset(at as u64).update(subtree).finalize_non_root()
}

fn key() -> ContextKey {
    hash_derive_key_context("portolan 2026 payload v1")
}

impl Proof {
    fn take(payload: &[u8], wanted: &Wanted) -> Proof {
        let mut proof = Proof { chunks: Vec::new(), siblings: Vec::new() };
        proof.collect(&key(), payload, 0, wanted);
        proof
    }

    fn collect(&mut self, key: &ContextKey, subtree: &[u8], at: usize, wanted: &Wanted) {
        if !holds_wanted(wanted, at, subtree.len()) {
            self.siblings.push(chaining_value(key, at, subtree));
        } else if subtree.len() <= CHUNK_LEN {
            self.chunks.extend_from_slice(subtree);
        } else {
            let (left, right) = subtree.split_at(middle(subtree.len()));
            self.collect(key, left, at, wanted);
            self.collect(key, right, at + left.len(), wanted);
        }
    }

    /// The bytes of each wanted range, if the payload that this header signs holds them there. It has several chunks.
    fn open(&self, header: &Header, wanted: &Wanted) -> Option<Vec<Vec<u8>>> {
        let mut check = Check { key: key(), wanted, chunks: &self.chunks, siblings: &self.siblings, found: Vec::new() };
        let length = header.payload_length as usize;
        let right = middle(length);
        let halves = (check.subtree(0, right)?, check.subtree(right, length - right)?);
        let root = merge_subtrees_root(&halves.0, &halves.1, Mode::DeriveKeyMaterial(&check.key));
        if *root.as_bytes() != header.payload_hash.0 || !check.chunks.is_empty() || !check.siblings.is_empty() {
            return None;
        }
        let part = |range: &Range<usize>| {
            let of_chunk = |(at, chunk): &(usize, &[u8])| {
                let (from, to) = (range.start.max(*at), range.end.min(at + chunk.len()));
                if from < to { chunk[from - at..to - at].to_vec() } else { Vec::new() }
            };
            check.found.iter().flat_map(of_chunk).collect()
        };
        Some(wanted.iter().map(part).collect())
    }

    fn bytes(&self) -> usize {
        self.chunks.len() + self.siblings.len() * 32
    }
}

/// A proof while it is read from left to right.
struct Check<'a> {
    key: ContextKey,
    wanted: &'a Wanted,
    chunks: &'a [u8],
    siblings: &'a [ChainingValue],
    /// Chunks and where they begin.
    found: Vec<(usize, &'a [u8])>,
}

impl Check<'_> {
    /// The chaining value of the subtree over `length` bytes from `at` on.
    fn subtree(&mut self, at: usize, length: usize) -> Option<ChainingValue> {
        if !holds_wanted(self.wanted, at, length) {
            let (sibling, rest) = self.siblings.split_first()?;
            self.siblings = rest;
            return Some(*sibling);
        }
        if length <= CHUNK_LEN {
            let (chunk, rest) = self.chunks.split_at_checked(length)?;
            self.chunks = rest;
            self.found.push((at, chunk));
            return Some(chaining_value(&self.key, at, chunk));
        }
        let left = middle(length);
        let (one, two) = (self.subtree(at, left)?, self.subtree(at + left, length - left)?);
        Some(merge_subtrees_non_root(&one, &two, Mode::DeriveKeyMaterial(&self.key)))
    }
}

/// Where the wrap of the reader at this place of all (ascending by id) lies, and the two commitments. All have history.
fn places(reader: usize, readers: usize) -> [Range<usize>; 2] {
    let first = 2 + if readers < 128 { 1 } else { 2 };
    let at = |place: usize| first + place * RECIPIENT;
    [at(reader)..at(reader + 1), at(readers)..at(readers) + 64]
}

/// The header of a run's only entry, and its payload. The run was verified, so an author's signature is over the header.
fn only_entry(run: &AuthenticRun) -> (Header, Vec<u8>) {
    let mut found = None;
    run.try_for_each(|entry| {
        let PagePayload::Inline(payload) = entry.payload else { panic!("no payload") };
        found = Some((entry.header.clone(), payload.to_vec()));
        Ok::<(), RunError>(())
    })
    .unwrap();
    found.unwrap()
}

/// Reads `node (32), encapsulated: byte string, ciphertext: byte string` of a member with history.
fn recipient(bytes: &[u8]) -> Recipient {
    assert_eq!((&bytes[32..34], bytes[1_154]), ([0xe0, 0x08].as_slice(), 80), "1,120 and 80 as varints");
    let sealed = Sealed { encapsulated: bytes[34..1_154].to_vec(), ciphertext: bytes[1_155..].to_vec() };
    Recipient { node: NodeId(bytes[..32].try_into().unwrap()), sealed }
}

#[test]
fn one_wrap_is_proved_by_a_few_chunks_of_the_payload_that_the_header_signs() {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let mut crowd = Crowd::new(READERS, &mut rng);
    let (plan, secret) = crowd.membership.plan_epoch(crowd.log(), &crowd.keyring(0), &mut rng).unwrap();
    let Control::Epoch(epoch) = plan.payload.clone() else { panic!("no epoch") };
    let run = crowd.write([plan.payload]);
    let founder = crowd.readers[0].signing.public().verifier().unwrap();
    let run = AuthenticRun::verify(*run.context(), run.pages().to_vec(), &founder).unwrap();
    let (header, payload) = only_entry(&run);

    for reader in [0, 1, 399, READERS - 1] {
        let identity = &crowd.readers[reader];
        let node = identity.card.node();
        let place = epoch.recipients.iter().position(|recipient| recipient.node == node).unwrap();
        let wanted = places(place, READERS);
        let proof = Proof::take(&payload, &wanted);
        let [wrap, commitments] = proof.open(&header, &wanted).unwrap().try_into().unwrap();
        let recipient = recipient(&wrap);
        let (content, history) = commitments.split_first_chunk::<32>().unwrap();
        assert_eq!((recipient.node, content), (node, &epoch.content_commitment));
        let opened = identity.sealing.open(&wrap_info(&crowd.space(), &node, content), &recipient.sealed).unwrap();
        let commitment = |what: &str, key: &[u8]| blake3::derive_key(what, key);
        assert_eq!(&opened[..32], secret.keys().content());
        assert_eq!(commitment("portolan 2026 content key commitment v1", &opened[..32]), *content);
        assert_eq!(commitment("portolan 2026 history key commitment v1", &opened[32..]), *history);
    }
    let mut sizes: Vec<usize> =
        (0..READERS).map(|place| Proof::take(&payload, &places(place, READERS)).bytes()).collect();
    sizes.sort_unstable();
    assert_eq!((payload.len(), sizes[READERS / 2], sizes[READERS - 1]), (988_069, 3_365, 4_581), "whole, median, most");
}

#[test]
fn a_proof_of_something_else_proves_nothing() {
    let mut rng = ChaCha20Rng::from_seed([8; 32]);
    let mut crowd = Crowd::new(130, &mut rng);
    let (plan, _) = crowd.membership.plan_epoch(crowd.log(), &crowd.keyring(0), &mut rng).unwrap();
    let (header, payload) = only_entry(&crowd.write([plan.payload]));
    let wanted = places(57, 130);
    let proof = Proof::take(&payload, &wanted);
    assert!(proof.open(&header, &wanted).is_some());

    for at in 0..proof.chunks.len() {
        let mut forged = proof.clone();
        forged.chunks[at] ^= 1;
        assert!(forged.open(&header, &wanted).is_none(), "byte {at} of the chunks");
    }
    for (sibling, at) in (0..proof.siblings.len()).flat_map(|sibling| (0..32).map(move |at| (sibling, at))) {
        let mut forged = proof.clone();
        forged.siblings[sibling][at] ^= 1;
        assert!(forged.open(&header, &wanted).is_none(), "byte {at} of sibling {sibling}");
    }
    for place in (0..130).filter(|place| *place != 57) {
        let elsewhere = places(place, 130);
        let found = proof.open(&header, &elsewhere);
        assert!(found.is_none_or(|found| found[0] == payload[elsewhere[0].clone()]), "taken for place {place}");
    }
    assert!(proof.open(&header, &places(80, 130)).is_none(), "a place far off");
    let mut swapped = proof.clone();
    swapped.siblings.swap(0, 1);
    assert!(swapped.open(&header, &wanted).is_none(), "siblings in another order");
    let mut more = proof.clone();
    more.siblings.push([0; 32]);
    assert!(more.open(&header, &wanted).is_none(), "a sibling too many");
    let mut less = proof.clone();
    less.chunks.pop();
    assert!(less.open(&header, &wanted).is_none(), "a byte too few");
    let other = Header { payload_length: header.payload_length - 1, ..header };
    assert!(proof.open(&other, &wanted).is_none(), "a payload of another length");
}

/// What the founder says of a grant to a node that is no member yet.
fn refusal(crowd: &Crowd, rng: &mut ChaCha20Rng, role: Role, history: bool) -> Option<Refusal> {
    let member = identity(10_000).card.first_header().clone();
    let offer = Offer { member, role, organisation: OrganisationId([1; 16]), history };
    crowd.membership.plan_grant(crowd.log(), offer, &crowd.keyring(0), rng).err()
}

#[test]
fn a_space_is_given_no_more_readers_than_an_epoch_holds() {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let fewer = Crowd::new(READERS_MAX - 1, &mut rng);
    assert_eq!(refusal(&fewer, &mut rng, Role::Reader, true), None);
    let crowd = Crowd::new(READERS_MAX, &mut rng);
    for history in [true, false] {
        assert_eq!(refusal(&crowd, &mut rng, Role::Reader, history), Some(Refusal::TooManyReaders));
        assert_eq!(refusal(&crowd, &mut rng, Role::Writer, history), Some(Refusal::TooManyReaders));
    }
    assert_eq!(refusal(&crowd, &mut rng, Role::Relay, true), None);
    let held = crowd.readers[5].card.first_header().clone();
    let promotion = Offer { member: held, role: Role::Writer, organisation: OrganisationId([1; 16]), history: true };
    assert!(crowd.membership.plan_grant(crowd.log(), promotion, &crowd.keyring(0), &mut rng).is_ok());
}

#[test]
fn an_epoch_holds_848_readers_and_planning_refuses_more() {
    let mut rng = ChaCha20Rng::from_seed([10; 32]);
    let crowd = Crowd::new(848, &mut rng);
    let (plan, _) = crowd.membership.plan_epoch(crowd.log(), &crowd.keyring(0), &mut rng).unwrap();
    let bytes = plan.payload.encode().len();
    assert_eq!(bytes, 2 + 2 + 848 * RECIPIENT + 64 + 1);
    assert!(bytes <= PAYLOAD_BYTES_MAX && bytes + RECIPIENT > PAYLOAD_BYTES_MAX);
    let crowd = Crowd::new(849, &mut rng);
    let refused = crowd.membership.plan_epoch(crowd.log(), &crowd.keyring(0), &mut rng);
    assert_eq!(refused.err(), Some(Refusal::TooManyReaders));
}
