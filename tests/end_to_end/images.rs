//! Images that imported files refer to: they become files of the records, once however often they are imported, and come out again with
//! an export, in files and in pages.

use std::{fs, os::unix::fs::symlink, path::Path};

use portolan_protocol::api::{Attachments, DocumentView, ErrorKind};
use portolan_tests::daemons::Site;
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

fn png(number: u8) -> Vec<u8> {
    [PNG, &[number]].concat()
}

/// A directory as people have them: pages that refer to pictures beside them, and to what is none of their business.
fn pages(root: &Path) {
    fs::create_dir_all(root.join("guide/fr")).unwrap();
    fs::create_dir_all(root.join("guide/img")).unwrap();
    fs::write(root.join("secret.png"), png(9)).unwrap();
    fs::write(root.join("guide/img/carte (1).png"), png(1)).unwrap();
    fs::write(root.join("guide/fr/plan.png"), png(2)).unwrap();
    symlink(root.join("secret.png"), root.join("guide/fr/lien.png")).unwrap();
    let markdown = "# Carte\n\n![Une *carte*](../img/carte%20(1).png) ![encore](<../img/carte (1).png>)\n\n\
                    ![ailleurs](https://stranger.example/a.png) ![dehors](../../secret.png) ![lien](lien.png)\n";
    fs::write(root.join("guide/fr/carte.md"), markdown).unwrap();
    fs::write(root.join("guide/fr/plan.html"), "<title>Plan</title><p>Le plan : <img src=plan.png alt='Le plan'></p>")
        .unwrap();
}

fn record(site: &Site, space: &str, title: &str) -> DocumentView {
    let list: Value = site.ask(["doc", "list", "--space", space]);
    let all = list["documents"].as_array().unwrap();
    let found = all.iter().find(|summary| summary["title"] == title).unwrap_or_else(|| panic!("{list}"));
    site.ask(["doc", "show", "--space", space, found["id"].as_str().unwrap()])
}

fn body(view: &DocumentView) -> &str {
    view.record.fields["body/fr"].as_str().unwrap()
}

fn files(site: &Site, view: &DocumentView) -> Vec<(String, String)> {
    let id = view.record.id.to_string();
    let all: Attachments = site.ask(["attachment", "list", "--space", &view.space.to_string(), &id]);
    all.attachments.into_iter().map(|one| (one.name, one.id.to_string())).collect()
}

#[test]
fn images_become_files_of_the_records_once_and_come_out_again() {
    let directory = tempfile::tempdir().unwrap();
    pages(directory.path());
    let guide = directory.path().join("guide");
    let mut site = Site::apart(directory.path(), "rome");
    let created: Value = site.ask(["space", "create", "Harbours"]);
    let space = created["id"].as_str().unwrap().to_owned();
    let import = |path: &Path, more: &[&str]| -> Value {
        site.ask([&["import", path.to_str().unwrap(), "--space", &space][..], more].concat())
    };

    let dry = import(&guide, &["--dry-run"]);
    assert_eq!((&dry["images"]["found"], &dry["images_not_imported"]), (&json!(2), &json!(3)));
    let notes = dry["warnings"].to_string();
    for note in ["https://stranger.example/a.png is elsewhere", "../../secret.png lies outside", "lien.png is a link"] {
        assert!(notes.contains(note), "{notes}");
    }
    let first = import(&guide, &[]);
    assert_eq!(first["images"], json!({"found": 2, "added": 2, "unchanged": 0, "refused": 0}));
    let map = record(&site, &space, "Carte");
    assert_eq!(
        body(&map),
        "![Une *carte*](attachment:carte%20%281%29.png) ![encore](attachment:carte%20%281%29.png)\n\n\
         ![ailleurs](https://stranger.example/a.png) ![dehors](../../secret.png) ![lien](lien.png)"
    );
    let before = files(&site, &map);
    assert_eq!(before.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["carte (1).png"]);
    let alternative = format!("attachments/{}/alternative_text/fr", before[0].1);
    assert_eq!(map.record.fields[&alternative].as_str(), Some("Une carte"));
    assert_eq!(body(&record(&site, &space, "Plan")), "Le plan : ![Le plan](attachment:plan.png)");

    let unchanged = json!({"found": 2, "added": 0, "unchanged": 2, "refused": 0});
    let again = import(&guide, &[]);
    assert_eq!((&again["images"], &again["totals"]["unchanged"]), (&unchanged, &json!(2)));
    assert_eq!(record(&site, &space, "Carte").record.heads, map.record.heads);

    fs::write(guide.join("img/carte (1).png"), png(3)).unwrap();
    let ended = site.run(["import", guide.to_str().unwrap(), "--space", &space]);
    assert_eq!(ended.error().kind, ErrorKind::Incomplete);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["images"], json!({"found": 2, "added": 0, "unchanged": 1, "refused": 1}));
    let reason = report["refused"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("the record has another file called carte (1).png; rename the image"), "{report}");
    assert_eq!(files(&site, &record(&site, &space, "Carte")), before, "what is there stays");

    let out = directory.path().join("out");
    let export = ["export", "--space", &space, "--attachments", "--out", out.to_str().unwrap(), "--to"];
    let report: Value = site.ask([&export[..], &["markdown"]].concat());
    assert_eq!((&report["attachments"]["written"], &report["attachments"]["missing"]), (&json!(2), &json!([])));
    let lies = format!("attachments/{}/carte (1).png", map.record.id);
    assert_eq!(fs::read(out.join(&lies)).unwrap(), png(1));
    let home = import(&out, &[]);
    assert_eq!(
        (&home["images"], &home["totals"]["unchanged"], &home["totals"]["updated"]),
        (&unchanged, &json!(2), &json!(0))
    );

    let pages = directory.path().join("pages");
    let _: Value =
        site.ask(["export", "--space", &space, "--attachments", "--to", "html", "--out", pages.to_str().unwrap()]);
    assert_eq!(fs::read(pages.join(&lies)).unwrap(), png(1));
    let page = fs::read_to_string(pages.join(format!("records/{}.html", map.record.id))).unwrap();
    let address = format!("../attachments/{}/carte%20%281%29.png", map.record.id);
    assert!(page.contains(&format!("<img src=\"{address}\" alt=\"Une carte\">")), "{page}");
    assert!(page.contains(&format!("<a href=\"{address}\">")) && !page.contains("src=\"https"), "{page}");

    let name = format!("attachments/{}/name/fr=absent.png", "a".repeat(52));
    let _: Value = site.ask(["doc", "new", "--space", &space, "--type", "page", "--language", "fr", "--set", &name]);
    let export = ["export", "--space", &space, "--attachments", "--force", "--to", "html", "--out"];
    let report: Value = site.ask([&export[..], &[pages.to_str().unwrap()]].concat());
    let missing = report["attachments"]["missing"].as_array().unwrap();
    assert!(missing.len() == 1 && missing[0]["name"] == "absent.png" && missing[0]["reason"] != "", "{report}");
    site.stop();
}
