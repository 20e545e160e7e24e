//! What stands at the top of the tree and at the top of each file, and that the house speaks of itself alone.

use super::source::Violation;

/// What the top level holds: all of it, and nothing else that is not hidden.
pub const TOP_LEVEL: [&str; 12] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "cli",
    "daemon",
    "docs",
    "protocol",
    "tests",
];

/// Compares the names at the top level with [`TOP_LEVEL`]; hidden names and the build directory do not count.
pub fn top_level(names: &[String]) -> Vec<Violation> {
    let says = |file: &str, message: &str| Violation { file: file.to_owned(), message: message.to_owned() };
    let known = |name: &str| TOP_LEVEL.contains(&name) || name.starts_with('.') || name == "target";
    let surplus = names.iter().filter(|name| !known(name)).map(|name| says(name, "does not belong at the top level"));
    let missing = TOP_LEVEL.into_iter().filter(|wanted| !names.iter().any(|name| name == wanted));
    surplus.chain(missing.map(|name| says(name, "is missing"))).collect()
}

/// Files of Rust that do not open by saying what they are.
pub fn heads(files: &[(String, String)]) -> Vec<Violation> {
    let opens = |text: &str| text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 10);
    let silent = files.iter().filter(|(file, text)| file.ends_with(".rs") && !opens(text));
    silent
        .map(|(file, _)| Violation { file: file.clone(), message: "does not open with `//!` and what it is".into() })
        .collect()
}

/// Files that name a place of the machine that they were written on, or a host from which packages come.
pub fn own_words(files: &[(String, String)]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| !file.ends_with("Cargo.lock")) {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = foreign_word(line) {
                let message = format!("line {} names `{word}`", number + 1);
                violations.push(Violation { file: file.clone(), message });
            }
        }
    }
    violations
}

/// Spelled in two halves, so that this file does not name them.
const PLACES: [&str; 4] = [concat!("/", "tmp/"), concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/")];
const HOSTS: [&str; 6] = [
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("deb.debian", ".org"),
    concat!("arti", "factory"),
    concat!("local", "host:"),
];

fn foreign_word(line: &str) -> Option<&'static str> {
    let begins = |at: usize| {
        !line.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric() || ".-_/*>$}".contains(c)))
    };
    let place = PLACES.into_iter().find(|place| line.match_indices(*place).any(|(at, _)| begins(at)));
    place.or_else(|| HOSTS.into_iter().find(|host| line.contains(*host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(file: &str, text: &str) -> [(String, String); 1] {
        [(file.into(), text.into())]
    }

    #[test]
    fn nothing_more_and_nothing_less() {
        let mut names: Vec<String> = TOP_LEVEL.into_iter().chain([".ci", "target"]).map(str::to_owned).collect();
        assert_eq!(top_level(&names), []);
        names.push("notes.txt".into());
        names.retain(|name| name != "LICENSE");
        let wrong: Vec<_> = top_level(&names).into_iter().map(|violation| violation.file).collect();
        assert_eq!(wrong, ["notes.txt", "LICENSE"]);
    }

    #[test]
    fn a_file_says_what_it_is() {
        assert_eq!(heads(&one("a.rs", "//! The store: pages.\n")), []);
        for silent in ["", "use a;\n//! Late.", "// The store.", "//! a"] {
            assert_eq!(heads(&one("a.rs", silent)).len(), 1, "{silent}");
        }
    }

    #[test]
    fn places_and_hosts_are_found() {
        for foreign in ["cd /t%mp/x", "`/w%ork/a`", "see crates.%io", "= \"/ho%me/ann\"", "http://local%host:80"] {
            assert_eq!(own_words(&one("a.md", &foreign.replace('%', ""))).len(), 1, "{foreign}");
        }
        for own in ["net/w%ork/a", "src/t%mp/x", "$TMPDIR/t%mp/", "a t%mp", "/usr/share"] {
            assert_eq!(own_words(&one("a.md", &own.replace('%', ""))), [], "{own}");
        }
    }
}
