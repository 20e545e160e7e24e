//! Text from elsewhere, made safe to print on one line of a terminal.

/// `text` with what could move the cursor or reorder its surroundings written as `\u{...}`.
///
/// Covers control characters (line breaks included), line and paragraph separators, and the bidi embeddings, overrides
/// and isolates. The implicit marks (LRM, RLM, ALM) stay: ordinary Arabic text uses them and they reorder no neighbour.
pub fn display_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_bidi_control(character) || is_separator(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Whether `text` holds a bidi embedding, override or isolate.
pub fn has_bidi_controls(text: &str) -> bool {
    text.chars().any(is_bidi_control)
}

fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reorders_or_moves_the_cursor_is_spelled_out() {
        assert_eq!(display_safe("a\u{202e}fdp.exe\x1b[2J\n"), "a\\u{202e}fdp.exe\\u{1b}[2J\\u{a}");
    }

    #[test]
    fn ordinary_arabic_with_its_marks_stays_as_it_is() {
        let text = "\u{62f}\u{631}\u{633} (PDF)\u{200f}";
        assert_eq!(display_safe(text), text);
        assert!(!has_bidi_controls(text));
    }
}
