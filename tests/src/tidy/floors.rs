//! Which module stands on which floor, lowest first. A module imports only from floors below its own.
//!
//! A new module gets its line here; where it finds none that fits, its design is looked at again.

use super::{
    graph::imports,
    source::{Source, Violation},
};

/// The floors of a crate, lowest first; modules on one floor do not know each other.
pub type Floors = &'static [&'static [&'static str]];

/// The floors of `protocol`.
pub const PROTOCOL: Floors = &[
    &["folding", "limits", "time"],
    &["codec"],
    &["id"],
    &["crypto"],
    &["record", "record_id", "card"],
    &["entry", "attachment"],
    &["page", "control", "change"],
    &["api", "image", "commit"],
    &["membership"],
    &["frontier", "receipt", "status", "view"],
    &["message", "session"],
    &["pouch"],
    &["input"],
    &["effects"],
    &["node"],
];

/// The floors of `daemon`.
pub const DAEMON: Floors = &[
    &["clock", "config", "guard", "kept", "logins", "limits"],
    &["keystore", "looks", "persons", "text_diff", "prevalidate"],
    &["causality"],
    &["store", "transport", "automerge_door", "search"],
    &["home", "documents", "arrivals"],
    &["init", "engine"],
    &["attachments"],
    &["pouches"],
    &["failure"],
    &["api"],
    &["service"],
];

/// The floors of `cli`.
pub const CLI: Floors = &[
    &["messages"],
    &["pager", "text", "time"],
    &["import", "sample", "error"],
    &["args", "fields", "package"],
    &["draft_file", "home", "medium", "output", "progress", "qr"],
    &["client", "editor", "export"],
    &["context", "resolve"],
    &["commands"],
];

/// Imports that do not lead downstairs, and modules that stand on no floor.
pub fn floors(sources: &[Source], floors: &[&[&str]]) -> Vec<Violation> {
    let floor = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let imports = imports(sources);
    let mut violations = Vec::new();
    for source in sources {
        let Some(own) = source.module.first() else { continue };
        let Some(height) = floor(own) else {
            violations.push(source.violation(format!("the module `{own}` stands on no floor")));
            continue;
        };
        for target in imports.get(&source.module).into_iter().flatten() {
            match target.first() {
                None => violations.push(source.violation("imports from the roof of its crate")),
                Some(other) if other == own => {}
                Some(other) if floor(other).is_some_and(|other| other < height) => {}
                Some(other) => violations.push(
                    source.violation(format!("`{own}` imports `{other}`, which does not stand on a lower floor")),
                ),
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files.iter().map(|(file, text)| Source::new(&format!("x/src/{file}"), text)).collect();
        floors(&sources, &[&["low", "beside"], &["high"]]).iter().map(|violation| violation.message.clone()).collect()
    }

    #[test]
    fn down_is_allowed() {
        let files =
            [("lib.rs", "use high::H;"), ("high.rs", "use crate::low::L;"), ("low/mod.rs", ""), ("low/a.rs", "")];
        assert_eq!(found(&files), [] as [&str; 0]);
    }

    #[test]
    fn up_beside_and_the_roof_are_not() {
        let up = [("low.rs", "use crate::high::H;"), ("high.rs", "")];
        assert_eq!(found(&up), ["`low` imports `high`, which does not stand on a lower floor"]);
        let beside = [("low.rs", "fn f(b: super::beside::B) {}"), ("beside.rs", "")];
        assert_eq!(found(&beside), ["`low` imports `beside`, which does not stand on a lower floor"]);
        assert_eq!(found(&[("lib.rs", ""), ("low.rs", "use crate::Error;")]), ["imports from the roof of its crate"]);
    }

    #[test]
    fn every_module_has_its_floor() {
        assert_eq!(found(&[("attic/mod.rs", "")]), ["the module `attic` stands on no floor"]);
    }
}
