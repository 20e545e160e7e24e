//! Text from elsewhere on a terminal: nothing moves the cursor, and right-to-left words stay in their own cell.

use portolan_protocol::record::display_safe;
use unicode_width::UnicodeWidthStr;

/// First-strong isolate and its end: what stands between them reorders nothing outside.
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// One line, safe to print, isolated from its surroundings where it holds right-to-left letters.
pub fn shown(text: &str) -> String {
    let safe = display_safe(text);
    if safe.chars().any(is_right_to_left) { format!("{}{safe}{}", ISOLATE.0, ISOLATE.1) } else { safe }
}

/// Like [`shown`], cut to `width` columns.
pub fn cut(text: &str, width: usize) -> String {
    let safe = display_safe(text);
    if safe.width() <= width {
        return shown(text);
    }
    let mut kept = String::new();
    for character in safe.chars() {
        if kept.width() + character.to_string().width() + 1 > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    if kept.chars().any(is_right_to_left) { format!("{}{kept}{}", ISOLATE.0, ISOLATE.1) } else { kept }
}

/// How words are set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emphasis {
    /// In bold, on a terminal.
    Bold,
    /// Not at all.
    None,
}

/// Like [`shown`], with some words set off: from and to, counted in characters, in order.
pub fn marked(text: &str, marks: &[(u32, u32)], emphasis: Emphasis) -> String {
    let mut out = String::new();
    let mut plain = String::new();
    for (place, character) in (0_u32..).zip(text.chars()) {
        let (begins, ends) = (marks.iter().any(|(from, _)| *from == place), marks.iter().any(|(_, to)| *to == place));
        if emphasis == Emphasis::Bold && (begins || ends) {
            out.push_str(&display_safe(&std::mem::take(&mut plain)));
            out.push_str(if begins { "\u{1b}[1m" } else { "\u{1b}[0m" });
        }
        plain.push(character);
    }
    out.push_str(&display_safe(&plain));
    if emphasis == Emphasis::Bold && !marks.is_empty() {
        out.push_str("\u{1b}[0m");
    }
    if out.chars().any(is_right_to_left) { format!("{}{out}{}", ISOLATE.0, ISOLATE.1) } else { out }
}

/// Several lines, each safe to print; tabs become spaces.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| shown(&line.replace('\t', "    "))).collect()
}

/// JSON that is safe to print: what could act on a terminal stands in it as `\uXXXX`, which means the same. Such characters
/// stand nowhere but in strings.
pub fn escaped_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        let is_plain = character == '\n' || display_safe(character.encode_utf8(&mut [0; 4])).starts_with(character);
        if is_plain {
            safe.push(character);
        } else {
            // All of them lie below U+10000.
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    safe
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().filter(|c| *c != ISOLATE.0 && *c != ISOLATE.1).collect::<String>().width()
}

/// Whether a letter is written from right to left.
pub fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1eeff}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_to_left_words_are_isolated_and_others_are_not() {
        assert_eq!(shown("Tunis"), "Tunis");
        let arabic = shown("تونس");
        assert!(arabic.starts_with('\u{2068}') && arabic.ends_with('\u{2069}'));
        assert_eq!(width(&arabic), 4);
    }

    #[test]
    fn json_says_the_same_and_holds_nothing_that_acts_on_a_terminal() {
        let title = "a\u{9b}31m\u{202e}b\u{2028}\u{7f}\u{645}\u{1f6a2} c:\\d";
        let json = serde_json::to_string_pretty(&[title]).unwrap_or_default();
        let safe = escaped_json(&json);
        assert_eq!(safe, "[\n  \"a\\u009b31m\\u202eb\\u2028\\u007f\u{645}\u{1f6a2} c:\\\\d\"\n]");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap_or_default(), [title]);
    }

    #[test]
    fn words_are_set_off_and_nothing_else_acts_on_the_terminal() {
        let marks = [(4, 8), (9, 10)];
        assert_eq!(marked("des ports a\u{1b}[2J", &marks, Emphasis::None), "des ports a\\u{1b}[2J");
        let bold = marked("des port a\u{1b}[2J", &marks, Emphasis::Bold);
        assert_eq!(bold, "des \u{1b}[1mport\u{1b}[0m \u{1b}[1ma\u{1b}[0m\\u{1b}[2J\u{1b}[0m");
        assert!(marked("\u{645}", &[(0, 9)], Emphasis::Bold).starts_with("\u{2068}\u{1b}[1m\u{645}"));
    }

    #[test]
    fn overrides_are_spelled_out() {
        assert_eq!(shown("a\u{202e}b\u{7}"), "a\\u{202e}b\\u{7}");
    }

    #[test]
    fn long_texts_are_cut_to_the_column() {
        assert_eq!(cut("harbour", 7), "harbour");
        assert_eq!(cut("harbours", 7), "harbou…");
        assert_eq!(width(&cut("港港港港", 5)), 5);
    }
}
