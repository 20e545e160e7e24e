//! A body as HTML. Raw HTML in it is text, links lead nowhere but to the web, to people and within the body, and no image is ever fetched:
//! those that are files of the record and lie in the folder are shown, all others are named. The door to the library that reads
//! Markdown.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::{escape, words::Interface};
use crate::{import::attachment_called, text::is_right_to_left};

/// Longest slug of a heading, in bytes.
const SLUG_BYTES_MAX: usize = 64;

/// What stands around a body.
pub(super) struct Around<'a> {
    /// The language of the interface.
    pub(super) words: Interface,
    /// The direction of its language, as `dir` says it.
    pub(super) direction: &'a str,
    /// What the ids of its headings begin with.
    pub(super) prefix: &'a str,
    /// The address of a file of the record by its name, where it lies in the folder.
    pub(super) file: &'a dyn Fn(&str) -> Option<String>,
}

/// `body` as HTML.
pub(super) fn render(body: &str, around: &Around<'_>) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events: Vec<Event<'_>> = Parser::new_ext(body, options).collect();
    let ids = headings(&events, around.prefix);
    let known: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let mut out = Vec::with_capacity(events.len());
    let others = other_directions(&events, around.direction);
    let (mut ids, mut links) = (ids.iter(), Vec::new());
    let mut events = events.into_iter().enumerate();
    while let Some((place, event)) = events.next() {
        let direction = others.get(&place);
        match event {
            Event::Html(text) | Event::InlineHtml(text) | Event::Text(text) => out.push(Event::Text(plain(&text))),
            Event::Code(text) => out.push(Event::Code(plain(&text))),
            Event::Start(Tag::HtmlBlock) => out.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => out.push(Event::End(TagEnd::Paragraph)),
            Event::Start(block @ (Tag::Paragraph | Tag::Item)) => out.push(match (direction, &block) {
                (Some(direction), Tag::Item) => Event::Html(format!("<li dir=\"{direction}\">").into()),
                (Some(direction), _) => Event::Html(format!("<p dir=\"{direction}\">").into()),
                (None, _) => Event::Start(block),
            }),
            Event::Start(Tag::Heading { level, .. }) => out.push(Event::Start(Tag::Heading {
                level: lower(level),
                id: ids.next().map(|id| CowStr::from(id.clone())),
                classes: Vec::new(),
                attrs: direction.map(|direction| ("dir".into(), Some((*direction).into()))).into_iter().collect(),
            })),
            Event::End(TagEnd::Heading(level)) => out.push(Event::End(TagEnd::Heading(lower(level)))),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let link = link(&dest_url, around.prefix, &known);
                out.extend(link.clone().map(|start| Event::InlineHtml(start.into())));
                links.push(link.is_some());
            }
            Event::End(TagEnd::Link) => {
                out.extend(links.pop().unwrap_or_default().then(|| Event::InlineHtml("</a>".into())));
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                let alternative = alternative(&mut events);
                out.push(Event::InlineHtml(image(&dest_url, &alternative, around).into()));
            }
            other => out.push(other),
        }
    }
    let mut rendered = String::with_capacity(body.len() * 3 / 2);
    html::push_html(&mut rendered, out.into_iter());
    rendered
}

fn plain(text: &str) -> CowStr<'static> {
    escape::plain(text).into()
}

/// The page has a heading above all of these.
fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// Paragraphs, items and headings that hold no letter of the direction of the body, and some of the other: a passage in another language.
/// Their places among the events, and their direction.
fn other_directions(events: &[Event<'_>], direction: &str) -> BTreeMap<usize, &'static str> {
    let mut others = BTreeMap::new();
    let mut open: Vec<(usize, bool, bool)> = Vec::new();
    for (place, event) in events.iter().enumerate() {
        match event {
            Event::Start(Tag::Paragraph | Tag::Item | Tag::Heading { .. }) => open.push((place, false, false)),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_)) => {
                let Some((begun, has_rtl, has_ltr)) = open.pop() else { continue };
                if let Some((_, around_rtl, around_ltr)) = open.last_mut() {
                    *around_rtl |= has_rtl;
                    *around_ltr |= has_ltr;
                }
                match (direction, has_rtl, has_ltr) {
                    ("rtl", false, true) => others.insert(begun, "ltr"),
                    ("ltr", true, false) => others.insert(begun, "rtl"),
                    _ => None,
                };
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                if let Some((_, has_rtl, has_ltr)) = open.last_mut() {
                    *has_rtl |= text.chars().any(is_right_to_left);
                    *has_ltr |= text.chars().any(|letter| letter.is_alphabetic() && !is_right_to_left(letter));
                }
            }
            _ => {}
        }
    }
    others
}

/// The ids of the headings, in their order, each once.
fn headings(events: &[Event<'_>], prefix: &str) -> Vec<String> {
    let (mut ids, mut taken, mut text) = (Vec::new(), BTreeSet::new(), None);
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => text = Some(String::new()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(text) = &mut text {
                    text.push_str(part);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let slug = format!("{prefix}{}", slug(&text.take().unwrap_or_default()));
                let id = if taken.contains(&slug) { format!("{slug}-{}", ids.len()) } else { slug };
                taken.insert(id.clone());
                ids.push(id);
            }
            _ => {}
        }
    }
    ids
}

/// A heading as what follows the `#` of an address, as most readers of Markdown make it.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        let letter = if letter.is_alphanumeric() {
            letter
        } else if matches!(letter, ' ' | '-' | '_') {
            '-'
        } else {
            continue;
        };
        if slug.len() + letter.len_utf8() > SLUG_BYTES_MAX {
            break;
        }
        slug.push(letter);
    }
    slug
}

/// The start of a link, where it may lead there.
fn link(target: &str, prefix: &str, known: &BTreeSet<&str>) -> Option<String> {
    if let Some(fragment) = target.strip_prefix('#') {
        let id = format!("{prefix}{fragment}");
        return known.contains(id.as_str()).then(|| format!("<a href=\"#{}\">", escape::html(&id)));
    }
    let class = if is_web(target) { " class=\"outside\"" } else { "" };
    is_outside(target)
        .then(|| format!("<a{class} rel=\"noopener noreferrer nofollow\" href=\"{}\">", escape::html(target)))
}

/// Whether `target` is an address that a page may lead to: of the web, or of a person.
pub(super) fn is_outside(target: &str) -> bool {
    is_web(target) || begins(target, "mailto:")
}

fn is_web(target: &str) -> bool {
    begins(target, "https://") || begins(target, "http://")
}

fn begins(target: &str, scheme: &str) -> bool {
    target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// The text in an image, up to its end.
fn alternative<'a>(events: &mut impl Iterator<Item = (usize, Event<'a>)>) -> String {
    let (mut text, mut depth) = (String::new(), 1_usize);
    for (_, event) in events {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Text(part) | Event::Code(part) | Event::InlineHtml(part) | Event::Html(part) => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    text
}

fn image(target: &str, alternative: &str, around: &Around<'_>) -> String {
    let name = attachment_called(target);
    let shown = escape::html(alternative);
    if let Some(file) = name.as_deref().and_then(around.file) {
        return format!("<img src=\"{}\" alt=\"{shown}\">", escape::html(&file));
    }
    let words = around.words;
    let (what, why) = match &name {
        Some(name) => (name.as_str(), words.said("not_copied")),
        None => (target, words.said("outside")),
    };
    let label = words.said("image");
    let what = escape::html(what);
    format!(
        "<span class=\"no-image\"><bdi lang=\"{}\">{label}, {why}:</bdi> <bdi>{shown}</bdi> <code>{what}</code></span>",
        words.tag()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(body: &str) -> String {
        let file = |name: &str| (name == "carte 1.png").then(|| "../attachments/a/carte 1.png".to_owned());
        render(body, &Around { words: Interface::English, direction: "ltr", prefix: "fr-", file: &file })
    }

    #[test]
    fn a_passage_in_another_language_has_its_own_direction() {
        let file = |_: &str| None;
        let body = "# Title\n\nThe end.\n\nEpiphany متصفح\n\n- one\n- واحد\n\n`x` 1";
        let around = Around { words: Interface::Arabic, direction: "rtl", prefix: "", file: &file };
        let html = render(body, &around);
        for part in [
            "<h3 id=\"title\" dir=\"ltr\">",
            "<p dir=\"ltr\">The end.</p>",
            "<p>Epiphany",
            "<li dir=\"ltr\">one</li>",
            "<li>واحد</li>",
            "<p><code>x",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(rendered("مرحبا"), "<p dir=\"rtl\">مرحبا</p>\n");
    }

    #[test]
    fn raw_html_is_text() {
        assert_eq!(rendered("a <b onclick=x>b</b>"), "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n");
        let block = rendered("<script>\nalert(1)\n</script>\n\n<img src=x onerror=y>");
        assert!(!block.contains("<script") && !block.contains("<img") && block.contains("&lt;script&gt;"), "{block}");
        let tricks =
            rendered("```\"><script>\nx\n```\n\n[x]: <javascript:\"> \"t\"\n\n| a |\n| --- |\n| <i>x |\n\n&lt;u&gt;");
        assert!(!tricks.contains("<script") && !tricks.contains("<i>") && !tricks.contains("<u>"), "{tricks}");
    }

    #[test]
    fn links_lead_to_the_web_to_people_and_within() {
        for target in [
            "javascript:alert(1)",
            "JAVASCRIPT:x",
            "data:text/html,x",
            "file:///etc/passwd",
            "//h/x",
            "a.html",
            "../x",
            "#x",
            "vbscript:x",
        ] {
            assert_eq!(rendered(&format!("[t]({target})")), "<p>t</p>\n", "{target}");
        }
        assert!(rendered("[t](https://h/?a=\"b)").contains("href=\"https://h/?a=&quot;b\">t</a>"));
        assert!(rendered("<mailto:a@b.example>").contains("href=\"mailto:a@b.example\""));
        let within = rendered("# Été à <b>Port\n\n[t](#été-à-port)\n\n# Été à <b>Port");
        assert!(
            within.contains("<h3 id=\"fr-été-à-port\">") && within.contains("<a href=\"#fr-été-à-port\">t</a>"),
            "{within}"
        );
        assert!(within.contains("<h3 id=\"fr-été-à-port-1\">"), "{within}");
    }

    #[test]
    fn images_are_files_of_the_record_or_are_named() {
        assert_eq!(
            rendered("![A \"map\" *x*](<attachment:carte 1.png>)"),
            "<p><img src=\"../attachments/a/carte 1.png\" alt=\"A &quot;map&quot; x\"></p>\n"
        );
        assert!(rendered("![x](attachment:carte%201.png)").contains("<img src="));
        for target in
            ["https://h/x.png", "attachment:gone.png", "../carte 1.png", "data:image/svg+xml,x", "javascript:x"]
        {
            let html = rendered(&format!("[![x](<{target}>)](https://h)"));
            assert!(!html.contains("<img") && html.contains("class=\"no-image\""), "{html}");
        }
    }

    #[test]
    fn overrides_are_spelled_out_and_depth_is_no_harm() {
        assert!(rendered("a\u{202e}b").contains("a\\u{202e}b"));
        for deep in ["> ".repeat(20_000), "[".repeat(20_000), "![".repeat(20_000), "*a ".repeat(20_000)] {
            assert!(!rendered(&deep).is_empty());
        }
    }
}
