//! The difference between two texts as few replacements, by lines and then by words; knows nothing of documents.

use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// Longest replaced stretch that is looked at word by word, in bytes of both sides together.
const WORDWISE_BYTES_MAX: usize = 40_000;

/// Replace `delete` letters at `at` by `insert`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Place in the old text, in code points.
    pub at: usize,
    /// Code points to delete.
    pub delete: usize,
    /// What to put there.
    pub insert: String,
}

/// What makes `new` of `old`, in ascending order of place; apply from the last to the first.
///
/// After `deadline` it stops looking for what is equal and replaces the rest, so the result is right at any time.
pub fn hunks(old: &str, new: &str, deadline: Option<Instant>) -> Vec<Hunk> {
    let (start, old, new) = trim(old, new);
    let mut out = Vec::new();
    let lines = |text| -> Vec<&str> { str::split_inclusive(text, '\n').collect() };
    walk(&lines(old), &lines(new), start, deadline, &mut out, |old, new, at, out| {
        wordwise(old, new, at, deadline, out);
    });
    out
}

/// The same replacements of whole words, for people to read: a hunk that begins or ends within a word takes in all of it.
pub fn of_whole_words(old: &str, hunks: Vec<Hunk>) -> Vec<Hunk> {
    let letters: Vec<char> = old.chars().collect();
    let is_letter = |place: usize| letters.get(place).is_some_and(|letter| letter.is_alphanumeric());
    let text = |from: usize, to: usize| letters.get(from..to).unwrap_or_default().iter().collect::<String>();
    let mut out: Vec<Hunk> = Vec::with_capacity(hunks.len());
    let ends: Vec<usize> = hunks.iter().skip(1).map(|next| next.at).chain([letters.len()]).collect();
    for (Hunk { at, delete, insert }, limit) in hunks.into_iter().zip(ends) {
        let begins = out.last().map_or(0, |last| last.at + last.delete);
        let is_within = |inserted: Option<char>, deleted: bool| {
            inserted.is_some_and(char::is_alphanumeric) || (delete > 0 && deleted)
        };
        let (mut start, mut end) = (at, at + delete);
        if is_within(insert.chars().next(), is_letter(at)) {
            while start > begins && is_letter(start - 1) {
                start -= 1;
            }
        }
        if is_within(insert.chars().next_back(), end > 0 && is_letter(end - 1)) {
            while end < limit && is_letter(end) {
                end += 1;
            }
        }
        let insert = text(start, at) + &insert + &text(at + delete, end);
        match out.last_mut().filter(|last| last.delete > 0 && last.at + last.delete == start) {
            Some(last) => {
                last.delete += end - start;
                last.insert.push_str(&insert);
            }
            None => out.push(Hunk { at: start, delete: end - start, insert }),
        }
    }
    out
}

/// Code points that are equal at the start, and the middles that differ.
fn trim<'a>(old: &'a str, new: &'a str) -> (usize, &'a str, &'a str) {
    let common = |(a, b): &(char, char)| a == b;
    let prefix: Vec<char> = old.chars().zip(new.chars()).take_while(common).map(|(a, _)| a).collect();
    let bytes: usize = prefix.iter().map(|letter| letter.len_utf8()).sum();
    let (old, new) = (old.get(bytes..).unwrap_or_default(), new.get(bytes..).unwrap_or_default());
    let suffix: usize =
        old.chars().rev().zip(new.chars().rev()).take_while(common).map(|(letter, _)| letter.len_utf8()).sum();
    let cut = |text: &'a str| text.get(..text.len() - suffix).unwrap_or_default();
    (prefix.len(), cut(old), cut(new))
}

fn wordwise(old: &str, new: &str, at: usize, deadline: Option<Instant>, out: &mut Vec<Hunk>) {
    let whole = Hunk { at, delete: old.chars().count(), insert: new.to_owned() };
    if old.is_empty() || new.is_empty() || old.len() + new.len() > WORDWISE_BYTES_MAX {
        return out.push(whole);
    }
    let mut fine = Vec::new();
    walk(&words(old), &words(new), at, deadline, &mut fine, |old, new, at, fine| {
        fine.push(Hunk { at, delete: old.chars().count(), insert: new.to_owned() });
    });
    // Two texts with little in common share articles and spaces only; keeping those would shuffle words when merging.
    let deleted: usize = fine.iter().map(|hunk| hunk.delete).sum();
    if deleted * 3 > whole.delete * 2 && fine.len() > 1 { out.push(whole) } else { out.append(&mut fine) }
}

/// Words, and what stands between them one by one.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (index, letter) in text.char_indices() {
        if !letter.is_alphanumeric() {
            if start < index {
                words.extend(text.get(start..index));
            }
            start = index + letter.len_utf8();
            words.extend(text.get(index..start));
        }
    }
    if start < text.len() {
        words.extend(text.get(start..));
    }
    words
}

/// Compares token by token and hands what differs to `differing`, as text with its place.
fn walk(
    old: &[&str],
    new: &[&str],
    start: usize,
    deadline: Option<Instant>,
    out: &mut Vec<Hunk>,
    mut differing: impl FnMut(&str, &str, usize, &mut Vec<Hunk>),
) {
    let mut place = start;
    for op in capture_diff_slices_deadline(Algorithm::Myers, old, new, deadline) {
        let gone = old.get(op.old_range()).unwrap_or_default().concat();
        if !matches!(op, DiffOp::Equal { .. }) {
            let come = new.get(op.new_range()).unwrap_or_default().concat();
            differing(&gone, &come, place, out);
        }
        place += gone.chars().count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patched(old: &str, hunks: &[Hunk]) -> String {
        let mut letters: Vec<char> = old.chars().collect();
        for hunk in hunks.iter().rev() {
            letters.splice(hunk.at..hunk.at + hunk.delete, hunk.insert.chars());
        }
        letters.into_iter().collect()
    }

    #[test]
    fn one_word_changed_is_one_small_hunk() {
        let old = "the first line\nthe second line is here\nthe third\n";
        let new = "the first line\nthe second row is here\nthe third\n";
        assert_eq!(hunks(old, new, None), [Hunk { at: 26, delete: 4, insert: "row".into() }]);
        assert_eq!(hunks(old, old, None), []);
    }

    #[test]
    fn people_see_whole_words() {
        let seen = |old: &str, new: &str| of_whole_words(old, hunks(old, new, None));
        let hunk = |at, delete, insert: &str| Hunk { at, delete, insert: insert.into() };
        assert_eq!(seen("des conteneurs ici", "des camions ici"), [hunk(4, 10, "camions")]);
        assert_eq!(seen("port", "ports"), [hunk(0, 4, "ports")]);
        assert_eq!(seen("a b", "a, b"), [hunk(1, 0, ",")]);
        assert_eq!(seen("the port", "the big port").len(), 1);
    }

    #[test]
    fn distant_changes_stay_apart() {
        let found = hunks("one two three four five six\n", "one 2 three four five 6\n", None);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn texts_with_little_in_common_are_replaced_whole() {
        assert_eq!(hunks("alpha beta gamma delta", "some other words here!", None).len(), 1);
    }

    proptest! {
        #[test]
        fn the_hunks_make_the_new_text(old in "([a-cé\u{645} ]{0,6}\n?){0,8}", new in "([a-cé\u{645} ]{0,6}\n?){0,8}") {
            prop_assert_eq!(patched(&old, &hunks(&old, &new, None)), new);
        }

        #[test]
        fn whole_words_make_the_new_text_too(old in "([a-cé\u{645} ]{0,6}\n?){0,8}", new in "([a-cé\u{645} ]{0,6}\n?){0,8}") {
            prop_assert_eq!(patched(&old, &of_whole_words(&old, hunks(&old, &new, None))), new);
        }

        #[test]
        fn also_past_the_deadline(old in "([a-c ]{0,6}\n?){0,8}", new in "([a-c ]{0,6}\n?){0,8}") {
            prop_assert_eq!(patched(&old, &hunks(&old, &new, Some(Instant::now()))), new);
        }
    }
}
