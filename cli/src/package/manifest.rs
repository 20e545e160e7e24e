//! What a manifest says of the package: title, description, language and duration, from its metadata (IEEE LOM, in the spellings of
//! SCORM 1.2 and 2004) and from its organization. The door to the library for XML.

use std::collections::BTreeMap;

use portolan_protocol::record::{Value, canonical_language};
use quick_xml::{Reader, events::Event};

use super::refusal::Refusal;

/// Deepest element that is looked into.
const DEPTH_MAX: usize = 64;
/// Longest text that is taken, in bytes.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// Most texts of one kind.
const TEXTS_MAX: usize = 32;

/// See the head of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Titles by language; empty for none said.
    pub titles: BTreeMap<String, String>,
    /// Descriptions likewise.
    pub descriptions: BTreeMap<String, String>,
    /// The language of the package.
    pub language: Option<String>,
    /// How long it takes to learn, as it stands there: mostly ISO 8601.
    pub duration: Option<String>,
}

impl Manifest {
    /// Reads a manifest. Entities other than those of XML itself are not known, and a document type is refused.
    ///
    /// # Errors
    /// [`Refusal::Manifest`].
    pub fn read(bytes: &[u8]) -> Result<Manifest, Refusal> {
        let bad = |why: &dyn std::fmt::Display| Refusal::Manifest(why.to_string());
        let text = std::str::from_utf8(bytes).map_err(|_| bad(&"it is not written in UTF-8"))?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let (mut open, mut gathered) = (Vec::<Element>::new(), Manifest::default());
        let mut fallback = None;
        loop {
            match reader.read_event().map_err(|error| bad(&error))? {
                Event::Start(start) => {
                    if open.len() == DEPTH_MAX {
                        return Err(bad(&"its elements lie too deep in one another"));
                    }
                    let mut language = None;
                    for attribute in start.attributes().flatten() {
                        let name = attribute.key.local_name();
                        if name.as_ref() == "lang" || name.as_ref() == "language" {
                            language = canonical_language(attribute.value.trim());
                        }
                    }
                    let name = start.local_name().as_ref().to_ascii_lowercase();
                    open.push(Element { name, language, text: String::new() });
                }
                Event::End(_) => {
                    if let Some(element) = open.pop() {
                        gathered.take(&open, element, &mut fallback);
                    }
                }
                Event::Text(part) => add(&mut open, &part.xml10_content()),
                Event::CData(part) => add(&mut open, &part.xml10_content()),
                Event::GeneralRef(reference) => {
                    let letter = match &*reference.xml10_content() {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "quot" => '"',
                        "apos" => '\'',
                        other => {
                            let letter = reference.resolve_char_ref().map_err(|error| bad(&error))?;
                            letter.ok_or_else(|| bad(&format!("it refers to `{other}`, which it cannot explain")))?
                        }
                    };
                    add(&mut open, letter.encode_utf8(&mut [0; 4]));
                }
                Event::DocType(_) => return Err(bad(&"it has a document type, which could hide a bomb")),
                Event::Eof if open.is_empty() => break,
                Event::Eof => return Err(bad(&"it ends in the middle")),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        if let Some(title) = fallback
            && gathered.titles.is_empty()
        {
            gathered.titles.insert(String::new(), title);
        }
        Ok(gathered)
    }

    fn take(&mut self, above: &[Element], element: Element, fallback: &mut Option<String>) {
        let Element { name, language, text } = element;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return;
        }
        let path: Vec<&str> = above.iter().map(|element| element.name.as_str()).chain([name.as_str()]).collect();
        let texts = match path.as_slice() {
            [.., "general", "title", "langstring" | "string"] => &mut self.titles,
            [.., "general", "description", "langstring" | "string"] => &mut self.descriptions,
            [.., "general", "language"] => {
                self.language = self.language.take().or_else(|| canonical_language(&text));
                return;
            }
            [.., "educational", "typicallearningtime", "datetime" | "duration"] => {
                self.duration.get_or_insert(text);
                return;
            }
            ["manifest", "organizations", "organization", "title"] => {
                fallback.get_or_insert(text);
                return;
            }
            _ => return,
        };
        if texts.len() < TEXTS_MAX {
            texts.entry(language.unwrap_or_default()).or_insert(text);
        }
    }

    /// The fields of a record of type `kind` that says so; texts without a language are in the package's, else in `own`.
    pub fn fields(&self, own: &str, kind: &str) -> BTreeMap<String, Value> {
        let mut fields = BTreeMap::new();
        let language = self.language.as_deref().unwrap_or(own);
        for (what, texts) in [("title", &self.titles), ("summary", &self.descriptions)] {
            for (said, text) in texts {
                let language = if said.is_empty() { language } else { said };
                fields.entry(format!("{what}/{language}")).or_insert_with(|| Value::from(text.as_str()));
            }
        }
        if kind == "training_material" {
            fields.insert("kind".into(), "course".into());
            fields.extend(self.duration.as_deref().map(|duration| ("duration".into(), duration.into())));
        }
        fields
    }
}

struct Element {
    name: String,
    language: Option<String>,
    text: String,
}

fn add(open: &mut [Element], part: &str) {
    if let Some(element) = open.last_mut() {
        let room = TEXT_BYTES_MAX.saturating_sub(element.text.len());
        let mut end = part.len().min(room);
        while !part.is_char_boundary(end) {
            end -= 1;
        }
        element.text.push_str(&part[..end]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SCORM_1_2: &str = r#"<?xml version="1.0"?>
<manifest identifier="M" xmlns:imsmd="x"><metadata><schema>ADL SCORM</schema><imsmd:lom><imsmd:general>
<imsmd:title><imsmd:langstring xml:lang="fr">Premiers gestes &amp; traces</imsmd:langstring>
<imsmd:langstring xml:lang="ar">&#1578;&#1608;&#1606;&#1587;</imsmd:langstring></imsmd:title>
<imsmd:description><imsmd:langstring>Un <![CDATA[cours]]> court.</imsmd:langstring></imsmd:description>
<imsmd:language>fr</imsmd:language></imsmd:general><imsmd:educational><imsmd:typicallearningtime>
<imsmd:datetime>PT2H</imsmd:datetime></imsmd:typicallearningtime></imsmd:educational></imsmd:lom></metadata>
<organizations><organization><title>Other</title><item><title>Part</title></item></organization></organizations></manifest>"#;

    #[test]
    fn metadata_in_the_spelling_of_scorm_1_2() {
        let manifest = Manifest::read(SCORM_1_2.as_bytes()).unwrap();
        let fields = manifest.fields("en", "training_material");
        assert_eq!(fields["title/fr"], "Premiers gestes & traces".into());
        assert_eq!(fields["title/ar"], "\u{62a}\u{648}\u{646}\u{633}".into());
        assert_eq!(fields["summary/fr"], "Un cours court.".into());
        assert_eq!((&fields["duration"], &fields["kind"]), (&"PT2H".into(), &"course".into()));
        assert!(!manifest.fields("en", "page").contains_key("duration"));
    }

    #[test]
    fn metadata_in_the_spelling_of_scorm_2004_and_none_at_all() {
        let text = r#"<manifest><metadata><lom><general><title><string language="en-us">Tides</string></title></general>
            <educational><typicalLearningTime><duration>PT45M</duration></typicalLearningTime></educational></lom></metadata></manifest>"#;
        let manifest = Manifest::read(text.as_bytes()).unwrap();
        assert_eq!((&manifest.titles["en-US"], manifest.duration.as_deref()), (&"Tides".to_owned(), Some("PT45M")));
        let text =
            "<manifest><organizations><organization><title>Winds</title></organization></organizations></manifest>";
        let fields = Manifest::read(text.as_bytes()).unwrap().fields("pt", "page");
        assert_eq!(fields.into_iter().collect::<Vec<_>>(), [("title/pt".to_owned(), "Winds".into())]);
    }

    #[test]
    fn hostile_manifests_are_refused() {
        let bomb = r#"<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><manifest>&b;</manifest>"#;
        let deep = "<a>".repeat(100_000);
        for hostile in [bomb, "<manifest>&b;</manifest>", &deep, "<manifest>", "<a></b>", "<manifest>&#0;</manifest>"] {
            assert!(matches!(Manifest::read(hostile.as_bytes()), Err(Refusal::Manifest(_))), "{:.40}", hostile);
        }
        assert!(Manifest::read(b"\xff\xfe<").is_err());
        let long = format!(
            "<manifest><organizations><organization><title>{}</title></organization></organizations></manifest>",
            "ا".repeat(100_000)
        );
        assert!(Manifest::read(long.as_bytes()).unwrap().titles[""].len() <= TEXT_BYTES_MAX);
    }
}
