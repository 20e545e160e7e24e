//! What a sender, a recipient that passes things on, and a stranger can do wrong with all keys that they have.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;
use crate::{
    crypto::chunks::Place,
    pouch::{
        frame::Frame,
        header::{Header, Secret, commitment},
        statement::{Signed, frames_hasher},
    },
};

const SECRET: [u8; 32] = [0x11; 32];

fn opening() -> Opening {
    Opening {
        pouch: POUCH,
        volume: 1,
        commitment: commitment(&Secret::new(SECRET)),
        sender: SENDER,
        recipients: vec![RECIPIENT, OTHER],
        time: Timestamp(1),
    }
}

fn opened(opening: Opening) -> Vec<u8> {
    Frame::Opening(Signed::sign(opening, &signing())).encode().unwrap()
}

fn closed(before: &[u8], change: impl FnOnce(&mut Closing)) -> Vec<u8> {
    let frames = *frames_hasher().update(before).finalize().as_bytes();
    let mut closing =
        Closing { pouch: POUCH, volume: 1, frames, contents: Contents::default(), files: Vec::new(), last: true };
    change(&mut closing);
    Frame::Closing(Signed::sign(closing, &signing())).encode().unwrap()
}

fn message(message: Message) -> Vec<u8> {
    Frame::Message(message).encode().unwrap()
}

/// A volume of one chunk, as anyone who knows the secret can make it: a recipient, for instance.
fn sealed(secret: [u8; 32], to: NodeId, plaintext: &[u8]) -> Vec<u8> {
    let secret = Secret::new(secret);
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let header = Header::seal(POUCH, 1, &secret, &[(to, sealing(to).public())], &mut rng).unwrap();
    let mut chunk = plaintext.to_vec();
    header.chunk_key(&secret).seal(0, Place::Last, &mut chunk);
    let check = scan::check(&header.check(), Place::Last, &chunk);
    [header.bytes(), &chunk, &check].concat()
}

fn refused(plaintext: &[u8]) -> PouchError {
    read(&sealed(SECRET, RECIPIENT, plaintext), RECIPIENT, 1 << 20).unwrap_err()
}

#[test]
fn what_is_in_order_is_taken() {
    let first = opened(opening());
    let plaintext = [first.clone(), closed(&first, |_| ()), vec![0; 9]].concat();
    assert!(read(&sealed(SECRET, RECIPIENT, &plaintext), RECIPIENT, 1 << 20).is_ok());
}

#[test]
fn what_a_recipient_seals_to_another_is_told_as_such() {
    let first = opened(opening());
    let plaintext = [first.clone(), closed(&first, |_| ())].concat();
    let stranger = NodeId([4; 32]);
    assert_eq!(read(&sealed(SECRET, stranger, &plaintext), stranger, 1 << 20), Err(PouchError::Readdressed(SENDER)));
    // Under another secret it is another envelope, even to one for whom it was.
    assert_eq!(
        read(&sealed([0x12; 32], RECIPIENT, &plaintext), RECIPIENT, 1 << 20),
        Err(PouchError::Readdressed(SENDER))
    );
    for other in [Opening { pouch: PouchId([8; 16]), ..opening() }, Opening { volume: 2, ..opening() }] {
        assert_eq!(refused(&opened(other)), PouchError::Readdressed(SENDER));
    }
}

#[test]
fn an_opening_is_signed_by_a_known_sender() {
    let unknown = Opening { sender: OTHER, ..opening() };
    assert_eq!(refused(&opened(unknown)), PouchError::UnknownSender(OTHER));
    let forged = Frame::Opening(Signed::sign(opening(), &SigningKey::from_seed(&[7; 32]))).encode().unwrap();
    assert_eq!(refused(&forged), PouchError::BadSignature(SENDER));
}

#[test]
fn lists_of_recipients_are_in_order_and_short() {
    let many: Vec<NodeId> = (1..=17).map(|id| NodeId([id; 32])).collect();
    for recipients in [vec![], vec![OTHER, RECIPIENT], vec![RECIPIENT, RECIPIENT], many] {
        let error = refused(&opened(Opening { recipients, ..opening() }));
        assert_eq!(error, PouchError::Malformed("the list of recipients"));
    }
}

#[test]
fn a_recipient_cannot_change_what_another_recipient_gets() {
    let first = opened(opening());
    let closing = closed(&first, |_| ());
    let plaintext = [first, message(payload(3)), closing].concat();
    assert_eq!(refused(&plaintext), PouchError::BadSignature(SENDER));
}

#[test]
fn a_closing_is_of_this_volume_and_says_what_it_held() {
    let first = opened(opening());
    let with = |closing: Vec<u8>| refused(&[first.clone(), closing].concat());
    assert_eq!(with(closed(&first, |closing| closing.volume = 2)), PouchError::BadSignature(SENDER));
    assert_eq!(with(closed(&first, |closing| closing.pouch = PouchId([8; 16]))), PouchError::BadSignature(SENDER));
    let claims = closed(&first, |closing| closing.contents.add(SpaceId([5; 32]), Item::Entries(run(0, 2).1)));
    assert_eq!(with(claims), PouchError::Malformed("the contents list"));
    let before = [first.clone(), message(run(0, 2).0)].concat();
    let silent = [before.clone(), closed(&before, |_| ())].concat();
    assert_eq!(refused(&silent), PouchError::Malformed("the contents list"));
    let before = [first, message(payload(3))].concat();
    let silent = [before.clone(), closed(&before, |_| ())].concat();
    assert_eq!(refused(&silent), PouchError::Malformed("the contents list"));
}

#[test]
fn nobody_repeats_words_without_end() {
    let first = opened(opening());
    let with = |frames: &[Vec<u8>]| refused(&[std::slice::from_ref(&first), frames].concat().concat());
    let hello = message(Message::Hello { card: vec![1], incarnation: Incarnation([1; 16]) });
    let space = SpaceId([5; 32]);
    let frontier = |mask| message(Message::Frontier { space, mask, logs: vec![] });
    let fork = {
        let Message::Run { space, log, kind, .. } = run(0, 1).0 else { panic!() };
        message(Message::Fork { space, log, kind, one: vec![], other: vec![] })
    };
    for frames in [[hello.clone(), hello], [frontier(3), frontier(6)], [frontier(1), frontier(0)], [fork.clone(), fork]]
    {
        assert_eq!(with(&frames), PouchError::Malformed("something that may be said once, said again"));
    }
    // What differs may follow: that the volume does not end is what is wrong here.
    assert_eq!(with(&[frontier(1), frontier(2)]), PouchError::Malformed("it ends without a closing"));
}

#[test]
fn frames_out_of_place_are_refused() {
    let first = opened(opening());
    let with = |frame: Vec<u8>| refused(&[first.clone(), frame].concat());
    assert_eq!(with(first.clone()), PouchError::Malformed("a second opening"));
    assert_eq!(
        with(message(Message::Again { space: SpaceId([1; 32]) })),
        PouchError::Malformed("a message that no pouch carries")
    );
    assert_eq!(with(vec![]), PouchError::Malformed("it ends without a closing"));
    assert_eq!(with(vec![0; 4]), PouchError::Bound("the length of a frame"));
    assert_eq!(with(vec![0, 0x40, 0, 1]), PouchError::Bound("the length of a frame"));
    assert_eq!(with(vec![0, 0, 0, 1, 9]), PouchError::Frame(crate::codec::DecodeError::Malformed));
    let after = [closed(&first, |_| ()), vec![0, 1]].concat();
    assert_eq!(with(after), PouchError::Malformed("something stands behind the closing"));
    for early in [message(payload(1)), closed(&[], |_| ()), Frame::Held(held()).encode().unwrap()] {
        assert_eq!(refused(&early), PouchError::Malformed("it starts without an opening"));
    }
    let Message::Run { space, log, kind, pages } = run(0, 2).0 else { panic!() };
    let future = Message::Run { space, log, kind, pages: vec![[&[2], &pages[0][1..]].concat()] };
    assert_eq!(with(message(future)), PouchError::Future(2));
    assert_eq!(
        with(message(Message::Run { space, log, kind, pages: vec![] })),
        PouchError::Malformed("a run of entries")
    );
}

#[test]
fn all_recipients_open_the_same_or_nothing() {
    let first = opened(opening());
    let mut volume = sealed(SECRET, RECIPIENT, &[first.clone(), closed(&first, |_| ())].concat());
    // Another commitment, all checks renewed.
    volume[40] ^= 1;
    let end = HEADER_BYTES - 32;
    let check = crate::crypto::hash::Context::POUCH_CHECK.hash(&[&volume[..end]]);
    volume[end..HEADER_BYTES].copy_from_slice(&check);
    assert_eq!(
        VolumeReader::new(RECIPIENT, sealing(RECIPIENT)).push(&volume, &senders),
        Err(PouchError::NotForThisNode)
    );
}
