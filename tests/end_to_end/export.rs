//! Records written out and brought back: at home nothing changes, elsewhere they are the same records each time; what is there is not
//! overwritten, and a limit on markings holds.

use std::path::Path;

use portolan_protocol::api::{ErrorKind, Saved};
use portolan_tests::daemons::Site;
use serde_json::{Value, json};

fn new(site: &Site, space: &str, rest: &[&str]) -> Saved {
    site.ask([&["doc", "new", "--space", space, "--type", "page", "--language", "fr"], rest].concat())
}

fn totals(site: &Site, path: &Path, space: &str) -> Value {
    let report: Value = site.ask(["import", path.to_str().unwrap(), "--space", space]);
    report["totals"].clone()
}

#[test]
fn what_is_exported_is_imported_as_it_was_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut site = Site::apart(directory.path(), "rome");
    let space = |name: &str| {
        let created: Value = site.ask(["space", "create", name]);
        created["id"].as_str().unwrap().to_owned()
    };
    let (home, away) = (space("Harbours"), space("Archive"));
    std::fs::write(path("body.md"), "# Un titre\n\nUn texte.\n\n").unwrap();
    let body = path("body.md");
    new(&site, &home, &["--set", "title=../../x: \u{202e}gpj", "--set", "marking=RED", "--set", "later/y/z=kept  so"]);
    new(&site, &home, &["--set", "title=Carte", "--set", "title/ar=خريطة", "--body-file", body.to_str().unwrap()]);
    new(
        &site,
        &home,
        &["--set", "title=Carte", "--set", "marking=GREEN", "--set", "tags/a  b=true", "--set", "number:=3"],
    );

    for (form, out) in [("markdown", "out"), ("jsonl", "out.jsonl")] {
        let out = path(out);
        let export = ["export", "--space", &home, "--to", form, "--out", out.to_str().unwrap()];
        let dry: Value = site.ask([&export[..], &["--dry-run"]].concat());
        assert!(dry["records"] == 3 && !out.exists());
        let report: Value = site.ask(export);
        assert_eq!(
            (&report["records"], &report["highest_marking"], &report["unmarked"]),
            (&json!(3), &json!("RED"), &json!(1))
        );
        assert_eq!(site.refused(ErrorKind::Conflict, export).kind, ErrorKind::Conflict);
        let _: Value = site.ask([&export[..], &["--force"]].concat());

        let unchanged = json!({"created": 0, "updated": 0, "unchanged": 3, "refused": 0});
        assert_eq!(totals(&site, &out, &home), unchanged, "{form}");
        let first = if form == "markdown" { json!(3) } else { json!(0) };
        let there = totals(&site, &out, &away);
        assert_eq!((&there["created"], &there["refused"]), (&first, &json!(0)), "{form}");
        assert_eq!(totals(&site, &out, &away), unchanged, "{form}");
    }

    let limited = path("limited");
    let limited = limited.to_str().unwrap();
    let report: Value =
        site.ask(["export", "--space", &home, "--to", "markdown", "--out", limited, "--up-to", "AMBER"]);
    assert_eq!(
        (&report["records"], &report["left_out"], &report["highest_marking"]),
        (&json!(1), &json!(2), &json!("GREEN"))
    );
    let names: Vec<_> = std::fs::read_dir(path("limited/page")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let text = std::fs::read_to_string(&names[0]).unwrap();
    assert!(names.len() == 1 && text.starts_with("---\n# TLP:GREEN\n"), "{text}");
    site.stop();
}
