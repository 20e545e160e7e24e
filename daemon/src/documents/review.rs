//! Going through a log again, since membership, keys or payloads came: every entry is judged by its row, and what could not be
//! read is tried. It is done in steps, so that nobody waits long behind it.

use std::mem;

use portolan_protocol::view::SpaceView;

use super::{
    aside::Part,
    index::Index,
    rows::{Row, STRIP_ENTRIES, State, encode},
};
use crate::store::StoreError;

/// Strips gone through in one step.
const STEP_STRIPS: u64 = 64;
/// Entries read in one step, about.
const STEP_READS: u64 = 256;
/// Bytes of rows written in one step, about.
const STEP_BYTES: usize = 4 << 20;

impl Index {
    /// Goes on with going through a log again. After a failure it begins anew; a log with a damaged row is set aside.
    pub(super) fn review_log(&mut self, number: u32) -> Result<(), StoreError> {
        let Some(key) = self.log(number).map(|log| (log.row.space, log.row.log)) else { return Ok(()) };
        let outcome = self.review_some(number);
        self.recover(key, Part::Rows, outcome)
    }

    fn review_some(&mut self, number: u32) -> Result<(), StoreError> {
        let Some(mut review) = self.review.remove(&number) else { return Ok(()) };
        let Some((space, end)) = self.log(number).map(|log| (log.row.space, log.row.next)) else { return Ok(()) };
        let Some(view) = self.views.get(&space).cloned() else { return Ok(()) };
        let (store, shelf) = (self.store.clone(), self.shelf.clone());
        let cited = shelf.cited(number)?;
        let mut intake = self.intake(number, &view, &shelf);
        let context = intake.log.context();
        // Also on a full disk everything that is as it was can be judged.
        intake.stored = Some(encode(&intake.log.row));
        // Entries that are taken in between two steps have their own place in the log.
        mem::swap(&mut intake.log.previous, &mut review.previous);
        mem::swap(&mut intake.log.row.previous, &mut review.cited);
        let (strips, last) = (end.div_ceil(STRIP_ENTRIES), review.strip.saturating_add(STEP_STRIPS));
        let (mut reads, mut damaged) = (0, None);
        while review.strip < strips.min(last) && reads < STEP_READS && intake.draft.bytes() < STEP_BYTES {
            let mut rows = shelf.strip(number, review.strip)?;
            let mut changed = false;
            for (seq, row) in (review.strip * STRIP_ENTRIES..end).zip(&mut rows) {
                let heads = cited.get(&row.cited).cloned().unwrap_or_default();
                changed |= intake.judge_again(seq, row, &heads);
                if !may_be_readable(row, &view) {
                    continue;
                }
                reads += 1;
                match store.entry(&context, seq) {
                    Ok(Some(entry)) => changed |= intake.read_again(&entry.header, entry.payload.as_deref(), row)?,
                    Ok(None) => {}
                    // It stays as it is; everything else is judged all the same.
                    Err(StoreError::Damaged(why)) => drop(damaged.get_or_insert(why)),
                    Err(error) => return Err(error),
                }
            }
            if changed {
                intake.draft.put_strip(number, review.strip, &rows)?;
            }
            review.strip += 1;
        }
        if review.strip < strips {
            mem::swap(&mut intake.log.previous, &mut review.previous);
            mem::swap(&mut intake.log.row.previous, &mut review.cited);
            self.review.insert(number, review);
        }
        let key = (space, intake.log.row.log);
        self.finish(intake)?;
        if let Some(why) = damaged {
            self.set_aside(key, Part::Entries, why);
        }
        Ok(())
    }
}

/// Whether an entry that could not be read is worth another look: a payload may have come, or the key that it needs is held.
fn may_be_readable(row: &Row, view: &SpaceView) -> bool {
    match row.state {
        State::Gap => true,
        State::Sealed => row.epoch.is_none_or(|epoch| view.keyring.content_key(&epoch).is_some()),
        State::Refused { .. } | State::Change(_) => false,
    }
}
