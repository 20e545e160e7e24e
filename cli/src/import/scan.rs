//! HTML cut into tags and text: one pass, linear in the input, whatever the input is.
//!
//! It decides nothing about structure and decodes no entities: text comes out as it was written. Unlike a full
//! tokenizer it keeps at most [`ATTRIBUTES_MAX`] attributes of a tag, so a tag of a million attributes costs nothing.

/// Attributes kept of one tag; the rest is passed over.
pub const ATTRIBUTES_MAX: usize = 24;

/// Longest tag name that means anything; a longer one is treated as unknown.
const NAME_BYTES_MAX: usize = 32;

/// Elements whose content is text up to their end tag, whatever it looks like.
const RAW_TEXT: [&str; 8] = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];

/// One attribute: a lower-case name and the value as written, entities included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The name, lower case.
    pub name: String,
    /// The value as it stands in the source.
    pub value: &'a str,
}

/// A piece of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text outside tags, as written.
    Text(&'a str),
    /// A start tag.
    Start {
        /// The element's name, lower case; empty where it was absurdly long.
        name: String,
        /// The first attributes, in order.
        attributes: Vec<Attribute<'a>>,
        /// Written as `<name/>`.
        closed: bool,
    },
    /// An end tag, by its lower-case name.
    End(String),
}

impl Token<'_> {
    /// The value of an attribute of a start tag.
    pub fn attribute(&self, wanted: &str) -> Option<&str> {
        let Token::Start { attributes, .. } = self else { return None };
        attributes.iter().find(|attribute| attribute.name == wanted).map(|attribute| attribute.value)
    }
}

/// The tokens of a page.
pub struct Scanner<'a> {
    rest: &'a str,
    /// The element whose raw text comes next.
    raw: Option<&'static str>,
}

/// Cuts `html` into tokens.
pub fn scan(html: &str) -> Scanner<'_> {
    Scanner { rest: html, raw: None }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            let text = self.take(find_end_tag(self.rest, name));
            if !text.is_empty() {
                return Some(Token::Text(text));
            }
        }
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let text = self.take(next_markup(self.rest));
            if !text.is_empty() {
                return Some(Token::Text(text));
            }
            match self.rest.as_bytes().get(1) {
                Some(b'!' | b'?') => self.skip_declaration(),
                Some(b'/') => return Some(self.end_tag()),
                _ => return Some(self.start_tag()),
            }
        }
    }
}

impl<'a> Scanner<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Passes over a comment, a doctype, a processing instruction or a CDATA opening.
    fn skip_declaration(&mut self) {
        let (length, end) = match self.rest.strip_prefix("<!--") {
            Some(_) => (4, "-->"),
            None => (2, ">"),
        };
        self.take(length);
        let stop = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.take(stop);
    }

    fn end_tag(&mut self) -> Token<'a> {
        self.take(2);
        let name = self.name();
        let stop = self.rest.find('>').map_or(self.rest.len(), |at| at + 1);
        self.take(stop);
        Token::End(name)
    }

    fn start_tag(&mut self) -> Token<'a> {
        self.take(1);
        let name = self.name();
        let (attributes, closed) = self.attributes();
        if !closed {
            self.raw = RAW_TEXT.into_iter().find(|raw| *raw == name);
        }
        Token::Start { name, attributes, closed }
    }

    fn name(&mut self) -> String {
        let name = self.take_until(|c| c.is_ascii_whitespace() || c == '/' || c == '>');
        if name.len() > NAME_BYTES_MAX { String::new() } else { name.to_ascii_lowercase() }
    }

    fn attributes(&mut self) -> (Vec<Attribute<'a>>, bool) {
        let mut attributes = Vec::new();
        loop {
            self.take_until(|c| !c.is_ascii_whitespace());
            if self.rest.is_empty() {
                return (attributes, false);
            }
            if self.rest.starts_with('>') {
                self.take(1);
                return (attributes, false);
            }
            if self.rest.starts_with("/>") {
                self.take(2);
                return (attributes, true);
            }
            if self.rest.starts_with(['/', '=']) {
                self.take(1);
                continue;
            }
            let name = self.take_until(|c| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='));
            let value = self.value();
            if attributes.len() < ATTRIBUTES_MAX && name.len() <= NAME_BYTES_MAX {
                attributes.push(Attribute { name: name.to_ascii_lowercase(), value });
            }
        }
    }

    fn value(&mut self) -> &'a str {
        let before = self.rest;
        self.take_until(|c| !c.is_ascii_whitespace());
        if !self.rest.starts_with('=') {
            self.rest = before;
            return "";
        }
        self.take(1);
        self.take_until(|c| !c.is_ascii_whitespace());
        for quote in ['"', '\''] {
            if self.rest.starts_with(quote) {
                self.take(1);
                let value = self.take_until(|c| c == quote);
                self.take(usize::from(!self.rest.is_empty()));
                return value;
            }
        }
        self.take_until(|c| c.is_ascii_whitespace() || c == '>')
    }

    fn take_until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(stop).unwrap_or(self.rest.len());
        self.take(length)
    }
}

/// Where the next tag or declaration begins; a `<` that opens neither is text.
fn next_markup(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'<')) {
        let at = from + at;
        let opens = match (bytes.get(at + 1), bytes.get(at + 2)) {
            (Some(b'!' | b'?'), _) => true,
            (Some(b'/'), Some(next)) => next.is_ascii_alphabetic(),
            (Some(next), _) => next.is_ascii_alphabetic(),
            (None, _) => false,
        };
        if opens {
            return at;
        }
        from = at + 1;
    }
    text.len()
}

/// Where `</name` stands, or the end of the text.
fn find_end_tag(text: &str, name: &str) -> usize {
    text.match_indices("</")
        .find(|(at, _)| text.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)))
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::time::{Duration, Instant};

    use super::*;

    fn start(name: &str) -> Token<'_> {
        Token::Start { name: name.into(), attributes: Vec::new(), closed: false }
    }

    #[test]
    fn tags_text_and_comments() {
        let tokens: Vec<_> = scan("<!doctype html><P>a &amp; b<!-- <b> --></P >1 < 2").collect();
        assert_eq!(tokens, [start("p"), Token::Text("a &amp; b"), Token::End("p".into()), Token::Text("1 < 2")]);
    }

    #[test]
    fn attributes_in_every_spelling() {
        let token = scan("<a HREF = 'x>y' title=\"q\" hidden data-n=1/>").next().unwrap();
        assert_eq!(token.attribute("href"), Some("x>y"));
        assert_eq!(token.attribute("title"), Some("q"));
        assert_eq!(token.attribute("hidden"), Some(""));
        assert_eq!(token.attribute("data-n"), Some("1/"));
    }

    #[test]
    fn a_script_is_one_text() {
        let tokens: Vec<_> = scan("<script>if (a<b) '</p>'</SCRIPT>x").collect();
        assert_eq!(
            tokens,
            [start("script"), Token::Text("if (a<b) '</p>'"), Token::End("script".into()), Token::Text("x")]
        );
    }

    #[test]
    fn unfinished_input_ends() {
        for text in ["<", "</", "<a", "<a b", "<a b=", "<a b='", "<!--", "<!", "</p", "<script>", "<a /"] {
            assert!(scan(text).count() <= 2, "{text}");
        }
    }

    #[test]
    fn a_million_attributes_are_passed_over() {
        let html = format!("<p {}>x", "a=1 ".repeat(1_000_000));
        let begun = Instant::now();
        assert_eq!(scan(&html).count(), 2);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
