//! Text from elsewhere as HTML: it says what it says, and can neither be markup nor reorder what stands beside it. The door to the
//! library that escapes.

use portolan_protocol::record::display_safe;

/// `text` as it may stand in a page and in an attribute in double quotes. Controls and bidi overrides are spelled out, line breaks and
/// tabs stay.
pub(super) fn html(text: &str) -> String {
    html_escape::encode_quoted_attribute(&plain(text)).into_owned()
}

/// `text` with controls and bidi overrides spelled out; not escaped yet.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, part) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        for (number, part) in part.split('\t').enumerate() {
            if number > 0 {
                out.push('\t');
            }
            out.push_str(&display_safe(part.strip_suffix('\r').unwrap_or(part)));
        }
    }
    out
}

/// A value as a literal of JavaScript, for a file of its own.
pub(super) fn script(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_is_markup() {
        assert_eq!(
            html("<a href='x\"'>&\u{202e}gpj\n\t\r\nx\u{7}"),
            "&lt;a href=&#x27;x&quot;&#x27;&gt;&amp;\\u{202e}gpj\n\t\nx\\u{7}"
        );
        assert_eq!(html("مرحبا \u{200f}"), "مرحبا \u{200f}");
    }
}
