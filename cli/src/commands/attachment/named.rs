//! What people type for a file of a record, and what a file may be called here.

use portolan_protocol::{
    api::{Attachment, Attachments},
    id::{DocumentId, SpaceId},
};

use crate::{
    client::Client,
    error::{Result, not_found, usage},
};

/// Longest name of a file that is made here, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// The path of a record's attachments.
pub(super) fn path(space: SpaceId, document: DocumentId) -> String {
    format!("/spaces/{space}/documents/{document}/attachments")
}

/// The attachment that is meant: by its whole id, by a name, or by the start of its id while that is unique.
pub(super) async fn find(client: &Client, space: SpaceId, document: DocumentId, typed: &str) -> Result<Attachment> {
    let all: Attachments = client.get(&path(space, document)).await?;
    let lower = typed.to_ascii_lowercase();
    if let Some(one) = all.attachments.iter().find(|one| one.id.to_string() == lower) {
        return Ok(one.clone());
    }
    let named = |one: &&Attachment| one.names.values().any(|name| name == typed);
    let begins = |one: &&Attachment| !lower.is_empty() && one.id.to_string().starts_with(&lower);
    let meant: Vec<&Attachment> = all.attachments.iter().filter(|one| named(one) || begins(one)).collect();
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(not_found(format!("the record has no file called `{typed}`, and none whose id begins so"))
            .safe("Nothing was changed.")
            .next(format!("`portolan attachment list {document}` shows what it has."))),
        several => {
            let ids: Vec<String> = several.iter().map(|one| one.id.to_string()).collect();
            Err(usage(format!("`{typed}` may mean more than one file: {}", ids.join(", ")))
                .safe("Nothing was changed.")
                .next("Type the id."))
        }
    }
}

/// A name for a file in the directory at hand, from one that somebody else wrote: never a path, never hidden.
pub(super) fn harmless(one: &Attachment) -> String {
    harmless_name(&one.name, &one.id.to_string())
}

/// The same for a file with this name and id.
pub fn harmless_name(name: &str, id: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_fit = |letter: &char| {
        !letter.is_control() && !is_invisible(*letter) && !matches!(letter, ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    let mut name: String = last.chars().filter(is_fit).collect();
    while name.len() > NAME_BYTES_MAX {
        name.pop();
    }
    let name = name.trim().trim_start_matches(['.', '-']).trim_end_matches('.').trim();
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}

/// Letters that change how others are shown, so that `exe.txt` may be something else.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portolan_protocol::{api::AttachmentState, id::AttachmentId};

    use super::*;

    fn called(name: &str) -> String {
        harmless(&Attachment {
            id: AttachmentId([0; 32]),
            name: name.into(),
            names: BTreeMap::new(),
            alternative_texts: BTreeMap::new(),
            media_type: None,
            size: None,
            licence: None,
            state: AttachmentState::Held,
            percent: 100,
            holders: Vec::new(),
            trouble: String::new(),
        })
    }

    #[test]
    fn a_name_is_a_suggestion_and_never_a_path() {
        assert_eq!(called("Cours été.zip"), "Cours été.zip");
        for (name, harmless) in [
            ("../../etc/passwd", "passwd"),
            ("/etc/cron.d/x", "x"),
            ("C:\\Windows\\x.dll", "x.dll"),
            ("..\\..\\y", "y"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("a\nb\u{202e}gpj.exe", "abgpj.exe"),
        ] {
            assert_eq!(called(name), harmless);
        }
        for nothing in ["", ".", "..", "/", "a/", "\u{202e}", "..."] {
            assert_eq!(called(nothing), AttachmentId([0; 32]).to_string(), "{nothing:?}");
        }
        assert!(called(&"ا".repeat(500)).len() <= NAME_BYTES_MAX);
    }
}
