//! What a courier carries, with the real programs: sites that no network joins, media that are damaged, full, read-only or hostile,
//! and `kill -9` at any moment.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::fs::{FileExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use portolan_protocol::api::{ErrorKind, Pouches, ReceiptAnswer, Saved};
use portolan_tests::{
    bad_medium::{BadMedium, Fault},
    daemons::{Site, introduce},
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng as _, SeedableRng as _},
};
use serde_json::Value;

/// Rome with a space of some records, and Tunis, which it has made a member and nothing connects to it.
pub(super) fn apart(directory: &Path, records: usize) -> [Site; 2] {
    let sites = ["rome", "tunis"].map(|name| Site::apart(directory, name));
    let [rome, tunis] = &sites;
    introduce(rome, tunis);
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let _: Value = rome.ask(["space", "grant", "Harbours", "tunis", "--role", "writer"]);
    if records > 0 {
        let _: Value = rome.ask(["import", corpus(directory, records).to_str().unwrap(), "--space", "Harbours"]);
    }
    sites
}

/// Files whose words do not repeat, so that they take their room on a medium.
fn corpus(directory: &Path, files: usize) -> PathBuf {
    let corpus = directory.join(format!("corpus-{files}"));
    fs::create_dir(&corpus).unwrap();
    for number in 0..files as u64 {
        let words: Vec<String> =
            (0..300).map(|word| format!("{:x}", (word + 1) * (number + 7) * 0x9e37_79b9)).collect();
        let text = format!("---\ntitle: Secret page {number}\nlanguage: en\n---\n\n{}\n", words.join(" "));
        fs::write(corpus.join(format!("{number}.md")), text).unwrap();
    }
    corpus
}

pub(super) fn medium(directory: &Path, name: &str) -> PathBuf {
    let medium = directory.join(name);
    fs::create_dir(&medium).unwrap();
    medium
}

fn export(from: &Site, to: &Site, medium: &Path) -> Value {
    from.ask([
        OsStr::new("pouch"),
        "export".as_ref(),
        "--to".as_ref(),
        to.name.as_ref(),
        "--out".as_ref(),
        medium.as_os_str(),
    ])
}

pub(super) fn import(at: &Site, medium: &Path) -> Value {
    at.ask([OsStr::new("pouch"), "import".as_ref(), medium.as_os_str()])
}

/// The volumes on a medium.
pub(super) fn volumes(medium: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for pouch in fs::read_dir(medium).unwrap() {
        let pouch = pouch.unwrap().path();
        let files = fs::read_dir(&pouch).unwrap().map(|file| file.unwrap().path());
        found.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "portolan")));
    }
    found.sort();
    found
}

/// What a site says that a peer has of its only space.
pub(super) fn receipted(site: &Site) -> (bool, u64) {
    let peer = &site.status().peers[0];
    peer.spaces.first().map_or((false, 0), |space| (space.up_to_date, space.entries_receipted))
}

#[test]
fn two_that_never_meet_exchange_by_stick_and_know_what_has_arrived() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis] = apart(directory.path(), 40);
    let usb = medium(directory.path(), "usb");
    let exported = export(&rome, &tunis, &usb);
    assert_eq!(exported["complete"], true);
    assert_eq!(receipted(&rome), (false, 0), "writing is not arriving");
    let dry: Value = tunis.ask(["pouch", "import", usb.to_str().unwrap(), "--dry-run"]);
    assert_eq!(dry["taken"][0]["new"], exported["entries"]);
    assert!(tunis.status().spaces.is_empty(), "a dry run takes nothing");
    let taken = import(&tunis, &usb);
    assert_eq!((&taken["taken"][0]["new"], taken["receipts"].as_array().unwrap().len()), (&exported["entries"], 1));
    assert!(rome.list() == tunis.list() && rome.documents().len() == 40);
    // The same stick goes back, with the receipt on it.
    let back = import(&rome, &usb);
    assert_eq!(back["passed_over"], 1, "its own volume: {back}");
    assert!(receipted(&rome).0);
    let peer = &rome.status().peers[0];
    assert!(peer.last_pouch_ms.is_some() && peer.last_heard_ms.is_none(), "by which route it was heard: {peer:?}");
    let again = export(&rome, &tunis, &medium(directory.path(), "nothing"));
    assert_eq!(again["entries"], 0, "everything was receipted");

    let error = rome.refused(ErrorKind::Conflict, ["sync"]);
    assert!(error.next.contains("pouch export"), "{error:?}");

    // Both edit the same record while apart; the way back carries one edit, and a code says that it came.
    let record = rome.documents()[0].clone();
    for site in [&rome, &tunis] {
        let _: Saved = site.ask(["doc", "edit", &record, "--set", &format!("title=By {}", site.name)]);
    }
    let second = medium(directory.path(), "usb-2");
    assert_eq!(export(&tunis, &rome, &second)["entries"], 1);
    let taken: Value = rome.ask(["pouch", "import", second.to_str().unwrap(), "--code"]);
    let code = taken["codes"][0]["code"].as_str().unwrap();
    assert!(code.len() <= 300, "{code}");
    let answer: ReceiptAnswer = tunis.ask(["pouch", "receipt", &code.to_lowercase().replace('\n', " ")]);
    assert!(answer.news && answer.volumes == [1]);
    let third = medium(directory.path(), "usb-3");
    assert_eq!(export(&rome, &tunis, &third)["entries"], 1);
    import(&tunis, &third);
    assert!(rome.bytes(["doc", "show", &record]) == tunis.bytes(["doc", "show", &record]));
    assert!(rome.list() == tunis.list());
    // A letter that was misheard is found, and takes nothing.
    let misheard = code.replacen(|c: char| c.is_ascii_alphabetic(), "7", 1);
    tunis.refused(ErrorKind::Usage, ["pouch", "receipt", &misheard]);
    rome.stop();
    tunis.stop();
}

#[test]
fn volumes_reveal_nothing_of_anyone() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, tunis] = apart(directory.path(), 200);
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb);
    import(&tunis, &usb);
    let mut secrets: Vec<Vec<u8>> = ["rome", "tunis", "Academy", "Harbours", "Secret page", "portolan pouch"]
        .map(|text| text.as_bytes().to_vec())
        .into();
    let space = rome.space().id;
    secrets.extend([space.0.to_vec(), space.to_string().into_bytes()]);
    for site in [&rome, &tunis] {
        let id = site.status().node.id;
        secrets.extend([id.0.to_vec(), id.to_string().into_bytes()]);
        let card = fs::read(site.home.join("card")).unwrap();
        // Keys lie somewhere in it.
        secrets.extend(card.windows(24).step_by(8).map(<[u8]>::to_vec));
    }
    secrets.extend(rome.documents().iter().map(|id| id.clone().into_bytes()));
    for volume in volumes(&usb) {
        let name = volume.file_name().unwrap().to_str().unwrap().as_bytes().to_vec();
        let bytes = fs::read(&volume).unwrap();
        for outside in [&name, &bytes] {
            let found = secrets.iter().find(|secret| outside.windows(secret.len()).any(|window| window == **secret));
            assert!(found.is_none(), "{}: {:?}", volume.display(), found.map(|found| String::from_utf8_lossy(found)));
        }
        if bytes.len() > 200_000 {
            let mut counts = [0_f64; 256];
            bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1.0);
            let total = bytes.len() as f64;
            let entropy: f64 = counts.iter().filter(|n| **n > 0.0).map(|n| -(n / total) * (n / total).log2()).sum();
            assert!(entropy > 7.99, "{entropy} bits in a byte");
        }
    }
}

/// What is done to a volume, and the error that it has to be.
type Harm = (&'static str, ErrorKind, fn(&Path));

pub(super) fn flip(path: &Path, place: u64) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, place).unwrap();
    file.write_all_at(&[byte[0] ^ 1], place).unwrap();
}

pub(super) fn length(path: &Path) -> u64 {
    path.metadata().unwrap().len()
}

const HARMS: [Harm; 9] = [
    ("a bit in the mark", ErrorKind::PouchDamaged, |path| flip(path, 20)),
    ("a bit in a slot", ErrorKind::PouchDamaged, |path| flip(path, 5_000)),
    ("a bit in the middle", ErrorKind::PouchDamaged, |path| flip(path, length(path) / 2)),
    ("a bit at the end", ErrorKind::PouchDamaged, |path| flip(path, length(path) - 1)),
    ("cut in half", ErrorKind::PouchDamaged, |path| {
        let half = length(path) / 2;
        fs::File::options().write(true).open(path).unwrap().set_len(half).unwrap();
    }),
    ("nothing left", ErrorKind::PouchDamaged, |path| fs::write(path, "").unwrap()),
    ("a link", ErrorKind::PouchDamaged, |path| {
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(path, &elsewhere).unwrap();
        symlink(elsewhere, path).unwrap();
    }),
    ("a pipe", ErrorKind::PouchDamaged, |path| {
        fs::remove_file(path).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }),
    ("a sparse terabyte", ErrorKind::PouchDamaged, |path| {
        fs::File::options().write(true).open(path).unwrap().set_len(1 << 40).unwrap();
    }),
];

#[test]
fn a_medium_that_is_not_what_it_was_is_told_apart_and_harms_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis] = apart(directory.path(), 30);
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb);
    let [volume] = <[PathBuf; 1]>::try_from(volumes(&usb)).unwrap();
    let whole = fs::read(&volume).unwrap();
    for (what, kind, harm) in HARMS {
        harm(&volume);
        let usb = usb.to_str().unwrap();
        let error = tunis.refused(kind, ["pouch", "import", usb]);
        assert!(!error.safe.is_empty() && !error.next.is_empty(), "{what}: {error:?}");
        assert!(tunis.status().spaces.is_empty(), "{what}: something was taken");
        tunis.refused(kind, ["pouch", "verify", usb]);
        fs::remove_file(&volume).unwrap();
        fs::write(&volume, &whole).unwrap();
    }
    // Sealed to somebody else, or from somebody unknown.
    let sofia = Site::apart(directory.path(), "sofia");
    let error = sofia.refused(ErrorKind::PouchRefused, ["pouch", "import", usb.to_str().unwrap()]);
    assert!(error.message.contains("for this node"), "{error:?}");
    let _: Value = tunis.ask(["peer", "remove", "rome"]);
    let error = tunis.refused(ErrorKind::PouchRefused, ["pouch", "import", usb.to_str().unwrap()]);
    assert!(error.message.contains("not a peer"), "{error:?}");
    tunis.meet(&rome);
    // As it was written, beside what is no pouch at all.
    symlink("/etc", usb.join("aaaaaaaaaaaaaaaaaaaaaaaaaa")).unwrap();
    fs::write(usb.join("holiday.jpg"), "no pouch").unwrap();
    import(&tunis, &usb);
    assert!(rome.list() == tunis.list());
    rome.stop();
    tunis.stop();
}

pub(super) fn mount(arguments: &[&str]) {
    assert!(Command::new("mount").args(arguments).status().unwrap().success());
}

/// A file system, unmounted at the end.
pub(super) struct Mounted(pub(super) PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs root to mount small media"]
fn media_that_are_full_or_read_only_are_gone_on_with_and_answered_by_code() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis] = apart(directory.path(), 5_000);
    let small = Mounted(medium(directory.path(), "small"));
    mount(&["-t", "tmpfs", "-o", "size=9m", "tmpfs", small.0.to_str().unwrap()]);
    let to_small = ["pouch", "export", "--to", "tunis", "--out", small.0.to_str().unwrap(), "--volume-size", "4194304"];
    let error = rome.refused(ErrorKind::DiskFull, to_small);
    assert!(error.next.contains("pouch resume"), "{error:?}");
    let pouches: Pouches = rome.ask(["pouch", "list"]);
    let sent = &pouches.sent[0];
    let whole: Vec<u16> = sent.volumes.iter().filter(|volume| volume.verified).map(|volume| volume.number).collect();
    assert!(!sent.complete && whole == [1, 2], "{sent:?}");
    // What is there is whole and of use, and nothing else is there.
    let _: Value = rome.ask(["pouch", "verify", small.0.to_str().unwrap()]);
    let second = medium(directory.path(), "second");
    let resumed: Value = rome.ask(["pouch", "resume", &sent.id.to_string(), "--out", second.to_str().unwrap()]);
    assert_eq!(resumed["complete"], true);
    // The second medium first: its entries wait for those of the first.
    let error = tunis.refused(ErrorKind::Incomplete, ["pouch", "import", second.to_str().unwrap()]);
    assert!(!error.next.is_empty(), "{error:?}");
    mount(&["-o", "remount,ro", small.0.to_str().unwrap()]);
    let taken = import(&tunis, &small.0);
    assert!(
        !taken["codes"].as_array().unwrap().is_empty() && taken["receipts"].as_array().unwrap().is_empty(),
        "{taken}"
    );
    import(&tunis, &second);
    assert!(rome.list() == tunis.list());
    import(&rome, &second);
    assert!(receipted(&rome).0);
    rome.stop();
    tunis.stop();
}

/// A file as a block device, until the end.
struct Loop(String);

impl Loop {
    fn of(image: &Path) -> Loop {
        let found = Command::new("losetup").args(["--find", "--show"]).arg(image).output().unwrap();
        assert!(found.status.success(), "{found:?}");
        Loop(String::from_utf8(found.stdout).unwrap().trim().to_owned())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").arg("--detach").arg(&self.0).status();
    }
}

/// Files below a directory.
fn files(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[test]
#[ignore = "needs fuse3"]
fn a_medium_that_lies_is_found_out_before_anything_counts_as_written() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, tunis] = apart(directory.path(), 200);
    let at = medium(directory.path(), "stick");
    let to = ["pouch", "export", "--to", "tunis", "--out", at.to_str().unwrap()];
    let faults = [
        Fault::WritingFailsAt(0),
        Fault::WritingFailsAt(20_000),
        Fault::WritingFailsAt(300_000),
        Fault::KeepsOnly(100_000),
        Fault::TurnsABitOnFlush,
        Fault::ReadingFailsAt(100_000),
    ];
    for fault in faults {
        let stick = BadMedium::mount(&at, fault);
        let error = rome.refused(ErrorKind::Io, to);
        assert!(!error.safe.is_empty() && !error.next.is_empty(), "{fault:?}: {error:?}");
        assert_eq!(files(&at), 0, "{fault:?}: something was left");
        let pouches: Pouches = rome.ask(["pouch", "list"]);
        assert!(pouches.sent.iter().all(|sent| !sent.complete), "{fault:?}: {pouches:?}");
        assert_eq!(receipted(&rome), (false, 0));
        drop(stick);
    }
    // What was packed for the worst of them goes onto a good one.
    let pouches: Pouches = rome.ask(["pouch", "list"]);
    let good = BadMedium::mount(&at, Fault::None);
    let _: Value = rome.ask(["pouch", "resume", &pouches.sent[0].id.to_string(), "--out", at.to_str().unwrap()]);
    import(&tunis, &at);
    import(&rome, &at);
    assert!(receipted(&rome).0 && rome.list() == tunis.list());
    drop(good);
    rome.stop();
}

#[test]
fn what_was_packed_for_one_who_was_removed_since_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, tunis] = apart(directory.path(), 3);
    let exported = export(&rome, &tunis, &medium(directory.path(), "first"));
    let pouch = exported["pouch"].as_str().unwrap();
    // As if the writing had been broken off.
    fs::remove_file(rome.home.join(format!("pouches/{pouch}.001.ok"))).unwrap();
    let again = medium(directory.path(), "again");
    let resume = ["pouch", "resume", pouch, "--out", again.to_str().unwrap()];
    let _: Value = rome.ask(["space", "revoke", "Harbours", "tunis"]);
    let error = rome.refused(ErrorKind::Conflict, resume);
    assert!(error.message.contains("is no member any more") && error.next == "Export a new pouch.", "{error:?}");
    assert_eq!(volumes(&again), Vec::<PathBuf>::new());
}

#[test]
#[ignore = "needs fuse3"]
fn a_medium_that_cannot_be_read_to_its_end_gives_nothing_of_that_volume() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, tunis] = apart(directory.path(), 100);
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb);
    let [volume] = <[PathBuf; 1]>::try_from(volumes(&usb)).unwrap();
    let at = medium(directory.path(), "stick");
    for place in [0, 18_000, length(&volume) / 2, length(&volume) - 1] {
        let stick = BadMedium::mount(&at, Fault::ReadingFailsAt(place));
        fs::copy(&volume, at.join(volume.file_name().unwrap())).unwrap();
        // Not what the system remembers of the copy.
        fs::write("/proc/sys/vm/drop_caches", "1").ok();
        let file = fs::File::open(at.join(volume.file_name().unwrap())).unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        let error = tunis.refused(ErrorKind::Io, ["pouch", "import", at.to_str().unwrap()]);
        assert!(error.message.contains("read") && !error.next.is_empty(), "{error:?}");
        assert!(tunis.status().spaces.is_empty());
        drop((file, stick));
    }
    import(&tunis, &usb);
    assert!(rome.list() == tunis.list());
}

#[test]
#[ignore = "needs exfat-fuse exfatprogs"]
fn a_stick_as_they_are_sold_carries_a_pouch_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis] = apart(directory.path(), 100);
    let image = directory.path().join("image");
    fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
    assert!(Command::new("mkfs.exfat").arg(&image).stdout(Stdio::null()).status().unwrap().success());
    let device = Loop::of(&image);
    let stick = Mounted(medium(directory.path(), "stick"));
    let mounted = Command::new("mount.exfat-fuse").arg(&device.0).arg(&stick.0).stdout(Stdio::null()).status().unwrap();
    assert!(mounted.success());
    export(&rome, &tunis, &stick.0);
    // Some computers show and copy names in capitals.
    let [volume] = <[PathBuf; 1]>::try_from(volumes(&stick.0)).unwrap();
    let capitals = volume.with_file_name(volume.file_name().unwrap().to_str().unwrap().to_uppercase());
    fs::rename(&volume, &capitals).unwrap();
    let _: Value = tunis.ask(["pouch", "verify", stick.0.to_str().unwrap()]);
    import(&tunis, &stick.0);
    import(&rome, &stick.0);
    assert!(receipted(&rome).0 && rome.list() == tunis.list());
    // Full: it says so, and what was there stays.
    let filling = stick.0.join("filling");
    let mut bytes = vec![7; 80 << 20];
    while bytes.len() > 4_096 && fs::write(&filling, &bytes).is_err() {
        bytes.truncate(bytes.len() - (64 << 10));
    }
    let _: Saved = rome.ask(["doc", "edit", &rome.documents()[0], "--set", "title=Late"]);
    let to = ["pouch", "export", "--to", "tunis", "--full", "--out", stick.0.to_str().unwrap()];
    let error = rome.refused(ErrorKind::DiskFull, to);
    assert!(error.next.contains("pouch resume"), "{error:?}");
    fs::remove_file(&filling).unwrap();
    let _: Value = tunis.ask(["pouch", "verify", stick.0.to_str().unwrap()]);
    rome.stop();
    tunis.stop();
}

const KILLS: usize = 16;
const LATEST_KILL_MS: u64 = 200;

#[test]
fn no_receipt_without_durability_whoever_is_killed_when() {
    let given = std::env::var("PORTOLAN_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
    let kills = std::env::var("PORTOLAN_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    println!("PORTOLAN_SEED={seed}");
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut sites = apart(directory.path(), 400);
    let usb = medium(directory.path(), "usb");
    export(&sites[0], &sites[1], &usb);
    import(&sites[1], &usb);
    let mut outcomes: BTreeMap<(&str, String), u32> = BTreeMap::new();
    for round in 0..kills {
        let at = (rng.next_u32() % 2) as usize;
        let other = sites[1 - at].name.clone();
        let title = format!("title=Round {round}");
        let record = sites[at].documents()[round].clone();
        let _: Saved = sites[at].ask(["doc", "edit", &record, "--set", &title]);
        let usb = usb.to_str().unwrap();
        let pouches: Pouches = sites[at].ask(["pouch", "list"]);
        let unfinished = pouches.sent.iter().find(|sent| !sent.complete).map(|sent| sent.id.to_string());
        let arguments = match (rng.next_u32() % 5, &unfinished) {
            (0, _) => vec!["pouch", "export", "--to", &other, "--out", usb, "--full"],
            (1 | 2, Some(unfinished)) => vec!["pouch", "resume", unfinished, "--out", usb],
            _ => vec!["pouch", "import", usb],
        };
        let done = arguments[1].to_owned();
        let mut command = sites[at].portolan(&arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Not waiting for anything: the moment itself is what the seed has drawn.
        thread::sleep(Duration::from_millis(u64::from(rng.next_u32()) % LATEST_KILL_MS));
        let killed = if rng.next_u32() % 2 == 0 {
            sites[at].kill();
            "the daemon"
        } else {
            child.kill().unwrap();
            "the command"
        };
        child.wait().unwrap();
        *outcomes.entry((killed, done)).or_default() += 1;
        if killed == "the daemon" {
            sites[at].start();
        }
        assert!(!sites[at].log().contains("less than was acknowledged"), "{}", sites[at].log());
        for (one, two) in [(0, 1), (1, 0)] {
            let (believed, held) = (receipted(&sites[one]).1, sites[two].space().entries);
            assert!(believed <= held, "{} believes in {believed} of {held}", sites[one].name);
        }
    }
    println!("{outcomes:?}");
    // What is left on the stick is whole, or does not look like a volume.
    let _: Value = sites[0].ask(["pouch", "verify", usb.to_str().unwrap()]);
    for (from, to) in [(0, 1), (1, 0), (0, 1), (1, 0)] {
        export(&sites[from], &sites[to], &usb);
        import(&sites[to], &usb);
    }
    assert!(sites[0].list() == sites[1].list());
    assert!(receipted(&sites[0]).0 && receipted(&sites[1]).0);
    for site in &mut sites {
        let checked: Value = site.ask(["check"]);
        assert_eq!(checked["checked"]["damage"], 0, "{checked}");
        site.stop();
    }
}
