//! Text as it may enter a record: decoded, without the characters that deceive a reader or a terminal.
//!
//! It knows nothing of HTML or Markdown.

use encoding_rs::{Encoding, UTF_8};

/// Bytes of a page searched for a declaration of its encoding.
const DECLARATION_BYTES: usize = 1_024;

/// Decodes bytes: by their byte order mark, as UTF-8, or as the encoding that the page declares.
///
/// Nothing is replaced: bytes that the encoding does not know give `None`, since a text with holes would be signed as
/// if it were what its author wrote.
pub fn decode(bytes: &[u8]) -> Option<String> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return decode_as(encoding, bytes.get(length..)?);
    }
    decode_as(UTF_8, bytes).or_else(|| decode_as(declared(bytes)?, bytes))
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    Some(encoding.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned())
}

/// The encoding named by `charset=` near the start.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(bytes.get(..DECLARATION_BYTES.min(bytes.len()))?).to_ascii_lowercase();
    let value = start.split_once("charset=")?.1.trim_start_matches(['"', '\'']);
    let label = value.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '>' | ';' | '/')).next()?;
    Encoding::for_label(label.as_bytes())
}

/// Body text: line ends become `\n`; control characters and bidi overrides go. Returns how many went.
///
/// Embeddings and isolates stay: they end with their paragraph, and Arabic prose uses them. An override makes text
/// read otherwise than it is stored, and nothing legitimate needs one.
pub fn clean_body(text: &str) -> (String, usize) {
    let mut dropped = 0;
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' => {
                characters.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\n' | '\t' => clean.push(c),
            _ if c.is_control() || is_override(c) => dropped += 1,
            '\u{feff}' => {}
            _ => clean.push(c),
        }
    }
    (clean, dropped)
}

/// One line: white space collapsed, every bidi embedding, override and isolate gone. Returns how many went.
///
/// A title stands in tables and lists beside other texts, where an unclosed isolate would disturb its neighbours.
/// Directional marks, which act on themselves alone, stay.
pub fn clean_line(text: &str) -> (String, usize) {
    let mut dropped = 0;
    let mut clean = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c == '\u{feff}').filter(|word| !word.is_empty()) {
        if !clean.is_empty() {
            clean.push(' ');
        }
        for c in word.chars() {
            if c.is_control() || is_override(c) || is_bidi_scope(c) {
                dropped += 1;
            } else {
                clean.push(c);
            }
        }
    }
    (clean, dropped)
}

/// The start of `text` in at most `bytes` bytes, cut between characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn is_override(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}

fn is_bidi_scope(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202c}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode("é".as_bytes()).as_deref(), Some("é"));
        assert_eq!(decode(b"\xff\xfea\0b\0").as_deref(), Some("ab"));
        assert_eq!(decode(b"<meta charset=windows-1256>\xe3").as_deref(), Some("<meta charset=windows-1256>م"));
        assert_eq!(decode(b"caf\xe9"), None);
        assert_eq!(decode(b"<meta charset=nonsense>\xe9"), None);
    }

    #[test]
    fn a_body_keeps_isolates_and_loses_overrides_and_escapes() {
        let (clean, dropped) = clean_body("a\r\nb\rc\u{1b}[31m \u{2067}x\u{2069} \u{202e}evil\u{202c}\0");
        assert_eq!(clean, "a\nb\nc[31m \u{2067}x\u{2069} evil\u{202c}");
        assert_eq!(dropped, 3);
    }

    #[test]
    fn a_line_loses_every_bidi_scope() {
        assert_eq!(clean_line("  a\n\t\u{2067}b\u{2069} \u{200f}c "), ("a b \u{200f}c".into(), 2));
    }

    #[test]
    fn a_cut_never_splits_a_letter() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 3), "");
    }
}
