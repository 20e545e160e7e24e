//! One spelling for the many ways in which a word is written: without case, accents, vowel signs and ligatures, and for Arabic
//! without the differences that people leave out when they type. It knows no language and no stems. The daemon's search and the
//! exported reader compare words by it.

use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};

/// `text` as it is compared. Characters may become none or several, so places in the outcome are not places in `text`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let plain = text.nfkd().filter_map(arabic).filter(|letter| !is_accent(*letter));
    let mut folded = String::with_capacity(text.len());
    for letter in plain.flat_map(char::to_lowercase) {
        match spelled_out(letter) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(letter),
        }
    }
    folded
}

/// As much of the beginning of `text` as fits into `bytes_max` bytes.
pub fn beginning(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// The Arabic article, and the words of one letter that are written together with it.
pub const ARTICLES: [&str; 6] = ["وال", "بال", "كال", "فال", "ال", "لل"];

/// A folded word without its article, where enough of it is left to be one.
pub fn without_article(word: &str) -> &str {
    let rest = ARTICLES.iter().find_map(|article| word.strip_prefix(article));
    rest.filter(|rest| rest.chars().nth(2).is_some()).unwrap_or(word)
}

/// Arabic and Persian letters, digits and signs in one spelling; none where the sign is left out. The hamza above and below other
/// letters, and the vowel signs, are accents to Unicode and go with them.
fn arabic(letter: char) -> Option<char> {
    Some(match letter {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ئ' => 'ي',
        'ة' => 'ه',
        'ؤ' => 'و',
        'ک' => 'ك',
        '\u{640}' => return None,
        '\u{660}'..='\u{669}' => digit(letter, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit(letter, '\u{6f0}'),
        other => other,
    })
}

fn digit(letter: char, zero: char) -> char {
    char::from_digit(u32::from(letter).saturating_sub(u32::from(zero)), 10).unwrap_or(letter)
}

/// Whether folding leaves `letter` out: accents, vowel signs and what shows nothing; not what makes another letter in the scripts
/// of India and Japan.
pub fn is_accent(letter: char) -> bool {
    let is_invisible = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    is_invisible || !matches!(canonical_combining_class(letter), 0 | 7..=9)
}

/// Whether `letter` belongs to the folded word that it stands in: letters, digits, and the signs that make another letter.
pub fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(canonical_combining_class(letter), 7..=9)
}

/// Latin letters that have no decomposition and that people write in other ways.
fn spelled_out(letter: char) -> Option<&'static str> {
    Some(match letter {
        'œ' => "oe",
        'æ' => "ae",
        'ß' => "ss",
        'ø' => "o",
        'ł' => "l",
        'đ' => "d",
        'ı' => "i",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_ligatures_make_no_difference() {
        for (written, folded) in [
            ("Français", "francais"),
            ("FRANC\u{327}AIS", "francais"),
            ("Œuvre ﬁnancée", "oeuvre financee"),
            ("İstanbul Straße", "istanbul strasse"),
            ("São Tomé e Príncipe, año", "sao tome e principe, ano"),
            ("ＡＢＣ", "abc"),
            ("co\u{ad}operation", "cooperation"),
        ] {
            assert_eq!(fold(written), folded);
        }
    }

    #[test]
    fn arabic_is_compared_as_it_is_typed() {
        for (written, folded) in [
            ("أمن إمن آمن ٱمن", "امن امن امن امن"),
            ("مُحَمَّدٌ", "محمد"),
            ("المـــوانئ", "المواني"),
            ("مدرسة على", "مدرسه علي"),
            ("مسؤول", "مسوول"),
            ("ﻣﺪﺭﺳ\u{fe94} ﻋﻠ\u{fef0}", "مدرسه علي"),
            ("٢٠١٦ ۲۰۱۶", "2016 2016"),
            ("کتاب فارسی", "كتاب فارسي"),
        ] {
            assert_eq!(fold(written), folded);
        }
        assert_eq!(fold("أ"), fold("ا\u{654}"), "composed or not");
    }

    #[test]
    fn the_article_goes_where_a_word_is_left() {
        for (word, bare) in
            [("الموانئ", "مواني"), ("والموانئ", "مواني"), ("للموانئ", "مواني"), ("الف", "الف"), ("port", "port")]
        {
            assert_eq!(without_article(&fold(word)), bare);
        }
    }

    #[test]
    fn what_makes_another_letter_stays() {
        assert_ne!(fold("が"), fold("か"));
        assert_ne!(fold("कि"), fold("क"));
        assert!("क्ष".chars().all(is_of_a_word) && !is_of_a_word('-'));
    }
}
