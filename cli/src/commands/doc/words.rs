//! What changed in fields, for people: words struck out and words put in, in colours or between marks.

use std::io::{self, IsTerminal as _};

use portolan_protocol::{
    api::{FieldDifference, Piece, PieceKind},
    record::{Value, display_safe},
};

use crate::text;

/// Letters of what stayed that are shown beside what changed.
const AROUND: usize = 60;

/// How words are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Red and green.
    Colours,
    /// `[-old-]` and `{+new+}`.
    Marks,
}

impl Paint {
    /// Colours where a person sits before a terminal and did not ask for none (`NO_COLOR`).
    pub(super) fn of_terminal() -> Paint {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if io::stdout().is_terminal() && !unwanted { Paint::Colours } else { Paint::Marks }
    }

    fn ends(self, kind: PieceKind) -> (&'static str, &'static str) {
        match (self, kind) {
            (_, PieceKind::Same) => ("", ""),
            (Paint::Marks, PieceKind::Removed) => ("[-", "-]"),
            (Paint::Marks, PieceKind::Added) => ("{+", "+}"),
            (Paint::Colours, PieceKind::Removed) => ("\u{1b}[31m", "\u{1b}[0m"),
            (Paint::Colours, PieceKind::Added) => ("\u{1b}[32m", "\u{1b}[0m"),
        }
    }
}

/// Every field that differs.
pub(super) fn difference(fields: &[FieldDifference], paint: Paint) -> String {
    let mut out = String::new();
    for field in fields {
        out.push_str(&format!("\n{}\n", text::shown(&field.field)));
        if opens_a_file(&field.field) {
            out.push_str(&tr!("    (the key that opens the file)\n"));
        } else if field.pieces.is_empty() {
            let all = |kind, values: &[Value]| -> Vec<Piece> {
                values.iter().map(|value| Piece { kind, text: value.to_string() }).collect()
            };
            let sides = [all(PieceKind::Removed, &field.before), all(PieceKind::Added, &field.after)];
            sides.concat().into_iter().for_each(|piece| lines(&[piece], paint, &mut out));
        } else {
            lines(&shortened(&field.pieces), paint, &mut out);
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// Whether a field holds what opens an attachment: nothing for a screen.
fn opens_a_file(field: &str) -> bool {
    field.starts_with("attachments/") && field.ends_with("/key")
}

/// The pieces, with what stayed cut to what stands beside a change.
fn shortened(pieces: &[Piece]) -> Vec<Piece> {
    let last = pieces.len().saturating_sub(1);
    let cut = |(place, piece): (usize, &Piece)| {
        let letters = piece.text.chars().count();
        let wanted = if place == 0 || place == last { AROUND } else { 2 * AROUND };
        if piece.kind != PieceKind::Same || letters <= wanted + 1 {
            return piece.clone();
        }
        let head: String = piece.text.chars().take(if place == 0 { 0 } else { AROUND }).collect();
        let tail: String = piece.text.chars().skip(letters - if place == last { 0 } else { AROUND }).collect();
        Piece { kind: PieceKind::Same, text: format!("{head}…{tail}") }
    };
    pieces.iter().enumerate().map(cut).collect()
}

/// The pieces as indented lines. A piece of several lines is set off in each of them.
fn lines(pieces: &[Piece], paint: Paint, out: &mut String) {
    let mut line = String::new();
    for piece in pieces {
        let (begin, end) = paint.ends(piece.kind);
        for (number, part) in piece.text.split('\n').enumerate() {
            if number > 0 {
                out.push_str(&format!("    {}\n", std::mem::take(&mut line)));
            }
            let safe = display_safe(&part.replace('\t', "    "));
            // A line break that came or went shows as the mark alone.
            let shows = !safe.is_empty() || (piece.kind != PieceKind::Same && piece.text == "\n" && number == 0);
            if shows {
                line.push_str(&format!("{begin}{}{end}", text::shown(&safe)));
            }
        }
    }
    if !line.is_empty() {
        out.push_str(&format!("    {line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(kind: PieceKind, text: &str) -> Piece {
        Piece { kind, text: text.to_owned() }
    }

    #[test]
    fn words_stand_between_marks_or_in_colours_and_nothing_else_acts_on_the_terminal() {
        let pieces = vec![
            piece(PieceKind::Same, &format!("{}le ", "x".repeat(200))),
            piece(PieceKind::Removed, "petit\u{1b}[2J"),
            piece(PieceKind::Added, "grand\nbeau"),
            piece(PieceKind::Same, " port"),
        ];
        let field = FieldDifference { field: "body/fr".into(), before: vec![], after: vec![], pieces };
        let marks = difference(std::slice::from_ref(&field), Paint::Marks);
        let tail = "x".repeat(AROUND - 3);
        let expected = format!("\nbody/fr\n    …{tail}le [-petit\\u{{1b}}[2J-]{{+grand+}}\n    {{+beau+}} port\n\n");
        assert_eq!(marks, expected);
        let colours = difference(&[field], Paint::Colours);
        assert!(colours.contains("\u{1b}[31mpetit\\u{1b}[2J\u{1b}[0m\u{1b}[32mgrand\u{1b}[0m\n"), "{colours}");
    }

    #[test]
    fn what_opens_a_file_is_not_shown() {
        let before = vec!["secret".into()];
        let field = FieldDifference { field: "attachments/a/key".into(), before, after: vec![], pieces: vec![] };
        assert!(!difference(&[field], Paint::Marks).contains("secret"));
    }

    #[test]
    fn values_that_are_no_texts_stand_whole() {
        let (before, after) = (vec!["draft".into(), "review".into()], vec![Value::Bool(true)]);
        let field = FieldDifference { field: "status".into(), before, after, pieces: vec![] };
        assert_eq!(difference(&[field], Paint::Marks), "\nstatus\n    [-draft-]\n    [-review-]\n    {+true+}\n\n");
    }
}
