//! What people type, taken apart: words, "phrases", -words and beginnings*. It never fails: what is no sign is a word or nothing.

use portolan_protocol::api::QUESTION_BYTES_MAX;

use portolan_protocol::folding::beginning;

/// Parts of a question that are looked at.
const PARTS_MAX: usize = 32;

/// One part of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) shape: Shape,
    pub(super) wanted: Wanted,
}

/// How the text of a part is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Its word, in any of its forms; several stand beside one another.
    Word,
    /// Exactly these words, one behind another.
    Phrase,
    /// A word that begins so.
    Beginning,
}

/// Whether a part is to be found or not to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Yes,
    No,
}

/// Takes a question apart.
pub(super) fn parts(question: &str) -> Vec<Part> {
    let question = beginning(question, QUESTION_BYTES_MAX);
    let mut parts = Vec::new();
    let mut rest = question.trim_start_matches(is_space);
    while !rest.is_empty() && parts.len() < PARTS_MAX {
        let (wanted, behind) = match rest.strip_prefix(['-', '−']) {
            Some(behind) if !behind.starts_with(is_space) && !behind.is_empty() => (Wanted::No, behind),
            _ => (Wanted::Yes, rest),
        };
        let (part, after) = one(behind, wanted);
        parts.extend(Some(part).filter(|part| part.text.chars().any(char::is_alphanumeric)));
        rest = after.trim_start_matches(is_space);
    }
    parts
}

/// The first part of `text`, and what comes behind it.
fn one(text: &str, wanted: Wanted) -> (Part, &str) {
    if let Some(inside) = text.strip_prefix(is_quote)
        && let Some((phrase, behind)) = inside.split_once(is_quote)
    {
        return (Part { text: phrase.to_owned(), shape: Shape::Phrase, wanted }, behind);
    }
    // A quotation mark that nothing closes is no sign.
    let text = text.trim_start_matches(is_quote);
    let end = text.find(|letter| is_space(letter) || is_quote(letter)).unwrap_or(text.len());
    let (word, behind) = text.split_at(end);
    let shape = if word.ends_with('*') { Shape::Beginning } else { Shape::Word };
    (Part { text: word.trim_end_matches('*').to_owned(), shape, wanted }, behind)
}

fn is_space(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control()
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '„' | '«' | '»')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(question: &str) -> Vec<String> {
        let sign = |part: &Part| match (part.wanted, part.shape) {
            (Wanted::Yes, Shape::Word) => "",
            (Wanted::Yes, Shape::Phrase) => "phrase ",
            (Wanted::Yes, Shape::Beginning) => "beginning ",
            (Wanted::No, _) => "not ",
        };
        parts(question).iter().map(|part| format!("{}{}", sign(part), part.text)).collect()
    }

    #[test]
    fn signs_are_understood() {
        assert_eq!(
            shown("port mari*  -\"no man\" -x «le port»"),
            ["port", "beginning mari", "not no man", "not x", "phrase le port"]
        );
        assert_eq!(shown("a\"b c\"d"), ["a", "phrase b c", "d"]);
    }

    #[test]
    fn what_is_no_sign_is_a_word_or_nothing() {
        assert_eq!(shown("\"open end"), ["open", "end"]);
        assert_eq!(shown("- -- * \"\" ** -* \u{0}\u{7}"), [] as [&str; 0]);
        assert_eq!(shown("a - b"), ["a", "b"]);
        assert_eq!(shown("co-operation (x OR y) title:z"), ["co-operation", "(x", "OR", "y)", "title:z"]);
    }

    #[test]
    fn a_question_is_looked_at_within_bounds() {
        assert_eq!(parts(&"\"".repeat(10 << 20)), []);
        assert_eq!(parts(&"a ".repeat(10 << 20)).len(), PARTS_MAX);
        assert_eq!(parts(&"é".repeat(1 << 20)).iter().map(|part| part.text.len()).sum::<usize>(), QUESTION_BYTES_MAX);
    }
}
