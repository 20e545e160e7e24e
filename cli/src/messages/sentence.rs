//! A sentence by its English words, with places for what changes.

/// Places that one sentence may have.
const PLACES_MAX: usize = 8;

/// The words between the places: one more than there are places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sentence(Vec<String>);

impl Sentence {
    /// That of a template as `format!` takes it. White space around it does not count.
    pub fn of_template(template: &str) -> Sentence {
        let mut words = vec![String::new()];
        let mut letters = template.trim().chars().peekable();
        while let Some(letter) = letters.next() {
            let last = words.len() - 1;
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => words[last].extend(letters.next()),
                '{' => {
                    letters.by_ref().take_while(|letter| *letter != '}').for_each(drop);
                    words.push(String::new());
                }
                letter => words[last].push(letter),
            }
        }
        Sentence(words)
    }

    /// One of these words, with a place between each two.
    pub(super) fn of_words(words: Vec<String>) -> Sentence {
        Sentence(words)
    }

    /// Places that it has.
    pub fn places(&self) -> usize {
        self.0.len() - 1
    }

    /// Letters that are not in a place: of two sentences that fit, the one with more says more.
    pub(super) fn letters(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }

    /// Whether the last place is its end and stands behind a colon, as a cause does.
    pub(super) fn ends_behind_a_colon(&self) -> bool {
        matches!(&self.0[..], [.., before, end] if end.is_empty() && before.ends_with(": "))
    }

    /// What stands in the places, if `english` is this sentence. Where that can be cut in several ways, each place ends at the first
    /// of the words that follow it.
    pub fn places_in<'a>(&self, english: &'a str) -> Option<Vec<&'a str>> {
        let (first, rest) = self.0.split_first()?;
        let mut left = english.strip_prefix(first.as_str())?;
        let Some((last, between)) = rest.split_last().filter(|_| self.places() <= PLACES_MAX) else {
            return (rest.is_empty() && left.is_empty()).then(Vec::new);
        };
        let mut places = Vec::with_capacity(rest.len());
        for words in between {
            let (place, after) = left.split_once(words.as_str())?;
            places.push(place);
            left = after;
        }
        places.push(left.strip_suffix(last.as_str())?);
        Some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_again() {
        let sentence = Sentence::of_template("  {shown} of {{{}}} has {:>6} bytes\n");
        assert_eq!(sentence.places(), 3);
        assert_eq!(sentence.places_in("a b of {c} has   1000 bytes"), Some(vec!["a b", "c", "  1000"]));
        for other in ["a of {b} has 1 byte", "a of {b} has 1 bytes.", "of {b} has 1 bytes", ""] {
            assert_eq!(sentence.places_in(other), None, "{other}");
        }
        let plain = Sentence::of_template("Nothing differs.\n");
        assert_eq!((plain.places_in("Nothing differs."), plain.places_in("Nothing differs. ")), (Some(vec![]), None));
        assert_eq!(Sentence::of_template("{}{}").places_in("ab"), Some(vec!["", "ab"]), "odd, and nothing is lost");
    }
}
