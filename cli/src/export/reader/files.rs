//! The files of a record: what they are called, how large they are, what is said of them, and where they lie.

use std::collections::BTreeMap;

use portolan_protocol::record::{Value, language_of};

use super::{direction::attributes, escape::html, fields::Fields, spool::Spooled};
use crate::{import::address_of, output::bytes};

/// Endings of files that a browser shows, or hands on, without running what stands in them. Others are named and not linked: what somebody
/// attached would act as a page of the folder.
const PASSIVE: [&str; 33] = [
    "7z", "avif", "bmp", "csv", "doc", "docx", "epub", "flac", "gif", "jpeg", "jpg", "m4a", "md", "mkv", "mov", "mp3",
    "mp4", "odp", "ods", "odt", "ogg", "pdf", "png", "ppt", "pptx", "rtf", "txt", "wav", "webm", "webp", "xls", "xlsx",
    "zip",
];

/// What a record says of one of its files, each as HTML.
#[derive(Default)]
struct File {
    names: Vec<String>,
    told: Vec<String>,
}

/// The list of them; empty where there is none.
pub(super) fn list(fields: &Fields<'_>, record: &Spooled) -> String {
    let mut files: BTreeMap<&str, File> = BTreeMap::new();
    for key in fields.record.fields.keys() {
        let Some((id, property)) = parts(key) else { continue };
        let file = files.entry(id).or_default();
        for value in fields.values(key) {
            let text = format!("<span{}>{}</span>", attributes(language_of(key)), html(&value.to_string()));
            match value {
                Value::Text(_) if property.starts_with("name/") => file.names.push(text),
                Value::Int(size) if property == "size" => {
                    file.told.insert(0, format!("<bdi>{}</bdi>", bytes(u64::try_from(*size).unwrap_or_default())));
                }
                _ => file.told.push(text),
            }
        }
    }
    let items: String = files.iter().map(|(id, file)| item(fields, record, id, file)).collect();
    if items.is_empty() { items } else { format!("<ul class=\"plain\">{items}</ul>\n") }
}

fn item(fields: &Fields<'_>, record: &Spooled, id: &str, file: &File) -> String {
    let name = if file.names.is_empty() { format!("<code>{}</code>", html(id)) } else { file.names.join(" / ") };
    let name = match record.files.get(id) {
        Some(path) if is_passive(path) => format!("<a href=\"../{}\">{name}</a>", html(&address_of(path))),
        Some(path) => format!("{name} <code>{}</code>", html(path)),
        None => format!("{name} <span class=\"of\">{}</span>", fields.words.said("not_copied")),
    };
    format!("<li>{name} <span class=\"told\">{}</span></li>\n", file.told.join(" · "))
}

/// The address of the file that the record calls so, from its page, where the file lies in the folder.
pub(super) fn address(record: &Spooled, name: &str) -> Option<String> {
    let fields = &record.view.record.fields;
    let mut called = fields.iter().filter(|(_, value)| value.as_str() == Some(name)).filter_map(|(key, _)| parts(key));
    let path = called.find_map(|(id, property)| record.files.get(id).filter(|_| property.starts_with("name/")))?;
    Some(format!("../{}", address_of(path)))
}

/// The id and the property in a key of an attachment.
fn parts(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("attachments/")?.split_once('/')
}

fn is_passive(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| PASSIVE.contains(&ending.as_str()))
}
