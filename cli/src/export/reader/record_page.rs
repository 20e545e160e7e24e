//! The page of one record: its texts by language, then its fields, what it leads to, what leads to it, its files and where it is from.

use std::collections::BTreeSet;

use portolan_protocol::record::{Kind, RecordView, Segment, Value, field_of, inverse_relation, own_fields};

use super::{
    catalogue::{Catalogue, Tie, title},
    direction::{attributes, direction},
    escape::html,
    fields::{Fields, address, link},
    files,
    frame::{Frame, marking},
    markdown::{Around, is_outside, render},
    spool::Spooled,
    words::Interface,
};
use crate::time::rfc3339;

/// Texts that stand before those of the type, and behind them.
const FIRST: [&str; 2] = ["title", "summary"];
const BODY: &str = "body";

/// The page.
pub(super) fn page(frame: &Frame<'_>, catalogue: &Catalogue, record: &Spooled) -> String {
    let words = frame.words;
    let view = &record.view.record;
    let page = Page { words, fields: Fields { words, record: view, catalogue }, record };
    let (language, heading) = title(view, &[words.tag()]).unwrap_or((words.tag(), words.said("untitled")));
    let (title, body) = (format!("{heading} – {}", frame.space), page.main(language, heading));
    frame.page(&title, &body)
}

struct Page<'a> {
    words: Interface,
    fields: Fields<'a>,
    record: &'a Spooled,
}

impl<'a> Page<'a> {
    fn view(&self) -> &'a RecordView {
        &self.record.view.record
    }

    fn main(&self, language: &str, heading: &str) -> String {
        let (words, view) = (self.words, self.view());
        let kind = if view.kind.is_empty() { words.said("no_type").to_owned() } else { words.kind(&view.kind) };
        let caveats = view.members("caveats");
        let caveats: String = caveats
            .iter()
            .map(|caveat| format!(" <span class=\"caveat\"><bdi>{}</bdi></span>", html(caveat)))
            .collect();
        let mut out = format!(
            "<article>\n<p class=\"above\">{}{caveats} <span class=\"kind\">{}</span></p>\n<h1{}>{}</h1>\n",
            marking(words, view.marking.as_deref()),
            html(&kind),
            attributes(Some(language)),
            html(heading),
        );
        if !view.conflicts.is_empty() {
            let keys: Vec<String> = view.conflicts.keys().map(|key| format!("<code>{}</code>", html(key))).collect();
            out.push_str(&format!(
                "<p class=\"warning\" role=\"note\">{}: {}</p>\n",
                words.said("contested_fields"),
                keys.join(", ")
            ));
        }
        let languages = self.languages(language);
        if languages.len() > 1 {
            let items: String = languages
                .iter()
                .map(|tag| format!("<li><a href=\"#in-{tag}\">{}</a></li>", html(&words.language(tag))))
                .collect();
            let label = words.said("languages");
            out.push_str(&format!("<nav class=\"languages\" aria-label=\"{label}\"><ul>{items}</ul></nav>\n"));
        }
        for tag in &languages {
            out.push_str(&self.in_language(tag, tag == language));
        }
        let sections = [
            ("fields", words.said("fields"), listed(self.fields.list(&|key| self.is_elsewhere(key)))),
            ("other", words.said("other_fields"), listed(self.fields.unknown())),
            ("links", words.said("links"), self.links()),
            ("backlinks", words.said("backlinks"), self.backlinks()),
            ("files", words.said("attachments"), files::list(&self.fields, self.record)),
            ("about", words.said("about"), self.about()),
        ];
        for (id, label, content) in sections.iter().filter(|(_, _, content)| !content.is_empty()) {
            out.push_str(&format!(
                "<section class=\"part\" aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{label}</h2>\n{content}</section>\n"
            ));
        }
        out + "</article>\n"
    }

    /// The languages that there are texts in, that of the heading first, then the original one.
    fn languages(&self, first: &str) -> Vec<String> {
        let view = self.view();
        let all: BTreeSet<String> =
            view.fields.keys().filter_map(|key| text_of(key)).map(|(_, tag)| tag.to_owned()).collect();
        let mut languages: Vec<String> =
            [Some(first), view.language.as_deref()].into_iter().flatten().map(str::to_owned).collect();
        languages.retain(|tag| all.contains(tag));
        languages.extend(all);
        let mut seen = BTreeSet::new();
        languages.retain(|tag| seen.insert(tag.clone()));
        languages
    }

    /// All texts in one language.
    fn in_language(&self, tag: &str, is_heading: bool) -> String {
        let words = self.words;
        let mut order: Vec<&str> = FIRST.to_vec();
        order.extend(own_fields(&self.view().kind).filter_map(|field| field.path.split('/').next()));
        order.push(BODY);
        let others = self.view().fields.keys().filter_map(|key| text_of(key)).filter(|(_, of)| *of == tag);
        let mut seen = BTreeSet::new();
        let all: Vec<&str> =
            order.into_iter().chain(others.map(|(word, _)| word)).filter(|word| seen.insert(*word)).collect();
        let mut out = format!(
            "<section class=\"texts\" id=\"in-{tag}\"{} aria-label=\"{}\">\n",
            attributes(Some(tag)),
            html(&words.language(tag))
        );
        let mut is_labelled = false;
        for word in all.into_iter().filter(|word| self.has(word, tag)) {
            if word == "title" {
                out.push_str(&self.title(tag, is_heading));
                continue;
            }
            // What stands first says itself what it is.
            is_labelled |= !matches!(word, BODY | "summary");
            if is_labelled {
                let label = html(&words.field(word));
                out.push_str(&format!("<h2 class=\"label\"><bdi lang=\"{}\">{label}</bdi></h2>\n", words.tag()));
            }
            let key = format!("{word}/{tag}");
            let text = match word {
                BODY => self.fields.shown(&key, |value| self.body(value, tag)),
                _ => self.fields.shown(&key, paragraphs),
            };
            let class = if matches!(word, BODY | "summary") { word } else { "other" };
            out.push_str(&format!("<div class=\"{class}\">{text}</div>\n"));
        }
        out + "</section>\n"
    }

    fn has(&self, word: &str, tag: &str) -> bool {
        let key = format!("{word}/{tag}");
        text_of(&key).is_some() && self.view().fields.contains_key(&key)
    }

    /// The title in a language; none where it stands above all and is not contested.
    fn title(&self, tag: &str, is_heading: bool) -> String {
        let key = format!("title/{tag}");
        let is_contested = self.view().conflicts.contains_key(&key);
        if is_heading && !is_contested {
            return String::new();
        }
        // What is contested is a list, and no heading.
        let element = if is_contested { "div" } else { "h2" };
        let title = self.fields.shown(&key, |value| html(&value.to_string()));
        format!("<{element} class=\"title\">{title}</{element}>\n")
    }

    fn body(&self, value: &Value, tag: &str) -> String {
        let prefix = format!("{tag}-");
        let file = |name: &str| files::address(self.record, name);
        render(
            &value.to_string(),
            &Around { words: self.words, direction: direction(Some(tag)), prefix: &prefix, file: &file },
        )
    }

    /// Whether a field is shown in a part of its own.
    fn is_elsewhere(&self, key: &str) -> bool {
        text_of(key).is_some()
            || ["links/", "attachments/"].iter().any(|start| key.starts_with(start))
            || key == "deleted"
    }

    fn links(&self) -> String {
        let view = self.view();
        let mut items = String::new();
        for id in view.ordered("links") {
            let of = |property: &str| view.fields.get(&format!("links/{id}/{property}")).and_then(Value::as_str);
            let label = view.fields.iter().find_map(|(key, value)| {
                let tag = key.strip_prefix(&format!("links/{id}/label/"))?;
                Some(format!("<span{}>{}</span>", attributes(Some(tag)), html(value.as_str()?)))
            });
            let relation = self.words.relation(of("relation").unwrap_or("see"));
            let target = self.fields.shown(&format!("links/{id}/target"), |value| self.target(&value.to_string()));
            items.push_str(&format!(
                "<li><span class=\"of\">{}</span> {} {target}</li>\n",
                html(&relation),
                label.unwrap_or_default()
            ));
        }
        if items.is_empty() { items } else { format!("<ul class=\"plain\">{items}</ul>\n") }
    }

    fn target(&self, target: &str) -> String {
        if is_outside(target) { address(target) } else { self.fields.named(target) }
    }

    fn backlinks(&self) -> String {
        let words = self.words;
        let id = self.view().id.to_string();
        let leading = self.fields.catalogue.leading(&id);
        let items: String = leading
            .map(|(head, tie)| {
                let how = match tie {
                    Tie::Relation(relation) => words.relation(inverse_relation(relation).unwrap_or(relation)),
                    Tie::Field(word) => words.field(word),
                };
                format!("<li><span class=\"of\">{}</span> {}</li>\n", html(&how), link(words, head))
            })
            .collect();
        if items.is_empty() { items } else { format!("<ul class=\"plain\">{items}</ul>\n") }
    }

    fn about(&self) -> String {
        let words = self.words;
        let mut out = String::from("<dl>");
        if let Some(updated) = &self.record.view.updated {
            let moment = rfc3339(updated.time_ms);
            let name = html(&updated.name);
            out.push_str(&format!(
                "<dt>{}</dt><dd><time datetime=\"{moment}\" dir=\"ltr\">{moment}</time> {} <bdi>{name}</bdi></dd>\n",
                words.said("changed"),
                words.said("by")
            ));
        }
        let ids = [self.view().id.to_string(), self.record.view.space.to_string()];
        for (label, id) in [words.said("identifier"), words.said("space")].iter().zip(ids) {
            out.push_str(&format!("<dt>{label}</dt><dd><code>{id}</code></dd>\n"));
        }
        out + "</dl>\n"
    }
}

/// The word and the language of a text that people read: a field that there is one of for each language.
fn text_of(key: &str) -> Option<(&str, &str)> {
    let field = field_of(key)?;
    let (word, tag) = key.split_once('/')?;
    let is_text = matches!(field.kind, Kind::Text | Kind::Scalar)
        && field.segments().nth(1) == Some(Segment::Language)
        && !tag.contains('/');
    // Its name becomes an id of the page.
    let is_tag = portolan_protocol::record::canonical_language(tag).as_deref() == Some(tag);
    (is_text && is_tag).then_some((word, tag))
}

fn paragraphs(value: &Value) -> String {
    let text = html(&value.to_string());
    let all = text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    all.map(|part| format!("<p>{part}</p>\n")).collect()
}

fn listed(pairs: String) -> String {
    if pairs.is_empty() { pairs } else { format!("<dl>\n{pairs}</dl>\n") }
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        api::DocumentView,
        id::{DocumentId, SpaceId},
    };

    use super::*;

    fn shown(values: &[(&str, &[Value])], files: &[(&str, &str)]) -> String {
        let values = values.iter().map(|(key, values)| ((*key).to_owned(), values.to_vec())).collect();
        let record = RecordView::new(DocumentId([1; 16]), vec![], values);
        let mut catalogue = Catalogue::default();
        catalogue.add(&record);
        let files = files.iter().map(|(id, path)| ((*id).to_owned(), (*path).to_owned())).collect();
        let view = DocumentView { space: SpaceId([0; 32]), record, updated: None, changes: 1 };
        let frame = Frame { words: Interface::English, space: "P", root: "../" };
        page(&frame, &catalogue, &Spooled { view, files })
    }

    #[test]
    fn what_is_contested_is_shown_with_all_that_it_says() {
        let html = shown(
            &[
                ("title/fr", &["<Un>".into(), "Deux".into()]),
                ("body/fr", &["*a*".into(), "*b*".into()]),
                ("status", &["draft".into(), "review".into()]),
            ],
            &[],
        );
        assert_eq!(html.matches("<div class=\"contested\">").count(), 3, "{html}");
        for value in ["<li>&lt;Un&gt;</li>", "<li>Deux</li>", "<em>a</em>", "<em>b</em>", ">draft<", ">review<"] {
            assert!(html.contains(value), "{value} in {html}");
        }
        assert!(html.contains("contested fields: <code>body/fr</code>, <code>status</code>, <code>title/fr</code>"));
    }

    #[test]
    fn a_link_without_a_target_is_not_contested() {
        assert!(!shown(&[("links/x/relation", &["see".into()])], &[]).contains("contested"));
    }

    #[test]
    fn a_word_is_a_term_only_where_terms_stand() {
        let concept = |field: &str, text: &str| {
            let values = [("type", "concept"), ("notation", "draft"), ("title/fr", "Brouillon"), (field, text)];
            let values = values.map(|(key, value)| (key, [Value::from(value)]));
            shown(&values.each_ref().map(|(key, value)| (*key, &value[..])), &[])
        };
        let link = ".html\" lang=\"fr\" dir=\"ltr\">Brouillon</a>";
        assert!(concept("area", "draft").contains(link), "{}", concept("area", "draft"));
        for field in ["status", "originator", "place"] {
            assert!(!concept(field, "draft").contains(link), "{field}");
        }
    }

    #[test]
    fn every_field_is_there_under_its_label_and_so_is_what_nobody_knows() {
        let html = shown(
            &[
                ("type", &["programme".into()]),
                ("title/\"><script>", &["t".into()]),
                ("milestones/b/title/ar", &["ثان".into()]),
                ("milestones/b/position", &["i".into()]),
                ("milestones/a/title/fr", &["dernier".into()]),
                ("countries/IT/host", &[true.into()]),
                ("countries/TN/host", &[false.into()]),
                ("caveats/H1", &[true.into()]),
                ("later/<b>", &[7.into()]),
                ("links/x/target", &["javascript:alert(1)".into()]),
                ("website", &["https://h.example/".into()]),
            ],
            &[],
        );
        assert!(html.contains("lang=\"ar\" dir=\"rtl\">ثان</span>") && html.find("ثان") < html.find("dernier"));
        assert!(html.contains("<bdi>IT</bdi> <span class=\"of\">Host</span>") && !html.contains("TN"));
        assert!(html.contains("<dt><code>later/&lt;b&gt;</code></dt><dd><bdi>7</bdi></dd>"), "{html}");
        assert!(html.contains("<bdi>javascript:alert(1)</bdi>") && html.contains("href=\"https://h.example/\""));
        assert!(html.contains("<bdi>H1</bdi>") && !html.contains("\"><script>"), "{html}");
    }

    #[test]
    fn files_are_named_and_only_what_runs_nothing_is_linked() {
        let html = shown(
            &[
                ("title/fr", &["T".into()]),
                ("attachments/a/name/fr", &["Cours.PDF".into()]),
                ("attachments/a/size", &[2_048.into()]),
                ("attachments/b/name/fr", &["x.svg".into()]),
                ("attachments/c/name/fr", &["gone.png".into()]),
                ("body/fr", &["![p](attachment:x.svg) ![q](attachment:gone.png)".into()]),
            ],
            &[("a", "attachments/r/Cours.PDF"), ("b", "attachments/r/x.svg")],
        );
        let files = html.split("id=\"files\"").nth(1).unwrap_or_default();
        assert!(files.contains("<a href=\"../attachments/r/Cours.PDF\">") && files.contains("2.0 KiB"), "{files}");
        assert!(files.contains("<code>attachments/r/x.svg</code>") && !files.contains("x.svg\">"), "{files}");
        assert!(files.contains("gone.png</span> <span class=\"of\">not in this folder</span>"), "{files}");
        assert!(html.contains("<img src=\"../attachments/r/x.svg\" alt=\"p\">"), "a picture runs nothing");
        assert!(html.contains("not in this folder:</bdi> <bdi>q</bdi> <code>gone.png</code>"), "{html}");
    }
}
