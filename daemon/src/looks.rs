//! Up to where people have looked: for each login a few named places in the order in which records came to be known here. Kept in
//! `looks.json`; losing it costs a longer list of news.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::{self, Display, Formatter},
    path::Path,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use data_encoding::HEXLOWER;
use portolan_protocol::{id::SpaceId, time::Timestamp};
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::warn;

use crate::{
    clock,
    kept::{Kept, KeptError},
};

/// File of the looks.
pub const FILE: &str = "looks.json";
/// Places that are kept for one login.
pub const PLACES_MAX: usize = 16;
/// Answers that a login may say it has seen, the last ones.
pub const SHOWN_MAX: usize = 64;
/// Bytes of the name of a place.
pub const PLACE_BYTES_MAX: usize = 64;

/// A place in the order in which records came to be known on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mark {
    /// Tells one derivation of all records from another: places in different ones cannot be compared.
    pub table: [u8; 16],
    /// The greatest revision that a record had.
    pub revision: u64,
    /// The least number that no record had.
    pub records: u64,
}

/// What is no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected a place in the order of the records")]
pub struct BadMark;

impl Display for Mark {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", HEXLOWER.encode(&self.table), self.revision, self.records)
    }
}

impl FromStr for Mark {
    type Err = BadMark;

    fn from_str(text: &str) -> Result<Mark, BadMark> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or(BadMark);
        let table = HEXLOWER.decode(part()?.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(BadMark)?;
        let revision = part()?.parse().map_err(|_| BadMark)?;
        let records = part()?.parse().map_err(|_| BadMark)?;
        Ok(Mark { table, revision, records })
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> String {
        mark.to_string()
    }
}

impl TryFrom<String> for Mark {
    type Error = BadMark;

    fn try_from(text: String) -> Result<Mark, BadMark> {
        text.parse()
    }
}

/// Up to where somebody has looked, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The place, for each space that was looked at; of any other, everything is new.
    #[serde(default)]
    pub spaces: BTreeMap<SpaceId, Mark>,
    /// When last, by this machine's clock.
    pub time_ms: Timestamp,
}

/// Why a look was not kept.
#[derive(Debug, Error)]
pub enum LooksError {
    /// The file.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The login has as many as are kept.
    #[error("a login has {PLACES_MAX} places at the most from which it looks")]
    Full,
}

type Places = BTreeMap<String, Look>;

/// Answers in the order in which they were given, by the names that they were given under.
type Shown = VecDeque<(String, BTreeMap<SpaceId, Mark>)>;

/// The looks of all logins, and what was shown to each since the start.
///
/// A mark counts what happens in all spaces, so it is nothing for a login that reads one of them: it is told a name for it. Names
/// end with the process, since a crash may take back what a mark stood for.
#[derive(Debug)]
pub struct Looks {
    kept: Kept<BTreeMap<String, Places>>,
    shown: Mutex<BTreeMap<String, Shown>>,
    /// Why the file was not read.
    unread: Option<KeptError>,
}

impl Looks {
    /// Reads the file. One that cannot be read is no reason not to start: then nobody has looked.
    pub fn open(home: &Path) -> Looks {
        let path = home.join(FILE);
        let (kept, unread) = match Kept::open(path.clone()) {
            Ok(kept) => (kept, None),
            Err(error) => (Kept::with(path, BTreeMap::new()), Some(error)),
        };
        Looks { kept, shown: Mutex::default(), unread }
    }

    /// Up to where a login has looked.
    pub fn of(&self, login: &str, place: &str) -> Option<Look> {
        self.kept.value().get(login)?.get(place).cloned()
    }

    /// A name for what is shown to a login of each space, for it to say that it has seen it.
    pub fn show(&self, login: &str, spaces: BTreeMap<SpaceId, Mark>) -> String {
        let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = all.entry(login.to_owned()).or_default();
        if let Some((name, _)) = shown.iter().find(|(_, held)| *held == spaces) {
            return name.clone();
        }
        let mut bytes = [0; 16];
        clock::rng().fill_bytes(&mut bytes);
        let name = HEXLOWER.encode(&bytes);
        shown.push_back((name.clone(), spaces));
        if shown.len() > SHOWN_MAX {
            shown.pop_front();
        }
        name
    }

    /// What a login was shown under a name; none where that was too long ago, or before the start.
    pub fn shown(&self, login: &str, name: &str) -> Option<BTreeMap<SpaceId, Mark>> {
        let all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(login)?.iter().find(|(held, _)| held == name).map(|(_, spaces)| spaces.clone())
    }

    /// Keeps up to where a login has looked now; what it knew of other spaces stays. Blocks.
    ///
    /// # Errors
    /// [`LooksError`].
    pub fn keep(&self, login: &str, place: &str, look: Look) -> Result<(), LooksError> {
        self.kept.change(|all| {
            let places = all.entry(login.to_owned()).or_default();
            if places.len() >= PLACES_MAX && !places.contains_key(place) {
                return Err(LooksError::Full);
            }
            let kept = places.entry(place.to_owned()).or_default();
            kept.spaces.extend(look.spaces);
            kept.time_ms = look.time_ms;
            Ok(())
        })
    }

    /// Forgets up to where a login has looked. Blocks.
    pub fn forget(&self, login: &str) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).remove(login);
        if self.kept.value().contains_key(login) {
            self.change_first(|all| drop(all.remove(login)));
        }
    }

    /// Takes back to `durable` whoever looked beyond it: what was known last before a crash may not have been durable, and the
    /// revisions after `durable` are given anew. To be called before any is given. Blocks.
    pub fn take_back(&self, durable: Mark) {
        if let Some(error) = &self.unread {
            warn!(%error, "up to where each login has looked cannot be read: everything is new to all of them");
        }
        let beyond = |mark: &Mark| mark.table == durable.table && mark.revision > durable.revision;
        let marks = |look: &Look| look.spaces.values().any(beyond);
        if !self.kept.value().values().flat_map(BTreeMap::values).any(marks) {
            return;
        }
        self.change_first(|all| {
            let looks = all.values_mut().flat_map(BTreeMap::values_mut);
            for mark in looks.flat_map(|look| look.spaces.values_mut()).filter(|mark| beyond(mark)) {
                mark.revision = durable.revision;
                mark.records = mark.records.min(durable.records);
            }
        });
    }

    fn change_first(&self, change: impl FnOnce(&mut BTreeMap<String, Places>)) {
        if let Err(error) = self.kept.change_first(change) {
            warn!(%error, "up to where each login has looked cannot be written now");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MARK: Mark = Mark { table: [7; 16], revision: 30, records: 9 };
    const SPACE: SpaceId = SpaceId([1; 32]);

    fn look(mark: Mark) -> Look {
        Look { spaces: BTreeMap::from([(SPACE, mark)]), time_ms: Timestamp(5) }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        assert_eq!(MARK.to_string().parse(), Ok(MARK));
        for bad in ["", "x", "07-1-2", "07070707070707070707070707070707-1", "07070707070707070707070707070707-1-2-3"] {
            assert_eq!(bad.parse::<Mark>(), Err(BadMark), "{bad}");
        }
    }

    #[test]
    fn looks_come_back_and_go_no_further_than_what_was_durable() {
        let home = tempfile::tempdir().unwrap();
        let looks = Looks::open(home.path());
        looks.keep("amina", "", look(MARK)).unwrap();
        looks.keep("amina", "chat", look(Mark { revision: 10, ..MARK })).unwrap();
        let other = look(Mark { table: [8; 16], ..MARK });
        looks.keep("bruno", "", other.clone()).unwrap();
        looks.take_back(Mark { revision: 20, records: 8, ..MARK });
        let looks = Looks::open(home.path());
        assert_eq!(looks.of("amina", ""), Some(look(Mark { revision: 20, records: 8, ..MARK })));
        assert_eq!(looks.of("amina", "chat").unwrap().spaces[&SPACE].revision, 10);
        assert_eq!((looks.of("bruno", ""), looks.of("carla", "")), (Some(other), None));
    }

    #[test]
    fn a_file_that_can_be_neither_read_nor_written_keeps_nobody_from_looking() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(FILE);
        std::fs::write(&file, "{\"amina\":").unwrap();
        let looks = Looks::open(home.path());
        assert_eq!(looks.of("amina", ""), None);
        looks.keep("amina", "", look(MARK)).unwrap();
        let looks = Looks::open(home.path());
        // No draft can be written.
        std::fs::create_dir(home.path().join("looks.json.new")).unwrap();
        looks.take_back(Mark { revision: 20, ..MARK });
        assert_eq!(looks.of("amina", "").unwrap().spaces[&SPACE].revision, 20);
    }

    #[test]
    fn a_login_that_is_removed_has_not_looked() {
        let home = tempfile::tempdir().unwrap();
        let looks = Looks::open(home.path());
        looks.keep("amina", "", look(MARK)).unwrap();
        looks.keep("bruno", "", look(MARK)).unwrap();
        let name = looks.show("amina", look(MARK).spaces);
        looks.forget("amina");
        assert_eq!((looks.of("amina", ""), looks.shown("amina", &name)), (None, None));
        let looks = Looks::open(home.path());
        assert_eq!((looks.of("amina", ""), looks.of("bruno", "")), (None, Some(look(MARK))));
    }

    #[test]
    fn what_was_shown_has_a_name_for_one_login_until_the_process_ends() {
        let home = tempfile::tempdir().unwrap();
        let looks = Looks::open(home.path());
        let shown = |mark| BTreeMap::from([(SPACE, mark)]);
        let name = looks.show("amina", shown(MARK));
        assert_eq!(name, looks.show("amina", shown(MARK)), "asking again forgets nothing that was shown");
        assert_eq!((looks.shown("amina", &name), looks.shown("bruno", &name)), (Some(shown(MARK)), None));
        let busy = looks.show("amina", shown(Mark { revision: 123_456_789_012, ..MARK }));
        assert!(!busy.contains("123456789012"), "a mark counts what happens in other spaces too: {busy}");
        for revision in 0..SHOWN_MAX as u64 {
            looks.show("amina", shown(Mark { revision: 100 + revision, ..MARK }));
        }
        assert_eq!(looks.shown("amina", &name), None);
        let last = looks.show("amina", shown(MARK));
        assert_eq!(Looks::open(home.path()).shown("amina", &last), None);
    }

    #[test]
    fn a_login_keeps_so_many_places_and_no_more() {
        let home = tempfile::tempdir().unwrap();
        let looks = Looks::open(home.path());
        (0..PLACES_MAX).for_each(|place| looks.keep("amina", &place.to_string(), look(MARK)).unwrap());
        assert!(matches!(looks.keep("amina", "more", look(MARK)), Err(LooksError::Full)));
        let other = SpaceId([2; 32]);
        looks.keep("amina", "3", Look { spaces: BTreeMap::from([(other, MARK)]), time_ms: Timestamp(6) }).unwrap();
        let kept = looks.of("amina", "3").unwrap();
        assert_eq!((kept.spaces.len(), kept.time_ms), (2, Timestamp(6)), "what was seen of other spaces stays seen");
    }
}
