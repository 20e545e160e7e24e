//! Names of files and directories made of what others wrote: letters, digits and hyphens, never a path, never hidden.

use portolan_protocol::id::DocumentId;

/// Longest part of a name that a title gives, in bytes.
const WORDS_BYTES_MAX: usize = 80;

/// Characters of an id that tell records of one title apart.
const ID_CHARACTERS: usize = 8;

/// `words` as part of a name; empty where no letter is left. Marks that change how others are shown are no letters.
pub fn words(words: &str) -> String {
    let mut name = String::new();
    for letter in words.chars().flat_map(char::to_lowercase) {
        let letter = if letter.is_alphanumeric() { letter } else { '-' };
        if name.len() + letter.len_utf8() > WORDS_BYTES_MAX {
            break;
        }
        if letter != '-' || !(name.is_empty() || name.ends_with('-')) {
            name.push(letter);
        }
    }
    name.trim_end_matches('-').to_owned()
}

/// The name of a record's file, without its ending.
pub fn of_record(title: &str, id: DocumentId) -> String {
    let short: String = id.to_string().chars().take(ID_CHARACTERS).collect();
    match words(title).as_str() {
        "" => short,
        words => format!("{words}-{short}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_never_becomes_a_path() {
        for (title, name) in [
            ("Lire une carte : marées", "lire-une-carte-marées-aaaaaaaa"),
            ("../../etc/passwd", "etc-passwd-aaaaaaaa"),
            ("a\u{202e}gpj.exe\0", "a-gpj-exe-aaaaaaaa"),
            ("CON", "con-aaaaaaaa"),
            ("قراءة خريطة", "قراءة-خريطة-aaaaaaaa"),
            ("..", "aaaaaaaa"),
            ("", "aaaaaaaa"),
        ] {
            assert_eq!(of_record(title, DocumentId([0; 16])), name);
        }
        assert!(of_record(&"ا".repeat(500), DocumentId([0; 16])).len() < 100);
    }
}
