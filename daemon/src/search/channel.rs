//! What the keeper's thread and all others share: records on their way into the index, and how far it is.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use portolan_protocol::id::{DocumentId, SpaceId};
use tokio::{sync::oneshot, time::Instant};

use super::{entry::Entry, readable::Readable};
use crate::clock;

/// Bytes of entries that may wait; who has more begins again when there is room.
const WAITING_BYTES_MAX: usize = 8 << 20;

/// What tells the records that the index is made of from all others: drawn when their table was made.
pub type Table = [u8; 16];

/// A record as it is now.
#[derive(Clone, Debug)]
pub struct Put {
    /// The space it is in.
    pub space: SpaceId,
    /// Which.
    pub id: DocumentId,
    /// What is found of it; none where it is not to be found.
    pub entry: Option<Entry>,
    /// With this, everything up to this revision was handed over.
    pub settled: u64,
}

impl Put {
    pub(super) fn bytes(&self) -> usize {
        self.entry.as_ref().map_or(0, Entry::bytes) + 128
    }
}

/// What the thread does next.
pub(super) enum Turn {
    Open { table: Table, anew: bool },
    Take(VecDeque<Put>),
    Commit(Vec<oneshot::Sender<()>>),
    Stop,
}

#[derive(Default)]
struct State {
    table: Option<Table>,
    /// Whether the index is to be opened, not before this moment, and whether without looking at what is there.
    opens: Option<Option<Instant>>,
    anew: bool,
    is_open: bool,
    waiting: VecDeque<Put>,
    bytes: usize,
    /// Records that were handed over and are not committed.
    behind: BTreeMap<SpaceId, u64>,
    /// Everything behind this revision is to be handed over again.
    offer: Option<u64>,
    waiters: Vec<oneshot::Sender<()>>,
    readable: Option<Arc<Readable>>,
    /// Told when there is room, or an offer.
    nudge: Option<Arc<dyn Fn() + Send + Sync>>,
    stopping: bool,
}

/// See the head of the file.
#[derive(Default)]
pub(super) struct Channel {
    state: Mutex<State>,
    wake: Condvar,
}

impl Channel {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever hands records over to look again. Not under the lock: they look here under theirs.
    fn nudge(&self, state: MutexGuard<'_, State>) {
        let nudge = state.nudge.clone();
        drop(state);
        if let Some(nudge) = nudge {
            nudge();
        }
    }

    /// The index is one of these records from now on.
    pub(super) fn attach(&self, table: Table, nudge: Arc<dyn Fn() + Send + Sync>) {
        let mut state = self.state();
        (state.table, state.nudge, state.opens) = (Some(table), Some(nudge), Some(None));
        state.shut();
        drop(state);
        self.wake.notify_all();
    }

    /// Hands a record over. False where there is no room for it now.
    pub(super) fn put(&self, put: Put) -> bool {
        let mut state = self.state();
        if !state.has_room() {
            return false;
        }
        *state.behind.entry(put.space).or_default() += 1;
        state.bytes += put.bytes();
        state.waiting.push_back(put);
        drop(state);
        self.wake.notify_all();
        true
    }

    pub(super) fn has_room(&self) -> bool {
        self.state().has_room()
    }

    /// From which revision on everything is to be handed over again, if anything is.
    pub(super) fn take_offer(&self) -> Option<u64> {
        self.state().offer.take()
    }

    pub(super) fn has_offer(&self) -> bool {
        self.state().offer.is_some()
    }

    /// Whether the index cannot be had now, and nobody knows when.
    pub(super) fn is_failing(&self) -> bool {
        let state = self.state();
        state.stopping || state.is_failing()
    }

    /// Whether everything can be handed over, and was asked for: the index is open.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state();
        state.is_open && state.offer.is_none()
    }

    pub(super) fn behind(&self, space: &SpaceId) -> u64 {
        self.state().behind.get(space).copied().unwrap_or_default()
    }

    pub(super) fn readable(&self) -> Option<Arc<Readable>> {
        self.state().readable.clone()
    }

    /// What ends when everything that was handed over can be found; an error at the other end when the thread ends before.
    pub(super) fn wait(&self) -> oneshot::Receiver<()> {
        let (done, wait) = oneshot::channel();
        let mut state = self.state();
        if !state.stopping && !state.is_failing() {
            state.waiters.push(done);
        }
        drop(state);
        self.wake.notify_all();
        wait
    }

    /// Has the index opened anew: thrown away first where it is damaged.
    pub(super) fn failed(&self, not_before: Instant, damaged: bool) {
        let mut state = self.state();
        state.opens = Some(Some(not_before));
        state.anew |= damaged;
        if !damaged {
            // Nobody knows when it will go on.
            state.waiters.clear();
        }
        state.shut();
        self.nudge(state);
        self.wake.notify_all();
    }

    pub(super) fn opened(&self, readable: Readable, settled: u64) {
        let mut state = self.state();
        if state.opens.is_none() {
            state.readable = Some(Arc::new(readable));
            (state.is_open, state.offer) = (true, Some(settled));
        }
        self.nudge(state);
    }

    pub(super) fn committed(&self, spaces: BTreeMap<SpaceId, u64>) {
        let mut state = self.state();
        for (space, count) in spaces {
            if let Some(behind) = state.behind.get_mut(&space) {
                *behind = behind.saturating_sub(count);
            }
        }
        state.behind.retain(|_, behind| *behind > 0);
    }

    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        state.waiters.clear();
        state.shut();
        state.readable = None;
        drop(state);
        self.wake.notify_all();
    }

    /// Waits for what the thread does next; `due` is when what it gathered is to be committed.
    pub(super) fn next(&self, due: Option<Instant>) -> Turn {
        let mut state = self.state();
        loop {
            if state.stopping {
                return Turn::Stop;
            }
            let now = clock::monotonic();
            let mut until = due;
            if let (Some(opens), Some(table)) = (state.opens, state.table) {
                if opens.is_none_or(|moment| moment <= now) {
                    state.opens = None;
                    return Turn::Open { table, anew: std::mem::take(&mut state.anew) };
                }
                until = opens;
            } else if !state.waiting.is_empty() {
                state.bytes = 0;
                let taken = std::mem::take(&mut state.waiting);
                self.nudge(state);
                return Turn::Take(taken);
            } else if state.is_open && (!state.waiters.is_empty() || due.is_some_and(|due| due <= now)) {
                return Turn::Commit(std::mem::take(&mut state.waiters));
            }
            state = match until {
                Some(moment) => {
                    let left = moment.saturating_duration_since(now);
                    self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl State {
    fn is_failing(&self) -> bool {
        matches!(self.opens, Some(Some(_))) && !self.anew
    }

    fn has_room(&self) -> bool {
        self.is_open && self.offer.is_none() && self.bytes < WAITING_BYTES_MAX
    }

    /// Nothing is taken until the index is open.
    fn shut(&mut self) {
        (self.is_open, self.offer, self.bytes) = (false, None, 0);
        self.waiting.clear();
        self.behind.clear();
    }
}
