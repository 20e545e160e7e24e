//! A vocabulary file made into drafts: one document of YAML, or one line of JSON, for each scheme and concept.
//!
//! The shape of a document is that of front matter; which fields a concept has is the schema's affair
//! (`docs/guide/vocabularies.md`).

use std::collections::BTreeSet;

use portolan_protocol::{
    id::{DocumentId, SpaceId},
    record::{RecordDraft, Value, Warning, canonical_language, check, display_safe},
    record_id::imported_document,
};

use super::{
    fields::{flatten, scalar},
    yaml::{self, Yaml},
};

/// What vocabularies are called as a source, so that the same notation is the same record on every node.
const SOURCE: &str = "vocabulary";

/// The language of texts that say none.
const LANGUAGE_DEFAULT: &str = "en";

/// Most documents of one file.
const TERMS_MAX: usize = 50_000;

/// A scheme or a concept, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// `scheme/notation`, or the notation of a scheme.
    pub path: String,
    /// The document it becomes.
    pub document: DocumentId,
    /// The draft of it.
    pub draft: RecordDraft,
    /// What someone may want to look at.
    pub warnings: Vec<Warning>,
}

/// Reads a vocabulary for `space`.
///
/// # Errors
/// What is wrong, with the line; a file is taken whole or not at all.
pub fn read(text: &str, space: &SpaceId) -> Result<Vec<Term>, String> {
    let mut terms = Vec::new();
    let mut paths = BTreeSet::new();
    for (line, document) in documents(text) {
        let at = |what: String| format!("the entry that begins on line {line}: {what}");
        let entries = yaml::parse(document).map_err(&at)?;
        if entries.is_empty() {
            continue;
        }
        let term = term(entries, space).map_err(&at)?;
        if !paths.insert(term.path.clone()) {
            return Err(at(format!("`{}` stands there a second time", display_safe(&term.path))));
        }
        terms.push(term);
        if terms.len() > TERMS_MAX {
            return Err(format!("more than {TERMS_MAX} entries; split the file"));
        }
    }
    Ok(terms)
}

/// The documents of a file, each with the line that it begins on.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_json = text.trim_start().starts_with('{');
    let mut documents = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let ends = is_json || line.trim_end() == "---";
        let end = at + line.len();
        if ends {
            documents.push((start_line, text.get(start..if is_json { end } else { at }).unwrap_or_default()));
            (start, start_line) = (end, index + 2);
        }
        at = end;
    }
    documents.push((start_line, text.get(start..).unwrap_or_default()));
    documents
}

fn term(entries: Vec<(String, Yaml)>, space: &SpaceId) -> Result<Term, String> {
    let text =
        |wanted: &str| scalar(&entries, wanted).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = text("type").unwrap_or_else(|| "concept".to_owned());
    let notation = text("notation").ok_or("it has no `notation`")?;
    let path = match (kind.as_str(), text("scheme")) {
        ("scheme", _) => notation.clone(),
        ("concept", Some(scheme)) => format!("{scheme}/{notation}"),
        ("concept", None) => return Err(format!("`{}` names no `scheme`", display_safe(&notation))),
        (other, _) => return Err(format!("`{}` is neither `scheme` nor `concept`", display_safe(other))),
    };
    if path.split('/').count() > 2 || (kind == "scheme" && path.contains('/')) {
        return Err(format!("`{}`: a notation has no slash, since it becomes part of a key", display_safe(&path)));
    }
    let language = text("language").unwrap_or_else(|| LANGUAGE_DEFAULT.to_owned());
    let language =
        canonical_language(&language).ok_or_else(|| format!("`{}` is no language tag", display_safe(&language)))?;
    let fields = flatten(entries, &language);
    if let Some(fault) = fields.faults.into_iter().next() {
        return Err(fault);
    }
    if !fields.values.keys().any(|key| key.starts_with("title/")) {
        return Err(format!("`{}` has no `title`", display_safe(&path)));
    }
    let draft = RecordDraft { fields: fields.values, ..RecordDraft::new(&kind, &language) };
    let warnings = check(&draft).map_err(|refusal| refusal.to_string())?;
    // Who answers for it and its marking are said once for all when it is loaded.
    let warnings =
        warnings.into_iter().filter(|warning| !matches!(warning.path.as_str(), "originator" | "marking")).collect();
    Ok(Term { document: imported_document(space, SOURCE, &path), path, draft, warnings })
}

impl Term {
    /// Sets a field that the file does not.
    pub fn fill(&mut self, key: &str, text: &str) {
        self.draft.fields.entry(key.to_owned()).or_insert_with(|| Value::from(text));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SPACE: SpaceId = SpaceId([3; 32]);

    fn message(text: &str) -> String {
        read(text, &SPACE).unwrap_err()
    }

    #[test]
    fn yaml_and_lines_of_json_are_the_same_terms() {
        let yaml = "# mine\n---\ntype: scheme\nnotation: areas\ntitle: Areas\n---\nnotation: ports\nscheme: areas\n\
                    title: {fr: Ports, en: Harbours}\nalternative: [{id: a, fr: Havres}]\nbroader: [coast]\n";
        let json = "{\"type\":\"scheme\",\"notation\":\"areas\",\"title\":\"Areas\"}\n\n{\"notation\":\"ports\",\"scheme\":\"areas\",\
                    \"title\":{\"fr\":\"Ports\",\"en\":\"Harbours\"},\"alternative\":[{\"id\":\"a\",\"fr\":\"Havres\"}],\"broader\":[\"coast\"]}";
        let terms = read(yaml, &SPACE).unwrap();
        assert_eq!(terms, read(json, &SPACE).unwrap());
        assert_eq!(terms.iter().map(|term| term.path.as_str()).collect::<Vec<_>>(), ["areas", "areas/ports"]);
        let ports = &terms[1];
        assert_eq!(ports.warnings, []);
        assert_eq!(ports.draft.kind.as_deref(), Some("concept"));
        assert_eq!(ports.draft.fields.get("broader/coast"), Some(&true.into()));
        assert_eq!(ports.draft.fields.get("alternative/a/fr"), Some(&"Havres".into()));
        assert_eq!(ports.document, imported_document(&SPACE, "vocabulary", "areas/ports"));
    }

    #[test]
    fn what_is_missing_is_said_with_its_line() {
        assert_eq!(message("title: x"), "the entry that begins on line 1: it has no `notation`");
        assert!(
            message("---\nnotation: a\ntitle: x").starts_with("the entry that begins on line 2: `a` names no `scheme`")
        );
        assert!(message("notation: a\nscheme: b").contains("has no `title`"));
        assert!(message("notation: a/b\nscheme: b\ntitle: x").contains("no slash"));
        assert!(message("type: page\nnotation: a\ntitle: x").contains("neither"));
        let twice = "notation: a\nscheme: s\ntitle: x\n";
        assert!(message(&format!("{twice}---\n{twice}")).contains("line 5: `s/a` stands there a second time"));
        assert!(message("notation: a\nscheme: s\ntitle: [").contains("line 1"));
        assert_eq!(read("", &SPACE), Ok(vec![]));
    }
}
