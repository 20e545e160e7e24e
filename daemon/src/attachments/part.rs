//! A ciphertext while it is fetched: verified from the first byte up to where it was reached, also after a crash.

use std::{
    fs::{File, OpenOptions},
    ops::Range,
    os::unix::fs::OpenOptionsExt as _,
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

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    id: AttachmentId,
    layout: Layout,
    file: Arc<File>,
}

impl Files {
    /// Goes on with a ciphertext, or begins it. Tells where it was reached: at the beginning of a group, or at the end.
    pub(super) fn part(&self, id: AttachmentId, layout: Layout) -> Result<(Part, u64), AttachmentsError> {
        self.make_shard(&id)?;
        let mut options = OpenOptions::new();
        let path = self.part_path(&id);
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let held = file.metadata()?.len();
        let reached = match held {
            held if held == layout.ciphertext_bytes() => held,
            held if held < layout.ciphertext_bytes() => held - held % GROUP_BYTES,
            // Of another size than the records say by now.
            _ => 0,
        };
        file.set_len(reached)?;
        self.must_have_room(layout.ciphertext_bytes() - reached)?;
        Ok((Part { id, layout, file: Arc::new(file) }, reached))
    }
}

impl Part {
    /// Takes a range with its proof. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::File`], of kind `InvalidData` where the range is false.
    pub(super) fn take(&self, range: &Range<u64>, encoded: &[u8]) -> Result<(), AttachmentsError> {
        tree::decode(self.id, self.layout.ciphertext_bytes(), range, encoded, &self.file)?;
        if range.end / SYNC_BYTES != range.start / SYNC_BYTES {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Has it found under its name, once all of it came. Blocks.
    ///
    /// # Errors
    /// [`AttachmentsError::Damaged`] where a crash has damaged what was there; then it begins anew.
    pub(super) fn settle(&self, files: &Files) -> Result<(), AttachmentsError> {
        files.settle_part(self.id, &self.file)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use portolan_protocol::{
        attachment::{AttachmentKey, Sealer},
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

    fn next(reached: u64, layout: Layout) -> Range<u64> {
        reached..((reached / ATTACHMENT_PIECE_BYTES + 1) * ATTACHMENT_PIECE_BYTES).min(layout.ciphertext_bytes())
    }

    #[test]
    fn it_goes_over_in_pieces_and_on_after_a_crash_where_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| Files::open(directory.path().join(name)).unwrap());
        let (id, layout, ciphertext) = sealed(700_000);
        one.take(id, layout, &ciphertext[..]).unwrap();
        assert_eq!(one.read(&id, 5..9).unwrap(), ciphertext[5..9]);
        let total = layout.ciphertext_bytes();
        let (part, mut reached) = other.part(id, layout).unwrap();
        let range = next(reached, layout);
        part.take(&range, &one.encode(id, total, &range).unwrap()).unwrap();
        assert_eq!(other.partial(&id), ATTACHMENT_PIECE_BYTES);
        // A crash in the middle of the next write.
        let path = other.part_path(&id);
        fs::write(&path, &ciphertext[..300_000]).unwrap();
        let (part, again) = other.part(id, layout).unwrap();
        assert_eq!(again, 300_000 / GROUP_BYTES * GROUP_BYTES);
        reached = again;
        while reached < total {
            let range = next(reached, layout);
            part.take(&range, &one.encode(id, total, &range).unwrap()).unwrap();
            reached = range.end;
        }
        assert_eq!(other.held(&id), None, "it has no name before it is durable");
        part.settle(&other).unwrap();
        assert_eq!((other.held(&id), other.partial(&id)), (Some(total), 0));
        assert_eq!(other.read(&id, 0..total).unwrap(), ciphertext);
        assert_eq!(other.verify(id).unwrap(), (total, true));
    }

    #[test]
    fn what_a_power_cut_damaged_begins_anew_and_what_was_left_is_swept_away() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(directory.path().join("files")).unwrap();
        let (id, layout, mut ciphertext) = sealed(100_000);
        let (part, _) = files.part(id, layout).unwrap();
        ciphertext[50_000] = !ciphertext[50_000];
        fs::write(files.part_path(&id), &ciphertext).unwrap();
        assert!(matches!(part.settle(&files), Err(AttachmentsError::Damaged(_))));
        assert_eq!(files.part(id, layout).unwrap().1, 0);
        assert!(matches!(files.take(id, layout, &ciphertext[..]), Err(AttachmentsError::Damaged(_))));
        assert!(matches!(files.take(id, layout, &ciphertext[1..]), Err(AttachmentsError::Length { .. })));
        let left = directory.path().join("files/7.new");
        fs::write(&left, "x").unwrap();
        let files = Files::open(directory.path().join("files")).unwrap();
        assert!(!left.exists() && files.list().unwrap().is_empty());
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
