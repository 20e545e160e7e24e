//! Files of records that a courier carries: over several volumes, some of them lost or damaged, onto disks that are full; and what is
//! done about files that nobody names, or that a disk has no room for.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use portolan_protocol::api::{AttachmentState, Attachments, ErrorKind, Pouches};
use portolan_tests::{
    bad_medium::{BadMedium, Fault},
    daemons::{Site, run},
};
use serde_json::Value;

use super::{
    attachments::{add, get, has_record, hash, only, policy, record, shared, write_file},
    pouch::{Mounted, apart, flip, import, length, medium, mount, receipted, volumes},
};

/// The smallest volume that there may be.
const SMALL: &str = "4194304";
const FILM_BYTES: u64 = 9 << 20;

/// Rome with a record that names a small file and a film, and Tunis.
fn with_films(directory: &Path) -> ([Site; 2], String, [PathBuf; 2]) {
    let sites = apart(directory, 0);
    let record = record(&sites[0], "Tides");
    let files = ["slides.bin", "film.bin"].map(|name| directory.join(name));
    for (file, bytes) in files.iter().zip([70_000, FILM_BYTES]) {
        write_file(file, bytes);
        add(&sites[0], &record, file);
    }
    (sites, record, files)
}

fn export(from: &Site, to: &Site, medium: &Path, more: &[&str]) -> Value {
    let arguments = ["pouch", "export", "--to", &to.name, "--out", medium.to_str().unwrap()];
    from.ask(arguments.iter().chain(more))
}

/// What a site has of each file of a record, in the order of sizes.
fn states(site: &Site, record: &str) -> Vec<AttachmentState> {
    let mut all = site.ask::<Attachments>(["attachment", "list", record]).attachments;
    all.sort_by_key(|one| one.size);
    all.into_iter().map(|one| one.state).collect()
}

#[test]
fn a_film_over_volumes_one_of_which_is_lost_and_sent_again() {
    let directory = tempfile::tempdir().unwrap();
    let ([mut rome, mut tunis], record, files) = with_films(directory.path());
    let usb = medium(directory.path(), "usb");
    let exported = export(&rome, &tunis, &usb, &["--attachments", "all", "--volume-size", SMALL]);
    assert_eq!((&exported["attachments"], &exported["left_out"]["known"]), (&2.into(), &0.into()), "{exported}");
    let written = volumes(&usb);
    assert_eq!(written.len(), 3);
    // The second volume is lost.
    let kept = directory.path().join("second");
    fs::rename(&written[1], &kept).unwrap();
    let taken = import(&tunis, &usb);
    assert_eq!(
        (&taken["taken"][0]["attachments_new"], &taken["taken"][0]["attachments_failed"]),
        (&1.into(), &0.into())
    );
    assert_eq!(taken["taken"][0]["attachments_lacking"][0]["name"], "film.bin", "{taken}");
    assert_eq!(states(&tunis, &record), [AttachmentState::Held, AttachmentState::Partial]);
    let part = taken["taken"][1]["attachments_lacking"][0]["held"].as_u64().unwrap();
    assert!(part > 5 << 20 && part < FILM_BYTES, "the last volume is of use by itself: {part}");
    // Survives a kill, and a pouch that brings the same again.
    tunis.kill();
    tunis.start();
    fs::rename(&kept, &written[1]).unwrap();
    let taken: Value = tunis.ask(["pouch", "import", written[1].to_str().unwrap()]);
    assert_eq!(taken["taken"][0]["attachments_new"], 1, "{taken}");
    assert_eq!(states(&tunis, &record), [AttachmentState::Held; 2]);
    for (file, name) in files.iter().zip(["slides.bin", "film.bin"]) {
        let out = directory.path().join(format!("{name}.out"));
        get(&tunis, &record, name, &out);
        assert_eq!(hash(&out), hash(file));
    }
    // The receipt says which files are held: they are not packed again, unless everything is asked for.
    import(&rome, &usb);
    assert!(receipted(&rome).0);
    let again = export(&rome, &tunis, &medium(directory.path(), "again"), &["--attachments", "all"]);
    assert_eq!((&again["attachments"], &again["left_out"]["known"]), (&0.into(), &2.into()), "{again}");
    let full = export(&rome, &tunis, &medium(directory.path(), "full"), &["--full"]);
    assert_eq!(full["attachments"], 2, "{full}");
    let none = export(&rome, &tunis, &medium(directory.path(), "none"), &["--full", "--attachments", "below=1MB"]);
    assert_eq!((&none["attachments"], &none["left_out"]["larger"]), (&1.into(), &1.into()), "{none}");
    let sent: Pouches = rome.ask(["pouch", "list"]);
    assert_eq!(sent.sent.iter().map(|sent| sent.volumes.len()).max(), Some(3));
    rome.stop();
    tunis.stop();
}

#[test]
fn what_volumes_brought_of_a_film_a_partner_who_is_connected_completes() {
    let directory = tempfile::tempdir().unwrap();
    let [mut rome, mut tunis] = shared(directory.path(), ["rome", "tunis"]);
    policy(&mut tunis, "none");
    let record = record(&rome, "Tides");
    let film = directory.path().join("film.bin");
    write_file(&film, FILM_BYTES);
    add(&rome, &record, &film);
    has_record(&tunis, &record);
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb, &["--attachments", "all", "--volume-size", SMALL]);
    // The last volume, then the first: what came ahead and what is at the beginning, with a hole between them.
    let written = volumes(&usb);
    for volume in [&written[2], &written[0]] {
        let _: Value = tunis.ask(["pouch", "import", volume.to_str().unwrap()]);
    }
    assert_eq!(only(&tunis, &record).state, AttachmentState::Partial);
    let out = directory.path().join("film.out");
    let got = get(&tunis, &record, "film.bin", &out);
    let (resumed, fetched) = (got["resumed_at"].as_u64().unwrap(), got["fetched"].as_u64().unwrap());
    println!("{resumed} bytes were here, {fetched} came");
    assert!(resumed > 4 << 20 && fetched < 5 << 20 && resumed + fetched >= FILM_BYTES, "{got}");
    assert_eq!(hash(&out), hash(&film));
    rome.stop();
    tunis.stop();
}

#[test]
fn a_flipped_bit_in_a_file_costs_a_piece_of_it_and_no_record() {
    let directory = tempfile::tempdir().unwrap();
    let ([mut rome, mut tunis], record, files) = with_films(directory.path());
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb, &["--attachments", "all"]);
    let [volume] = <[PathBuf; 1]>::try_from(volumes(&usb)).unwrap();
    let place = length(&volume) / 2;
    flip(&volume, place);
    tunis.refused(ErrorKind::PouchDamaged, ["pouch", "verify", usb.to_str().unwrap()]);
    let ended = tunis.run(["pouch", "import", usb.to_str().unwrap()]);
    let error = ended.error();
    assert_eq!(error.kind, ErrorKind::PouchDamaged, "{ended:?}");
    assert!(error.safe.contains("records") && error.message.contains("damaged between byte"), "{error:?}");
    assert!(ended.out.contains("film.bin"), "it is named: {ended:?}");
    assert!(rome.list() == tunis.list());
    assert_eq!(states(&tunis, &record), [AttachmentState::Held, AttachmentState::Partial]);
    let film = directory.path().join("film.out");
    tunis.refused(ErrorKind::NotFound, ["attachment", "get", &record, "film.bin", "--out", film.to_str().unwrap()]);
    import(&rome, &usb);
    assert!(receipted(&rome).0, "the records are receipted");
    // Another pouch brings the rest.
    let second = medium(directory.path(), "second");
    let exported = export(&rome, &tunis, &second, &["--attachments", "all"]);
    assert_eq!((&exported["entries"], &exported["attachments"]), (&0.into(), &1.into()), "{exported}");
    assert_eq!(import(&tunis, &second)["taken"][0]["attachments_new"], 1);
    get(&tunis, &record, "film.bin", &film);
    assert_eq!(hash(&film), hash(&files[1]));
    rome.stop();
    tunis.stop();
}

#[test]
#[ignore = "needs fuse3"]
fn a_place_in_a_file_that_cannot_be_read_costs_a_piece_of_it_and_no_record() {
    let directory = tempfile::tempdir().unwrap();
    let ([rome, tunis], record, _) = with_films(directory.path());
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb, &["--attachments", "all"]);
    let [volume] = <[PathBuf; 1]>::try_from(volumes(&usb)).unwrap();
    let at = medium(directory.path(), "stick");
    let stick = BadMedium::mount(&at, Fault::ReadingFailsAt(length(&volume) / 2));
    let copy = at.join(volume.file_name().unwrap());
    fs::copy(&volume, &copy).unwrap();
    // Not what the system remembers of the copy.
    rustix::fs::fadvise(File::open(&copy).unwrap(), 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let error = tunis.refused(ErrorKind::PouchDamaged, ["pouch", "import", at.to_str().unwrap()]);
    assert!(error.safe.contains("records") && error.message.contains("damaged between byte"), "{error:?}");
    assert!(rome.list() == tunis.list());
    assert_eq!(states(&tunis, &record), [AttachmentState::Held, AttachmentState::Partial]);
    drop(stick);
}

/// Puts the attachments of a site onto a small file system.
fn on_small_disk(site: &mut Site, size: &str) -> Mounted {
    site.stop();
    let at = site.home.join("attachments");
    mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", at.to_str().unwrap()]);
    let mounted = Mounted(at);
    site.start();
    mounted
}

#[test]
#[ignore = "needs root to mount small disks"]
fn a_full_disk_refuses_files_and_takes_records() {
    let directory = tempfile::tempdir().unwrap();
    let ([mut rome, mut tunis], record, files) = with_films(directory.path());
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb, &[]);
    // A megabyte more than is always left free.
    let disk = on_small_disk(&mut tunis, "65m");
    let error = tunis.refused(ErrorKind::DiskFull, ["pouch", "import", usb.to_str().unwrap()]);
    assert!(error.safe.contains("records") && !error.next.is_empty(), "{error:?}");
    assert!(rome.list() == tunis.list());
    assert_eq!(states(&tunis, &record), [AttachmentState::Held, AttachmentState::Missing], "what fits is taken");
    mount(&["-o", "remount,size=100m", disk.0.to_str().unwrap()]);
    assert_eq!(import(&tunis, &usb)["taken"][0]["attachments_new"], 1);
    let out = directory.path().join("film.out");
    get(&tunis, &record, "film.bin", &out);
    assert_eq!(hash(&out), hash(&files[1]));
    import(&rome, &usb);
    assert!(receipted(&rome).0);
    rome.stop();
    tunis.stop();
    drop(disk);
}

#[test]
#[ignore = "needs root to mount small disks"]
fn a_disk_without_room_for_the_volume_takes_the_records_at_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let ([mut rome, mut tunis], record, _) = with_films(directory.path());
    let usb = medium(directory.path(), "usb");
    export(&rome, &tunis, &usb, &[]);
    // Room for three megabytes of it, twice, beside what is always left free.
    let staging = Mounted(tunis.home.join("staging"));
    mount(&["-t", "tmpfs", "-o", "size=70m", "tmpfs", staging.0.to_str().unwrap()]);
    let error = tunis.refused(ErrorKind::DiskFull, ["pouch", "import", usb.to_str().unwrap()]);
    assert!(error.safe.contains("records"), "{error:?}");
    assert!(rome.list() == tunis.list());
    assert_eq!(states(&tunis, &record), [AttachmentState::Held, AttachmentState::Partial]);
    drop(staging);
    assert_eq!(import(&tunis, &usb)["taken"][0]["attachments_new"], 1);
    import(&rome, &usb);
    assert!(receipted(&rome).0);
    rome.stop();
    tunis.stop();
}

#[test]
#[ignore = "needs root to mount small disks"]
fn a_disk_that_fills_in_the_middle_of_a_file_leaves_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut rome = Site::open(directory.path(), "rome");
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let record = record(&rome, "Archive");
    let disk = on_small_disk(&mut rome, "400m");
    let file = directory.path().join("archive.bin");
    write_file(&file, 200 << 20);
    let command = rome.portolan(["attachment", "add", &record, file.to_str().unwrap()]);
    let adding = thread::spawn(move || run(command));
    let used = || {
        fs::read_dir(&disk.0).unwrap().filter_map(|file| file.ok()?.metadata().ok()).map(|meta| meta.len()).sum::<u64>()
    };
    let begun = Instant::now();
    while used() < 20 << 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is written");
        thread::yield_now();
    }
    // Something else takes all the room that is left.
    let filling = disk.0.join("filling");
    let mut other = File::create(&filling).unwrap();
    while other.write_all(&[7; 1 << 16]).is_ok() {}
    let ended = adding.join().unwrap();
    let error = ended.error();
    assert!(error.kind == ErrorKind::DiskFull && !error.next.is_empty(), "{ended:?}");
    assert!(rome.ask::<Attachments>(["attachment", "list", &record]).attachments.is_empty(), "no record names it");
    let left: Vec<_> = fs::read_dir(&disk.0).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["filling"], "nothing is left of it");
    drop(other);
    fs::remove_file(&filling).unwrap();
    add(&rome, &record, &file);
    assert_eq!(only(&rome, &record).state, AttachmentState::Held);
    rome.stop();
}

#[test]
fn files_that_nobody_names_are_pruned_after_a_day_and_damaged_ones_are_found_by_the_check() {
    let directory = tempfile::tempdir().unwrap();
    let mut rome = Site::open(directory.path(), "rome");
    let _: Value = rome.ask(["space", "create", "Harbours"]);
    let record = record(&rome, "Slides");
    let files = ["old.bin", "new.bin"].map(|name| directory.path().join(name));
    for (file, bytes) in files.iter().zip([100_000, 200_000]) {
        write_file(file, bytes);
    }
    let [old, new] = [&files[0], &files[1]].map(|file| add(&rome, &record, file).attachment.to_string());
    let stored = |id: &str| rome.home.join("attachments").join(&id[..2]).join(id);
    let _: Value = rome.ask(["doc", "edit", &record, "--set", &format!("attachments/{old}/size=")]);
    let pruned =
        |site: &Site| site.ask::<Value>(["attachment", "prune", "--yes"])["attachments"].as_array().unwrap().len();
    assert_eq!(pruned(&rome), 0, "what came less than a day ago may be named by a record on its way");
    let yesterday = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    for id in [&old, &new] {
        File::open(stored(id)).unwrap().set_modified(yesterday).unwrap();
    }
    assert_eq!(pruned(&rome), 1);
    assert!(!stored(&old).exists() && stored(&new).exists());
    assert_eq!(pruned(&rome), 0);

    let checked: Value = rome.ask(["check", "--read-data"]);
    assert_eq!(
        (&checked["checked"]["attachments"], &checked["checked"]["damage"]),
        (&1.into(), &0.into()),
        "{checked}"
    );
    flip(&stored(&new), 77_777);
    let checked: Value = rome.ask(["check"]);
    assert_eq!(checked["checked"]["attachments"], 0, "without --read-data they are not read: {checked}");
    let ended = rome.run(["check", "--read-data"]);
    assert_eq!(ended.error().kind, ErrorKind::Damaged);
    assert!(ended.out.contains(&new), "{ended:?}");
    assert_eq!(states(&rome, &record)[1], AttachmentState::Missing);
    rome.stop();
}
