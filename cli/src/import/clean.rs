//! A page reduced to what a record can hold: well-nested, shallow HTML of a few elements, and the page's own words
//! about itself (title, language, description).
//!
//! It is what makes the converter safe to run on hostile pages: depth, number of elements and nesting of inline
//! elements are bounded here, adjacent equal elements are joined, scripts and page furniture are gone. It writes no
//! Markdown.

use super::{
    elements::{self, Role},
    scan::{Token, scan},
};

/// Open elements remembered; what is opened beyond is passed over, its text is kept.
const OPEN_MAX: usize = 256;

/// Open elements written; those beyond are flattened into the innermost one.
const DEPTH_MAX: usize = 48;

/// Nested lists and quotations written: each level costs indentation on every line.
const INDENT_MAX: usize = 10;

/// Most elements of one page.
pub const ELEMENTS_MAX: usize = 50_000;

/// Longest title or description collected, in bytes.
const WORDS_BYTES_MAX: usize = 16 << 10;

/// Longest link or image reference kept, in bytes.
const REFERENCE_BYTES_MAX: usize = 2_048;

/// What a page holds, entities not decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Text of the first `h1`; it does not stand in the body.
    pub heading: String,
    /// Text of `<title>`.
    pub title: String,
    /// `lang` of the page.
    pub language: Option<String>,
    /// `<meta name="description">`.
    pub description: String,
    /// The address that the page gives as its own.
    pub canonical: Option<String>,
    /// Images met in the body that it cannot refer to: they stand in the page itself.
    pub images_lost: usize,
    /// The body, well nested.
    pub body: String,
}

/// The page has more than [`ELEMENTS_MAX`] elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyElements;

/// Reduces a page.
///
/// # Errors
/// [`TooManyElements`].
pub fn clean(html: &str) -> Result<Page, TooManyElements> {
    let mut cleaner = Cleaner::default();
    let mut elements = 0;
    for token in scan(html) {
        elements += usize::from(matches!(token, Token::Start { .. }));
        if elements > ELEMENTS_MAX {
            return Err(TooManyElements);
        }
        cleaner.token(&token);
    }
    cleaner.close_down_to(0);
    Ok(cleaner.page)
}

/// Where the text that comes next belongs.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Body,
    /// In the first heading.
    Heading,
    /// In `<title>`.
    Title,
    /// In an element left out with its content: its name, and how often it is open.
    Out(String, usize),
    /// After the main part of the page.
    After,
}

/// An element of the page that is open; `written` if it stands in the body.
struct Open {
    name: &'static str,
    written: bool,
}

#[derive(Default)]
struct Cleaner {
    page: Page,
    place: Place,
    open: Vec<Open>,
    written: usize,
    indents: usize,
    in_main: bool,
}

impl Cleaner {
    fn token(&mut self, token: &Token<'_>) {
        match (&mut self.place, token) {
            (Place::After, _) => {}
            (Place::Out(name, depth), Token::Start { name: opened, closed: false, .. }) if name == opened => {
                *depth += 1
            }
            (Place::Out(name, depth), Token::End(ended)) if name == ended => {
                *depth -= 1;
                if *depth == 0 {
                    self.place = Place::Body;
                }
            }
            (Place::Out(..), _) => {}
            (Place::Heading, Token::Text(text)) => collect(&mut self.page.heading, text),
            (Place::Heading, Token::Start { .. }) => collect(&mut self.page.heading, " "),
            (Place::Heading, Token::End(name)) if name == "h1" => self.place = Place::Body,
            (Place::Title, Token::Text(text)) => collect(&mut self.page.title, text),
            (Place::Title, Token::End(name)) if name == "title" => self.place = Place::Body,
            (Place::Heading | Place::Title, _) => {}
            (Place::Body, Token::Text(text)) => self.text(text),
            (Place::Body, Token::Start { name, closed, .. }) => self.start(token, name, *closed),
            (Place::Body, Token::End(name)) => self.end(name),
        }
    }

    fn text(&mut self, text: &str) {
        for (index, part) in text.split('<').enumerate() {
            if index > 0 {
                self.page.body.push_str("&lt;");
            }
            self.page.body.push_str(part);
        }
    }

    fn start(&mut self, token: &Token<'_>, name: &str, closed: bool) {
        if elements::is_furniture(token, self.open.iter().any(|open| elements::is_content(open.name))) {
            if !closed && elements::role(name) != Role::Void {
                self.place = Place::Out(name.into(), 1);
            }
            return;
        }
        match (name, elements::role(name)) {
            ("html", _) => self.page.language = language(token).or(self.page.language.take()),
            ("meta", _) => self.meta(token),
            ("link", _) => self.link(token),
            ("title", _) if self.page.title.is_empty() => self.place = Place::Title,
            ("h1", _) if self.page.heading.trim().is_empty() => self.place = Place::Heading,
            ("img", _) => self.image(token),
            ("br", _) => self.page.body.push_str("<br>"),
            ("hr", _) => {
                self.close_paragraph();
                self.page.body.push_str("<hr>");
            }
            (_, Role::Kept(known)) => self.open(token, known),
            _ => {}
        }
    }

    fn open(&mut self, token: &Token<'_>, name: &'static str) {
        if name == "main" && !self.in_main {
            self.close_down_to(0);
            self.page.body.clear();
            self.page.images_lost = 0;
            self.in_main = true;
        }
        if !elements::is_inline(name) {
            self.close_paragraph();
            self.close_implied(name);
        }
        if self.open.len() >= OPEN_MAX {
            return;
        }
        let written = self.may_be_written(token, name);
        self.open.push(Open { name, written });
        if !written {
            return;
        }
        self.written += 1;
        self.indents += usize::from(elements::indents(name));
        let tag = elements::written_as(name);
        let end = format!("</{tag}>");
        if elements::is_inline(name) && name != "a" && self.page.body.ends_with(&end) {
            let length = self.page.body.len() - end.len();
            self.page.body.truncate(length);
            return;
        }
        self.page.body.push('<');
        self.page.body.push_str(tag);
        if name == "pre" {
            // The converter fences only code.
            self.page.body.push_str("><code");
        }
        if let Some(target) = reference(token.attribute("href")).filter(|_| name == "a") {
            push_attribute(&mut self.page.body, "href", &target);
        }
        self.page.body.push('>');
    }

    fn may_be_written(&self, token: &Token<'_>, name: &str) -> bool {
        let fits = self.written < DEPTH_MAX && (!elements::indents(name) || self.indents < INDENT_MAX);
        // In code Markdown would show the marks instead of obeying them.
        let repeated = || self.open.iter().any(|open| open.written && [name, "pre", "code"].contains(&open.name));
        match name {
            "a" => fits && !repeated() && reference(token.attribute("href")).is_some(),
            "div" | "section" | "article" | "main" => fits && !self.page.body.ends_with("<div>"),
            _ if elements::is_inline(name) => fits && !repeated(),
            _ => fits,
        }
    }

    fn end(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else { return };
        self.close_down_to(at);
        if name == "main" {
            self.place = Place::After;
        }
    }

    fn close_paragraph(&mut self) {
        let scope = self.open.iter().rposition(|open| elements::is_cell(open.name)).unwrap_or(0);
        if let Some(at) = self.open.iter().rposition(|open| open.name == "p").filter(|at| *at >= scope) {
            self.close_down_to(at);
        }
    }

    /// Closes what HTML lets an author leave open: a list item at the next one, a cell at the next row.
    fn close_implied(&mut self, name: &str) {
        let Some((closes, scope)) = elements::closes(name) else { return };
        let scope = self.open.iter().rposition(|open| scope.contains(&open.name)).map_or(0, |at| at + 1);
        if let Some(at) = self.open.iter().skip(scope).position(|open| closes.contains(&open.name)) {
            self.close_down_to(scope + at);
        }
    }

    fn close_down_to(&mut self, length: usize) {
        while self.open.len() > length {
            let Some(open) = self.open.pop() else { return };
            if open.written {
                self.written -= 1;
                self.indents -= usize::from(elements::indents(open.name));
                self.page.body.push_str(if open.name == "pre" { "</code></" } else { "</" });
                self.page.body.push_str(elements::written_as(open.name));
                self.page.body.push('>');
            }
        }
    }

    fn image(&mut self, token: &Token<'_>) {
        let alternative = token.attribute("alt").unwrap_or_default();
        match reference(token.attribute("src")) {
            Some(source) => {
                // Brackets would end the alternative text where Markdown writes it.
                let alternative = html_escape::decode_html_entities(alternative).replace(['[', ']', '\\'], " ");
                self.page.body.push_str("<img");
                push_attribute(&mut self.page.body, "src", &source);
                push_attribute(&mut self.page.body, "alt", &alternative);
                self.page.body.push('>');
            }
            None => {
                self.page.images_lost += 1;
                self.text(alternative);
            }
        }
    }

    fn meta(&mut self, token: &Token<'_>) {
        let content = token.attribute("content").unwrap_or_default();
        let name = token.attribute("name").or(token.attribute("http-equiv")).unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "description" if self.page.description.is_empty() => collect(&mut self.page.description, content),
            "language" | "content-language" | "dc.language" if self.page.language.is_none() => {
                self.page.language = Some(content.into());
            }
            _ => {}
        }
    }

    fn link(&mut self, token: &Token<'_>) {
        let canonical = token.attribute("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("canonical"));
        if canonical {
            self.page.canonical = reference(token.attribute("href"));
        }
    }
}

fn language(token: &Token<'_>) -> Option<String> {
    token.attribute("lang").or(token.attribute("xml:lang")).map(Into::into)
}

fn collect(words: &mut String, text: &str) {
    if words.len() + text.len() <= WORDS_BYTES_MAX {
        words.push_str(text);
    }
}

/// A link or image reference as it may stand in a record: decoded, short, without characters that end it early, and
/// either relative or of a scheme that runs nothing.
fn reference(written: Option<&str>) -> Option<String> {
    let decoded = html_escape::decode_html_entities(written?.trim()).into_owned();
    let mut reference = String::with_capacity(decoded.len());
    for c in decoded.chars() {
        match c {
            ' ' => reference.push_str("%20"),
            '<' => reference.push_str("%3C"),
            '>' => reference.push_str("%3E"),
            _ if c.is_control() || c.is_whitespace() => {}
            _ => reference.push(c),
        }
    }
    let start = reference.split(['/', '?', '#']).next().unwrap_or_default();
    let scheme = start.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let harmless = matches!(scheme.as_deref(), None | Some("http" | "https" | "mailto" | "ftp"));
    (harmless && !reference.is_empty() && reference.len() <= REFERENCE_BYTES_MAX).then_some(reference)
}

fn push_attribute(html: &mut String, name: &str, value: &str) {
    html.push(' ');
    html.push_str(name);
    html.push_str("=\"");
    html_escape::encode_double_quoted_attribute_to_string(value, html);
    html.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn body(html: &str) -> String {
        clean(html).unwrap().body
    }

    #[test]
    fn a_page_says_what_it_is() {
        let page = clean(
            "<html lang=fr><head><title>T &amp; U</title><meta name=Description content='en bref'>\
             <link rel=canonical href='https://example.org/a'></head><body><h1>Le <b>titre</b></h1><p>x</body></html>",
        )
        .unwrap();
        assert_eq!(page.title, "T &amp; U");
        assert_eq!(page.heading, "Le  titre");
        assert_eq!(page.language.as_deref(), Some("fr"));
        assert_eq!(page.description, "en bref");
        assert_eq!(page.canonical.as_deref(), Some("https://example.org/a"));
        assert_eq!(page.body, "<p>x</p>");
    }

    #[test]
    fn furniture_and_scripts_go() {
        assert_eq!(
            body(
                "<header>h</header><nav><p>n</p></nav><script>s</script><style>s</style><ul class='docnav top'><li>x</ul>\
                 <p>kept</p><div hidden>y<div>z</div></div><svg><td>q</svg><footer>f</footer>"
            ),
            "<p>kept</p>"
        );
    }

    #[test]
    fn an_article_keeps_its_header() {
        assert_eq!(body("<article><header><p>by</p></header></article>"), "<div><p>by</p></div>");
    }

    #[test]
    fn the_main_part_is_all_there_is() {
        assert_eq!(body("<p>a<img src=x></p><main><p>b</main><p>c"), "<div><p>b</p></div>");
        assert_eq!(clean("<p>a<img src=data:x></p><main><p>b<img src=data:y></main>").unwrap().images_lost, 1);
    }

    #[test]
    fn what_is_left_open_is_closed() {
        assert_eq!(body("<p>a<p>b<ul><li>c<li>d</ul>"), "<p>a</p><p>b</p><ul><li>c</li><li>d</li></ul>");
        assert_eq!(
            body("<table><tr><td>1<td>2<tr><th>3</table>"),
            "<table><tr><td>1</td><td>2</td></tr><tr><th>3</th></tr></table>"
        );
        assert_eq!(body("<p><b>a<div>b</b></div>c</p>"), "<p><b>a</b></p><div>b</div>c");
    }

    #[test]
    fn links_that_run_are_only_text() {
        assert_eq!(body("<a href='JavaScript:x()'>a</a><a href=\" java&#9;script:x\">b</a>"), "ab");
        assert_eq!(body("<a href='x.html?a=1&b=2:3'>c</a>"), "<a href=\"x.html?a=1&amp;b=2:3\">c</a>");
        assert_eq!(body("<img alt='<b>q' src='data:image/png;base64,xx'>"), "&lt;b>q");
    }

    #[test]
    fn equal_neighbours_are_joined() {
        assert_eq!(body("<b>a</b><b>b</b>"), "<b>ab</b>");
    }

    #[test]
    fn depth_is_bounded_and_no_text_is_lost() {
        let deep =
            format!("{}deep{}", "<div>x<blockquote>".repeat(100_000 / 4), "</blockquote></div>".repeat(100_000 / 4));
        let begun = Instant::now();
        let body = clean(&deep).unwrap_or_else(|_| panic!("too many")).body;
        assert!(body.contains("deep"));
        assert!(body.matches("<blockquote>").count() <= INDENT_MAX);
        assert!(body.matches("<div>").count() <= DEPTH_MAX);
        assert_eq!(body.matches("</div>").count(), body.matches("<div>").count());
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn formatting_left_open_cannot_multiply() {
        let html = format!("{}{}", "<p><b><i><em>".repeat(2_000), "<div>x</div>".repeat(5_000));
        assert!(body(&html).len() < 10 * html.len());
    }

    #[test]
    fn too_many_elements_are_refused() {
        assert_eq!(clean(&"<p>".repeat(ELEMENTS_MAX + 1)), Err(TooManyElements));
    }

    /// The deepest nesting of the tags in a body; panics where an end tag does not meet its start tag.
    fn depth_of_well_nested(body: &str) -> usize {
        let (mut open, mut deepest) = (Vec::new(), 0);
        for token in scan(body) {
            match token {
                Token::Start { name, .. } if elements::role(&name) == Role::Void => {}
                Token::Start { name, .. } => open.push(name),
                Token::End(name) => assert_eq!(open.pop().as_deref(), Some(&*name), "{body}"),
                Token::Text(_) => {}
            }
            deepest = deepest.max(open.len());
        }
        assert!(open.is_empty(), "{body}");
        deepest
    }

    fn soup() -> impl Strategy<Value = String> {
        let names = "(div|p|b|i|a href=x|a|ul|ol|li|table|tr|td|th|pre|code|h1|h2|main|article|header|nav|svg|dl|dd)";
        let piece = prop_oneof![
            4 => names.prop_map(|name| format!("<{name}>")),
            3 => names.prop_map(|name| format!("</{}>", name.split(' ').next().unwrap_or_default())),
            2 => "[a-z <>&\"'=/!-]{0,8}",
            1 => Just("<img src=x alt=y>".to_owned()),
        ];
        prop::collection::vec(piece, 0..400).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_comes_in_what_comes_out_is_well_nested_and_shallow(html in soup()) {
            let body = body(&html);
            // Code in a preformatted block is one more than its block.
            prop_assert!(depth_of_well_nested(&body) <= DEPTH_MAX + 1);
        }
    }
}
