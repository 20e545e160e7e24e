//! What is kept of pouches that were sent: what they were to carry, and what each volume held. Each file is written once.
//!
//! ```text
//! pouches/<id>.plan     a record, without volumes
//! pouches/<id>.<n>      volume n, three digits
//! pouches/<id>.<n>.ok   its hash, once it was found whole on a medium
//! pouches/<node>.files  attachments that a peer said by pouch that it holds
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use portolan_protocol::{
    codec,
    id::{AttachmentId, NodeId, PouchId},
    pouch::{Load, Packed, Plan, Position},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::error::PouchesError;
use crate::kept::{self, KeptError};

/// Bytes of a file, at most; `kept` reads no more.
const FILE_BYTES_MAX: usize = 16 << 20;
/// Pouches that are kept; the oldest is forgotten.
const POUCHES_MAX: usize = 256;
/// The same of those that carry receipts alone, for which no receipt ever comes.
const RECEIPTS_MAX: usize = 16;

/// What is kept of one pouch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which.
    pub id: PouchId,
    /// When it was packed.
    pub created: Timestamp,
    /// How much it was to carry.
    pub load: Load,
    /// Bytes of a volume, at most.
    pub volume_bytes: u64,
    /// Whether sizes are rounded up.
    pub padded: bool,
    /// What it is to carry.
    pub plan: Plan,
    /// Attachments that it could carry, and is not to.
    pub left_out: LeftOut,
    /// The volumes that were written, from 1.
    #[serde(skip)]
    pub volumes: Vec<Volume>,
}

/// How many attachments that records name a pouch does not carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// All recipients said that they hold these.
    pub known: u64,
    /// These are not held here.
    pub missing: u64,
    /// These are larger than was asked for.
    pub larger: u64,
    /// These are more than one pouch carries.
    pub too_many: u64,
    /// Which there are is not known: records could not be looked at.
    pub is_unknown: bool,
}

/// Attachments that a peer said that it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// When, by its clock.
    pub(super) said: Timestamp,
    /// When this was heard.
    pub(super) taken: Timestamp,
    /// Which, in order.
    pub(super) files: Vec<AttachmentId>,
}

/// What is kept of a volume that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its size.
    pub bytes: u64,
    /// What it held, its hash, and where the next one begins.
    pub packed: Packed,
    /// Whether it was found whole on a medium.
    #[serde(skip)]
    pub verified: bool,
}

impl Record {
    pub(super) fn new(
        id: PouchId,
        created: Timestamp,
        load: Load,
        volume_bytes: u64,
        padded: bool,
        (plan, left_out): (Plan, LeftOut),
    ) -> Record {
        Record { id, created, load, volume_bytes, padded, plan, left_out, volumes: Vec::new() }
    }

    /// Where a volume begins; none where it cannot be written: the one before is not, or was the last.
    pub fn start(&self, number: u16) -> Option<Position> {
        match number.checked_sub(2) {
            None => (number == 1).then(Position::default),
            Some(before) => self.volumes.get(usize::from(before))?.packed.next,
        }
    }

    /// Whether all volumes were written and found whole.
    pub fn complete(&self) -> bool {
        self.volumes.last().is_some_and(|volume| volume.packed.next.is_none())
            && self.volumes.iter().all(|volume| volume.verified)
    }
}

pub(super) struct Archive {
    directory: PathBuf,
    /// When each pouch that is kept was packed, and how much it was to carry.
    kept: Mutex<BTreeMap<PouchId, (Timestamp, Load)>>,
}

impl Archive {
    pub(super) fn open(directory: PathBuf) -> Result<Archive, PouchesError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|source| KeptError::File { path: directory.clone(), source })?;
        let archive = Archive { directory, kept: Mutex::default() };
        let records = archive.all()?;
        let kept = records.iter().map(|record| (record.id, (record.created, record.load))).collect();
        Ok(Archive { kept: Mutex::new(kept), ..archive })
    }

    fn plan(&self, id: PouchId) -> PathBuf {
        self.directory.join(format!("{id}.plan"))
    }

    fn volume(&self, id: PouchId, number: u16) -> PathBuf {
        self.directory.join(format!("{id}.{number:03}"))
    }

    /// Keeps a new pouch, and forgets the oldest of too many. It is later than all that are kept, whatever the clock says.
    pub(super) fn keep(&self, record: Record) -> Result<Record, PouchesError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = kept.values().map(|(created, _)| created.0).max();
        let created = Timestamp(latest.map_or(0, |latest| latest.saturating_add(1)).max(record.created.0));
        let record = Record { created, ..record };
        self.put(&self.plan(record.id), &record)?;
        let is_receipts = record.load == Load::Receipts;
        let alike = kept.iter().filter(|(_, (_, load))| (*load == Load::Receipts) == is_receipts);
        let mut alike: Vec<(Timestamp, PouchId)> = alike.map(|(id, (created, _))| (*created, *id)).collect();
        alike.sort_unstable();
        kept.insert(record.id, (record.created, record.load));
        let most = if is_receipts { RECEIPTS_MAX } else { POUCHES_MAX };
        for (_, old) in alike.iter().take((alike.len() + 1).saturating_sub(most)) {
            self.forget(*old)?;
            kept.remove(old);
        }
        Ok(record)
    }

    /// Keeps what a volume held.
    pub(super) fn keep_volume(&self, id: PouchId, number: u16, volume: &Volume) -> Result<(), PouchesError> {
        self.put(&self.volume(id, number), volume)
    }

    /// Keeps that a volume was found whole.
    pub(super) fn keep_verified(&self, id: PouchId, number: u16, hash: &[u8; 32]) -> Result<(), PouchesError> {
        Ok(kept::replace(&self.verified(id, number), hash)?)
    }

    fn verified(&self, id: PouchId, number: u16) -> PathBuf {
        self.directory.join(format!("{id}.{number:03}.ok"))
    }

    fn put<T: Serialize>(&self, path: &std::path::Path, value: &T) -> Result<(), PouchesError> {
        let bytes = codec::encode(value);
        if bytes.len() > FILE_BYTES_MAX {
            return Err(PouchesError::TooMuch);
        }
        Ok(kept::replace(path, &bytes)?)
    }

    /// What is kept of a pouch.
    pub(super) fn record(&self, id: PouchId) -> Result<Option<Record>, PouchesError> {
        let Some(mut record) = get::<Record>(&self.plan(id))? else { return Ok(None) };
        while let Ok(number) = u16::try_from(record.volumes.len() + 1)
            && let Some(volume) = get::<Volume>(&self.volume(id, number))?
        {
            let verified = kept::read(&self.verified(id, number))?;
            let verified = verified.is_some_and(|hash| hash == volume.packed.written.hash);
            record.volumes.push(Volume { verified, ..volume });
        }
        Ok(Some(record))
    }

    /// Keeps which attachments a peer says that it holds, unless it has said so later.
    pub(super) fn keep_told(&self, node: &NodeId, told: &Told) -> Result<(), PouchesError> {
        if self.told(node).said > told.said {
            return Ok(());
        }
        self.put(&self.told_path(node), told)
    }

    /// What was last kept of that; nothing where it cannot be read, since that costs no more than packing again.
    pub(super) fn told(&self, node: &NodeId) -> Told {
        let told = get(&self.told_path(node));
        told.inspect_err(|error| warn!(%error, "what a peer holds cannot be read")).ok().flatten().unwrap_or_default()
    }

    fn told_path(&self, node: &NodeId) -> PathBuf {
        self.directory.join(format!("{node}.files"))
    }

    /// All pouches that are kept and can be read.
    pub(super) fn all(&self) -> Result<Vec<Record>, PouchesError> {
        let at = |source: io::Error| KeptError::File { path: self.directory.clone(), source };
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(at)? {
            let name = entry.map_err(at)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".plan")).and_then(|id| id.parse().ok());
            let Some(id) = id else { continue };
            match self.record(id) {
                Ok(record) => records.extend(record),
                // One that is damaged is no reason to have none.
                Err(error) => warn!(pouch = %id, %error, "what is kept of a pouch cannot be read; it is passed over"),
            }
        }
        Ok(records)
    }

    /// The plan goes first: volumes without one are nothing, and are removed with the next that is forgotten.
    fn forget(&self, id: PouchId) -> Result<(), PouchesError> {
        let volumes = 1..=portolan_protocol::limits::VOLUMES_MAX;
        let volumes = volumes.flat_map(|number| [self.volume(id, number), self.verified(id, number)]);
        for path in [self.plan(id)].into_iter().chain(volumes) {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(KeptError::File { path, source }.into()),
            }
        }
        Ok(())
    }
}

fn get<T: Serialize + serde::de::DeserializeOwned>(path: &std::path::Path) -> Result<Option<T>, PouchesError> {
    let Some(bytes) = kept::read(path)? else { return Ok(None) };
    let damaged = |error: codec::DecodeError| KeptError::Damaged { path: path.into(), reason: error.to_string() };
    Ok(Some(codec::decode(&bytes, FILE_BYTES_MAX).map_err(damaged)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::{id::Incarnation, message::Message};

    use super::*;

    fn record(id: u16, load: Load) -> Record {
        let hello = Message::Hello { card: Vec::new(), incarnation: Incarnation([1; 16]) };
        let plan = Plan {
            recipients: Vec::new(),
            hello,
            control: Vec::new(),
            words: Vec::new(),
            held: Vec::new(),
            data: Vec::new(),
            payloads: Vec::new(),
            gaps: Vec::new(),
            told: None,
            files: Vec::new(),
        };
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&id.to_be_bytes());
        Record::new(PouchId(bytes), Timestamp(u64::from(id)), load, 1, false, (plan, LeftOut::default()))
    }

    #[test]
    fn receipts_push_no_entries_out_and_damage_hides_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path().join("pouches")).unwrap();
        let pouch = archive.keep(record(0, Load::Missing)).unwrap();
        for id in 1..=RECEIPTS_MAX as u16 + 3 {
            archive.keep(record(id, Load::Receipts)).unwrap();
        }
        assert_eq!(archive.all().unwrap().len(), 1 + RECEIPTS_MAX);
        // Opened anew it knows the same.
        let archive = Archive::open(home.path().join("pouches")).unwrap();
        archive.keep(record(100, Load::Receipts)).unwrap();
        assert_eq!(archive.record(pouch.id).unwrap(), Some(pouch));
        let damaged = archive.keep(record(50, Load::Missing)).unwrap();
        fs::write(archive.plan(damaged.id), "not what was written").unwrap();
        assert!(archive.record(damaged.id).is_err());
        let archive = Archive::open(home.path().join("pouches")).unwrap();
        assert_eq!(archive.all().unwrap().len(), 1 + RECEIPTS_MAX);
    }

    #[test]
    fn the_oldest_of_too_many_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path().join("pouches")).unwrap();
        for id in 0..=POUCHES_MAX as u16 {
            archive.keep(record(id, Load::Missing)).unwrap();
        }
        assert_eq!(archive.record(record(0, Load::Missing).id).unwrap(), None);
        assert!(archive.record(record(1, Load::Missing).id).unwrap().is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_pouch_the_oldest() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path().join("pouches")).unwrap();
        for id in 0..POUCHES_MAX as u16 {
            archive.keep(record(1000 + id, Load::Missing)).unwrap();
        }
        let latest = 1000 + POUCHES_MAX as u64 - 1;
        for id in 1..=2 {
            let kept = archive.keep(record(id, Load::Missing)).unwrap();
            assert_eq!(kept.created, Timestamp(latest + u64::from(id)));
            assert_eq!(archive.record(kept.id).unwrap(), Some(kept));
        }
        assert_eq!(archive.all().unwrap().len(), POUCHES_MAX);
    }
}
