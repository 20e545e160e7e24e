//! The transcripts of `docs/guide/usb.md` and `administrator.md` are what the programs say: the commands are run, and the words compared.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

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
            _ => match text.split_once("$ ") {
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
    let mut quoted = false;
    let divides = |letter: char| {
        quoted ^= letter == '"';
        letter == ' ' && !quoted
    };
    command.split(divides).filter(|word| !word.is_empty()).map(|word| word.replace('"', "")).collect()
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide").join(name)).unwrap()
}

fn named(directory: &Path, key: &str, name: &str) -> Site {
    let home = directory.join(key);
    let mut init = Command::new(program("portolan"));
    init.args(["--json", "--home"]).arg(&home).args(["init", "--name", name, "--organisation", "X", "--country", "IT"]);
    let made = run_plainly(init.arg("--offline"));
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut site = Site::of(&home, name);
    site.start();
    site
}

fn run_plainly(command: &mut Command) -> Ended {
    let mut taken = Command::new(command.get_program());
    taken.args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(taken)
}

#[test]
fn the_page_on_sticks_tells_what_happens() {
    let mut lines = transcripts(&page("usb.md"));
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
        let command = command.strip_prefix("portolan ").unwrap();
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
        let mut portolan = Command::new(program("portolan"));
        if let Some(site) = sites.get(who.as_str()) {
            portolan.arg("--home").arg(&site.home);
        }
        let ended = run_plainly(portolan.args(&arguments));
        assert_eq!(ended.code, Some(0), "{who}: {command}: {ended:?}");
        checked += compare(&ended.out.replace(media, "/media"), &answer, &who, command);
    }
    assert_eq!(checked, 6);
}

/// Holds what a command said against what the page has, if it has anything; how many were compared.
fn compare(said: &str, answer: &[String], who: &str, command: &str) -> usize {
    if answer.is_empty() {
        return 0;
    }
    let said: Vec<String> = said.lines().map(plain).collect();
    let written: Vec<String> = answer.iter().map(|line| plain(line)).collect();
    assert_eq!(said, written, "{who}: {command}");
    1
}

#[test]
fn an_administrators_first_day_goes_as_written() {
    let lines = transcripts(&page("administrator.md"));
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_str().unwrap();
    let mut sites = BTreeMap::from([
        ("rome", named(directory.path(), "rome", "Rome Academy")),
        ("tunis", named(directory.path(), "tunis", "Tunis Academy")),
    ]);
    for medium in ["stick", "other", "safe"] {
        fs::create_dir_all(directory.path().join("media").join(medium)).unwrap();
    }
    let (mut compared, mut ran) = (0, 0);
    for Line { who, command, answer } in lines {
        ran += 1;
        // The test has no service, and runs as one user: logins and owners are those that every system has.
        match command.strip_prefix("sudo ") {
            Some("systemctl stop portoland") => sites.get_mut(who.as_str()).unwrap().stop(),
            Some("systemctl start portoland") => sites.get_mut(who.as_str()).unwrap().start(),
            Some(shell) => {
                let here = shell
                    .replace("-o portolan -g portolan ", "")
                    .replace("/var/lib/portolan", &format!("{root}/{who}"));
                let here = here.replace("/media/", &format!("{root}/media/"));
                let (program, arguments) = here.split_once(' ').unwrap();
                let ended = run_plainly(Command::new(program).args(words(arguments)));
                assert_eq!(ended.code, Some(0), "{who}: {command}: {ended:?}");
            }
            None => {
                let here = command.strip_prefix("portolan ").unwrap().replace("/media/", &format!("{root}/media/"));
                let here = here.replace(" amina", " daemon").replace(" paul", " nobody");
                let mut arguments = words(&here);
                for argument in arguments.iter_mut().filter(|argument| argument.ends_with(".card")) {
                    *argument = format!("{root}/{argument}");
                }
                if here.starts_with("peer add") {
                    // What is heard on the telephone.
                    let other = if who == "rome" { "tunis" } else { "rome" };
                    arguments.extend(["--fingerprint".to_owned(), sites[other].card().1]);
                }
                let mut portolan = Command::new(program("portolan"));
                let ended = run_plainly(portolan.arg("--home").arg(&sites[who.as_str()].home).args(arguments));
                assert_eq!(ended.code, Some(0), "{who}: {command}: {ended:?}");
                let said = ended.out.replace(&format!("{root}/media"), "/media").replace(&format!("{root}/"), "");
                compared += compare(&said.replace("nobody", "paul"), &answer, &who, &command);
            }
        }
    }
    assert_eq!((ran, compared), (34, 6));
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
