//! Dates as people write them, and the EDTF text they may have meant: "février 2016" is `2016-02`. A guess to be shown
//! beside what was written, which stays.

use super::is_edtf;

/// The months in the five languages of the product, folded: lower case, without accents. Arabic has two sets of names.
const MONTHS: [&[&str]; 12] = [
    &["janvier", "janv", "january", "jan", "enero", "ene", "janeiro", "يناير", "جانفي", "كانون الثاني"],
    &["fevrier", "fevr", "february", "feb", "febrero", "fevereiro", "fev", "فبراير", "فيفري", "شباط"],
    &["mars", "march", "mar", "marzo", "marco", "مارس", "اذار"],
    &["avril", "avr", "april", "apr", "abril", "abr", "ابريل", "افريل", "نيسان"],
    &["mai", "may", "mayo", "maio", "مايو", "ماي", "ايار"],
    &["juin", "june", "jun", "junio", "junho", "يونيو", "جوان", "حزيران"],
    &["juillet", "juil", "july", "jul", "julio", "julho", "يوليو", "جويلية", "تموز"],
    &["aout", "august", "aug", "agosto", "ago", "اغسطس", "اوت", "اب"],
    &["septembre", "sept", "september", "sep", "septiembre", "setiembre", "setembro", "set", "سبتمبر", "ايلول"],
    &["octobre", "october", "oct", "octubre", "outubro", "out", "اكتوبر", "تشرين الاول"],
    &["novembre", "november", "nov", "noviembre", "novembro", "نوفمبر", "تشرين الثاني"],
    &["decembre", "december", "dec", "diciembre", "dic", "dezembro", "dez", "ديسمبر", "كانون الاول"],
];

/// Words between the two ends of an interval.
const UNTIL: &[&str] =
    &["au", "a", "to", "until", "till", "through", "jusqu'au", "al", "hasta", "ate", "ao", "-", "الى", "حتى"];

/// Words that make a date an approximate one.
const ABOUT: &[&str] = &["vers", "environ", "circa", "ca", "about", "around", "hacia", "cerca", "حوالي"];

/// Words that add nothing that EDTF could say.
const FILLERS: &[&str] = &[
    "le",
    "du",
    "de",
    "des",
    "en",
    "fin",
    "debut",
    "mi",
    "the",
    "from",
    "of",
    "on",
    "in",
    "early",
    "mid",
    "late",
    "end",
    "el",
    "del",
    "desde",
    "finales",
    "principios",
    "o",
    "no",
    "desde",
    "من",
    "في",
    "عام",
    "سنة",
    "شهر",
];

/// Longest text that is looked at, in bytes; dates are short.
const BYTES_MAX: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// A number and how many digits it has.
    Number(u16, usize),
    Month(u8),
    Until,
    About,
}

/// A date, as far as it is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    year: Option<u16>,
    month: Option<u8>,
    day: Option<u8>,
}

/// The EDTF text that `text` may mean, where that can be told.
pub fn date_suggestion(text: &str) -> Option<String> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let words = words(text)?;
    let about = words.contains(&Word::About);
    let words: Vec<Word> = words.into_iter().filter(|word| *word != Word::About).collect();
    let ends: Vec<&[Word]> = words.split(|word| *word == Word::Until).collect();
    let suggestion = match *ends {
        [date] => {
            let date = parts(date)?;
            format!("{}{}", date.written()?, if about { "~" } else { "" })
        }
        [from, to] => interval(from, to)?,
        // 2016-2-3, 25-12-2017
        [first, second, third] => numeric(&[first, second, third].concat())?.written()?,
        _ => return None,
    };
    (suggestion != text && is_edtf(&suggestion)).then_some(suggestion)
}

fn interval(from: &[Word], to: &[Word]) -> Option<String> {
    if let ([year @ Word::Number(_, 4)], [month @ Word::Number(_, 1 | 2)]) = (from, to) {
        return numeric(&[*year, *month])?.written();
    }
    let (from, to) = (parts(from)?, parts(to)?);
    // What is said once is meant for both: du 3 au 5 mars 2018.
    let from = Parts {
        year: from.year.or(to.year),
        month: if from.year.is_none() { from.month.or(to.month) } else { from.month },
        day: from.day,
    };
    Some(format!("{}/{}", from.written()?, to.written()?))
}

fn parts(words: &[Word]) -> Option<Parts> {
    let parts = |year: Option<u16>, month: Option<u8>, day: Option<u16>| {
        Some(Parts { year, month, day: day.map(u8::try_from).transpose().ok()? })
    };
    match *words {
        [Word::Number(year, 4)] => parts(Some(year), None, None),
        [Word::Number(day, 1 | 2)] => parts(None, None, Some(day)),
        [Word::Month(month)] => parts(None, Some(month), None),
        [Word::Month(month), Word::Number(year, 4)] => parts(Some(year), Some(month), None),
        [Word::Number(day, 1 | 2), Word::Month(month)] | [Word::Month(month), Word::Number(day, 1 | 2)] => {
            parts(None, Some(month), Some(day))
        }
        [Word::Number(day, 1 | 2), Word::Month(month), Word::Number(year, 4)]
        | [Word::Month(month), Word::Number(day, 1 | 2), Word::Number(year, 4)] => {
            parts(Some(year), Some(month), Some(day))
        }
        _ => numeric(words),
    }
}

/// Numbers alone: the year first, or the day first where it cannot be a month.
fn numeric(words: &[Word]) -> Option<Parts> {
    let date = |year, month: u16, day: Option<u16>| {
        let day = day.map(u8::try_from).transpose().ok()?;
        Some(Parts { year: Some(year), month: Some(u8::try_from(month).ok()?), day })
    };
    match *words {
        [Word::Number(year, 4), Word::Number(month, 1 | 2)] => date(year, month, None),
        [Word::Number(year, 4), Word::Number(month, 1 | 2), Word::Number(day, 1 | 2)] => date(year, month, Some(day)),
        [Word::Number(day, 2), Word::Number(month, 1 | 2), Word::Number(year, 4)] if day > 12 => {
            date(year, month, Some(day))
        }
        _ => None,
    }
}

impl Parts {
    fn written(self) -> Option<String> {
        match self {
            Parts { year: Some(year), month: None, day: None } => Some(format!("{year:04}")),
            Parts { year: Some(year), month: Some(month), day: None } => Some(format!("{year:04}-{month:02}")),
            Parts { year: Some(year), month: Some(month), day: Some(day) } => {
                Some(format!("{year:04}-{month:02}-{day:02}"))
            }
            _ => None,
        }
    }
}

/// The words of a date; `None` where there is one that means something else.
fn words(text: &str) -> Option<Vec<Word>> {
    let mut folded: String = text.chars().flat_map(char::to_lowercase).filter_map(fold).collect();
    for (number, names) in MONTHS.iter().enumerate() {
        for name in names.iter().filter(|name| name.contains(' ')) {
            // One word each, by the first name of the month.
            folded = folded.replace(name, MONTHS.get(number)?.first()?);
        }
    }
    let spaced = folded.replace('-', " - ");
    let mut words = Vec::new();
    for word in spaced.split([' ', ',', '.', '/']).filter(|word| !word.is_empty()) {
        words.extend(read(word)?);
    }
    Some(words)
}

/// A word that says something, `Some(None)` for one that does not.
fn read(word: &str) -> Option<Option<Word>> {
    let ordinal = ["st", "nd", "rd", "th", "er", "o", "º", "ª"].into_iter().find_map(|end| word.strip_suffix(end));
    let number = ordinal.unwrap_or(word);
    if number.bytes().all(|byte| byte.is_ascii_digit()) && (1..=4).contains(&number.len()) {
        return Some(Some(Word::Number(number.parse().ok()?, number.len())));
    }
    if let Some(month) = MONTHS.iter().position(|names| names.contains(&word)) {
        return Some(Some(Word::Month(u8::try_from(month + 1).ok()?)));
    }
    match word {
        word if UNTIL.contains(&word) => Some(Some(Word::Until)),
        word if ABOUT.contains(&word) => Some(Some(Word::About)),
        word if FILLERS.contains(&word) => Some(None),
        _ => None,
    }
}

/// One letter without its accent, `None` for a mark alone. Spaces of all kinds become one, as do dashes.
fn fold(letter: char) -> Option<char> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'í' | 'î' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' | 'û' | 'ù' => 'u',
        'أ' | 'إ' | 'آ' => 'ا',
        'ى' => 'ى',
        '٠'..='٩' => char::from_digit(u32::from(letter) - 0x660, 10)?,
        '–' | '—' | '‑' => '-',
        '،' => ',',
        '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{652}' | '\u{640}' | '\u{200e}' | '\u{200f}' => return None,
        other if other.is_whitespace() => ' ',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write_in_five_languages() {
        for (text, meant) in [
            ("février 2016", "2016-02"),
            ("fe\u{301}vrier 2016", "2016-02"),
            ("November 2020", "2020-11"),
            ("03 November 2020", "2020-11-03"),
            ("November 3, 2020", "2020-11-03"),
            ("November 3rd, 2020", "2020-11-03"),
            ("Février 25, 2019", "2019-02-25"),
            ("17 JANVIER 2019", "2019-01-17"),
            ("fin avril 2017", "2017-04"),
            ("le 1er août 2020", "2020-08-01"),
            ("du 3 au 5 mars 2018", "2018-03-03/2018-03-05"),
            ("25–29 March 2019", "2019-03-25/2019-03-29"),
            ("from 30 March to 2 April 2019", "2019-03-30/2019-04-02"),
            ("de febrero de 2016 a diciembre de 2019", "2016-02/2019-12"),
            ("3 de março de 2018", "2018-03-03"),
            ("2016-2020", "2016/2020"),
            ("2016 à 2020", "2016/2020"),
            ("2020-1", "2020-01"),
            ("2020/1/5", "2020-01-05"),
            ("25.12.2017", "2017-12-25"),
            ("vers 2016", "2016~"),
            ("٣ نوفمبر ٢٠٢٠", "2020-11-03"),
            ("كانون الثاني 2017", "2017-01"),
            ("من 3 إلى 5 مارس 2018", "2018-03-03/2018-03-05"),
            ("أبريل ٢٠١٧", "2017-04"),
        ] {
            assert_eq!(date_suggestion(text).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn what_is_unclear_or_right_already_gets_none() {
        for text in [
            "",
            "bientôt",
            "03/11/2020",
            "31 février 2016",
            "printemps 2016",
            "2016",
            "2016-02",
            "3",
            "mars",
            "5 2 3 1",
        ] {
            assert_eq!(date_suggestion(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_suggestion_is_a_date(text in "([0-9]{1,4}|du|au|-|mars|may|/| |,){0,9}|.{0,40}") {
            if let Some(suggestion) = date_suggestion(&text) {
                prop_assert!(is_edtf(&suggestion), "{} {}", text, suggestion);
            }
        }
    }
}
