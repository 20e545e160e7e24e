//! The language of a text as HTML says it, and the direction that it is read in.

use portolan_protocol::record::canonical_language;

/// Languages that are written from right to left where no script is named.
const RIGHT_TO_LEFT: [&str; 26] = [
    "acm", "aeb", "apc", "ar", "arb", "arc", "arq", "ary", "arz", "ayl", "azb", "ckb", "dv", "fa", "he", "ks", "mzn",
    "nqo", "pnb", "prs", "ps", "sd", "syr", "ug", "ur", "yi",
];

/// Languages that are written from left to right where no script is named.
const LEFT_TO_RIGHT: [&str; 65] = [
    "af", "am", "az", "be", "bg", "bn", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fi", "fr",
    "ga", "gl", "gu", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "km", "ko", "ky", "lb", "lo", "lt",
    "lv", "mk", "mn", "ms", "mt", "nb", "ne", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "so", "sq", "sr",
    "sv", "sw", "th", "tr", "uk", "uz", "vi", "zh",
];

/// Scripts that run from right to left.
const RIGHT_TO_LEFT_SCRIPTS: [&str; 9] = ["Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Syrc", "Thaa"];

/// Scripts that run from left to right.
const LEFT_TO_RIGHT_SCRIPTS: [&str; 15] = [
    "Armn", "Beng", "Cyrl", "Deva", "Ethi", "Geor", "Grek", "Hans", "Hant", "Jpan", "Khmr", "Kore", "Latn", "Tfng",
    "Thai",
];

/// Tags that name no language.
const NO_LANGUAGE: [&str; 4] = ["mis", "mul", "und", "zxx"];

/// The direction of a text in `language`; `auto` where that cannot be told.
pub(super) fn direction(language: Option<&str>) -> &'static str {
    let Some(tag) = language.filter(|tag| is_known(tag)) else { return "auto" };
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let script = parts.find(|part| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let (word, rtl, ltr): (_, &[&str], &[&str]) = match script {
        Some(script) => (script, &RIGHT_TO_LEFT_SCRIPTS, &LEFT_TO_RIGHT_SCRIPTS),
        None => (primary, &RIGHT_TO_LEFT, &LEFT_TO_RIGHT),
    };
    match (rtl.contains(&word), ltr.contains(&word)) {
        (true, _) => "rtl",
        (false, true) => "ltr",
        (false, false) => "auto",
    }
}

/// The attributes `lang` and `dir` of a text, with a space before them.
pub(super) fn attributes(language: Option<&str>) -> String {
    match language.filter(|tag| is_known(tag)) {
        Some(tag) => format!(" lang=\"{tag}\" dir=\"{}\"", direction(language)),
        None => " lang=\"\" dir=\"auto\"".to_owned(),
    }
}

fn is_known(tag: &str) -> bool {
    let is_canonical = canonical_language(tag).as_deref() == Some(tag);
    is_canonical && !NO_LANGUAGE.contains(&tag.split('-').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_follow_the_language_and_its_script() {
        for (tag, expected) in [
            ("ar", "rtl"),
            ("ar-MA", "rtl"),
            ("fa", "rtl"),
            ("fr", "ltr"),
            ("pt-BR", "ltr"),
            ("ar-Latn", "ltr"),
            ("uz-Arab", "rtl"),
            ("arb", "rtl"),
            ("pnb-PK", "rtl"),
            ("xyz", "auto"),
            ("ar-Zzzz", "auto"),
            ("und", "auto"),
            ("\" onload=x", "auto"),
        ] {
            assert_eq!(direction(Some(tag)), expected, "{tag}");
        }
        assert_eq!(attributes(Some("ar")), " lang=\"ar\" dir=\"rtl\"");
        assert_eq!(attributes(Some("a\"b")), attributes(None));
    }
}
