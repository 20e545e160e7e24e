//! One door for each outside library, and walls between the crates.

use super::{
    code::paths,
    source::{Source, Violation},
};

/// A library, or part of one, and the only places that may name it.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// What it guards: a library by its name, or an item by its last segments, such as `Instant::now`.
    pub library: &'static str,
    /// Files, or directories ending in `/`, that may name it. Other crates than theirs are not concerned.
    pub places: &'static [&'static str],
    /// Whether test modules may name it elsewhere.
    pub tests: Tests,
}

/// Whether a rule holds in test modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tests {
    /// It does.
    Bound,
    /// It does not.
    Free,
}

const fn door(library: &'static str, places: &'static [&'static str]) -> Door {
    Door { library, places, tests: Tests::Bound }
}

const fn lenient(library: &'static str, places: &'static [&'static str]) -> Door {
    Door { library, places, tests: Tests::Free }
}

/// The doors of the house.
pub const DOORS: &[Door] = &[
    door("sled", &["daemon/src/store/"]),
    door("quinn", &["daemon/src/transport/"]),
    door("rustls", &["daemon/src/transport/"]),
    door("socket2", &["daemon/src/transport/"]),
    door("automerge", &["daemon/src/automerge_door/"]),
    door("tantivy", &["daemon/src/search/"]),
    door("unicode_normalization", &["protocol/src/folding.rs", "daemon/src/search/"]),
    door("unicode_segmentation", &["daemon/src/search/"]),
    door("similar", &["daemon/src/text_diff.rs"]),
    door("bao_tree", &["daemon/src/attachments/tree.rs"]),
    door("infer", &["daemon/src/attachments/media_type.rs"]),
    door("rayon", &["daemon/src/documents/cores.rs"]),
    door("nix", &["daemon/src/logins.rs"]),
    door("axum", &["daemon/src/api/"]),
    door("sd_notify", &["daemon/src/service.rs", "daemon/src/service/"]),
    lenient("getrandom", &["daemon/src/clock.rs"]),
    lenient("rand_chacha", &["daemon/src/clock.rs"]),
    lenient("SystemTime::now", &["daemon/src/clock.rs"]),
    lenient("Instant::now", &["daemon/src/clock.rs"]),
    door("hyper", &["daemon/src/api/", "cli/src/client/"]),
    door("hyper_util", &["daemon/src/api/", "cli/src/client/"]),
    door("http_body_util", &["daemon/src/api/", "cli/src/client/"]),
    door("clap", &["daemon/src/main.rs", "cli/src/args.rs", "cli/src/commands/", "cli/src/main.rs"]),
    door("fluent_bundle", &["cli/src/messages/"]),
    door("fluent_langneg", &["cli/src/messages/"]),
    door("fluent_syntax", &["cli/src/messages/"]),
    door("indicatif", &["cli/src/progress.rs"]),
    door("qrcode", &["cli/src/qr.rs"]),
    door("zip", &["cli/src/package/archive.rs"]),
    door("quick_xml", &["cli/src/package/manifest.rs"]),
    door("fuser", &["tests/src/bad_medium.rs"]),
    door("htmd", &["cli/src/import/html.rs", "cli/src/import/table.rs"]),
    door("html_escape", &["cli/src/import/html.rs", "cli/src/import/clean.rs", "cli/src/export/reader/escape.rs"]),
    door("pulldown_cmark", &["cli/src/export/reader/markdown.rs", "cli/src/import/images.rs"]),
    door("csv", &["cli/src/import/csv_rows.rs"]),
    door("encoding_rs", &["cli/src/import/text.rs"]),
    door("serde_saphyr", &["cli/src/import/yaml.rs"]),
    door("aws_lc_rs", &["protocol/src/crypto/"]),
    door("ed25519_dalek", &["protocol/src/crypto/"]),
    door("hpke", &["protocol/src/crypto/"]),
    door("blake3", &["protocol/src/crypto/"]),
    door("postcard", &["protocol/src/codec.rs"]),
];

/// Libraries named elsewhere than at their door.
pub fn doors(sources: &[Source], doors: &[Door]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in sources {
        let (bound, all) = (paths(&source.code), paths(&source.code_and_tests));
        for door in doors.iter().filter(|door| concerns(door, source)) {
            let named = if door.tests == Tests::Free { &bound } else { &all };
            if named.iter().any(|path| names(path, door.library)) {
                let places = door.places.join(", ");
                violations.push(source.violation(format!("names `{}`, whose door is {places}", door.library)));
            }
        }
    }
    violations
}

/// A door of a crate that is passed elsewhere in the same crate.
fn concerns(door: &Door, source: &Source) -> bool {
    let house = |path: &str| path.split('/').next().map(str::to_owned);
    let same_crate = door.places.iter().any(|place| house(place) == house(&source.file));
    let at_the_door = door
        .places
        .iter()
        .any(|place| if place.ends_with('/') { source.file.starts_with(place) } else { source.file == *place });
    same_crate && !at_the_door
}

fn names(path: &[String], guarded: &str) -> bool {
    let guarded: Vec<&str> = guarded.split("::").collect();
    match guarded.as_slice() {
        [library] => path.first().is_some_and(|first| first == library),
        item => path.windows(item.len()).any(|window| window == item),
    }
}

/// `cli` and `daemon` never import one another, and `protocol` imports neither. Takes files and manifests.
pub fn crates_apart(files: &[(String, String)]) -> Vec<Violation> {
    let forbidden: [(&str, &[&str]); 3] = [
        ("cli/", &["portolan_daemon", "portolan-daemon"]),
        ("daemon/", &["portolan_cli", "portolan-cli"]),
        ("protocol/", &["portolan_daemon", "portolan-daemon", "portolan_cli", "portolan-cli"]),
    ];
    let mut violations = Vec::new();
    for (file, text) in files {
        for (house, names) in forbidden {
            let own_name = |line: &str| line.starts_with("name =");
            let named = |name: &str| text.lines().any(|line| line.contains(name) && !own_name(line));
            if let Some(name) = names.iter().find(|name| file.starts_with(house) && named(name)) {
                violations.push(Violation { file: file.clone(), message: format!("{house} does not know {name}") });
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<String> {
        let violations = doors(&[Source::new(file, text)], DOORS);
        violations.into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn a_library_elsewhere_is_found() {
        let expected = ["names `sled`, whose door is daemon/src/store/"];
        assert_eq!(found("daemon/src/engine/mod.rs", "use sled::Db;"), expected);
        assert_eq!(found("daemon/src/engine/mod.rs", "fn f() { sled::open(p) }"), expected);
        assert_eq!(found("daemon/src/engine/mod.rs", "#[cfg(test)]\nmod tests { use sled; }"), expected);
        assert_eq!(found("daemon/src/engine/mod.rs", "fn f() { Instant::now() }").len(), 1);
        assert_eq!(found("daemon/src/engine/mod.rs", "fn f() { tokio::time::Instant::now() }").len(), 1);
    }

    #[test]
    fn at_the_door_and_in_other_crates_it_is_not() {
        assert_eq!(found("daemon/src/store/pages.rs", "use sled::Db;"), [] as [&str; 0]);
        assert_eq!(found("tests/src/world.rs", "use sled::Db;"), [] as [&str; 0]);
        assert_eq!(
            found("daemon/src/engine/mod.rs", "// sled::Db\nuse crate::store::sled_is_hidden;"),
            [] as [&str; 0]
        );
        assert_eq!(
            found("daemon/src/api/mod.rs", "#[cfg(test)]\nmod tests { fn f() { Instant::now() } }"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn crates_that_look_over_the_wall_are_found() {
        let apart = |file: &str, text: &str| crates_apart(&[(file.into(), text.into())]).len();
        assert_eq!(apart("cli/Cargo.toml", "portolan-daemon.workspace = true"), 1);
        assert_eq!(apart("daemon/src/main.rs", "use portolan_cli::args;"), 1);
        assert_eq!(apart("protocol/src/node.rs", "use portolan_daemon::engine;"), 1);
        assert_eq!(apart("daemon/Cargo.toml", "name = \"portolan-daemon\"\nportolan-protocol.workspace = true"), 0);
        assert_eq!(apart("tests/Cargo.toml", "portolan-daemon.workspace = true"), 0);
    }
}
