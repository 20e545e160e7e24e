//! A record as a text file for an editor: short fields as front matter, then each long text under a heading line.
//!
//! ```text
//! ---
//! # a comment
//! status: draft
//! "odd key": "a value with \n in it"
//! tags/ports: true
//! ---
//! === body/fr
//! Markdown, as it is.
//! ```
//!
//! A value is JSON, or the rest of the line as text; dates, decimals and codes are always text. A line of a long text that begins with `===` or with a backslash gets a
//! backslash in front. What is read back is what was written, letter for letter.

use std::{collections::BTreeMap, fmt::Write as _};

use portolan_protocol::record::{Kind, RecordDraft, RecordView, Value, display_safe, field_of};

use crate::error::{Result, usage};

const FENCE: &str = "---";
const SECTION: &str = "===";

/// The fields of a record, by flat key.
pub type Fields = BTreeMap<String, Value>;

/// Writes fields as a file; `notes` become comments.
pub fn write(fields: &Fields, notes: &[String]) -> String {
    let mut out = format!("{FENCE}\n");
    for note in notes {
        for line in note.lines() {
            let _ = writeln!(out, "# {}", display_safe(line));
        }
    }
    let (long, short): (Vec<_>, Vec<_>) = fields.iter().partition(|(key, value)| is_long(key, value));
    for (key, value) in short {
        let _ = writeln!(out, "{}: {}", written_key(key), written_value(value));
    }
    let _ = writeln!(out, "{FENCE}");
    for (key, value) in long {
        let _ = writeln!(out, "{SECTION} {}", written_key(key));
        for line in value.as_str().unwrap_or_default().split('\n') {
            let escape = if line.starts_with(SECTION) || line.starts_with('\\') { "\\" } else { "" };
            let _ = writeln!(out, "{escape}{line}");
        }
    }
    out
}

fn is_long(key: &str, value: &Value) -> bool {
    let prose = field_of(key).is_some_and(|field| field.kind == Kind::Text);
    prose && value.as_str().is_some_and(|text| !text.contains('\r'))
}

fn written_key(key: &str) -> String {
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || "/_-+.".contains(c)) && !key.starts_with(['-', '.']);
    if plain && !key.is_empty() { key.to_owned() } else { json(&Value::from(key)) }
}

fn written_value(value: &Value) -> String {
    match value {
        Value::Text(text) if is_plain(text) => text.clone(),
        other => json(other),
    }
}

/// Whether a text can stand as it is: on one line, with nothing that hides, and not to be taken for JSON.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && display_safe(text) == text
        && !text.starts_with(['"', '{', '['])
        && serde_json::from_str::<Value>(text).is_err()
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Reads a file that [`write()`] made and a person changed.
///
/// # Errors
/// The line that is not understood, and what was expected there.
pub fn read(text: &str) -> Result<Fields> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    // The last line's break ends the file; it opens no further line.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let mut lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line));
    let mut fields = Fields::new();
    match lines.by_ref().find(|(_, line)| !line.trim().is_empty()) {
        Some((_, line)) if line.trim_end() == FENCE => {}
        _ => return Err(usage(format!("line 1: expected `{FENCE}`, the beginning of the fields"))),
    }
    loop {
        let Some((number, line)) = lines.next() else {
            return Err(usage(format!("the fields have no end: a line `{FENCE}` is missing")));
        };
        match line.trim() {
            FENCE => break,
            line if line.is_empty() || line.starts_with('#') => {}
            line => {
                let (key, value) = field(line).map_err(|why| usage(format!("line {number}: {why}")))?;
                insert(&mut fields, key, value, number)?;
            }
        }
    }
    let mut section: Option<(String, Vec<&str>, usize)> = None;
    for (number, line) in lines {
        if let Some(heading) = line.strip_prefix(SECTION) {
            finish(&mut fields, section.take())?;
            let (key, rest) = key(heading.trim()).map_err(|why| usage(format!("line {number}: {why}")))?;
            if !rest.trim().is_empty() {
                return Err(usage(format!("line {number}: expected `{SECTION} FIELD` and nothing more")));
            }
            section = Some((key, Vec::new(), number));
        } else if let Some((_, lines, _)) = &mut section {
            lines.push(line.strip_prefix('\\').unwrap_or(line));
        } else if !line.trim().is_empty() {
            return Err(usage(format!(
                "line {number}: text before the first line `{SECTION} FIELD`; put `{SECTION} body/LANGUAGE` above it"
            )));
        }
    }
    finish(&mut fields, section)?;
    Ok(fields)
}

fn finish(fields: &mut Fields, section: Option<(String, Vec<&str>, usize)>) -> Result<()> {
    let Some((key, lines, number)) = section else { return Ok(()) };
    insert(fields, key, Value::from(lines.join("\n").as_str()), number)
}

fn insert(fields: &mut Fields, key: String, value: Value, number: usize) -> Result<()> {
    if fields.contains_key(&key) {
        return Err(usage(format!("line {number}: the field `{key}` stands here a second time")));
    }
    fields.insert(key, value);
    Ok(())
}

fn field(line: &str) -> std::result::Result<(String, Value), String> {
    let (key, rest) = key(line)?;
    let rest = rest.trim_start().strip_prefix(':').ok_or("expected `field: value`")?.trim();
    let as_written = field_of(&key).is_some_and(|field| field.kind.holds_strings_alone());
    let value = match serde_json::from_str(rest) {
        // A year and a number of days are what they look like, no numbers of JSON.
        Ok(Value::Int(_) | Value::Bool(_) | Value::Other { .. }) if as_written => Value::from(rest),
        Ok(value) => value,
        Err(_) if rest.starts_with('"') => return Err("the text has no closing quotation mark, or a stray `\\`".into()),
        Err(_) if rest.is_empty() => Value::Null,
        Err(_) => Value::from(rest),
    };
    Ok((key, value))
}

/// A key at the start of `text`, and what follows it.
fn key(text: &str) -> std::result::Result<(String, &str), String> {
    if !text.starts_with('"') {
        let end = text.find([':', ' ']).unwrap_or(text.len());
        let (key, rest) = text.split_at(end);
        return if key.is_empty() { Err("expected the name of a field".into()) } else { Ok((key.to_owned(), rest)) };
    }
    let mut parts = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match parts.next() {
        Some(Ok(key)) => Ok((key, text.get(parts.byte_offset()..).unwrap_or_default())),
        _ => Err("the field's name has no closing quotation mark".into()),
    }
}

/// What a person sees of a record when editing it: all its fields, and notes on concurrent values.
pub fn of_record(view: &RecordView) -> (Fields, Vec<String>) {
    let mut notes = vec![format!("Record {}. Remove a line to remove the field; `#` begins a comment.", view.id)];
    for (key, values) in &view.conflicts {
        let others: Vec<String> = values.iter().map(json).collect();
        let values = others.join(" / ");
        notes.push(format!(
            "CONFLICT {key}: {values} were written at the same time; change the line below to settle it."
        ));
    }
    (view.fields.clone(), notes)
}

/// The draft that turns `before` into `after`: only what differs, so that what others write meanwhile is left alone.
pub fn difference(before: &Fields, after: &Fields) -> RecordDraft {
    let mut draft = RecordDraft::default();
    for (key, value) in after {
        if before.get(key) != Some(value) {
            draft.fields.insert(key.clone(), value.clone());
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        draft.fields.insert(key.clone(), Value::Null);
    }
    (draft.kind, draft.language) = take_type_and_language(&mut draft.fields);
    draft
}

/// Takes out what a draft says apart from the other fields. What is no text stays a field: `null` removes it.
pub fn take_type_and_language(fields: &mut Fields) -> (Option<String>, Option<String>) {
    let mut take = |key| {
        let text = fields.get(key).and_then(Value::as_str).map(str::to_owned);
        text.inspect(|_| drop(fields.remove(key)))
    };
    (take("type"), take("language"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn fields(pairs: &[(&str, Value)]) -> Fields {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    #[test]
    fn it_looks_as_people_expect() {
        let fields = fields(&[
            ("body/fr", "# Un\n\n=== deux".into()),
            ("status", "draft".into()),
            ("tags/ports", true.into()),
            ("title/ar", "الموانئ".into()),
            ("odd key", "3".into()),
        ]);
        let text = write(&fields, &["a\nb".into()]);
        assert_eq!(
            text,
            "---\n# a\n# b\n\"odd key\": \"3\"\nstatus: draft\ntags/ports: true\ntitle/ar: الموانئ\n---\n\
             === body/fr\n# Un\n\n\\=== deux\n"
        );
        assert_eq!(read(&text).unwrap(), fields);
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(
            texts in prop::collection::btree_map("[a-z]{1,4}(/[a-z]{2})?|\\PC{1,6}", "(\\PC|[\\\\=\n\r\t\"#:-]){0,40}", 0..6),
            body in "((===|---|\\\\|#)?(\\PC|\t){0,4}\n?){0,12}",
            number: i64,
        ) {
            let mut fields: Fields = texts.into_iter().map(|(key, text)| (key, Value::from(text.as_str()))).collect();
            fields.insert("body/fr".into(), Value::from(body.as_str()));
            fields.insert("number".into(), Value::from(number));
            prop_assert_eq!(read(&write(&fields, &[])).unwrap(), fields);
        }

        #[test]
        fn no_text_makes_it_panic(text in "(---|===|\\PC|\n|\"|:){0,60}") {
            let _ = read(&text);
        }
    }

    #[test]
    fn dates_and_decimals_are_taken_as_they_are_typed() {
        let read = read("---\noccurred: 2016\ndays_delivered: 890.5\nattendance: 30\n---\n").unwrap();
        let expected = [("occurred", "2016".into()), ("days_delivered", "890.5".into()), ("attendance", 30.into())];
        assert_eq!(read, fields(&expected));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let message = |text: &str| read(text).unwrap_err().message;
        assert!(message("hello").starts_with("line 1: expected `---`"));
        assert!(message("---\nstatus: x\n").contains("have no end"));
        assert!(message("---\nstatus\n---\n").starts_with("line 2: "));
        assert!(message("---\na: 1\na: 2\n---\n").starts_with("line 3: "));
        assert!(message("---\n---\nlost text\n").starts_with("line 3: text before"));
        assert!(message("---\na: \"x\n---\n").starts_with("line 2: "));
    }

    #[test]
    fn line_ends_of_other_systems_are_taken() {
        let read = read("\u{feff}---\r\nstatus: x\r\n---\r\n=== body/fr\r\nUn\r\n").unwrap();
        assert_eq!(read, fields(&[("status", "x".into()), ("body/fr", "Un".into())]));
    }

    #[test]
    fn a_draft_holds_only_what_differs() {
        let before = fields(&[("a", 1.into()), ("b", "x".into()), ("c", true.into()), ("type", "page".into())]);
        let after = fields(&[("a", 1.into()), ("b", "y".into()), ("type", "experience".into())]);
        let draft = difference(&before, &after);
        assert_eq!(draft.fields, fields(&[("b", "y".into()), ("c", Value::Null)]));
        assert_eq!(draft.kind.as_deref(), Some("experience"));
        assert_eq!(difference(&before, &before), RecordDraft::default());
    }

    #[test]
    fn the_type_and_the_language_can_be_removed() {
        let before = fields(&[("type", "page".into()), ("language", "fr".into()), ("a", 1.into())]);
        let draft = difference(&before, &fields(&[("a", 1.into())]));
        assert_eq!((&draft.kind, &draft.language), (&None, &None));
        assert_eq!(draft.fields, fields(&[("type", Value::Null), ("language", Value::Null)]));
    }
}
