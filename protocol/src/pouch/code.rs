//! The short receipt as a text of at most 300 characters, for a QR code, a slip of paper or a telephone.
//!
//! ```text
//! bytes = suite (1), held, checksum (4)
//! text  = base32 of them in capitals (RFC 4648, no padding), and a check letter after every 24 and at the end
//! ```
//!
//! The check letter (Luhn mod 32) finds any one wrong letter and tells the line; the checksum finds the rest.

use data_encoding::BASE32_NOPAD;
use thiserror::Error;

use super::held::Held;
use crate::{
    codec::{self, DecodeError},
    crypto::hash::Context,
};

/// Most characters of a code, line breaks included.
pub const CODE_CHARACTERS_MAX: usize = 300;

const CHECKSUM_BYTES: usize = 4;
const CODE_BYTES_MAX: usize = 160;
/// Letters of a line before its check letter.
const LINE_LETTERS: usize = 24;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Why a text is no code. Lines have 25 letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// A character that no code has.
    #[error("`{0}` does not occur in a receipt code: only letters and the digits 2 to 7 do")]
    Character(char),
    /// A line whose check letter does not fit.
    #[error("line {0} is mistyped or incomplete: compare it again")]
    Line(usize),
    /// The lines are right one by one but do not belong together.
    #[error("a line is missing, or the lines are not in order")]
    Checksum,
    /// Longer than a code may be.
    #[error("longer than a receipt code is")]
    TooLong,
    /// A code of another release, or none.
    #[error("not a receipt code: {0}")]
    Decode(DecodeError),
}

/// The code of a short receipt: lines of 25 letters.
pub fn to_code(held: &Held) -> String {
    let mut bytes = codec::encode(held);
    bytes.extend_from_slice(&checksum(&bytes));
    let text = BASE32_NOPAD.encode(&bytes);
    let lines = text.as_bytes().chunks(LINE_LETTERS).map(|line| {
        let check = char::from(ALPHABET[luhn(line).unwrap_or_default()]);
        format!("{}{check}", String::from_utf8_lossy(line))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads a code; case, spaces, line breaks and hyphens do not matter, and digits that look like letters are taken for them.
/// The signature is not checked.
///
/// # Errors
/// [`CodeError`].
pub fn from_code(text: &str) -> Result<Held, CodeError> {
    let mut letters = Vec::new();
    for character in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        letters.push(letter(character).ok_or(CodeError::Character(character))?);
        if letters.len() > CODE_CHARACTERS_MAX {
            return Err(CodeError::TooLong);
        }
    }
    let mut body = Vec::new();
    for (index, line) in letters.chunks(LINE_LETTERS + 1).enumerate() {
        let wrong = CodeError::Line(index + 1);
        let (check, line) = line.split_last().ok_or(wrong)?;
        if luhn(line).map(|check| ALPHABET[check]) != Some(*check) {
            return Err(wrong);
        }
        body.extend_from_slice(line);
    }
    let bytes = BASE32_NOPAD.decode(&body).map_err(|_| CodeError::Checksum)?;
    let (held, stated) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(CodeError::Checksum)?;
    if checksum(held) != *stated {
        return Err(CodeError::Checksum);
    }
    let held: Held = codec::decode(held, CODE_BYTES_MAX).map_err(CodeError::Decode)?;
    if !held.volumes.is_plausible() {
        return Err(CodeError::Decode(DecodeError::NotCanonical));
    }
    Ok(held)
}

fn letter(character: char) -> Option<u8> {
    let letter = match character.to_ascii_uppercase() {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        other => other,
    };
    u8::try_from(letter).ok().filter(|letter| ALPHABET.contains(letter))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Context::POUCH_CODE.hash(&[bytes]);
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The check letter of a line (Luhn mod 32, doubling from the right), none when a letter is foreign.
fn luhn(line: &[u8]) -> Option<usize> {
    let mut sum = 0;
    for (index, letter) in line.iter().rev().enumerate() {
        let value = ALPHABET.iter().position(|known| known == letter)?;
        let product = if index % 2 == 0 { value * 2 } else { value };
        sum += product / 32 + product % 32;
    }
    Some((32 - sum % 32) % 32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        crypto::signing::SigningKey,
        id::{Incarnation, PouchId},
        limits::VOLUMES_MAX,
    };

    fn held(volumes: u16, counter: u64) -> Held {
        let volumes: Vec<_> = (1..=volumes).map(|volume| (volume, [9; 16])).collect();
        Held::sign(PouchId([1; 16]), &volumes, Incarnation([2; 16]), counter, &SigningKey::from_seed(&[3; 32]))
    }

    #[test]
    fn the_longest_code_is_short_enough_and_comes_back() {
        let held = held(VOLUMES_MAX, u64::MAX);
        let code = to_code(&held);
        assert!(code.len() <= CODE_CHARACTERS_MAX, "{}", code.len());
        assert!(codec::encode(&held).len() <= CODE_BYTES_MAX);
        assert_eq!(from_code(&code), Ok(held.clone()));
        let spoken = code.to_lowercase().replace('\n', "-\r\n ").replace('o', "0").replace('i', "1").replace('b', "8");
        assert_eq!(from_code(&spoken), Ok(held));
    }

    #[test]
    fn any_one_wrong_letter_names_its_line() {
        let code = to_code(&held(3, 70_000));
        let lines: Vec<&str> = code.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            for place in 0..line.len() {
                let other = if line.as_bytes()[place] == b'A' { "Q" } else { "A" };
                let mut typed: Vec<String> = lines.iter().map(|line| (*line).to_string()).collect();
                typed[number].replace_range(place..=place, other);
                assert_eq!(from_code(&typed.join(" ")), Err(CodeError::Line(number + 1)), "{typed:?}");
            }
        }
    }

    #[test]
    fn two_neighbours_exchanged_name_their_line() {
        let code = to_code(&held(3, 70_000));
        let line = code.lines().next().unwrap();
        // The one pair that the check letter cannot tell apart is that of A and 7; the checksum finds it.
        for place in (1..line.len()).filter(|place| line.as_bytes()[place - 1] != line.as_bytes()[*place]) {
            let mut typed = code.clone().into_bytes();
            typed.swap(place - 1, place);
            let mut pair = [line.as_bytes()[place - 1], line.as_bytes()[place]];
            pair.sort_unstable();
            let expected = if pair == *b"7A" { CodeError::Checksum } else { CodeError::Line(1) };
            assert_eq!(from_code(&String::from_utf8(typed).unwrap()), Err(expected), "{place}");
        }
    }

    #[test]
    fn lines_left_out_or_exchanged_are_noticed() {
        let code = to_code(&held(3, 70_000));
        let mut lines: Vec<&str> = code.lines().collect();
        lines.swap(1, 2);
        assert_eq!(from_code(&lines.join("\n")), Err(CodeError::Checksum));
        lines.swap(1, 2);
        lines.remove(1);
        assert_eq!(from_code(&lines.join("\n")), Err(CodeError::Checksum));
        assert_eq!(from_code(""), Err(CodeError::Checksum));
        assert_eq!(from_code("9"), Err(CodeError::Character('9')));
        assert_eq!(from_code(&"A".repeat(301)), Err(CodeError::TooLong));
    }
}
