//! What all pages have in common: the head with its policy, where one is, the box to search in, and the foot.

use super::{direction::attributes, escape::html, words::Interface};

/// What a page may load: the scripts, styles and pictures of the folder. A browser that knows no origin for files takes `file:` for it.
/// Nothing is asked of any network.
const POLICY: &str = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file:; \
                      base-uri 'none'; form-action 'none'";

/// See the head of the file.
pub(super) struct Frame<'a> {
    /// The language of the interface.
    pub(super) words: Interface,
    /// The name of the space.
    pub(super) space: &'a str,
    /// The way from the page to the folder: empty, or `../`.
    pub(super) root: &'a str,
}

impl Frame<'_> {
    /// A page called `title` with `main` in it.
    pub(super) fn page(&self, title: &str, main: &str) -> String {
        let Frame { words, root, .. } = self;
        let own = attributes(Some(words.tag()));
        let name = html(self.space);
        let title = html(title);
        format!(
            "<!doctype html>\n<html{own}>\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<link rel=\"stylesheet\" href=\"{root}reader/reader.css\">\n\
             <script src=\"{root}reader/reader.js\" defer></script>\n</head>\n<body data-root=\"{root}\"{texts}>\n\
             <a class=\"skip\" href=\"#main\">{skip}</a>\n\
             <header>\n<a class=\"home\" href=\"{root}index.html\"><bdi>{name}</bdi></a>\n{form}</header>\n\
             <main id=\"main\" tabindex=\"-1\">\n{main}</main>\n<footer><p>{copy}</p></footer>\n</body>\n</html>\n",
            texts = self.texts(),
            skip = words.said("skip"),
            form = self.form(),
            copy = words.said("copy"),
        )
    }

    /// The box to search in. Without scripts it would do nothing, and is hidden.
    fn form(&self) -> String {
        let (label, hint) = (self.words.said("search"), self.words.said("search_hint"));
        format!(
            "<form role=\"search\" id=\"search\" hidden>\n<label for=\"q\">{label}</label>\n\
             <input id=\"q\" name=\"q\" type=\"search\" dir=\"auto\" autocomplete=\"off\" maxlength=\"500\" placeholder=\"{hint}\">\n\
             <button>{label}</button>\n</form>\n"
        )
    }

    /// What the script says to people.
    fn texts(&self) -> String {
        let words = self.words;
        let texts = [
            ("found", words.said("found")),
            ("nothing", words.said("nothing")),
            ("first", words.said("first_shown")),
            ("failed", words.said("failed")),
            ("untitled", words.said("untitled")),
        ];
        texts.map(|(name, text)| format!(" data-{name}=\"{}\"", html(text))).concat()
    }
}

/// A marking, as prominent as it is strict.
pub(super) fn marking(words: Interface, marking: Option<&str>) -> String {
    match marking {
        Some(marking) => {
            let class = match marking {
                "CLEAR" => "clear",
                "GREEN" => "green",
                "AMBER" | "AMBER+STRICT" => "amber",
                _ => "red",
            };
            format!("<span class=\"tlp {class}\" dir=\"ltr\">TLP:{}</span>", html(marking))
        }
        None => format!("<span class=\"tlp none\">{}</span>", words.said("no_marking")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_nothing_from_any_network_and_what_others_wrote_is_text() {
        let frame = Frame { words: Interface::Arabic, space: "<b>\u{202e}", root: "../" };
        let page = frame.page("</title><script>", "");
        assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">") && page.contains("default-src 'none'"));
        assert!(
            page.contains("<title>&lt;/title&gt;&lt;script&gt;</title>")
                && page.contains("<bdi>&lt;b&gt;\\u{202e}</bdi>")
        );
        assert!(!page.contains("http://") && !page.contains("https://") && page.matches("<script").count() == 1);
    }
}
