//! A full disk: needs the superuser, who alone can mount a small one. Runs by name like the tests of logins.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
};

use serde_json::{Value, json};

use crate::daemon::{Daemon, Home};

/// A small disk, unmounted when it is dropped.
struct Disk<'a>(&'a Path);

impl Disk<'_> {
    fn mount(path: &Path) -> Disk<'_> {
        fs::create_dir(path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"]).arg(path).status().unwrap();
        assert!(mounted.success());
        Disk(path)
    }

    /// Leaves no room.
    fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[1; 64 << 10]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
#[ignore = "needs root to mount a small disk"]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let home = Home::none();
    let disk = Disk::mount(&home.path);
    assert!(home.init(&crate::daemon::request()).status.success());
    let daemon = Daemon::start(&home);
    let space = daemon.done("POST", "/spaces", &json!({"name": "Harbours"}))["id"].as_str().unwrap().to_owned();
    let path = format!("/spaces/{space}/documents");
    let draft = |title: &str| json!({"draft": {"type": "page", "language": "en", "fields": {"title/en": title}}});
    let kept = daemon.done("POST", &path, &draft("Tides"))["document"].as_str().unwrap().to_owned();
    disk.fill();
    let (status, answer) = daemon.ask("POST", &path, &draft("Winds"));
    assert!(status >= 500, "{answer}");
    assert_eq!(daemon.ended(), 9);
    // It starts on the full disk, by its reserve, and tells how it stands; nothing is asked of it that it has to write.
    let daemon = Daemon::start(&home);
    assert_eq!(daemon.get("/status").1["spaces"][0]["name"], "Harbours");
    let (status, answer) = daemon.get(&format!("{path}/{kept}"));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(daemon.stop().0, 0);
    disk.make_room();
    let daemon = Daemon::start(&home);
    daemon.done("POST", &path, &draft("Winds"));
    let title = |answer: Value| answer["record"]["fields"]["title/en"].clone();
    assert_eq!(title(daemon.done("GET", &format!("{path}/{kept}"), &json!({}))), "Tides");
}
