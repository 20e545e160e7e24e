//! What a file is, told from its first bytes. Nothing is opened, let alone run.

/// Bytes that are looked at.
pub(super) const LOOKED_AT_BYTES: usize = 8 << 10;

/// What nothing is known of.
const UNKNOWN: &str = "application/octet-stream";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sniffed {
    /// The media type that the record gets.
    pub media_type: String,
    /// That what was given contradicts what was found.
    pub warning: Option<String>,
}

/// Tells the media type of a file that begins with `start`. What was given stays, with a warning where the bytes say otherwise.
pub fn sniff(start: &[u8], given: Option<&str>) -> Sniffed {
    let found = infer::get(start).map(|found| found.mime_type());
    let plain = || if is_text(start) { "text/plain" } else { UNKNOWN };
    let Some(given) = given else {
        return Sniffed { media_type: found.unwrap_or_else(plain).to_owned(), warning: None };
    };
    let contradicts = found.is_some_and(|found| !fits(given, found));
    let warning = contradicts.then(|| {
        let found = found.unwrap_or(UNKNOWN);
        format!("the file is said to be {given}, and its first bytes say {found}; nothing was changed")
    });
    Sniffed { media_type: given.to_owned(), warning }
}

/// Whether one who says `given` may mean what looks like `found`: many formats are one of these inside.
fn fits(given: &str, found: &str) -> bool {
    let bare = given.split(';').next().unwrap_or_default().trim();
    bare.eq_ignore_ascii_case(found)
        || match found {
            "application/zip" | "application/gzip" => bare.starts_with("application/"),
            "text/xml" => bare.ends_with("xml"),
            "text/html" => bare.ends_with("html"),
            _ => bare == UNKNOWN,
        }
}

fn is_text(start: &[u8]) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // Cut within a letter.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(start.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000IHDR";

    #[test]
    fn the_first_bytes_tell() {
        let sniffed = |start: &[u8]| sniff(start, None).media_type;
        assert_eq!(sniffed(PNG), "image/png");
        assert_eq!(sniffed(b"%PDF-1.7\n"), "application/pdf");
        assert_eq!(sniffed(b"PK\x03\x04\x14\0\0\0\0\0"), "application/zip");
        assert_eq!(sniffed("Tides, مرحبا".as_bytes()), "text/plain");
        assert_eq!(sniffed(&"é".as_bytes()[..1]), UNKNOWN);
        assert_eq!(sniffed(b""), UNKNOWN);
        assert_eq!(sniffed(b"\0\x01\x02\xff"), UNKNOWN);
    }

    #[test]
    fn a_given_type_stays_and_a_contradiction_is_told() {
        let warned = |start: &[u8], given: &str| sniff(start, Some(given)).warning.is_some();
        let program = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 64]].concat();
        assert!(warned(PNG, "application/pdf") && warned(&program, "image/png"));
        assert!(
            !warned(PNG, "image/png") && !warned(b"PK\x03\x04\x14\0\0\0", "application/vnd.oasis.opendocument.text")
        );
        assert!(!warned(b"hello", "text/markdown"));
        assert_eq!(sniff(PNG, Some("application/pdf")).media_type, "application/pdf");
    }
}
