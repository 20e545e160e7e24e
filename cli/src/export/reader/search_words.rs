//! Texts as the words that the reader finds them by, and the files that tell which word stands in which record.
//!
//! A page that is opened from a stick may not read files, but may load scripts. So the words are cut into scripts of about
//! [`SHARD_BYTES`], in the order in which JavaScript compares them, and `search.js` holds the first word of each. `reader.js` reads
//! them, and must take texts apart as [`words`] does; a test in a browser compares the two.

use std::collections::{BTreeSet, HashMap};

use portolan_protocol::folding::{ARTICLES, fold, is_accent, is_of_a_word, without_article};
use serde::Serialize;

use super::escape;

/// Letters of a word that count.
const WORD_LETTERS_MAX: usize = 64;

/// Bytes of words and numbers in a script, about.
const SHARD_BYTES: usize = 64 << 10;

/// Letters that are a word each, since their scripts put no space between words: from and to.
const ALONE: [(char, char); 7] = [
    ('\u{e00}', '\u{eff}'),
    ('\u{1000}', '\u{109f}'),
    ('\u{1780}', '\u{17ff}'),
    ('\u{3040}', '\u{30ff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{20000}', '\u{3ffff}'),
];

fn stands_alone(letter: char) -> bool {
    ALONE.iter().any(|(from, to)| (*from..=*to).contains(&letter))
}

/// The words of a text, as they are compared.
pub(super) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words = Vec::new();
    for run in folded.split(|letter| !is_of_a_word(letter)) {
        let mut word = String::new();
        for letter in run.chars() {
            if stands_alone(letter) {
                end(&mut words, &mut word);
                word.push(letter);
                end(&mut words, &mut word);
            } else {
                word.push(letter);
            }
        }
        end(&mut words, &mut word);
    }
    words
}

fn end(words: &mut Vec<String>, word: &mut String) {
    let whole = std::mem::take(word);
    if !whole.is_empty() {
        words.push(without_article(&whole).chars().take(WORD_LETTERS_MAX).collect());
    }
}

/// Which word stands in which record.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Twice the number of the record, and one more where the word stands in its title; ascending.
    places: HashMap<String, Vec<u32>>,
}

/// What `search.js` tells.
#[derive(Serialize)]
struct Manifest<'a> {
    /// The first word of each script, in order.
    first: &'a [String],
    /// Ranges of letters that are left out of words, those that belong to words beside letters and digits, and those that stand alone:
    /// from and to, one after the other.
    accents: Vec<u32>,
    joined: Vec<u32>,
    alone: Vec<u32>,
    articles: [&'static str; ARTICLES.len()],
    letters: usize,
}

impl Index {
    /// Takes the texts of the record with this number; numbers ascend.
    pub(super) fn add<'a>(
        &mut self,
        number: u32,
        titles: impl Iterator<Item = &'a str>,
        texts: impl Iterator<Item = &'a str>,
    ) {
        let titles: BTreeSet<String> = titles.flat_map(words).collect();
        let texts: BTreeSet<String> = texts.flat_map(words).collect();
        for word in texts.difference(&titles) {
            self.place(word, number * 2);
        }
        for word in &titles {
            self.place(word, number * 2 + 1);
        }
    }

    fn place(&mut self, word: &str, place: u32) {
        match self.places.get_mut(word) {
            Some(places) => places.push(place),
            None => {
                self.places.insert(word.to_owned(), vec![place]);
            }
        }
    }

    /// Writes the scripts, the manifest last. `places[number]` is what the record is called in them.
    pub(super) fn write<E>(self, ranks: &[u32], mut write: impl FnMut(&str, &str) -> Result<(), E>) -> Result<(), E> {
        let mut words: Vec<(String, Vec<u32>)> = self.places.into_iter().collect();
        words.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
        let (mut first, mut shard) = (Vec::new(), String::new());
        for (word, places) in words {
            if shard.is_empty() {
                first.push(word.clone());
            } else {
                shard.push('\n');
            }
            shard.push_str(&word);
            listed(&mut shard, &places, ranks);
            if shard.len() >= SHARD_BYTES {
                write_shard(first.len() - 1, &std::mem::take(&mut shard), &mut write)?;
            }
        }
        if !shard.is_empty() {
            write_shard(first.len() - 1, &shard, &mut write)?;
        }
        let manifest = Manifest {
            first: &first,
            accents: ranges(is_accent),
            joined: ranges(|letter| is_of_a_word(letter) && !letter.is_alphanumeric()),
            alone: ALONE.iter().flat_map(|(from, to)| [u32::from(*from), u32::from(*to)]).collect(),
            articles: ARTICLES,
            letters: WORD_LETTERS_MAX,
        };
        write("reader/search.js", &format!("portolan.search({});\n", escape::script(&manifest)))
    }
}

fn write_shard<E>(number: usize, shard: &str, write: &mut impl FnMut(&str, &str) -> Result<(), E>) -> Result<(), E> {
    write(&format!("reader/words/{number}.js"), &format!("portolan.words({number},{});\n", escape::script(&shard)))
}

/// The places of a word: the first, then by how much each is greater than the one before, to the base of 36.
fn listed(out: &mut String, places: &[u32], ranks: &[u32]) {
    let rank = |place: &u32| ranks.get((place / 2) as usize).map(|rank| rank * 2 + place % 2);
    let mut places: Vec<u32> = places.iter().filter_map(rank).collect();
    places.sort_unstable();
    let mut before = 0;
    for place in places {
        out.push(' ');
        base36(out, place - before);
        before = place;
    }
}

fn base36(out: &mut String, mut number: u32) {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
    }
    out.extend(digits.iter().rev());
}

/// The letters that `is` says yes to, as ranges.
fn ranges(is: impl Fn(char) -> bool) -> Vec<u32> {
    let mut ranges: Vec<u32> = Vec::new();
    for letter in ('\0'..=char::MAX).filter(|letter| is(*letter)).map(u32::from) {
        match ranges.last_mut() {
            Some(last) if *last + 1 == letter => *last = letter,
            _ => ranges.extend([letter, letter]),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn words_are_folded_and_stand_apart() {
        for (text, expected) in [
            ("L’école d'ÉTÉ, 2016-17", &["l", "ecole", "d", "ete", "2016", "17"][..]),
            ("المَوانئ والبحر", &["مواني", "بحر"]),
            ("港口 3号", &["港", "口", "3", "号"]),
            ("---", &[]),
        ] {
            assert_eq!(words(text), expected);
        }
        assert_eq!(words(&"é".repeat(100)), ["e".repeat(WORD_LETTERS_MAX)]);
    }

    #[test]
    fn scripts_name_records_by_rank_and_stand_in_order() {
        let mut index = Index::default();
        index.add(0, ["Port"].into_iter(), ["mer port \u{ff21}"].into_iter());
        index.add(1, ["Mer"].into_iter(), ["port \u{1d7d8}"].into_iter());
        let mut files = Vec::new();
        index
            .write(&[1, 0], |name, text| {
                files.push((name.to_owned(), text.to_owned()));
                Ok::<_, Infallible>(())
            })
            .unwrap();
        assert_eq!(
            files[0],
            ("reader/words/0.js".into(), "portolan.words(0,\"0 0\\na 2\\nmer 1 1\\nport 0 3\");\n".into())
        );
        assert!(files[1].1.starts_with("portolan.search({\"first\":[\"0\"],\"accents\":[173,173,768,"));
    }

    #[test]
    fn many_words_are_cut_into_scripts() {
        let mut index = Index::default();
        let text: String = (0..20_000).map(|number| format!("word{number} ")).collect();
        index.add(0, std::iter::empty(), [text.as_str()].into_iter());
        let mut files = Vec::new();
        index
            .write(&[0], |name, text| {
                files.push((name.to_owned(), text.len()));
                Ok::<_, Infallible>(())
            })
            .unwrap();
        assert!(files.len() > 3 && files.iter().all(|(_, length)| *length < 2 * SHARD_BYTES));
    }
}
