//! Real pages through the import: two manuals that Debian ships as HTML, in many languages.
//!
//! Ignored unless their packages are installed; `.ci/run` installs them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use portolan_cli::import::{Files, ImportedFile, Options, read, source_name};
use portolan_protocol::{id::SpaceId, record::has_bidi_controls};

const HANDBOOK: &str = "/usr/share/doc/debian-handbook/html";
const HELP: &str = "/usr/share/libreoffice/help";

fn files(path: &str) -> Files {
    let path = Path::new(path);
    let options = Options { space: SpaceId([1; 32]), source: source_name(path), ..Options::default() };
    read(path, &options).expect("the package is installed")
}

fn text<'a>(file: &'a ImportedFile, key: &str) -> &'a str {
    file.draft.fields.get(key).and_then(|value| value.as_str()).unwrap_or_default()
}

#[test]
#[ignore = "needs debian-handbook"]
fn the_handbook_in_twenty_six_languages() {
    let all: Vec<_> = files(HANDBOOK).map(|file| file.map_err(|error| error.to_string())).collect();
    let (read, failed): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert!(failed.is_empty(), "{failed:?}");
    let read: Vec<ImportedFile> = read.into_iter().map(Result::unwrap).collect();
    assert!(read.len() >= 26 * 120, "{}", read.len());
    assert!(read.is_sorted_by(|a, b| a.path < b.path));

    let arabic: Vec<_> = read.iter().filter(|file| file.path.starts_with("ar-MA/")).collect();
    assert!(arabic.iter().all(|file| file.draft.language.as_deref() == Some("ar-MA")));
    let page = arabic.iter().find(|file| file.path.ends_with("/sect.customizing-graphical-interface.html")).unwrap();
    assert_eq!(text(page, "title/ar-MA"), "13.2. تخصيص الواجهة الرسومية");
    let body = text(page, "body/ar-MA");
    assert!(body.starts_with("### 13.2.1.") && body.contains("اختيار مدير عرض\n"), "{body}");
    assert!(body.contains("`/etc/gdm3/daemon.conf`"));
    for furniture in ["السابق", "Download the ebook", "Product Site", "<div"] {
        assert!(!body.contains(furniture), "{furniture}: {body}");
    }
    for file in &read {
        let language = file.draft.language.as_deref().unwrap();
        let title = text(file, &format!("title/{language}"));
        assert!(!title.is_empty() && !has_bidi_controls(title), "{}", file.path);
        assert!(!text(file, &format!("body/{language}")).is_empty(), "{}", file.path);
    }
    assert!(read.iter().map(|file| file.images.len()).sum::<usize>() > 1_000);
}

#[test]
#[ignore = "needs libreoffice-help-en-us libreoffice-help-fr"]
fn the_help_pages_are_the_same_documents_each_time() {
    for language in ["en-US", "fr"] {
        let mut refused = 0;
        let mut read = 0;
        let mut again = files(&format!("{HELP}/{language}"));
        for file in files(&format!("{HELP}/{language}")) {
            let same = again.next().unwrap();
            let Ok(file) = file else {
                refused += 1;
                continue;
            };
            assert_eq!(same.unwrap(), file);
            assert_eq!(file.draft.language.as_deref(), Some(language), "{}", file.path);
            let body = text(&file, &format!("body/{language}"));
            assert!(!body.contains("Help content debug info"), "{}", file.path);
            read += 1;
        }
        assert!(again.next().is_none());
        assert!(read > 2_500 && refused < 20, "{language}: {read} read, {refused} refused");
    }
}

#[test]
#[ignore = "needs libreoffice-help-fr"]
fn a_help_page_keeps_its_words_and_loses_its_frame() {
    let page = files(&format!("{HELP}/fr/text/scalc/guide/autofilter.html")).next().unwrap().unwrap();
    assert_eq!(text(&page, "title/fr"), "Application de l'AutoFiltre");
    let body = text(&page, "body/fr");
    assert!(body.starts_with("La fonction AutoFiltre insère"), "{body}");
    assert!(body.contains("\n1. Sélectionnez les colonnes"), "{body}");
    assert!(body.contains("[SOUS.TOTAL](fr/text/scalc/01/04060106.html)"), "{body}");
    assert!(!body.contains("Aide LibreOffice"), "{body}");
    assert_eq!((page.images.len(), page.images_left), (0, 2), "they lie elsewhere");
}
