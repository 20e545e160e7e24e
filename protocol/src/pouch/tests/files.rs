//! What stands behind the closing: damage costs the pieces that it hits, wherever it is.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;
use crate::{
    attachment::{Layout, piece_at, piece_bytes},
    id::AttachmentId,
    limits::{CHUNK_BYTES, VOLUME_BYTES_MAX},
};

const FILE: AttachmentId = AttachmentId([7; 32]);

fn ranges() -> Vec<FileRange> {
    let of = |plaintext| Layout::of_plaintext(plaintext).unwrap().ciphertext_bytes();
    let small = FileRange { attachment: AttachmentId([6; 32]), bytes: of(0), from: 0, to: of(0) };
    let bytes = of(900_000);
    vec![small, FileRange { attachment: FILE, bytes, from: piece_at(bytes, 0).end, to: bytes }]
}

/// A volume of one payload and the two ranges, each piece filled with its number.
fn volume(ranges: Vec<FileRange>, padding: Padding) -> Vec<u8> {
    let (key, mut out) = (signing(), Vec::new());
    let recipients = vec![(RECIPIENT, sealing(RECIPIENT).public())];
    let address = Address { pouch: POUCH, volume: 1, sender: SENDER, key: &key, recipients, time: Timestamp(1) };
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut writer = VolumeWriter::begin(address, VOLUME_BYTES_MAX, &mut rng, &mut out).unwrap();
    writer.message(payload(10), &mut out).unwrap();
    writer.end_entries(ranges, true, &mut out).unwrap();
    assert_eq!(writer.message(payload(10), &mut out), Err(WriteError::Full), "nothing follows the closing");
    let mut number = 1;
    while let Some((file, range)) = writer.next_piece() {
        let length = piece_bytes(file.bytes, &range) as usize;
        writer.piece(Some(vec![number; length]), &mut out);
        number += 1;
    }
    writer.close(true, padding, &mut out).unwrap();
    out
}

/// The first bytes of the pieces that come out, and what is wrong.
fn pieces(volume: &[u8], step: usize) -> Result<(Vec<u8>, Option<PouchError>), PouchError> {
    let mut reader = VolumeReader::new(RECIPIENT, sealing(RECIPIENT));
    let mut carried = Vec::new();
    for bytes in volume.chunks(step) {
        carried.extend(reader.push(bytes, &senders)?);
    }
    let end = reader.finish(&senders)?;
    carried.extend(end.carried);
    assert_eq!(carried.remove(0), Carried::Message(payload(10)), "records come whatever is behind them");
    assert_eq!(end.closing.files, ranges());
    let number = |carried: &Carried| {
        let Carried::Piece(piece) = carried else { panic!("{carried:?}") };
        assert!(piece.encoded.iter().all(|byte| *byte == piece.encoded[0]));
        piece.encoded[0]
    };
    Ok((carried.iter().map(number).collect(), end.trouble))
}

#[test]
fn pieces_come_behind_the_records_in_whatever_steps() {
    for padding in [Padding::None, Padding::Padme] {
        let bytes = volume(ranges(), padding);
        for step in [1 << 20, 65_584, 777] {
            assert_eq!(pieces(&bytes, step), Ok((vec![1, 2, 3, 4], None)));
        }
    }
}

#[test]
fn a_flipped_bit_costs_the_pieces_that_it_hits() {
    let whole = volume(ranges(), Padding::None);
    let block = CHUNK_BYTES + 48;
    for number in 0..(whole.len() - HEADER_BYTES) / block {
        let mut bytes = whole.clone();
        let place = HEADER_BYTES + number * block + 40_000;
        bytes[place] ^= 1;
        match (number, pieces(&bytes, 10_000)) {
            (0, outcome) => assert!(matches!(outcome, Err(PouchError::Damaged { .. })), "the closing is in it"),
            (number, outcome) => {
                let (came, trouble) = outcome.unwrap();
                let is_there =
                    |place| matches!(trouble, Some(PouchError::Damaged { at, end }) if (at..end).contains(&place));
                assert!(is_there(place as u64), "{number}: {trouble:?}");
                assert!(came.len() >= 2 && came.len() < 4 && came[0] == 1, "{number}: {came:?}");
            }
        }
        // Who looks without a key finds it as well.
        let mut scanner = Scanner::new();
        let found = scanner.push(&bytes).unwrap().into_iter().filter_map(|piece| piece.sound().err()).count();
        assert_eq!(found, 1, "{number}: only that block");
    }
}

#[test]
fn a_cut_costs_what_is_behind_it() {
    let whole = volume(ranges(), Padding::None);
    for (length, most) in [(whole.len() - 1, 3), (whole.len() / 2, 2), (HEADER_BYTES + 2 * 65_584, 1)] {
        let (came, trouble) = pieces(&whole[..length], 10_000).unwrap();
        assert!(came.len() <= most && !came.is_empty() && trouble.is_some(), "{length}: {came:?} {trouble:?}");
    }
}

#[test]
fn a_sender_cannot_name_what_is_no_range() {
    let range = ranges()[1];
    let wrong = [
        FileRange { from: range.to, ..range },
        FileRange { from: 1, ..range },
        FileRange { to: range.to + 1, ..range },
        FileRange { to: range.to - 1, ..range },
        FileRange { bytes: 18 + 65_536, to: 18 + 65_536, from: 0, ..range },
        FileRange { bytes: u64::MAX, ..range },
    ];
    for wrong in wrong {
        assert_eq!(super::super::files::check(&[wrong]), Err(PouchError::Malformed("a range of a file")), "{wrong:?}");
    }
    let many = vec![range; crate::limits::VOLUME_FILES_MAX + 1];
    assert_eq!(super::super::files::check(&many), Err(PouchError::Bound("the attachments in a volume")));
}
