//! The door to the HTML converter: a page becomes Markdown.
//!
//! The converter recurses and is not made for hostile pages, so it only ever sees what `clean` wrote.

use std::panic::{AssertUnwindSafe, catch_unwind};

use htmd::{
    HtmlToMarkdown,
    options::{BulletListMarker, HrStyle, Options},
};
use thiserror::Error;

use super::{
    clean::{ELEMENTS_MAX, Page, TooManyElements, clean},
    content::Content,
    markdown::without_title,
    table,
    text::{clean_body, clean_line},
};

/// Why a page is not converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HtmlError {
    /// More elements than any real page has.
    #[error("it has more than {ELEMENTS_MAX} elements")]
    TooManyElements,
    /// The converter gave up.
    #[error("the converter failed on it; please report the page")]
    Converter,
}

/// A converter of pages; making one costs more than using it.
pub struct Converter(HtmlToMarkdown);

impl Default for Converter {
    fn default() -> Self {
        let options = Options {
            hr_style: HrStyle::Dashes,
            bullet_list_marker: BulletListMarker::Dash,
            ul_bullet_spacing: 1,
            ol_number_spacing: 1,
            ..Options::default()
        };
        Self(
            HtmlToMarkdown::builder()
                .options(options)
                .add_handler(vec!["td", "th"], table::cell)
                .add_handler(vec!["tr"], table::row)
                .add_handler(vec!["table"], table::table)
                .add_handler(vec!["thead", "tbody", "tfoot"], table::body)
                .build(),
        )
    }
}

impl Converter {
    /// Reads a page.
    ///
    /// # Errors
    /// [`HtmlError`].
    pub fn read(&self, html: &str) -> Result<Content, HtmlError> {
        let page = clean(html).map_err(|TooManyElements| HtmlError::TooManyElements)?;
        let markdown = self.convert(&page.body)?;
        let (body, dropped) = clean_body(&without_stray_spaces(&markdown));
        let title = title(&page);
        let body = match &title {
            Some(title) => without_title(&body, title),
            None => &body,
        };
        Ok(Content {
            body: body.trim().to_owned(),
            title,
            language: page.language,
            summary: words(&page.description),
            canonical: page.canonical,
            images_lost: page.images_lost,
            dropped,
            front_matter: Vec::new(),
        })
    }

    fn convert(&self, html: &str) -> Result<String, HtmlError> {
        catch_unwind(AssertUnwindSafe(|| self.0.convert(html)))
            .map_err(|_| HtmlError::Converter)?
            .map_err(|_| HtmlError::Converter)
    }
}

/// One space at the end of a line says nothing; two are a line break.
fn without_stray_spaces(markdown: &str) -> String {
    let lines = markdown.split('\n').map(|line| match line.strip_suffix(' ') {
        Some(stripped) if !stripped.ends_with(' ') => stripped,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn title(page: &Page) -> Option<String> {
    words(&page.heading).or_else(|| words(&page.title))
}

fn words(html: &str) -> Option<String> {
    let (line, _) = clean_line(&html_escape::decode_html_entities(html));
    Some(line).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, Instant};

    use super::*;

    fn read(html: &str) -> Content {
        Converter::default().read(html).unwrap()
    }

    #[test]
    fn a_page_becomes_markdown() {
        let content = read(
            "<html lang='ar' dir='rtl'><head><title>موقع</title></head><body><h1>العنوان &amp; الباقي</h1>\
             <p>نص <b>مهم</b> <a href='a.html'>رابط</a></p><ul><li>واحد<li>اثنان</ul><pre>x  y</pre>\
             <p><img src='i.png' alt='صورة'></body></html>",
        );
        assert_eq!(content.title.as_deref(), Some("العنوان & الباقي"));
        assert_eq!(content.language.as_deref(), Some("ar"));
        assert_eq!(content.body, "نص **مهم** [رابط](a.html)\n\n- واحد\n- اثنان\n\n```\nx  y\n```\n\n![صورة](i.png)");
    }

    #[test]
    fn a_heading_that_repeats_the_title_goes() {
        let content = read("<title>13.2. A_b</title><body><h2>13.2.&nbsp;A_b</h2><p>text");
        assert_eq!((content.title.as_deref(), content.body.as_str()), (Some("13.2. A_b"), "text"));
    }

    #[test]
    fn tables_stand_on_their_lines() {
        let content = read("<table><caption>c</caption><tr><th>a<th>b|<tr><td><p>1</p><p>2</p><td>3</table><p>x");
        assert_eq!(content.body, "c\n\n| a | b&#124; |\n| --- | --- |\n| 1 2 | 3 |\n\nx");
    }

    #[test]
    fn one_wide_cell_does_not_widen_the_others() {
        let html = format!("<table><tr><td>{}</tr>{}</table>", "x".repeat(100_000), "<tr><td>a</tr>".repeat(10_000));
        assert!(read(&html).body.len() < 400_000);
    }

    #[test]
    fn no_html_comes_through() {
        let content =
            read("<p>&lt;script&gt;alert(1)&lt;/script&gt; <img src=x alt='](javascript:x)'> &#27;[2J \u{202e}</p>");
        assert!(content.body.starts_with("\\<script"), "{}", content.body);
        assert!(!content.body.contains("](javascript"), "{}", content.body);
        assert!(!content.body.contains(['\u{1b}', '\u{202e}']));
        assert_eq!(content.dropped, 2);
    }

    #[test]
    fn hostile_pages_take_no_time_and_no_stack() {
        let begun = Instant::now();
        for html in [
            format!("{}x", "<div>".repeat(40_000)),
            format!("{}x{}", "<ul><li>".repeat(20_000), "</li></ul>".repeat(20_000)),
            format!("{}x", "<table><tr><td>".repeat(15_000)),
            format!("{}x", "<b><i><a href=x>".repeat(15_000)),
            "<code>a</code><s>b</s>".repeat(20_000),
            format!("<ol>{}</ol>", "<li>x".repeat(40_000)),
            format!("{}x", "<p><b a=1>".repeat(20_000)),
            "<".repeat(1_000_000),
            format!("{}{}", "<svg><td>".repeat(10_000), "</svg>".repeat(10_000)),
        ] {
            assert!(!read(&format!("{html}<p>end")).body.is_empty());
        }
        assert_eq!(Converter::default().read(&"<div>".repeat(100_000)), Err(HtmlError::TooManyElements));
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    }

    proptest::proptest! {
        #[test]
        fn no_text_fails(html in "(<(p|ul|li|ol|table|td|tr|pre|code|b|i|a href=x|h1|h2|hr|br|blockquote)/?>|</(p|ul|table|td|pre|b|a)>|[a-z\\\\*_`#|0-9. \n\u{1}-]){0,200}") {
            let _ = read(&html);
        }
    }
}
