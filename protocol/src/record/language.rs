//! Language tags (BCP 47) in the one spelling that keys use; `FR` and `fr` would be two keys.

/// Longest language tag, in bytes.
const TAG_BYTES_MAX: usize = 35;

/// The canonical spelling of `tag` (`pt-BR`, `zh-Hant`), or `None` when it is no language tag.
///
/// Checks the shape, not the registry: languages are added to it, and a node may be years old.
pub fn canonical_language(tag: &str) -> Option<String> {
    if tag.len() > TAG_BYTES_MAX {
        return None;
    }
    let mut canonical = String::with_capacity(tag.len());
    let mut after_singleton = false;
    for (index, part) in tag.split(['-', '_']).enumerate() {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        if index == 0 && (part.len() < 2 || !part.bytes().all(|byte| byte.is_ascii_alphabetic())) {
            return None;
        }
        if index > 0 {
            canonical.push('-');
        }
        let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
        match part.len() {
            2 if index > 0 && !after_singleton && letters => canonical.push_str(&part.to_ascii_uppercase()),
            4 if index > 0 && !after_singleton && letters => {
                canonical.push_str(&part[..1].to_ascii_uppercase());
                canonical.push_str(&part[1..].to_ascii_lowercase());
            }
            length => {
                after_singleton |= length == 1;
                canonical.push_str(&part.to_ascii_lowercase());
            }
        }
    }
    Some(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_each_tag() {
        for (given, canonical) in
            [("FR", "fr"), ("pt_br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), ("ar", "ar"), ("es-419", "es-419")]
        {
            assert_eq!(canonical_language(given).as_deref(), Some(canonical));
        }
        assert_eq!(canonical_language("en-x-ab").as_deref(), Some("en-x-ab"));
    }

    #[test]
    fn what_is_no_tag_is_none() {
        for text in ["", "f", "fr-", "français", "fr/ca", "1a", "en--us", "abcdefghi", &"en-abc".repeat(9)] {
            assert_eq!(canonical_language(text), None, "{text}");
        }
    }
}
