//! Copying a store to a fresh one: sled never gives back the room of values that were written again.

use std::path::Path;

use super::{
    Options, Store, StoreError,
    cells::Draft,
    keys::{LOG, STATE},
    open,
};

/// How much is copied at once.
const DRAFT_BYTES_AIM: usize = 1 << 20;

impl Store {
    /// Copies logs and small records into a new store at `home`, which must not exist; derived data is left to be made again.
    /// The copy has the same life: put it in the place of this one, never beside it.
    ///
    /// # Errors
    /// [`StoreError::Io`] when `home` exists; all that opening, reading and writing can return.
    pub fn compact_to(&self, home: &Path, options: &Options) -> Result<(), StoreError> {
        let inner = &*self.0;
        let writer = inner.writer();
        if self.poisoned() {
            return Err(StoreError::Poisoned);
        }
        std::fs::create_dir(home).map_err(|e| StoreError::io("making the directory of the copy", e))?;
        let options = Options { incarnation: self.incarnation(), ..*options };
        let (copy, _) = open::open(home, &options, Box::new(super::disk::RealDisk))?;
        let mut draft = Draft::default();
        let mut scan = inner.cells.scan(&[LOG]..=&[STATE + 1])?;
        while let Some((key, value)) = scan.next()? {
            draft.put_fresh(key.to_vec(), value);
            if draft.bytes() > DRAFT_BYTES_AIM {
                copy.0.cells.apply(std::mem::take(&mut draft))?;
            }
        }
        copy.0.cells.apply(draft)?;
        copy.0.sync_sled()?;
        let heads = inner.heads.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let distrust = (!self.trusted()).then_some(writer.next_number);
        super::heads::Journal::write(home, &*copy.0.disk, self.incarnation(), &heads, distrust)?;
        Ok(())
    }
}
