//! The first page and those behind it: all records by title, and what they are narrowed by. They are read without scripts; what a
//! script adds is the search, and the narrowing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    catalogue::{Catalogue, Head},
    direction::{attributes, direction},
    escape::{self, html},
    frame::{Frame, marking},
    words::Interface,
};

/// Records on a page.
const PAGE_RECORDS: usize = 500;

/// Values that one can narrow by, of each kind; the most frequent ones.
const VALUES_MAX: usize = 200;

/// What the whole folder is marked as.
#[derive(Clone, Debug, Default)]
pub struct Marked {
    /// The most restrictive marking; none where no record has one.
    pub highest: Option<String>,
    /// Records that have none.
    pub unmarked: u64,
}

/// A record as `records.js` holds it.
#[derive(Serialize)]
struct Row<'a>(
    &'a str,
    String,
    &'a str,
    &'static str,
    &'a str,
    Option<&'a str>,
    &'a [String],
    &'a [String],
    &'a [String],
    bool,
);

/// All records in the order of their titles.
pub(super) struct List<'a> {
    frame: &'a Frame<'a>,
    catalogue: &'a Catalogue,
    heads: Vec<&'a Head>,
    marked: &'a Marked,
}

impl<'a> List<'a> {
    /// `ranks[number]` is the place of the record with that number.
    pub(super) fn new(frame: &'a Frame<'a>, catalogue: &'a Catalogue, ranks: &[u32], marked: &'a Marked) -> Self {
        let mut heads: Vec<(u32, &Head)> = ranks.iter().copied().zip(catalogue.heads()).collect();
        heads.sort_by_key(|(rank, _)| *rank);
        Self { frame, catalogue, heads: heads.into_iter().map(|(_, head)| head).collect(), marked }
    }

    /// How many pages there are; one even where there is no record.
    pub(super) fn pages(&self) -> usize {
        self.heads.len().div_ceil(PAGE_RECORDS).max(1)
    }

    /// The name of a page.
    pub(super) fn name(number: usize) -> String {
        if number == 0 { "index.html".to_owned() } else { format!("list-{}.html", number + 1) }
    }

    /// A page, the first is 0.
    pub(super) fn page(&self, number: usize) -> String {
        let words = self.frame.words;
        let title = words.said_of("title", "space", self.frame.space);
        let mut main = format!("<h1 dir=\"auto\">{}</h1>\n", html(&title));
        main.push_str(&self.marking());
        if number == 0 {
            main.push_str(&self.filters());
        }
        main.push_str(&format!(
            "<section id=\"list\" aria-labelledby=\"records\">\n<h2 id=\"records\">{}</h2>\n",
            words.said("records")
        ));
        let nav = self.nav(number);
        main.push_str(&nav);
        main.push_str("<ul class=\"records\">\n");
        for head in self.heads.iter().skip(number * PAGE_RECORDS).take(PAGE_RECORDS) {
            main.push_str(&item(words, head));
        }
        main.push_str("</ul>\n");
        main.push_str(&nav);
        self.frame.page(&title, &(main + "</section>\n"))
    }

    /// All records, for the script.
    pub(super) fn script(&self) -> String {
        let rows: Vec<Row<'_>> = self.heads.iter().map(|head| row(head)).collect();
        format!("portolan.records({});\n", escape::script(&rows))
    }

    fn marking(&self) -> String {
        let words = self.frame.words;
        let highest = marking(words, self.marked.highest.as_deref());
        let unmarked = match self.marked.unmarked {
            0 => String::new(),
            number => format!(" <span class=\"told\">{}</span>", words.said_of("unmarked", "n", &number.to_string())),
        };
        let number = words.said_of("number", "n", &self.heads.len().to_string());
        format!(
            "<p class=\"above\">{} {highest}{unmarked} <span class=\"told\">{number}</span></p>\n",
            words.said("highest")
        )
    }

    /// The boxes that narrow, and the place for what is found. Both are hidden until the script shows them.
    fn filters(&self) -> String {
        let words = self.frame.words;
        let kind = |value: &str| if value.is_empty() { words.said("no_type").to_owned() } else { words.kind(value) };
        let area = |value: &str| self.catalogue.term(value).map_or_else(|| value.to_owned(), |term| term.title.clone());
        let of = |values: fn(&Head) -> Vec<String>| -> Vec<(String, usize)> { self.counted(values) };
        let boxes = [
            self.select("type", &words.field("type"), &of(|head| vec![head.kind.clone()]), &kind),
            self.select("language", words.said("language"), &of(|head| head.languages.clone()), &|tag| {
                words.language(tag)
            }),
            self.select("country", &words.field("country"), &of(|head| head.countries.clone()), &str::to_owned),
            self.select("area", &words.field("area"), &of(|head| head.areas.clone()), &area),
        ];
        format!(
            "<noscript><p class=\"told\">{}</p></noscript>\n<form id=\"filters\" hidden>\n{}<button type=\"reset\">{}</button>\n</form>\n\
             <section id=\"results\" hidden aria-labelledby=\"found\">\n<h2 id=\"found\" role=\"status\"></h2>\n\
             <ul class=\"records\"></ul>\n<p class=\"more told\"></p>\n</section>\n",
            words.said("no_script"),
            boxes.concat(),
            words.said("clear"),
        )
    }

    /// Values and in how many records they are, the most frequent first.
    fn counted(&self, values: impl Fn(&Head) -> Vec<String>) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for value in self.heads.iter().flat_map(|head| values(head)) {
            *counts.entry(value).or_default() += 1;
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.truncate(VALUES_MAX);
        counts
    }

    fn select(&self, name: &str, label: &str, values: &[(String, usize)], called: &dyn Fn(&str) -> String) -> String {
        if values.is_empty() {
            return String::new();
        }
        let options: String = values
            .iter()
            .map(|(value, count)| {
                format!("<option value=\"{}\">{} ({count})</option>\n", html(value), html(&called(value)))
            })
            .collect();
        let (label, all) = (html(label), self.frame.words.said("all"));
        // An empty value means that all pass, so what has no type is not asked for by it.
        let options = options.replacen("<option value=\"\">", "<option value=\"-\">", 1);
        format!(
            "<label>{label} <select name=\"{name}\">\n<option value=\"\">{all}</option>\n{options}</select></label>\n"
        )
    }

    fn nav(&self, current: usize) -> String {
        if self.pages() < 2 {
            return String::new();
        }
        let items: String = (0..self.pages())
            .map(|number| {
                let here = if number == current { " aria-current=\"page\"" } else { "" };
                format!("<li><a href=\"{}\"{here}>{}</a></li>", Self::name(number), number + 1)
            })
            .collect();
        format!("<nav class=\"pages\" aria-label=\"{}\"><ul>{items}</ul></nav>\n", self.frame.words.said("pages"))
    }
}

fn item(words: Interface, head: &Head) -> String {
    let (title, language) = match head.title.as_str() {
        "" => (words.said("untitled"), Some(words.tag())),
        title => (title, head.language.as_deref()),
    };
    let kind = if head.kind.is_empty() { words.said("no_type").to_owned() } else { words.kind(&head.kind) };
    format!(
        "<li><a href=\"records/{}.html\"{}>{}</a> <span class=\"told\"><bdi>{}</bdi> · <bdi>{}</bdi></span> {}</li>\n",
        head.id,
        attributes(language),
        html(title),
        html(&kind),
        html(&head.languages.join(" ")),
        marking(words, head.marking.as_deref()),
    )
}

fn row(head: &Head) -> Row<'_> {
    let language = head.language.as_deref();
    Row(
        &head.id,
        escape::plain(&head.title),
        language.filter(|_| direction(language) != "auto").unwrap_or_default(),
        direction(language),
        &head.kind,
        head.marking.as_deref(),
        &head.languages,
        &head.countries,
        &head.areas,
        head.contested,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::{id::DocumentId, record::RecordView};

    use super::*;

    #[test]
    fn many_records_are_on_several_pages_each_once() {
        let mut catalogue = Catalogue::default();
        for number in 0..1_001_u16 {
            let mut id = DocumentId([0; 16]);
            id.0[..2].copy_from_slice(&number.to_be_bytes());
            let title = format!("<{number:04}>").as_str().into();
            catalogue.add(&RecordView::new(id, vec![], BTreeMap::from([("title/fr".to_owned(), vec![title])])));
        }
        let frame = Frame { words: Interface::French, space: "P", root: "" };
        let (ranks, marked) = (catalogue.ranks(), Marked::default());
        let list = List::new(&frame, &catalogue, &ranks, &marked);
        assert_eq!((list.pages(), List::name(0), List::name(2)), (3, "index.html".into(), "list-3.html".into()));
        let all: String = (0..3).map(|number| list.page(number)).collect();
        assert!((0..1_001).all(|number| all.matches(&format!(">&lt;{number:04}&gt;</a>")).count() == 1));
        assert!(
            list.script().starts_with("portolan.records([[\"") && list.script().contains("\"<0000>\",\"fr\",\"ltr\"")
        );
    }
}
