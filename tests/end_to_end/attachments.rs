//! Files of records between real daemons: they come by themselves or when asked for, survive kills, and go to readers alone.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::Child,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use portolan_protocol::api::{AddedAttachment, Attachment, AttachmentState, Attachments, ErrorKind, Event, Saved};
use portolan_tests::daemons::{Site, introduce, run};
use serde_json::Value;

/// A file of so many bytes, no part of which is like another.
pub(super) fn write_file(path: &Path, bytes: u64) {
    let mut out = std::io::BufWriter::new(File::create(path).unwrap());
    let mut stream = blake3::Hasher::new().update(&bytes.to_be_bytes()).finalize_xof();
    let mut buffer = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left.min(buffer.len() as u64)).unwrap();
        stream.fill(&mut buffer[..length]);
        out.write_all(&buffer[..length]).unwrap();
        left -= length as u64;
    }
    out.flush().unwrap();
}

pub(super) fn hash(path: &Path) -> blake3::Hash {
    let (mut file, mut hasher, mut buffer) = (File::open(path).unwrap(), blake3::Hasher::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => return hasher.finalize(),
            length => hasher.update(&buffer[..length]),
        };
    }
}

/// Nodes that share a space; the first founded it, the others write in it.
pub(super) fn shared<const N: usize>(directory: &Path, names: [&str; N]) -> [Site; N] {
    let sites = names.map(|name| Site::open(directory, name));
    for (number, one) in sites.iter().enumerate() {
        sites[number + 1..].iter().for_each(|other| introduce(one, other));
    }
    let _: Value = sites[0].ask(["space", "create", "Harbours"]);
    for other in &sites[1..] {
        let _: Value = sites[0].ask(["space", "grant", "Harbours", &other.name, "--role", "writer"]);
        other.until("it is let in", || !other.status().spaces.is_empty() && other.space().epoch.is_some());
    }
    sites
}

/// Has a node fetch nothing by itself, or everything, from its next start on.
pub(super) fn policy(site: &mut Site, fetch: &str) {
    let listen = site.status().node.listen[0].clone();
    site.configure(&format!("listen = [\"{listen}\"]\n[attachments]\nfetch = \"{fetch}\"\n"));
    site.stop();
    site.start();
}

pub(super) fn record(site: &Site, title: &str) -> String {
    let space = site.space().id.to_string();
    let new = ["doc", "new", "--space", &space, "--language", "en", "--title", title, "--type", "training_material"];
    site.ask::<Saved>(new).document.to_string()
}

pub(super) fn add(site: &Site, record: &str, file: &Path) -> AddedAttachment {
    site.ask(["attachment", "add", record, file.to_str().unwrap()])
}

pub(super) fn only(site: &Site, record: &str) -> Attachment {
    let all: Attachments = site.ask(["attachment", "list", record]);
    let [one] = <[Attachment; 1]>::try_from(all.attachments).unwrap();
    one
}

pub(super) fn has_record(site: &Site, record: &str) {
    site.until("the record came", || site.run(["attachment", "list", record]).code == Some(0));
    let has = || !site.ask::<Attachments>(["attachment", "list", record]).attachments.is_empty();
    site.until("the record names its file", has);
}

pub(super) fn get(site: &Site, record: &str, what: &str, out: &Path) -> Value {
    site.ask(["attachment", "get", record, what, "--out", out.to_str().unwrap()])
}

/// The part of a file that a node has fetched so far.
fn part(site: &Site, id: &str) -> PathBuf {
    site.home.join("attachments").join(&id[..2]).join(format!("{id}.part"))
}

fn wait_for_bytes(path: &Path, bytes: u64) {
    let begun = Instant::now();
    while fs::metadata(path).map_or(0, |meta| meta.len()) < bytes {
        assert!(begun.elapsed() < Duration::from_secs(120), "nothing comes");
        thread::yield_now();
    }
}

#[test]
fn a_small_file_comes_by_itself_and_a_large_one_when_it_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, mut tunis] = shared(directory.path(), ["rome", "tunis"]);
    policy(&mut tunis, "below 1 MiB");
    let record = record(&rome, "Tides");
    let (small, large) = (directory.path().join("small.bin"), directory.path().join("large.bin"));
    write_file(&small, 70_000);
    write_file(&large, 3 << 20);
    let added = add(&rome, &record, &small);
    assert_eq!((added.size, added.reused, added.media_type.as_str()), (70_000, false, "application/octet-stream"));
    assert!(add(&rome, &record, &small).reused, "the same file is kept once");
    let big = add(&rome, &record, &large);
    let of = |site: &Site, id| {
        let all: Attachments = site.ask(["attachment", "list", &record]);
        all.attachments.into_iter().find(|one| one.id == id)
    };
    tunis.until("the small one is held", || {
        tunis.run(["attachment", "list", &record]).code == Some(0)
            && of(&tunis, added.attachment).is_some_and(|one| one.state == AttachmentState::Held)
            && of(&tunis, big.attachment).is_some()
    });
    let missing = of(&tunis, big.attachment).unwrap();
    assert_eq!(missing.state, AttachmentState::Missing);
    assert!(missing.holders.iter().any(|holder| holder.name == "rome" && holder.held), "{missing:?}");
    let out = directory.path().join("out.bin");
    let got = get(&tunis, &record, "large.bin", &out);
    assert!(got["fetched"].as_u64() >= Some(3 << 20), "{got}");
    assert_eq!(hash(&out), hash(&large));
    assert_eq!(of(&tunis, big.attachment).map(|one| one.state), Some(AttachmentState::Held));
    let error =
        tunis.refused(ErrorKind::Conflict, ["attachment", "get", &record, "large.bin", "--out", out.to_str().unwrap()]);
    assert!(error.next.contains("--force"), "{error:?}");
    let again = directory.path().join("small.out");
    get(&tunis, &record, &added.attachment.to_string(), &again);
    assert_eq!(hash(&again), hash(&small));
    let _: Value = tunis.ask(["attachment", "verify"]);
}

#[test]
fn a_file_whose_fetching_is_killed_goes_on_where_it_was_also_from_another() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis, lisbon] = shared(directory.path(), ["rome", "tunis", "lisbon"]);
    policy(&mut tunis, "none");
    let record = record(&rome, "Films");
    let file = directory.path().join("film.bin");
    let bytes: u64 = 96 << 20;
    write_file(&file, bytes);
    let id = add(&rome, &record, &file).attachment.to_string();
    [&tunis, &lisbon].into_iter().for_each(|site| has_record(site, &record));
    let out = directory.path().join("out.bin");
    get(&lisbon, &record, &id, &out);

    let begin = |site: &Site| {
        let command = site.portolan([
            "attachment",
            "get",
            &record,
            &id,
            "--out",
            directory.path().join("film.out").to_str().unwrap(),
        ]);
        thread::spawn(move || run(command))
    };
    let fetching = begin(&tunis);
    wait_for_bytes(&part(&tunis, &id), bytes / 4);
    tunis.kill();
    fetching.join().unwrap();
    let held = fs::metadata(part(&tunis, &id)).unwrap().len();
    assert!(held >= bytes / 4, "{held}");
    tunis.start();
    let partial = only(&tunis, &record);
    assert_eq!(partial.state, AttachmentState::Partial, "{partial:?}");
    assert!(partial.percent >= 24, "{partial:?}");
    // The first holder is gone: it goes on with what the other holds.
    rome.kill();
    tunis.until("Lisbon is there", || {
        tunis.status().peers.iter().any(|peer| peer.name == "lisbon" && peer.connection.is_some())
    });
    let target = directory.path().join("film.out");
    let got = get(&tunis, &record, &id, &target);
    let (resumed, fetched) = (got["resumed_at"].as_u64().unwrap(), got["fetched"].as_u64().unwrap());
    let again = held - resumed;
    println!("killed at {held} of {bytes}, went on at {resumed}: {again} bytes came again");
    assert!(again < 16 << 10, "no more than a group comes again");
    assert!(resumed + fetched >= bytes && resumed + fetched < bytes + (1 << 20), "{got}");
    assert_eq!(hash(&target), hash(&file));
}

#[test]
fn one_who_was_removed_is_served_nothing_and_what_nobody_holds_is_said_to_be_missing() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis] = shared(directory.path(), ["rome", "tunis"]);
    policy(&mut tunis, "none");
    let record = record(&rome, "Guide");
    let file = directory.path().join("guide.bin");
    write_file(&file, 200_000);
    let id = add(&rome, &record, &file).attachment.to_string();
    has_record(&tunis, &record);
    let _: Value = rome.ask(["space", "revoke", "Harbours", "tunis"]);
    let out = directory.path().join("out.bin");
    let arguments = ["attachment", "get", &record, &id, "--out", out.to_str().unwrap()];
    let error = tunis.refused(ErrorKind::NotFound, arguments);
    assert!(error.message.contains("no peer is known to hold it") || error.message.contains("no such"), "{error:?}");
    assert!(!out.exists());
    rome.stop();
    tunis.stop();
}

#[test]
fn a_disk_without_room_is_told_before_anything_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let rome = Site::open(directory.path(), "rome");
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let record = record(&rome, "Too much");
    let sparse = directory.path().join("sparse.bin");
    if File::create(&sparse).unwrap().set_len(900 << 30).is_err() {
        // A file system that cannot say so much has other ways to be full.
        return;
    }
    let error = rome.refused(ErrorKind::DiskFull, ["attachment", "add", &record, sparse.to_str().unwrap()]);
    assert!(!error.next.is_empty(), "{error:?}");
    let left = fs::read_dir(rome.home.join("attachments")).unwrap().count();
    assert_eq!(left, 0, "nothing is left behind");
    assert!(rome.ask::<Attachments>(["attachment", "list", &record]).attachments.is_empty());
}

#[test]
fn a_damaged_file_is_found_and_comes_again() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, tunis] = shared(directory.path(), ["rome", "tunis"]);
    let record = record(&rome, "Slides");
    let file = directory.path().join("slides.bin");
    write_file(&file, 500_000);
    let id = add(&rome, &record, &file).attachment.to_string();
    has_record(&tunis, &record);
    tunis.until("it came", || only(&tunis, &record).state == AttachmentState::Held);
    let stored = tunis.home.join("attachments").join(&id[..2]).join(&id);
    let mut bytes = fs::read(&stored).unwrap();
    bytes[300_000] ^= 1;
    fs::write(&stored, bytes).unwrap();
    let ended = tunis.run(["attachment", "verify", &record]);
    assert_eq!(ended.error().kind, ErrorKind::Damaged);
    let out = directory.path().join("out.bin");
    get(&tunis, &record, &id, &out);
    assert_eq!(hash(&out), hash(&file));
    let _: Value = tunis.ask(["attachment", "verify", &record]);
}

/// When changes arrive at a node.
struct Arrivals {
    process: Child,
    committed: Receiver<Instant>,
}

impl Arrivals {
    fn listen(site: &Site) -> Arrivals {
        let mut process = site.portolan(["events"]).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (sender, committed) = mpsc::channel();
        let (begun, listening) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                match serde_json::from_str(&line).unwrap() {
                    Event::Listening => begun.send(()).unwrap(),
                    Event::Committed { .. } if sender.send(Instant::now()).is_err() => return,
                    _ => {}
                }
            }
        });
        listening.recv().unwrap();
        Arrivals { process, committed }
    }

    /// How long an edit at `site` takes to be durable here, the start of the command included.
    fn of_an_edit(&self, site: &Site, record: &str) -> Duration {
        while self.committed.try_recv().is_ok() {}
        let begun = Instant::now();
        let title = format!("title={begun:?}");
        let command = site.portolan(["doc", "edit", record, "--set", &title]);
        let editing = thread::spawn(move || run(command));
        let arrived = self.committed.recv_timeout(Duration::from_secs(120)).unwrap();
        assert_eq!(editing.join().unwrap().code, Some(0));
        arrived - begun
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn records_are_not_delayed_and_memory_does_not_grow_while_a_large_file_flows() {
    let directory = tempfile::tempdir().unwrap();
    let [rome, mut tunis] = shared(directory.path(), ["rome", "tunis"]);
    policy(&mut tunis, "none");
    let record = record(&rome, "Archive");
    let file = directory.path().join("archive.bin");
    let bytes: u64 = 300 << 20;
    write_file(&file, bytes);
    let before = rome.memory().0;
    let begun = Instant::now();
    let id = add(&rome, &record, &file).attachment.to_string();
    let added = begun.elapsed();
    has_record(&tunis, &record);
    let before = [before, tunis.memory().0];
    let arrivals = Arrivals::listen(&tunis);
    let mut quiet: Vec<Duration> = (0..12).map(|_| arrivals.of_an_edit(&rome, &record)).collect();
    let target = directory.path().join("archive.out");
    let command = tunis.portolan(["attachment", "get", &record, &id, "--out", target.to_str().unwrap()]);
    let begun = Instant::now();
    let fetching = thread::spawn(move || (run(command), Instant::now()));
    wait_for_bytes(&part(&tunis, &id), 1 << 20);
    let mut busy = Vec::new();
    while !fetching.is_finished() {
        busy.push(arrivals.of_an_edit(&rome, &record));
    }
    let (ended, at) = fetching.join().unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    [&mut quiet, &mut busy].into_iter().for_each(|all| all.sort());
    let median = |all: &[Duration]| all.get(all.len() / 2).copied().unwrap_or_default();
    let rate = |took: Duration| bytes as f64 / took.as_secs_f64() / 1e6;
    println!("added at {:.0} MB/s, fetched and written at {:.0} MB/s", rate(added), rate(at - begun));
    println!("an edit at the other, from the start of the command: p50 {:?} while nothing flows", median(&quiet));
    println!("{} edits while the file flowed: p50 {:?}, most {:?}", busy.len(), median(&busy), busy.last());
    assert!(median(&busy) < median(&quiet) + Duration::from_millis(500), "{busy:?}");
    for (site, before) in [&rome, &tunis].into_iter().zip(before) {
        let grown = site.memory().0.saturating_sub(before) / 1_024;
        println!("{}: {} MiB before, {grown} MiB more at the most", site.name, before / 1_024);
        assert!(grown < 96, "{} grew by {grown} MiB", site.name);
    }
    assert_eq!(hash(&target), hash(&file));
}
