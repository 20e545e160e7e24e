//! The transcripts of `docs/guide/usb.md` are what the programs say: the commands are run, and the words compared.

use std::{collections::BTreeMap, fs, path::Path, process::Stdio};

use portolan_tests::daemons::{Ended, Site, introduce, program, run};
use serde_json::Value;

/// A command of a transcript, and what it is said to answer.
#[derive(Debug)]
struct Line {
    who: String,
    command: String,
    answer: Vec<String>,
}

/// The console blocks of a page.
fn transcripts(page: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut inside = false;
    for text in page.lines() {
        match text {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match text.split_once("$ portolan ") {
                Some((who, command)) => {
                    lines.push(Line { who: who.into(), command: command.into(), answer: Vec::new() });
                }
                None => lines.last_mut().unwrap().answer.push(text.into()),
            },
        }
    }
    lines
}

/// What differs from one run to the next becomes a mark: ids, numbers, sizes, ages, and how columns are spaced.
fn plain(text: &str) -> String {
    let text = ["just now", "3 days ago"].iter().fold(text.to_owned(), |text, age| text.replace(age, "AGE"));
    let words = text.split_whitespace().map(|word| {
        let (core, end) = word.split_at(word.trim_end_matches(['.', ',', ':']).len());
        let is_id = core.len() == 26 && core.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_number = core.parse::<f64>().is_ok();
        let core = core
            .rsplit_once('/')
            .filter(|(_, last)| last.len() == 26)
            .map_or(core.to_owned(), |(directory, _)| format!("{directory}/ID"));
        match (is_id, is_number) {
            (true, _) => format!("ID{end}"),
            (_, true) => format!("N{end}"),
            _ => format!("{core}{end}"),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The words of a command as a shell takes them.
fn words(command: &str) -> Vec<String> {
    let quoted = command.split('"').enumerate();
    quoted
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

fn named(directory: &Path, key: &str, name: &str) -> Site {
    let home = directory.join(key);
    let mut init = std::process::Command::new(program("portolan"));
    init.args(["--json", "--home"]).arg(&home).args(["init", "--name", name, "--organisation", "X", "--country", "IT"]);
    let made = run_plainly(init.arg("--offline"));
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut site = Site::of(&home, name);
    site.start();
    site
}

fn run_plainly(command: &mut std::process::Command) -> Ended {
    let mut taken = std::process::Command::new(command.get_program());
    taken.args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(taken)
}

#[test]
fn the_page_on_sticks_tells_what_happens() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/usb.md")).unwrap();
    let mut lines = transcripts(&page);
    // The courier looks at a stick once there is one.
    let courier = lines.iter().position(|line| line.who == "courier").unwrap();
    let courier = lines.remove(courier);
    lines.insert(1, courier);
    let directory = tempfile::tempdir().unwrap();
    let sites = BTreeMap::from([
        ("rome", named(directory.path(), "rome", "Rome Academy")),
        ("lampedusa", named(directory.path(), "lampedusa", "Lampedusa Station")),
    ]);
    introduce(&sites["rome"], &sites["lampedusa"]);
    let _: Value = sites["rome"].ask(["space", "create", "Harbours"]);
    let _: Value = sites["rome"].ask(["space", "grant", "Harbours", "Lampedusa Station", "--role", "writer"]);
    let media = directory.path().join("media");
    fs::create_dir_all(media.join("stick")).unwrap();
    fs::create_dir(media.join("other")).unwrap();
    let media = media.to_str().unwrap();
    let mut checked = 0;
    for Line { who, command, answer } in lines {
        // That needs a medium that was too small, and is tested with one.
        if command.starts_with("pouch resume") {
            continue;
        }
        let mut arguments = words(&command.replace("/media/", &format!("{media}/")));
        if command.starts_with("pouch receipt AHWO") {
            // In as many words as the page has it.
            arguments.truncate(2);
            arguments.extend(code(&sites, media).split_whitespace().map(str::to_owned));
        }
        let mut portolan = std::process::Command::new(program("portolan"));
        if let Some(site) = sites.get(who.as_str()) {
            portolan.arg("--home").arg(&site.home);
        }
        let ended = run_plainly(portolan.args(&arguments));
        assert_eq!(ended.code, Some(0), "{who}: {command}: {ended:?}");
        if !answer.is_empty() {
            let said: Vec<String> = ended.out.replace(media, "/media").lines().map(plain).collect();
            let written: Vec<String> = answer.iter().map(|line| plain(line)).collect();
            assert_eq!(said, written, "{who}: {command}");
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
}

/// A code for a pouch of which nothing is known yet.
fn code(sites: &BTreeMap<&str, Site>, media: &str) -> String {
    let other = format!("{media}/other");
    let new = ["doc", "new", "--space", "Harbours", "--language", "en", "--title", "Late"];
    let _: Value = sites["rome"].ask(new);
    let _: Value = sites["rome"].ask(["pouch", "export", "--to", "Lampedusa Station", "--out", &other]);
    let taken: Value = sites["lampedusa"].ask(["pouch", "import", &other, "--code"]);
    taken["codes"][0]["code"].as_str().unwrap().to_owned()
}
