//! A short fuzz without a fuzzer: samples, and samples changed by lot, through every door. `PORTOLAN_FUZZ=N` changes each sample N
//! times; `PORTOLAN_SEED=N` draws other changes; `PORTOLAN_SAMPLES=DIR` writes the samples there, where a coverage-guided fuzzer can begin
//! (`tests/fuzz`): it goes through the same doors.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use portolan_daemon::automerge_door::{Document, Edited};
use portolan_protocol::{
    id::DocumentId,
    record::{RecordDraft, Value},
};
use portolan_tests::{
    attacks::{Act, Forged},
    fuzz::{self, ACTOR, Target},
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

fn number(variable: &str, usual: u64) -> u64 {
    env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What the vectors call good, of one file.
fn vectors(name: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(folder("vectors").join(name)).unwrap();
    let good = text.lines().filter_map(|line| line.strip_prefix("good ")?.split(' ').nth(1));
    let byte = |hex: &str, at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    good.map(|hex| (0..hex.len()).step_by(2).map(|at| byte(hex, at)).collect()).collect()
}

/// Inputs that a fuzzer found before, kept so that they are tried for ever.
fn found(target: &str) -> Vec<Vec<u8>> {
    let Ok(files) = fs::read_dir(folder("fuzz/found").join(target)) else { return Vec::new() };
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn behind(choice: u8, samples: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    samples.into_iter().map(|sample| [&[choice], sample.as_slice()].concat()).collect()
}

/// With its length before it, as targets read pieces.
fn piece(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes(), bytes].concat()
}

/// Changes a sample by lot, once or a few times.
fn changed(sample: &[u8], others: &[Vec<u8>], rng: &mut ChaCha12Rng) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=rng.next_u32() % 4 {
        let mut place = |end: usize| rng.next_u32() as usize % end.max(1);
        let (at, length) = (place(bytes.len()), 1 + place(8));
        match (place(6), bytes.is_empty()) {
            (_, true) | (0, _) => bytes.splice(at..at, (0..length).map(|_| place(256) as u8).collect::<Vec<_>>()),
            (1, _) => bytes.splice(at..(at + length).min(bytes.len()), Vec::new()),
            (2, _) => bytes.splice(at..=at, vec![[0, 1, 0x7f, 0x80, 0xff][place(5)]]),
            (3, _) => bytes.splice(at..=at, vec![bytes[at] ^ (1 << place(8))]),
            (4, _) => {
                let again = bytes[at..(at + 16 * length).min(bytes.len())].to_vec();
                bytes.splice(at..at, again)
            }
            _ => {
                let other = &others[place(others.len())];
                let from = place(other.len());
                let part = other[from..(from + 32 * length).min(other.len())].to_vec();
                bytes.splice(at..at, part)
            }
        }
        .for_each(drop);
    }
    bytes
}

fn drive(name: &str, target: Target, mut samples: Vec<Vec<u8>>, usual: u64) {
    samples.extend(found(name));
    samples.push(Vec::new());
    if let Some(directory) = env::var_os("PORTOLAN_SAMPLES").map(|samples| Path::new(&samples).join(name)) {
        fs::create_dir_all(&directory).unwrap();
        let write = |(n, sample): (usize, &Vec<u8>)| fs::write(directory.join(format!("sample-{n}")), sample).unwrap();
        samples.iter().enumerate().for_each(write);
    }
    let seed = number("PORTOLAN_SEED", 1);
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let changes = number("PORTOLAN_FUZZ", usual);
    let attempt = |bytes: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| target(bytes))).is_err() {
            let path = env::temp_dir().join(format!("portolan-{name}-{seed}"));
            fs::write(&path, bytes).unwrap();
            unreachable!("{name} breaks its promise; the input is kept in {}", path.display());
        }
    };
    for sample in &samples {
        attempt(sample);
        (0..changes).for_each(|_| attempt(&changed(sample, &samples, &mut rng)));
    }
}

#[test]
fn decoders() {
    let code = vectors("pouch_code.txt");
    let mut samples = behind(0, vectors("card.txt"));
    samples.extend(behind(1, vectors("control.txt")));
    samples.extend(behind(2, vectors("message.txt")));
    samples.extend(behind(3, vectors("change.txt")));
    samples.extend(behind(4, vectors("page.txt")));
    samples.extend(behind(5, vectors("pouch.txt")));
    samples.extend(behind(6, code));
    let texts = [
        (7, "pkqlybepsvpl53mzreuztmxfeu.001.portolan"),
        (9, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        (11, "2016-02~/.."),
        (11, "zh-Hant-TW"),
        (12, r#"{"type":"page","language":"fr","fields":{"title/fr":"Carte","tags/x":true,"size":3}}"#),
        (13, r#"{"draft":{"fields":{"status":null}},"base":["ab"],"reason":"why"}"#),
        (14, r#"{"to":[],"load":"missing","volume_bytes":4194304}"#),
        (15, r#"{"type":"page","limit":3,"cursor":"x","prefix":"ab"}"#),
    ];
    samples.extend(texts.map(|(choice, text)| [&[choice], text.as_bytes()].concat()));
    drive("decoders", fuzz::decoders, samples, 200);
}

#[test]
fn volumes() {
    let mut samples = behind(0, vectors("pouch.txt"));
    samples.extend(behind(0, vectors("pouch_files.txt")));
    let frames: Vec<u8> =
        vectors("message.txt").iter().flat_map(|message| [piece(message), vec![1]].concat()).collect();
    samples.push([vec![1, 0, 9], frames].concat());
    samples.push([vec![1, 3, 9], piece(&[]), vec![0, 5]].concat());
    drive("volumes", fuzz::volumes, samples, 20);
}

/// The changes of a record that is made and edited twice, as contents of their chunks.
fn record() -> Vec<Vec<u8>> {
    let mut document = Document::new(DocumentId([1; 16]));
    let drafts = [
        RecordDraft::new("page", "fr").with("title/fr", "Carte").with("body/fr", "Un texte.").with("tags/a", true),
        RecordDraft::default().with("body/fr", "Un autre texte, plus long.").with("title/fr", Value::Null),
        RecordDraft::default().with("size", 7_i64).with("tags/a", Value::Null),
    ];
    let content = |draft: &RecordDraft| {
        let Edited { change, after } = document.edit(draft, &ACTOR, None).unwrap().unwrap();
        document = after;
        let raw = change.raw();
        // Magic, checksum, kind, and the length in seven bits a byte.
        let length = 1 + raw[9..].iter().take_while(|byte| **byte >= 0x80).count();
        raw[9 + length..].to_vec()
    };
    drafts.iter().map(content).collect()
}

#[test]
fn changes() {
    let record = record();
    let set = Forged::sets(&ACTOR, 1, 1, "title/fr").content();
    let replace = Act::Replace { key: "title/fr", value: (&ACTOR, 1) };
    let acts = [&replace, &Act::Insert { text: (&ACTOR, 1), after: None }];
    let mut samples = vec![record.iter().flat_map(|content| piece(content)).collect()];
    samples.extend(acts.map(|act| [piece(&set), piece(&Forged::naming(&ACTOR, 2, act).content())].concat()));
    drive("changes", fuzz::changes, samples, 1_000);
}

#[test]
fn files() {
    let markdown = "---\ntitle: Carte\nlanguage: fr\ntags: [a, b]\nobjectives:\n  - text: x\n---\n\n# Carte\n\n*Un* <b>texte</b>.\n";
    let html = "<!doctype html><html lang=\"ar\"><head><title>خريطة</title></head><body><h1>a</h1><table><tr><td>1</table></body>";
    let draft = "---\ntitle/fr: Carte\ntags/a: true\n---\nUn texte.\n";
    let samples =
        vec![[&[0], draft.as_bytes()].concat(), [&[1], markdown.as_bytes()].concat(), [&[2], html.as_bytes()].concat()];
    drive("files", fuzz::files, samples, 150);
}

#[test]
fn node() {
    let mut rng = ChaCha12Rng::seed_from_u64(number("PORTOLAN_SEED", 1));
    let mut samples: Vec<Vec<u8>> = (0..4).map(|_| (0..160).map(|_| rng.next_u32() as u8).collect()).collect();
    samples.extend(vectors("message.txt").iter().map(|message| [vec![0, 0], piece(message)].concat()));
    drive("node", fuzz::node, samples, 20);
}
