//! Golden vectors of attachments: ciphertexts and what nodes say about them (`tests/vectors/README.md`). When one fails it prints the
//! line that the file would have to hold; to put that there is to change the format.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by panicking")]

use data_encoding::HEXLOWER;
use portolan_protocol::{
    attachment::{
        ANSWER_BYTES, Answer, AttachmentError, AttachmentKey, Layout, Opener, REQUEST_BYTES, Request, Sealer, Wish,
    },
    crypto::hash,
    id::{AttachmentId, SpaceId},
};

/// The key of all of them.
fn key() -> AttachmentKey {
    AttachmentKey::new([41; 32])
}

fn sealed(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sealer = Sealer::new(&key(), &mut out);
    sealer.add(file, &mut out).unwrap();
    sealer.finish(&mut out);
    out
}

fn opened(ciphertext: &[u8]) -> Result<Vec<u8>, AttachmentError> {
    let suite = ciphertext.first().copied().unwrap_or(1);
    let opener = Opener::new(&key(), suite, ciphertext.len() as u64)?;
    let mut file = Vec::new();
    for chunk in 0..opener.layout().chunks() {
        let (range, _) = opener.layout().sealed(chunk).unwrap();
        let mut bytes = ciphertext[range.start as usize..range.end as usize].to_vec();
        opener.open(chunk, &mut bytes)?;
        file.extend(bytes);
    }
    Ok(file)
}

/// What every line of the file has to be.
fn lines() -> Vec<String> {
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let id = |bytes: &[u8]| AttachmentId(hash::file(bytes)).to_string();
    let mut lines = Vec::new();
    let (empty, short) = (sealed(b""), sealed(b"Tides of the strait"));
    for (name, ciphertext) in [("empty", &empty), ("short", &short)] {
        lines.push(format!("good {name} {}", hex(ciphertext)));
        lines.push(format!("id {name} {}", id(ciphertext)));
    }
    // Too long to stand here: the bytes are `i mod 251`.
    for length in [65_536, 65_537, 200_000] {
        let file: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
        lines.push(format!("id pattern-{length} {}", id(&sealed(&file))));
    }
    let altered = |at: usize| {
        let mut bytes = short.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (name, bytes) in [
        ("nothing", Vec::new()),
        ("suite-alone", vec![1]),
        ("another-suite", [&[2], &short[1..]].concat()),
        ("altered-text", altered(3)),
        ("altered-tag", altered(short.len() - 1)),
        ("cut", short[..short.len() - 1].to_vec()),
        ("cut-to-the-tag", short[..16].to_vec()),
        ("longer", [&short[..], &[0]].concat()),
    ] {
        lines.push(format!("bad {name} {} {:?}", hex(&bytes), opened(&bytes).unwrap_err()));
    }
    let request = |wish| Request { space: SpaceId([10; 32]), attachment: AttachmentId([42; 32]), wish };
    for (name, wish) in [("whether", Wish::Whether), ("send-from-the-third-group", Wish::Send { offset: 32_768 })] {
        let bytes = request(wish).encode();
        assert_eq!(Request::decode(&bytes), Ok(request(wish)));
        lines.push(format!("request {name} {}", hex(&bytes)));
    }
    let bytes = request(Wish::Send { offset: 32_768 }).encode();
    let put = |at: usize, byte: u8| {
        let mut bytes: [u8; REQUEST_BYTES] = bytes;
        bytes[at] = byte;
        bytes
    };
    for (name, bytes) in [
        ("another-suite", put(0, 2)),
        ("another-wish", put(1, 2)),
        ("within-a-group", put(73, 1)),
        ("whether-from", put(1, 0)),
    ] {
        lines.push(format!("bad-request {name} {} {:?}", hex(&bytes), Request::decode(&bytes).unwrap_err()));
    }
    let held = Answer::Held(Layout::of_plaintext(200_000).unwrap());
    let answers =
        [("held", held), ("not-held", Answer::NotHeld), ("not-allowed", Answer::NotAllowed), ("busy", Answer::Busy)];
    for (name, answer) in answers {
        let bytes = answer.encode();
        assert_eq!(Answer::decode(&bytes), Ok(answer));
        lines.push(format!("answer {name} {}", hex(&bytes)));
    }
    let mut bytes: [u8; ANSWER_BYTES] = held.encode();
    bytes[9] = 17;
    bytes[2..9].fill(0);
    assert!(Answer::decode(&bytes).is_ok(), "the length of an empty file");
    bytes[9] = 16;
    lines.push(format!("bad-answer no-such-length {} {:?}", hex(&bytes), Answer::decode(&bytes).unwrap_err()));
    lines
}

#[test]
fn the_bytes_are_those_of_the_file() {
    let held: Vec<&str> =
        include_str!("../../tests/vectors/attachment.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let lines = lines();
    for (number, line) in lines.iter().enumerate() {
        assert!(held.get(number) == Some(&line.as_str()), "the bytes changed:\n{}", lines.join("\n"));
    }
    assert_eq!(held.len(), lines.len(), "the file holds vectors that nobody checks");
    assert_eq!(opened(&sealed(b"Tides of the strait")), Ok(b"Tides of the strait".to_vec()));
}
