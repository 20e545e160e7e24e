//! Decimal numbers as texts: days delivered, amounts of money. Never floating point, which two nodes could print apart.

/// Whether `text` is a decimal in its canonical form: an optional minus, digits, and where there is a fraction a point and
/// digits; no leading and no trailing zero that says nothing, no exponent, no `-0`.
pub fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    plain(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|fraction| plain(fraction) && !fraction.ends_with('0'))
        && text != "-0"
}

/// The decimal that a person may have meant: `890.5` for "890,5 jours", `4800000` for "4,8 M€". A guess, to be shown.
///
/// `None` where it can mean two things, such as "1,505": a thousand, or one and a half.
pub fn decimal_suggestion(text: &str) -> Option<String> {
    let text: String = text.chars().map(western).collect();
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let before = text.get(..start)?.trim_end();
    let negative = before.ends_with(['-', '\u{2212}']);
    let rest = text.get(start..)?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && !is_space(c) && !is_mark(c)).unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    // More than one number in one text is not one number.
    if unit.contains(|c: char| c.is_ascii_digit()) || before.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = separated(number.trim_end_matches(|c| is_space(c) || is_mark(c)))?;
    let scaled = scale(&plain, zeros(unit));
    let canonical = canonical(&scaled, negative);
    is_decimal(&canonical).then_some(canonical)
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '\u{2019}' | '\u{66c}')
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | ',' | '\u{66b}')
}

/// Arabic-Indic digits as those that are stored.
fn western(c: char) -> char {
    let digit = match c {
        '\u{660}'..='\u{669}' => u32::from(c) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(c) - 0x6f0,
        _ => return c,
    };
    char::from_digit(digit, 10).unwrap_or(c)
}

/// `number` with a point and nothing else between its digits.
fn separated(number: &str) -> Option<String> {
    let groups: Vec<&str> = number.split(is_space).collect();
    // Digits that a space sets apart are groups of three: "2 3" is two numbers.
    let grouped =
        |groups: &[&str]| groups.iter().skip(1).all(|group| group.split(is_mark).next().is_some_and(|g| g.len() == 3));
    if !grouped(&groups) {
        return None;
    }
    let joined = groups.concat();
    let marks: Vec<char> = joined.chars().filter(|c| is_mark(*c)).collect();
    let parts: Vec<&str> = joined.split(is_mark).collect();
    match *marks {
        [] => Some(joined),
        [_] => {
            let (whole, fraction) = (*parts.first()?, *parts.get(1)?);
            let may_be_thousands = fraction.len() == 3 && whole.len() <= 3 && groups.len() == 1;
            (!may_be_thousands).then(|| format!("{whole}.{fraction}"))
        }
        [first, .., last] => {
            let (fraction, thousands) = parts.split_last()?;
            let (same, all_three) =
                (marks.iter().all(|mark| *mark == first), thousands.iter().skip(1).all(|group| group.len() == 3));
            match (same, all_three, fraction.len() == 3) {
                (true, true, true) => Some(parts.concat()),
                (false, true, _) if marks.iter().filter(|mark| **mark == last).count() == 1 => {
                    Some(format!("{}.{fraction}", thousands.concat()))
                }
                _ => None,
            }
        }
    }
}

/// How many zeros the unit behind a number stands for.
fn zeros(unit: &str) -> usize {
    let word: String = unit.trim().chars().take_while(|c| c.is_alphabetic()).collect();
    let is_million = word == "M"
        || ["milli", "millón", "milhõ", "milhã", "مليون", "ملايين"].iter().any(|m| word.to_lowercase().starts_with(m));
    let is_billion = ["milliard", "mil m"].iter().any(|m| unit.trim().to_lowercase().starts_with(m));
    match (is_billion, is_million) {
        (true, _) => 9,
        (false, true) => 6,
        (false, false) => 0,
    }
}

fn scale(number: &str, zeros: usize) -> String {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let moved: String = fraction.chars().chain(std::iter::repeat('0')).take(zeros).collect();
    format!("{whole}{moved}.{}", fraction.get(zeros..).unwrap_or_default())
}

fn canonical(number: &str, negative: bool) -> String {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if negative && (whole, fraction) != ("0", "") { "-" } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_canonical_form() {
        for text in ["0", "7", "890.5", "-3.25", "0.5", "-0.5", "58800000"] {
            assert!(is_decimal(text), "{text}");
            assert_eq!(decimal_suggestion(text).as_deref(), Some(text));
        }
        for text in ["", "-", ".5", "5.", "05", "1.50", "-0", "+1", "1e3", "890,5", "1 000", "1.2.3", "0x1", "\u{661}"]
        {
            assert!(!is_decimal(text), "{text}");
        }
    }

    #[test]
    fn what_people_write_is_understood_where_it_is_clear() {
        for (text, meant) in [
            ("890,5 jours", "890.5"),
            ("4,8 M€", "4800000"),
            ("58,8 millions", "58800000"),
            ("1,25 milliard d'euros", "1250000000"),
            ("1 505 750 euros", "1505750"),
            ("1\u{202f}505\u{a0}750,20", "1505750.2"),
            ("1.505.750", "1505750"),
            ("1,505,750.25", "1505750.25"),
            ("EUR 12.50", "12.5"),
            ("-3,0", "-3"),
            ("\u{661}\u{662}\u{66b}\u{665}", "12.5"),
        ] {
            assert_eq!(decimal_suggestion(text).as_deref(), Some(meant), "{text}");
        }
        for unclear in ["", "beaucoup", "1,505", "1.505", "2 à 3 jours", "2 3", "1.2.3", "3-5"] {
            assert_eq!(decimal_suggestion(unclear), None, "{unclear}");
        }
    }

    proptest! {
        #[test]
        fn a_suggestion_is_canonical(text in "[-+]?[0-9]{0,4}[., ]{0,2}[0-9]{0,4}[., ]?[0-9]{0,3} ?(M|euros|milliards)?|.{0,12}") {
            if let Some(suggestion) = decimal_suggestion(&text) {
                prop_assert!(is_decimal(&suggestion), "{} {}", text, suggestion);
            }
        }
    }
}
