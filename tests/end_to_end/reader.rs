//! The exported reader in a real browser, opened from a directory as from a stick: what is found, how it reads, and that nothing that
//! records say runs or reaches a network.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use portolan_protocol::api::{ErrorKind, Saved};
use portolan_tests::daemons::{Site, run};
use serde_json::{Value, json};

/// A host that no test may ask for.
const STRANGER: &str = "stranger.example";

/// Texts of many scripts, each a trial for folding.
const TEXTS: [&str; 16] = [
    "Œuvre d'École, ÉTÉ à l’aïeul; naïve Ångström ŁÓDŹ ﬁnancée ＡＢＣ co\u{ad}opération",
    "The harbour's north-west quay, 2016-17 and 3.5 m: e.g. U.S.A. don’t",
    "El niño pingüino, año 2019; ¿dónde está el puerto?",
    "Formação em São Tomé e Príncipe; ações e órgãos",
    "المَوانِئُ والبحر في مدرسةِ العُلومِ على الساحل؛ مسؤول وأمن الحدود ٢٠١٦",
    "المـــوانئ ﻻ ﷲ إدارة آثار ٱمن هيئة شؤون قرارات للموانئ بالبحر",
    "کتاب فارسی می\u{200c}خواهم ۱۲۳۴ گفتگو",
    "İstanbul ISPARTA ılık Straße ĳ ŉ",
    "Ελληνικά ΟΔΟΣ Σίσυφος ςς ά",
    "Русский ёж Йод й",
    "שָׁלוֹם עוֹלָם",
    "हिन्दी क्षेत्र कि नी",
    "港口与海事 カタカナ がぎ 한국어",
    "ท่าเรือน้ำลึก",
    "Tiếng Việt đường phố ướt",
    "🚢 a\u{fe0f}b x\u{20e3} ½ Ⅳ ² ①",
];

/// What a browser made of a page.
struct Seen {
    html: String,
    /// What it wrote of itself, the console of the page included.
    log: String,
    /// Everything that it asked of the network.
    network: String,
}

/// Opens a page of the folder, as a person does who clicks on it.
fn open(page: &Path, fragment: &str) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let network = profile.path().join("network.json");
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    browser.args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"]);
    browser.args(["--virtual-time-budget=20000", "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"]);
    browser.arg(format!("--user-data-dir={}", profile.path().join("profile").display()));
    browser.arg(format!("--log-net-log={}", network.display()));
    browser.arg(format!("file://{}{fragment}", page.display()));
    let ended = run(browser);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    Seen { html: ended.out, log: ended.err, network: fs::read_to_string(network).unwrap() }
}

impl Seen {
    /// Nothing went wrong in the page, and it asked nobody.
    fn is_quiet(&self) {
        assert!(!self.log.contains("CONSOLE"), "{}", self.log);
        assert!(self.network.contains("file:///") && !self.network.contains(STRANGER), "it asked the network");
    }

    /// The titles that were found.
    fn found(&self) -> Vec<String> {
        let results = self.html.split("<section id=\"results\"").nth(1).expect("there is a place for results");
        let results = results.split("</section>").next().unwrap();
        assert!(!results.starts_with(" hidden"), "nothing was looked for");
        results.split("<a href=\"").skip(1).map(|link| between(link, ">", "</a>").to_owned()).collect()
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(inside, _)| inside).unwrap_or_default()
}

/// A space with a few records, and the folder of its reader.
struct Shelf {
    directory: tempfile::TempDir,
    site: Site,
    space: String,
}

impl Shelf {
    fn new() -> Shelf {
        let directory = tempfile::tempdir().unwrap();
        let site = Site::apart(directory.path(), "rome");
        let created: Value = site.ask(["space", "create", "Port Azur"]);
        let space = created["id"].as_str().unwrap().to_owned();
        Shelf { directory, site, space }
    }

    fn write(&self, language: &str, kind: &str, sets: &[&str], body: &str) -> String {
        let file = self.directory.path().join("body.md");
        fs::write(&file, body).unwrap();
        let mut arguments = vec!["doc", "new", "--space", &self.space, "--type", kind, "--language", language];
        arguments.extend(["--body-file", file.to_str().unwrap()]);
        sets.iter().for_each(|set| arguments.extend(["--set", set]));
        self.site.ask::<Saved>(arguments).document.to_string()
    }

    fn export(&self, name: &str, more: &[&str]) -> (PathBuf, Value) {
        let out = self.directory.path().join(name);
        let export = ["export", "--space", &self.space, "--to", "html", "--out", out.to_str().unwrap()];
        let report = self.site.ask([&export[..], more].concat());
        (out, report)
    }
}

#[test]
#[ignore = "needs chromium"]
fn what_is_exported_is_found_and_read_without_a_network() {
    let shelf = Shelf::new();
    let action =
        shelf.write("fr", "action", &["title=Atelier à Port-Azur", "marking=AMBER"], "# Journée\n\nSalle <b>2</b>.");
    let target = format!("links/a/target={action}");
    let french = shelf.write(
        "fr",
        "experience",
        &[
            "title=Évacuation d’un ferry",
            "marking=GREEN",
            "occurred=2016-02",
            "countries/TN/covered=true",
            &target,
            "links/a/relation=outcome_of",
        ],
        "Les passagers ont été évacués en une heure.",
    );
    let arabic = shelf.write(
        "ar",
        "practice",
        &["title=تفتيش المَوانِئ", "steps/a/text=الخطوة الأولى", "later/y=kept"],
        "إجراءُ التفتيش في الميناء، مع Checklist باللغة الإنجليزية.",
    );
    let hostile = format!(
        "<script>document.title='run'</script>\n\n<img src=https://{STRANGER}/a.png onerror=\"document.title='run'\">\n\n\
         ![pixel](https://{STRANGER}/b.png) [go](javascript:alert(1)) <https://{STRANGER}/c>"
    );
    let title = format!("title=<img src=//{STRANGER}/d.png> \u{202e}gpj.exe");
    let stranger = shelf.write("en", "page", &[&title, "marking=RED"], &hostile);

    let (out, report) = shelf.export("reader", &[]);
    assert_eq!(
        (&report["records"], &report["highest_marking"], &report["unmarked"]),
        (&json!(4), &json!("RED"), &json!(1))
    );
    let again = ["export", "--space", &shelf.space, "--to", "html", "--out", out.to_str().unwrap()];
    assert_eq!(shelf.site.refused(ErrorKind::Conflict, again).kind, ErrorKind::Conflict);
    let index = out.join("index.html");

    let seen = open(&index, "");
    seen.is_quiet();
    assert!(seen.html.contains("<html lang=\"fr\" dir=\"ltr\">"), "most records are in French");
    assert_eq!(seen.html.matches("<li><a href=\"records/").count(), 4);
    for (fragment, title) in [
        ("#q=evacuation", "Évacuation d’un ferry"),
        ("#q=EVACUES", "Évacuation d’un ferry"),
        ("#q=l%27ecole+d%27evac", ""),
        ("#q=passager", "Évacuation d’un ferry"),
        ("#type=experience", "Évacuation d’un ferry"),
        ("#q=ferry&country=TN", "Évacuation d’un ferry"),
        ("#q=ferry&country=IT", ""),
        ("#q=%D9%85%D9%88%D8%A7%D9%86%D8%A6", "تفتيش المَوانِئ"),
        ("#q=%D8%A7%D8%AC%D8%B1%D8%A7%D8%A1", "تفتيش المَوانِئ"),
    ] {
        let seen = open(&index, fragment);
        seen.is_quiet();
        let expected: Vec<&str> = Some(title).into_iter().filter(|title| !title.is_empty()).collect();
        assert_eq!(seen.found(), expected, "{fragment}");
    }

    let page = |id: &str| out.join("records").join(format!("{id}.html"));
    let seen = open(&page(&arabic), "");
    seen.is_quiet();
    assert!(seen.html.contains("<h1 lang=\"ar\" dir=\"rtl\">تفتيش المَوانِئ</h1>"));
    assert!(seen.html.contains("<code>later/y</code>") && seen.html.contains("الخطوة الأولى"), "{}", seen.html);
    let seen = open(&page(&action), "");
    assert!(seen.html.contains("TLP:AMBER") && seen.html.contains("Salle &lt;b&gt;2&lt;/b&gt;."), "{}", seen.html);
    let back = between(&seen.html, "id=\"backlinks\"", "</section>");
    assert!(back.contains(&format!("href=\"{french}.html\"")) && back.contains("a pour résultat"), "{back}");
    let seen = open(&page(&french), "");
    assert!(between(&seen.html, "id=\"links\"", "</section>").contains(&format!("href=\"{action}.html\"")));

    let seen = open(&page(&stranger), "");
    seen.is_quiet();
    assert!(seen.html.contains("\\u{202e}gpj.exe – Port Azur</title>"), "nothing ran");
    assert!(!seen.html.contains("<img") && !seen.html.contains("javascript:alert(1)\""));

    let (out, _) = shelf.export("arabic", &["--interface", "ar", "--up-to", "AMBER"]);
    let seen = open(&out.join("index.html"), "");
    seen.is_quiet();
    assert!(
        seen.html.contains("<html lang=\"ar\" dir=\"rtl\">") && seen.html.contains("كل") && !seen.html.contains("gpj")
    );
}

#[test]
#[ignore = "needs chromium"]
fn the_browser_takes_words_as_the_index_does() {
    let shelf = Shelf::new();
    let ranges = [('\u{c0}', '\u{24f}'), ('\u{370}', '\u{52f}'), ('\u{5d0}', '\u{6ff}'), ('\u{1e00}', '\u{1fff}')];
    let letters: String =
        ranges.into_iter().flat_map(|(from, to)| from..=to).flat_map(|letter| [letter, 'x', ' ']).collect();
    let body = format!("{}\n\n{letters}", TEXTS.join("\n\n"));
    shelf.write("fr", "page", &["title=x"], &body);
    let (out, _) = shelf.export("reader", &[]);

    let mut written: BTreeSet<String> = BTreeSet::new();
    for script in fs::read_dir(out.join("reader/words")).unwrap() {
        let script = fs::read_to_string(script.unwrap().path()).unwrap();
        let lines: String = serde_json::from_str(between(&script, ",", ");\n")).unwrap();
        written.extend(lines.lines().map(|line| line.split(' ').next().unwrap().to_owned()));
    }
    let taken = format!(
        "<!doctype html><meta charset=utf-8><body data-root=''><form id=search></form><pre></pre>\n\
         <script src=reader/reader.js></script><script>\n\
         portolan.taken({}).then((words) => {{ document.querySelector('pre').textContent = JSON.stringify(words); }});\n</script>",
        json!(format!("x page fr {body}"))
    );
    fs::write(out.join("taken.html"), taken).unwrap();
    let seen = open(&out.join("taken.html"), "");
    let words: BTreeSet<String> = serde_json::from_str(between(&seen.html, "<pre>", "</pre>")).unwrap();
    let written: BTreeSet<String> = written.into_iter().chain(["page".to_owned(), "fr".to_owned()]).collect();
    assert!(written.len() > 500, "{}", written.len());
    let [only_written, only_taken] =
        [(&written, &words), (&words, &written)].map(|(one, other)| one.difference(other).collect::<Vec<_>>());
    assert_eq!((only_written, only_taken), (vec![], vec![]));
}
