//! The language of a text as HTML says it, and the direction that it is read in.

use portolan_protocol::record::canonical_language;

/// Languages that are written from right to left where no script is named.
const RIGHT_TO_LEFT: [&str; 17] =
    ["ar", "arc", "arz", "ary", "ckb", "dv", "fa", "he", "ks", "nqo", "prs", "ps", "sd", "syr", "ug", "ur", "yi"];

/// Scripts that are.
const RIGHT_TO_LEFT_SCRIPTS: [&str; 9] = ["Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Syrc", "Thaa"];

/// Tags that name no language.
const NO_LANGUAGE: [&str; 4] = ["mis", "mul", "und", "zxx"];

/// The direction of a text in `language`; `auto` where that cannot be told.
pub(super) fn direction(language: Option<&str>) -> &'static str {
    let Some(tag) = language.filter(|tag| is_known(tag)) else { return "auto" };
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let script = parts.find(|part| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let is_rtl = match script {
        Some(script) => RIGHT_TO_LEFT_SCRIPTS.contains(&script),
        None => RIGHT_TO_LEFT.contains(&primary),
    };
    if is_rtl { "rtl" } else { "ltr" }
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
            ("und", "auto"),
            ("\" onload=x", "auto"),
        ] {
            assert_eq!(direction(Some(tag)), expected, "{tag}");
        }
        assert_eq!(attributes(Some("ar")), " lang=\"ar\" dir=\"rtl\"");
        assert_eq!(attributes(Some("a\"b")), attributes(None));
    }
}
