//! Markdown as it is, less its front matter and the heading that is its title.
//!
//! The text is not parsed: only a heading at its start is looked for.

use super::{
    content::Content,
    text::{clean_body, clean_line},
    yaml,
};

/// Reads a Markdown file.
///
/// # Errors
/// What is wrong with its front matter.
pub fn read(text: &str) -> Result<Content, String> {
    let (text, dropped) = clean_body(text);
    let (front_matter, body) = split_front_matter(&text);
    // The empty line stands for the one with `---`, so that line numbers in errors are those of the file.
    let front_matter = front_matter.map_or(Ok(Vec::new()), |yaml| yaml::parse(&format!("\n{yaml}")))?;
    let title = first_heading(body).filter(|heading| heading.level == 1).map(|heading| heading.text);
    let body = match &title {
        Some(title) => without_title(body, title),
        None => body,
    };
    Ok(Content { front_matter, title, body: body.trim().to_owned(), dropped, ..Content::default() })
}

/// The body without its first line, if that is a heading with the words of the title.
pub fn without_title<'a>(body: &'a str, title: &str) -> &'a str {
    match first_heading(body) {
        Some(heading) if heading.text == title => body.get(heading.end..).unwrap_or_default(),
        _ => body,
    }
}

/// What stands between the first line `---` and the next one, and the rest.
fn split_front_matter(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.strip_prefix("---\n") else { return (None, text) };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return (rest.get(..at), rest.get(at + line.len()..).unwrap_or_default());
        }
        at += line.len();
    }
    (None, text)
}

struct Heading {
    level: usize,
    text: String,
    /// Where the line after the heading begins.
    end: usize,
}

fn first_heading(body: &str) -> Option<Heading> {
    let start = body.len() - body.trim_start().len();
    let rest = body.get(start..)?;
    let mut lines = rest.split_inclusive('\n');
    let line = lines.next()?;
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&level) {
        let text = line.get(level..)?;
        let plain = text.trim().trim_end_matches('#').trim_end().replace('\\', "");
        let heading = Heading { level, text: clean_line(&plain).0, end: start + line.len() };
        return (text.starts_with([' ', '\t', '\n']) && !heading.text.is_empty()).then_some(heading);
    }
    let underline = lines.next()?;
    let bars = underline.trim_end();
    let underlined = !bars.is_empty() && bars.bytes().all(|byte| byte == b'=');
    underlined.then(|| Heading { level: 1, text: clean_line(line).0, end: start + line.len() + underline.len() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::yaml::Yaml, *};

    #[test]
    fn front_matter_title_and_body() {
        let content = read("---\r\ntags: [a]\r\n---\r\n\r\n# Le titre #\r\n\r\nTexte ![i](i.png)\r\n").unwrap();
        assert_eq!(content.front_matter, [("tags".into(), Yaml::List(vec![Yaml::Scalar("a".into())]))]);
        assert_eq!(content.title.as_deref(), Some("Le titre"));
        assert_eq!(content.body, "Texte ![i](i.png)");
    }

    #[test]
    fn the_other_kind_of_heading() {
        let content = read("Title\n=====\nx").unwrap();
        assert_eq!((content.title.as_deref(), content.body.as_str()), (Some("Title"), "x"));
    }

    #[test]
    fn what_is_no_title_stays() {
        for text in ["## Second\nx", "#hashtag\nx", "text\n# Later", "---\nnot: closed", "#\nx", ""] {
            let content = read(text).unwrap();
            assert_eq!((content.title, content.body.as_str()), (None, text), "{text}");
        }
    }

    #[test]
    fn front_matter_that_is_wrong_is_refused() {
        assert!(read("---\na: 1\na: 2\n---\nx").is_err_and(|error| error.starts_with("line 3")));
    }
}
