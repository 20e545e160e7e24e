//! A passage of what was found, with the words that were looked for.

use std::collections::BTreeSet;

use portolan_protocol::api::Snippet;

use super::{
    analysis::{Analysers, Form, Language, place},
    entry::language,
    schema::Kept,
};

/// Characters of a passage, about, and how many of them stand before the first word that was found.
const PASSAGE_CHARS: usize = 160;
const BEFORE_CHARS: usize = 40;

/// The words that a question looks for, as each form compares them.
#[derive(Debug, Default)]
pub(super) struct Sought {
    pub(super) words: BTreeSet<(usize, String)>,
    pub(super) beginnings: Vec<String>,
    /// The forms in which `words` has any.
    pub(super) forms: Vec<Form>,
}

/// A text of which a passage can be shown.
struct Candidate<'a> {
    key: &'a str,
    text: &'a str,
    /// Places of words found, in bytes, in order, none in another.
    found: Vec<(usize, usize)>,
}

impl Sought {
    /// The places of the words in `text`.
    fn places(&self, analysers: &mut Analysers, of: Option<Language>, text: &str) -> Vec<(usize, usize)> {
        let mut places = BTreeSet::new();
        for form in self.forms.iter().copied().filter(|form| form.is_none() || *form == of) {
            for word in analysers.words(form, text) {
                let begins = || form.is_none() && self.beginnings.iter().any(|start| word.text.starts_with(start));
                if self.words.contains(&(place(form), word.text.clone())) || begins() {
                    places.insert((word.from, word.to));
                }
            }
        }
        // The forms divide a text alike, so a place is the same or another.
        places.into_iter().collect()
    }
}

/// The best passage of what was kept: with words found, of a text rather than of a title; else the beginning of a text.
pub(super) fn passage(kept: &Kept, sought: &Sought, analysers: &mut Analysers) -> Option<Snippet> {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for (key, text) in &kept.texts {
        let found = sought.places(analysers, language(key), text);
        candidates.push(Candidate { key, text, found });
    }
    let rank = |candidate: &Candidate<'_>| {
        let is_title = candidate.key.starts_with("title/");
        let is_id = ["tags/", "areas/", "programmes/"].iter().any(|set| candidate.key.starts_with(set));
        (candidate.found.is_empty(), is_title || is_id, is_id)
    };
    // Of equals the first: texts are kept in the order of their keys.
    candidates.into_iter().min_by_key(rank).map(|best| cut(&best))
}

/// Cuts the passage out, on one line.
fn cut(candidate: &Candidate<'_>) -> Snippet {
    let Candidate { key, text, found } = candidate;
    let start = densest(found);
    let from = back(text, start.map_or(0, |place| found[place].0));
    let to = text[from..].char_indices().nth(PASSAGE_CHARS).map_or(text.len(), |(end, _)| from + end);
    let mut passage = String::new();
    let mut marks = Vec::new();
    let mut count: u32 = 0;
    if from > 0 {
        passage.push('…');
        count += 1;
    }
    let mut open = None;
    for (offset, letter) in text[from..to].char_indices() {
        let at = from + offset;
        if open.is_none() && found.iter().any(|(begin, end)| *begin == at && *end <= to) {
            open = Some(count);
        }
        passage.push(if letter.is_whitespace() || letter.is_control() { ' ' } else { letter });
        count += 1;
        if let Some(begin) = open
            && found.iter().any(|(_, end)| *end == at + letter.len_utf8())
        {
            marks.push((begin, count));
            open = None;
        }
    }
    if to < text.len() {
        passage.push('…');
    }
    Snippet { field: (*key).to_owned(), text: passage, marks }
}

/// The place found from which on a passage holds most others.
fn densest(found: &[(usize, usize)]) -> Option<usize> {
    let within = |place: usize| {
        let (from, _) = found[place];
        found[place..].iter().take_while(|(_, to)| *to <= from + PASSAGE_CHARS - BEFORE_CHARS).count()
    };
    (0..found.len()).take(1_000).max_by_key(|place| (within(*place), usize::MAX - place))
}

/// Some characters before `at`, at the beginning of a word.
fn back(text: &str, at: usize) -> usize {
    let before = &text[..at];
    let Some((from, _)) = before.char_indices().rev().nth(BEFORE_CHARS) else { return 0 };
    let space = before[from..].find(char::is_whitespace);
    space.map_or(from, |space| from + space + before[from + space..].chars().next().map_or(0, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(texts: &[(&str, &str)], words: &[&str]) -> (String, Vec<String>) {
        let texts = texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let mut analysers = Analysers::new();
        let mut sought = Sought { forms: vec![None, Some(Language::French)], ..Sought::default() };
        for form in [None, Some(Language::French)] {
            for word in words.iter().flat_map(|word| analysers.words(form, word)) {
                sought.words.insert((place(form), word.text));
            }
        }
        let snippet = passage(&Kept { texts, concept: None }, &sought, &mut analysers).unwrap_or_else(|| Snippet {
            field: String::new(),
            text: String::new(),
            marks: Vec::new(),
        });
        let letters: Vec<char> = snippet.text.chars().collect();
        let word = |(from, to): &(u32, u32)| letters[*from as usize..*to as usize].iter().collect();
        (snippet.text.clone(), snippet.marks.iter().map(word).collect())
    }

    #[test]
    fn words_are_marked_where_they_stand_in_whatever_form() {
        let (text, marks) = shown(&[("body/fr", "Les\nPORTS de l’école.")], &["port", "ecole"]);
        assert_eq!((text.as_str(), marks), ("Les PORTS de l’école.", vec!["PORTS".to_owned(), "école".to_owned()]));
    }

    #[test]
    fn the_passage_is_cut_around_them() {
        let body = format!("{}port école {}", "mot ".repeat(100), "fin ".repeat(100));
        let (text, marks) = shown(&[("body/fr", &body), ("title/fr", "port")], &["port", "école"]);
        assert_eq!(marks, ["port", "école"]);
        assert!(
            text.starts_with("…mot ") && text.ends_with('…') && text.chars().count() <= PASSAGE_CHARS + 2,
            "{text}"
        );
    }

    #[test]
    fn where_nothing_is_found_the_beginning_is_shown() {
        assert_eq!(shown(&[("body/fr", "Début."), ("title/fr", "Titre")], &["absent"]), ("Début.".into(), vec![]));
        assert_eq!(shown(&[], &["absent"]).0, "");
    }
}
