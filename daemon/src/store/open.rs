//! Opening a store: lock, format, sweep, sled, and the comparison of the heads journal with what is there.

use std::{
    collections::BTreeMap,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, RwLock, atomic::AtomicBool},
};

use portolan_protocol::id::Incarnation;

use super::{
    Inner, Options, Store, StoreError, Writer,
    append::Tails,
    cells::{Cells, Draft, guard},
    disk::Disk,
    heads::{Head, Journal, Said},
    home::Home,
    keys,
    pages::Pages,
    reserve::Reserve,
};

/// What was found when a store was opened, for the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The store is new.
    pub created: bool,
    /// Unfinished snapshots of sled that were removed; nothing is lost with them.
    pub removed: Vec<String>,
    /// The disk was full, and the reserve was given up to open the store. Nothing is taken until there is room again.
    pub reserve_given_up: bool,
    /// What is not as the heads journal says, in words. Empty when the store is trusted, or the loss was noticed before.
    pub lost: Vec<String>,
    /// Logs whose end cannot be read.
    pub damaged: Vec<String>,
}

pub(super) fn open(home: &Path, options: &Options, disk: Box<dyn Disk>) -> Result<(Store, OpenReport), StoreError> {
    let home = Home::lock(home)?;
    let reserve = Reserve::new(home.path(), options.reserve_bytes);
    let mut report = OpenReport { removed: home.sweep()?, ..OpenReport::default() };
    let mut prepared = prepare(&home, options, &*disk, &mut report);
    if matches!(prepared, Err(StoreError::Full { .. })) && reserve.give_up() {
        report.reserve_given_up = true;
        report.removed.extend(home.sweep()?);
        prepared = prepare(&home, options, &*disk, &mut report);
    }
    let found = prepared?;
    let inner = Inner {
        tables: RwLock::new(BTreeMap::new()),
        numbers: RwLock::new(found.numbers),
        heads: RwLock::new(found.heads),
        writer: Mutex::new(Writer { tails: Tails::default(), journal: found.journal, next_number: found.next_number }),
        poisoned: AtomicBool::new(false),
        trusted: AtomicBool::new(found.trusted),
        incarnation: found.incarnation,
        page_bytes_aim: options.page_bytes_aim,
        cells: found.cells,
        db_file: found.db_file,
        db: found.db,
        reserve,
        disk,
        home,
    };
    inner.reserve.restore();
    Ok((Store(Arc::new(inner)), report))
}

struct Prepared {
    db: sled::Db,
    db_file: File,
    cells: Cells,
    incarnation: Incarnation,
    numbers: BTreeMap<keys::Name, u32>,
    heads: BTreeMap<u32, Head>,
    journal: Journal,
    next_number: u32,
    trusted: bool,
}

fn prepare(home: &Home, options: &Options, disk: &dyn Disk, report: &mut OpenReport) -> Result<Prepared, StoreError> {
    home.check_format(disk)?;
    home.await_sled();
    let db = guard("opening the store", || {
        sled::Config::new()
            .path(home.sled())
            .cache_capacity(options.cache_bytes)
            .flush_every_ms(None)
            .mode(sled::Mode::HighThroughput)
            .open()
    })?;
    let db_file = File::open(home.sled().join("db")).map_err(|e| StoreError::io("opening the store's file", e))?;
    let cells = Cells::new(guard("opening the main tree", || db.open_tree("main"))?);
    let said = Journal::read(home.path())?;
    let known = cells.value(keys::INCARNATION)?.and_then(|bytes| bytes.try_into().ok()).map(Incarnation);
    let (numbers, heads) = heads(&cells, report)?;
    // The journal is made last; without it and without logs, making the store was cut short at most.
    let fresh = numbers.is_empty() && said.incarnation.is_none() && !said.damaged;
    report.created = fresh && known.is_none();
    if !fresh && said.distrust.is_none() {
        compare(&cells, known, &numbers, &heads, &said, &mut report.lost)?;
    }
    let lost = !report.lost.is_empty() || !report.damaged.is_empty();
    let incarnation = match known {
        Some(known) if !lost => known,
        _ => {
            let mut draft = Draft::default();
            draft.put(keys::INCARNATION.to_vec(), options.incarnation.0.to_vec());
            cells.apply(draft)?;
            options.incarnation
        }
    };
    // What was recovered may so far be in the system's memory only; the journal must not be ahead of the medium.
    guard("flushing", || disk.flush(&db))?;
    sync(home, disk, &db_file, fresh)?;
    let used = numbers.values().chain(said.heads.keys()).max().map_or(0, |number| number.saturating_add(1));
    let next_number = used.max(said.distrust.unwrap_or(0));
    let distrust = (lost || said.distrust.is_some()).then_some(next_number);
    let journal = Journal::write(home.path(), disk, incarnation, &heads, distrust)?;
    let trusted = distrust.is_none();
    Ok(Prepared { db, db_file, cells, incarnation, numbers, heads, journal, next_number, trusted })
}

/// Waits until sled's file is on the medium; for a new store also its other files and all the names.
fn sync(home: &Home, disk: &dyn Disk, db_file: &File, fresh: bool) -> Result<(), StoreError> {
    let what = "syncing the store";
    let error = |e| StoreError::io(what, e);
    let sled = home.sled();
    disk.sync_file(&sled.join("db"), db_file).map_err(error)?;
    if !fresh {
        return Ok(());
    }
    let conf = sled.join("conf");
    File::open(&conf).and_then(|file| disk.sync_file(&conf, &file)).map_err(error)?;
    let above = home.path().parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    [&sled.join("blobs"), &sled, home.path(), above]
        .into_iter()
        .try_for_each(|path| disk.sync_directory(path))
        .map_err(error)
}

type Found = (BTreeMap<keys::Name, u32>, BTreeMap<u32, Head>);

/// The logs of the store and where they end. A log that cannot be read is reported and has no head.
fn heads(cells: &Cells, report: &mut OpenReport) -> Result<Found, StoreError> {
    let (mut numbers, mut heads) = Found::default();
    let mut scan = cells.scan(&keys::log(0)..=&keys::log(u32::MAX))?;
    while let Some((key, value)) = scan.next()? {
        let name = keys::Name::try_from(value).ok().and_then(|name| Some((name, keys::context(&name)?)));
        let (Some(number), Some((name, context))) = (keys::number(&key), name) else {
            report.damaged.push("a log without a name".into());
            continue;
        };
        numbers.insert(name, number);
        match (Pages { cells, draft: None }).tip(number, &context) {
            Ok(tip) => {
                heads.insert(number, Head { next_seq: tip.next_seq, hash: tip.hash });
            }
            Err(error) => report.damaged.push(error.to_string()),
        }
    }
    Ok((numbers, heads))
}

/// Notes what the journal says and the store does not. The other way round is well: what was not acknowledged may be kept.
fn compare(
    cells: &Cells,
    known: Option<Incarnation>,
    numbers: &BTreeMap<keys::Name, u32>,
    heads: &BTreeMap<u32, Head>,
    said: &Said,
    lost: &mut Vec<String>,
) -> Result<(), StoreError> {
    if said.damaged {
        lost.push("the heads journal is damaged".into());
    }
    if said.incarnation != known {
        lost.push("the heads journal belongs to another life of the store, or one of them is missing".into());
    }
    let names: BTreeMap<u32, &keys::Name> = numbers.iter().map(|(name, number)| (*number, name)).collect();
    for (number, head) in &said.heads {
        let held = heads.get(number).copied();
        if held == Some(*head) {
            continue;
        }
        let end = held.map_or(0, |held| held.next_seq);
        if head.next_seq > end {
            lost.push(format!("log number {number} ends at {end}, acknowledged up to {}", head.next_seq));
            continue;
        }
        let context = names.get(number).and_then(|name| keys::context(name));
        let Some((context, last)) = context.zip(head.next_seq.checked_sub(1)) else { continue };
        if (Pages { cells, draft: None }).hash(*number, &context, last)? != Some(head.hash) {
            lost.push(format!("log number {number} holds another entry at {last} than was acknowledged"));
        }
    }
    Ok(())
}
