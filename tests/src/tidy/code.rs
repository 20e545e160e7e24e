//! Rust text made easy to search: without comments and strings, and the paths that it names.
//!
//! No parser: only what finding paths needs.

/// The text with comments and the contents of strings left out. Line breaks stay.
pub fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' => string(rest),
            'r' if !out.ends_with(is_word) && raw_start(rest).is_some() => raw_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        let taken = if skipped == 0 { c.len_utf8() } else { skipped };
        let (taken, left) = rest.split_at(taken);
        if skipped == 0 {
            out.push_str(taken);
        } else {
            out.push_str(if c == '/' { "" } else { "\"\"" });
            out.extend(taken.chars().filter(|c| *c == '\n'));
        }
        rest = left;
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The hashes of a raw string that begins here.
fn raw_start(text: &str) -> Option<&str> {
    let hashes = text.get(1..)?.split(|c| c != '#').next()?;
    text.get(1 + hashes.len()..)?.starts_with('"').then_some(hashes)
}

fn raw_string(text: &str) -> usize {
    let hashes = raw_start(text).unwrap_or_default();
    let start = hashes.len() + 2;
    let end = format!("\"{hashes}");
    text.get(start..).and_then(|rest| rest.find(&end)).map_or(text.len(), |at| start + at + end.len())
}

/// A character literal; a lifetime is none.
fn character(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((at, _))) => {
            text.get(at + 1..).and_then(|rest| rest.find('\'')).map_or(0, |end| at + end + 2)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Every path of two segments or more that the code names, and every segment list of a `use`.
///
/// `use a::{b, c::d as e, self}` gives `a::b`, `a::c::d`, `a`.
pub fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let starts = *token == "use" || (is_name(token) && (at == 0 || tokens.get(at - 1) != Some(&"::")));
        if *token == "use" {
            at = tree(&tokens, at + 1, &mut Vec::new(), &mut paths);
        } else if starts {
            let mut path = vec![(*token).to_owned()];
            while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|next| is_name(next)) {
                path.push(tokens.get(at + 2).copied().unwrap_or_default().to_owned());
                at += 2;
            }
            if path.len() > 1 {
                paths.push(path);
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    paths
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, left) = rest.split_at(length);
        tokens.push(token);
        rest = left.trim_start();
    }
    tokens
}

/// Reads one branch of a use tree; returns where it ended.
fn tree(tokens: &[&str], mut at: usize, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let depth = prefix.len();
    let mut grouped = false;
    while let Some(token) = tokens.get(at) {
        match *token {
            "::" => {}
            "as" => at += 1,
            "{" => {
                grouped = true;
                at += 1;
                while tokens.get(at).is_some_and(|token| *token != "}") {
                    at = tree(tokens, at, prefix, paths);
                    at += usize::from(tokens.get(at) == Some(&","));
                }
            }
            "self" if depth > 0 && prefix.len() == depth => {}
            "*" => prefix.push("*".into()),
            name if is_name(name) => prefix.push(name.to_owned()),
            _ => break,
        }
        at += 1;
    }
    if !grouped {
        paths.push(prefix.clone());
    }
    prefix.truncate(depth);
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn comments_and_strings_go() {
        let text = "a /* b */ \"c \\\" d\" r#\"e \" f\"# 'g' '\\'' &'h i // j\nk";
        assert_eq!(bare(text), "a  \"\" \"\" \"\" \"\" &'h i \nk");
    }

    #[test]
    fn use_trees() {
        assert_eq!(
            found("use crate::{a::{B, self}, c::D as E, f::*};\npub use super::g;\nuse h;"),
            ["crate::a::B", "crate::a", "crate::c::D", "crate::f::*", "super::g", "h"]
        );
    }

    #[test]
    fn paths_in_code() {
        assert_eq!(found("fn a() -> crate::b::C { sled::open(d).e::<F>() }"), ["crate::b::C", "sled::open"]);
    }
}
