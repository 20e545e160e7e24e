//! The language that a file's place tells: `page.fr.md`, `ar-MA/index.html`.

use portolan_protocol::record::canonical_language;

/// The language told by the end of the file's name, or by the nearest directory.
///
/// Only the common shapes `ll` and `ll-RR`, so that a directory called `doc` is no language.
pub fn in_path(relative: &str) -> Option<String> {
    let (directories, file) = relative.rsplit_once('/').unwrap_or(("", relative));
    let suffix = file.rsplit('.').nth(1).filter(|_| file.matches('.').count() >= 2);
    suffix.into_iter().chain(directories.rsplit('/')).find_map(narrow)
}

/// The language that a directory's name tells.
pub fn narrow(name: &str) -> Option<String> {
    let shape = |part: &str, upper: bool| {
        part.len() == 2
            && part.bytes().all(|byte| if upper { byte.is_ascii_uppercase() } else { byte.is_ascii_lowercase() })
    };
    let fits = match name.split_once('-') {
        None => shape(name, false),
        Some((language, region)) => shape(language, false) && shape(region, true),
    };
    fits.then(|| canonical_language(name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_by_a_path() {
        for (path, expected) in [
            ("ar-MA/apt.html", Some("ar-MA")),
            ("fr/text/scalc/x.html", Some("fr")),
            ("a/note.pt.md", Some("pt")),
            ("fr/note.es.md", Some("es")),
            ("notes/1.2.md", None),
            ("README.md", None),
            ("fr.md", None),
        ] {
            assert_eq!(in_path(path).as_deref(), expected, "{path}");
        }
    }
}
