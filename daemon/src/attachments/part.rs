//! A ciphertext that is here in part: verified from the first byte up to where it was reached, also after a crash; and what came ahead
//! of that, out of pouches whose volumes came in another order.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    ops::Range,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    sync::Arc,
};

use portolan_protocol::{
    attachment::{GROUP_BYTES, Layout},
    id::AttachmentId,
};

use super::{error::AttachmentsError, files::Files, tree};

/// Bytes after which what came is made durable: it bounds what a power cut costs, and what the disk has to write at once while
/// records wait for it.
const SYNC_BYTES: u64 = 8 << 20;
/// Bytes that are moved at a time.
const MOVED_BYTES: usize = 256 << 10;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    id: AttachmentId,
    layout: Layout,
    files: Arc<Files>,
    file: Arc<File>,
    reached: u64,
    /// What came before what is in front of it, in order.
    ahead: Vec<Range<u64>>,
}

impl Files {
    /// Goes on with a ciphertext, or begins it. Blocks.
    pub(super) fn part(self: &Arc<Files>, id: AttachmentId, layout: Layout) -> Result<Part, AttachmentsError> {
        self.make_shard(&id)?;
        let file = open(&self.part_path(&id))?;
        let total = layout.ciphertext_bytes();
        let reached = match file.metadata()?.len() {
            held if held == total => held,
            held if held < total => held - held % GROUP_BYTES,
            // Of another size than the records say by now.
            _ => 0,
        };
        file.set_len(reached)?;
        self.must_have_room(total - reached)?;
        let grouped = |range: Range<u64>| match range.end {
            end if end == total => range,
            end => range.start..end - end % GROUP_BYTES,
        };
        let ahead = self.ahead(&id).into_iter().map(grouped).filter(|range| range.end <= total).collect();
        let mut part = Part { id, layout, files: self.clone(), file: Arc::new(file), reached, ahead };
        part.join()?;
        Ok(part)
    }
}

impl Part {
    /// Up to where it is here from the first byte on: the beginning of a group, or the end.
    pub(super) fn reached(&self) -> u64 {
        self.reached
    }

    /// Whether all of it is here.
    pub(super) fn is_whole(&self) -> bool {
        self.reached == self.layout.ciphertext_bytes()
    }

    /// Bytes that are here.
    pub(super) fn bytes(&self) -> u64 {
        self.reached + self.ahead.iter().map(|ahead| ahead.end - ahead.start).sum::<u64>()
    }

    /// Whether a range is here.
    pub(super) fn has(&self, range: &Range<u64>) -> bool {
        range.end <= self.reached || self.ahead.iter().any(|ahead| ahead.start <= range.start && range.end <= ahead.end)
    }

    /// Takes a range with its proof, wherever it is. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::File`], of kind `InvalidData` where the range is false.
    pub(super) fn take(&mut self, range: &Range<u64>, encoded: &[u8]) -> Result<(), AttachmentsError> {
        let total = self.layout.ciphertext_bytes();
        let is_durable_then = range.end / SYNC_BYTES != range.start / SYNC_BYTES;
        if range.start <= self.reached {
            tree::decode(self.id, total, range, encoded, (&self.file, 0))?;
            self.reached = self.reached.max(range.end);
            if is_durable_then {
                self.file.sync_data()?;
            }
            return self.join();
        }
        let index = self.ahead.iter().position(|ahead| ahead.start < range.start && range.start <= ahead.end);
        let start = index.map_or(range.start, |index| self.ahead[index].start);
        let file = open(&self.files.ahead_path(&self.id, start))?;
        tree::decode(self.id, total, range, encoded, (&file, start))?;
        if is_durable_then || index.is_none() {
            file.sync_data()?;
        }
        match index {
            Some(index) => self.ahead[index].end = self.ahead[index].end.max(range.end),
            None => {
                self.ahead.retain(|ahead| ahead.start != start);
                self.ahead.push(range.clone());
                self.ahead.sort_unstable_by_key(|ahead| ahead.start);
            }
        }
        Ok(())
    }

    /// Appends what came ahead and follows by now.
    fn join(&mut self) -> Result<(), AttachmentsError> {
        while let Some(ahead) = self.ahead.first().filter(|ahead| ahead.start <= self.reached).cloned() {
            let path = self.files.ahead_path(&self.id, ahead.start);
            if ahead.end > self.reached {
                let mut file = File::open(&path)?;
                file.seek(SeekFrom::Start(self.reached - ahead.start))?;
                let mut moved = vec![0; MOVED_BYTES];
                let mut left = file.take(ahead.end - self.reached);
                loop {
                    let length = left.read(&mut moved)?;
                    if length == 0 {
                        break;
                    }
                    self.file.write_all_at(&moved[..length], self.reached)?;
                    self.reached += length as u64;
                }
                self.file.sync_data()?;
            }
            fs::remove_file(&path)?;
            self.ahead.remove(0);
        }
        Ok(())
    }

    /// Makes durable what is here of it. Blocks.
    pub(super) fn sync(&self) -> Result<(), AttachmentsError> {
        self.file.sync_data()?;
        for ahead in &self.ahead {
            File::open(self.files.ahead_path(&self.id, ahead.start))?.sync_all()?;
        }
        Ok(())
    }

    /// Has it found under its name, once all of it came. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::Damaged`] where a crash has damaged what was there; then it begins anew.
    pub(super) fn settle(&self) -> Result<(), AttachmentsError> {
        self.files.settle_part(self.id, &self.file)
    }
}

fn open(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use portolan_protocol::{
        attachment::{AttachmentKey, Sealer, piece_at, pieces},
        crypto::hash,
        limits::ATTACHMENT_PIECE_BYTES,
    };

    use super::*;

    fn sealed(bytes: usize) -> (AttachmentId, Layout, Vec<u8>) {
        let file: Vec<u8> = (0..bytes).map(|place| (place * 31 + place / 253) as u8).collect();
        let mut out = Vec::new();
        let mut sealer = Sealer::new(&AttachmentKey::new([1; 32]), &mut out);
        sealer.add(&file, &mut out).unwrap();
        let layout = sealer.finish(&mut out);
        (AttachmentId(hash::file(&out)), layout, out)
    }

    #[test]
    fn it_goes_over_in_pieces_and_on_after_a_crash_where_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| Arc::new(Files::open(directory.path().join(name)).unwrap()));
        let (id, layout, ciphertext) = sealed(700_000);
        one.take(id, layout, &ciphertext[..]).unwrap();
        assert_eq!(one.read(&id, 5..9).unwrap(), ciphertext[5..9]);
        let total = layout.ciphertext_bytes();
        let mut part = other.part(id, layout).unwrap();
        let range = piece_at(total, part.reached());
        part.take(&range, &one.encode(id, total, &range).unwrap()).unwrap();
        assert_eq!(other.partial(&id), ATTACHMENT_PIECE_BYTES);
        // A crash in the middle of the next write.
        let path = other.part_path(&id);
        fs::write(&path, &ciphertext[..300_000]).unwrap();
        let mut part = other.part(id, layout).unwrap();
        assert_eq!(part.reached(), 300_000 / GROUP_BYTES * GROUP_BYTES);
        while !part.is_whole() {
            let range = piece_at(total, part.reached());
            part.take(&range, &one.encode(id, total, &range).unwrap()).unwrap();
        }
        assert_eq!(other.held(&id), None, "it has no name before it is durable");
        part.settle().unwrap();
        assert_eq!((other.held(&id), other.partial(&id)), (Some(total), 0));
        assert_eq!(other.read(&id, 0..total).unwrap(), ciphertext);
        assert_eq!(other.verify(id).unwrap(), (total, true));
    }

    #[test]
    fn pieces_in_whatever_order_become_the_whole_and_what_was_ahead_outlives_a_crash() {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| Arc::new(Files::open(directory.path().join(name)).unwrap()));
        let (id, layout, ciphertext) = sealed(2_000_000);
        one.take(id, layout, &ciphertext[..]).unwrap();
        let total = layout.ciphertext_bytes();
        let all: Vec<Range<u64>> = pieces(total, 0..total).collect();
        let mut part = other.part(id, layout).unwrap();
        for index in [6, 3, 4, 4, 7] {
            part.take(&all[index], &one.encode(id, total, &all[index]).unwrap()).unwrap();
        }
        let mut false_piece = one.encode(id, total, &all[1]).unwrap();
        false_piece[9_000] ^= 1;
        part.take(&all[1], &false_piece).unwrap_err();
        assert!(part.has(&all[4]) && part.has(&all[7]) && !part.has(&all[5]) && !part.has(&all[1]));
        part.sync().unwrap();
        // Opened anew it goes on from there.
        let mut part = other.part(id, layout).unwrap();
        assert_eq!((part.reached(), part.ahead.len()), (0, 3));
        assert_eq!(other.partial(&id), part.bytes());
        for index in [0, 1, 2] {
            part.take(&all[index], &one.encode(id, total, &all[index]).unwrap()).unwrap();
        }
        assert_eq!((part.reached(), part.ahead.len()), (all[4].end, 1));
        part.take(&all[5], &one.encode(id, total, &all[5]).unwrap()).unwrap();
        assert!(part.is_whole() && part.ahead.is_empty());
        part.settle().unwrap();
        assert_eq!(other.read(&id, 0..total).unwrap(), ciphertext);
        assert_eq!(other.partial(&id), 0, "nothing is left beside it");
    }

    #[test]
    fn what_a_power_cut_damaged_begins_anew_and_what_was_left_is_swept_away() {
        let directory = tempfile::tempdir().unwrap();
        let files = Arc::new(Files::open(directory.path().join("files")).unwrap());
        let (id, layout, mut ciphertext) = sealed(100_000);
        let part = files.part(id, layout).unwrap();
        ciphertext[50_000] = !ciphertext[50_000];
        fs::write(files.part_path(&id), &ciphertext).unwrap();
        drop(part);
        let part = files.part(id, layout).unwrap();
        assert!(matches!(part.settle(), Err(AttachmentsError::Damaged(_))));
        assert_eq!(files.part(id, layout).unwrap().reached(), 0);
        assert!(matches!(files.take(id, layout, &ciphertext[..]), Err(AttachmentsError::Damaged(_))));
        assert!(matches!(files.take(id, layout, &ciphertext[1..]), Err(AttachmentsError::Length { .. })));
        let left = directory.path().join("files/7.new");
        fs::write(&left, "x").unwrap();
        let [empty, begun] = [files.part_path(&id), files.part_path(&id).with_file_name("begun.part")];
        fs::write(&begun, "x").unwrap();
        assert!(empty.exists());
        let files = Files::open(directory.path().join("files")).unwrap();
        assert!(!left.exists() && files.list().unwrap().is_empty());
        assert!(!empty.exists() && begun.exists());
    }

    #[test]
    fn a_damaged_one_is_set_aside_and_one_without_hashes_gets_them_again() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(directory.path().join("files")).unwrap();
        let (id, layout, ciphertext) = sealed(0);
        files.take(id, layout, &ciphertext[..]).unwrap();
        let shard = files.make_shard(&id).unwrap();
        fs::remove_file(shard.join(format!("{id}.obao"))).unwrap();
        assert_eq!(files.encode(id, 17, &(0..17)).unwrap(), ciphertext);
        fs::write(shard.join(id.to_string()), [0; 17]).unwrap();
        assert_eq!((files.verify(id).unwrap(), files.held(&id)), ((17, false), None));
        files.take(id, layout, &ciphertext[..]).unwrap();
        assert!(!shard.join(format!("{id}.damaged")).exists());
        files.remove(&id).unwrap();
        assert_eq!(files.held(&id), None);
    }
}
