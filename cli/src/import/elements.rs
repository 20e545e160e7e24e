//! What the import knows of HTML's elements: which are kept, which are furniture, what closes what.
//!
//! Tables and predicates only; the work is done in `clean`.

use super::scan::Token;

/// What becomes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It stays, under this name.
    Kept(&'static str),
    /// It has no content.
    Void,
    /// Its tags go, its content stays.
    Plain,
}

const KEPT: [&str; 37] = [
    "a",
    "article",
    "b",
    "blockquote",
    "caption",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "i",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "s",
    "section",
    "strike",
    "strong",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "figcaption",
];

const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Left out with everything inside.
const LEFT_OUT: [&str; 19] = [
    "script", "style", "nav", "template", "noscript", "svg", "math", "iframe", "object", "applet", "video", "audio",
    "canvas", "button", "select", "textarea", "dialog", "noframes", "noembed",
];

/// Left out unless they belong to the content itself.
const LEFT_OUT_OUTSIDE_CONTENT: [&str; 3] = ["header", "footer", "aside"];

/// Classes and ids of navigation, as publishing tools write them (publican, docbook, sphinx, doxygen).
const FURNITURE_NAMES: [&str; 8] =
    ["docnav", "navheader", "navfooter", "toc", "sphinxsidebar", "breadcrumbs", "banner", "navigation"];

/// Elements on which `hidden`, `role` or a class may leave out content.
const BOXES: [&str; 9] = ["div", "ul", "ol", "dl", "p", "section", "span", "table", "form"];

/// What becomes of the element `name`.
pub fn role(name: &str) -> Role {
    if VOID.contains(&name) {
        return Role::Void;
    }
    KEPT.into_iter().find(|kept| *kept == name).map_or(Role::Plain, Role::Kept)
}

/// Whether a start tag opens something that is not content.
pub fn is_furniture(token: &Token<'_>, inside_content: bool) -> bool {
    let Token::Start { name, .. } = token else { return false };
    let name = name.as_str();
    if LEFT_OUT.contains(&name) || (!inside_content && LEFT_OUT_OUTSIDE_CONTENT.contains(&name)) {
        return true;
    }
    if !BOXES.contains(&name) {
        return false;
    }
    let hidden = token.attribute("hidden").is_some() || token.attribute("aria-hidden") == Some("true");
    let role = matches!(token.attribute("role"), Some("navigation" | "banner" | "contentinfo" | "search"));
    let names = [token.attribute("class"), token.attribute("id")];
    let named = names.into_iter().flatten().flat_map(str::split_whitespace).any(|name| FURNITURE_NAMES.contains(&name));
    let logo = name == "p" && token.attribute("id") == Some("title");
    hidden || role || named || logo
}

/// Whether the element marks off content in a page.
pub fn is_content(name: &str) -> bool {
    matches!(name, "main" | "article" | "section")
}

/// Whether the element stands inside a line.
pub fn is_inline(name: &str) -> bool {
    matches!(name, "a" | "b" | "strong" | "i" | "em" | "code" | "s" | "del" | "strike")
}

/// Whether the element is a place of its own, which a paragraph outside does not reach into.
pub fn is_cell(name: &str) -> bool {
    matches!(name, "td" | "th" | "caption" | "li" | "dd" | "blockquote")
}

/// Whether every line inside is indented in Markdown.
pub fn indents(name: &str) -> bool {
    matches!(name, "ul" | "ol" | "blockquote")
}

/// The name under which the element is written.
pub fn written_as(name: &'static str) -> &'static str {
    match name {
        "article" | "section" | "main" => "div",
        "figcaption" | "dt" | "dd" => "p",
        "dl" => "div",
        "strike" => "s",
        _ => name,
    }
}

/// What a start tag closes, up to the elements in the second list.
pub fn closes(name: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match name {
        "li" => (&["li"], &["ul", "ol"]),
        "dt" | "dd" => (&["dt", "dd"], &["dl"]),
        "td" | "th" => (&["td", "th"], &["table", "tr"]),
        "tr" => (&["tr", "caption"], &["table", "thead", "tbody", "tfoot"]),
        "thead" | "tbody" | "tfoot" => (&["thead", "tbody", "tfoot", "tr", "caption"], &["table"]),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            (&["h1", "h2", "h3", "h4", "h5", "h6"], &["div", "section", "article", "td", "th", "li", "blockquote"])
        }
        _ => return None,
    })
}
