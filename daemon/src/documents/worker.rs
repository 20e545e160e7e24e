//! The thread that owns everything derived. It takes one small step at a time: what people wait for first, then membership,
//! then new entries, then summaries. Nobody waits for it but those who ask.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portolan_protocol::{effects::Appended, entry::LogKey, id::SpaceId, page::LogContext, view::SpaceView};
use tokio::{sync::oneshot, time::Instant};
use tracing::error;

use super::{
    error::DocumentError,
    index::Index,
    queue::{Answer, Job, Jobs},
};
use crate::{clock, store::StoreError};

/// Time for answers before the background has a step, so that neither starves.
const ANSWERS_IN_A_ROW: Duration = Duration::from_millis(30);
/// Whoever was answered may ask again at once; a step of the background begun too soon would be in the way.
const LINGER: Duration = Duration::from_millis(2);
/// Pause after a failure, of a full disk for instance.
const PAUSE: Duration = Duration::from_secs(1);

/// What the thread does next.
enum Turn {
    Answer(Answer),
    Background,
}

/// How much is to be done before a wait ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Every entry that is durable now and can be read was looked at, with membership as it is now.
    Indexed,
    /// Every summary is made as well.
    Summarised,
    /// Every record can be found by its words as well, or nobody knows when it can be.
    Searchable,
}

/// A wait that was asked for: for which stage, in one space alone or in all.
struct Wait {
    stage: Stage,
    space: Option<SpaceId>,
    done: oneshot::Sender<Result<(), DocumentError>>,
}

#[derive(Default)]
struct Queue {
    jobs: Jobs,
    /// One for each log at most: from where, and up to where.
    appended: BTreeMap<(SpaceId, LogKey), (LogContext, u64, u64)>,
    views: BTreeMap<SpaceId, Arc<SpaceView>>,
    waiters: Vec<Wait>,
    stopping: bool,
}

/// What the handle and the thread share.
#[derive(Default)]
pub(super) struct Channel {
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// A wait that has begun: it ends when what was durable then is done.
struct Waiter {
    stage: Stage,
    /// In this space alone.
    space: Option<SpaceId>,
    targets: BTreeMap<(SpaceId, LogKey), u64>,
    done: oneshot::Sender<Result<(), DocumentError>>,
}

impl Channel {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the thread do `job`. False when it has ended.
    pub(super) fn ask(&self, job: Job) -> bool {
        let mut queue = self.queue();
        let is_open = !queue.stopping;
        if is_open {
            queue.jobs.push(job);
        }
        drop(queue);
        self.wake.notify_one();
        is_open
    }

    /// Whether so much is asked that more should not be.
    pub(super) fn is_full(&self) -> bool {
        self.queue().jobs.is_full()
    }

    pub(super) fn appended(&self, appended: impl IntoIterator<Item = Appended>) {
        let mut queue = self.queue();
        for Appended { context, from, to, .. } in appended {
            let held = queue.appended.entry((context.space, context.log));
            let (_, first, end) = held.or_insert((context, from, to));
            (*first, *end) = ((*first).min(from), (*end).max(to));
        }
        drop(queue);
        self.wake.notify_one();
    }

    pub(super) fn views(&self, views: impl IntoIterator<Item = Arc<SpaceView>>) {
        self.queue().views.extend(views.into_iter().map(|view| (view.space, view)));
        self.wake.notify_one();
    }

    /// What ends when `stage` is reached, in `space` alone where one is named. An error at the other end when the thread ends
    /// before.
    pub(super) fn wait(&self, stage: Stage, space: Option<SpaceId>) -> oneshot::Receiver<Result<(), DocumentError>> {
        let (done, wait) = oneshot::channel();
        let mut queue = self.queue();
        if !queue.stopping {
            queue.waiters.push(Wait { stage, space, done });
        }
        drop(queue);
        self.wake.notify_one();
        wait
    }

    /// Has the thread look again what there is to do.
    pub(super) fn nudge(&self) {
        drop(self.queue());
        self.wake.notify_one();
    }

    /// Has the thread end after the step it is at.
    pub(super) fn stop(&self) {
        let mut queue = self.queue();
        queue.stopping = true;
        // Who waits for them learns that the thread has ended.
        queue.jobs.clear();
        queue.waiters.clear();
        drop(queue);
        self.wake.notify_all();
    }
}

/// See the head of the file.
pub(super) struct Worker {
    channel: Arc<Channel>,
    index: Index,
    waiters: Vec<Waiter>,
    /// Since when answers are given without a step of the background between.
    answering: Option<Instant>,
    /// Whether the present gap between answers was waited for.
    lingered: bool,
    /// The log that had the last turn: the next one has the next.
    last: Option<(SpaceId, LogKey)>,
}

impl Worker {
    pub(super) fn new(channel: Arc<Channel>, index: Index) -> Worker {
        Worker { channel, index, waiters: Vec::new(), answering: None, lingered: false, last: None }
    }

    /// Runs until it is told to stop.
    pub(super) fn run(mut self) {
        let mut pause = None;
        while let Some(turn) = self.next(pause.take()) {
            match catch_unwind(AssertUnwindSafe(|| self.take(turn))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    error!(%error, "derived data cannot be written now; it is tried again");
                    self.give_up_waits(error);
                    pause = Some(PAUSE);
                }
                Err(_) => {
                    error!("a step of deriving documents panicked; the derived state is taken up again from the store");
                    if let Err(error) = self.index.reload() {
                        error!(%error, "the derived state cannot be read");
                    }
                    pause = Some(PAUSE);
                }
            }
        }
        self.channel.stop();
    }

    /// Waits until there is something to do, and takes over what was announced. None at the end.
    fn next(&mut self, pause: Option<Duration>) -> Option<Turn> {
        let channel = self.channel.clone();
        let mut queue = channel.queue();
        if let Some(pause) = pause {
            queue = channel.wake.wait_timeout(queue, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
        loop {
            if queue.stopping {
                return None;
            }
            for (_, (context, from, to)) in std::mem::take(&mut queue.appended) {
                self.index.appended(&context, from, to);
            }
            std::mem::take(&mut queue.views).into_values().for_each(|view| self.index.view(view));
            for Wait { stage, space, done } in std::mem::take(&mut queue.waiters) {
                let targets = self.index.ends.iter().filter(|((of, _), _)| space.is_none_or(|space| space == *of));
                let targets = targets.map(|(key, end)| (*key, *end)).collect();
                self.waiters.push(Waiter { stage, space, targets, done });
            }
            self.release();
            let background = self.has_background();
            let enough = self.answering.is_some_and(|since| since.elapsed() >= ANSWERS_IN_A_ROW);
            if (!enough || !background)
                && let Some(answer) = queue.jobs.next()
            {
                self.answering.get_or_insert_with(clock::monotonic);
                self.lingered = false;
                return Some(Turn::Answer(answer));
            }
            let hurries = !self.waiters.is_empty();
            if background && !hurries && queue.jobs.is_empty() && self.answering.is_some() && !self.lingered {
                self.lingered = true;
                queue = channel.wake.wait_timeout(queue, LINGER).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            self.answering = None;
            if background {
                return Some(Turn::Background);
            }
            queue = channel.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take(&mut self, turn: Turn) -> Result<(), StoreError> {
        match turn {
            Turn::Answer(Answer::Run(task)) => task.run(&mut self.index),
            Turn::Answer(Answer::Show(asked)) => self.index.answer(asked),
            Turn::Background => return self.background(),
        }
        Ok(())
    }

    fn background(&mut self) -> Result<(), StoreError> {
        if let Some(log) = self.next_review() {
            return self.index.review_log(log);
        }
        if let Some(log) = self.next_behind() {
            self.last = Some(log);
            return self.index.take_in(log);
        }
        if self.has_pending() {
            return self.index.summarise_some();
        }
        self.index.offer_some()
    }

    /// A log to be gone through again, in a space of those that are waited for if there is one.
    fn next_review(&self) -> Option<u32> {
        let reviewed = || self.index.review.keys().copied().filter(|number| self.index.is_reviewed(*number));
        let wanted = |number: &u32| self.index.log(*number).is_some_and(|log| self.is_awaited(&log.row.space));
        reviewed().find(wanted).or_else(|| reviewed().next())
    }

    /// A log to be taken in further, likewise.
    fn next_behind(&self) -> Option<(SpaceId, LogKey)> {
        let behind = || self.index.behind.iter().copied().filter(|key| self.index.goes_on(key));
        let awaited = || behind().filter(|(space, _)| self.is_awaited(space));
        let after = |key: &(SpaceId, LogKey)| Some(*key) > self.last;
        awaited().find(after).or_else(|| awaited().next()).or_else(|| behind().find(after)).or_else(|| behind().next())
    }

    fn is_awaited(&self, space: &SpaceId) -> bool {
        self.waiters.iter().any(|waiter| waiter.space.is_none_or(|of| of == *space))
    }

    fn has_background(&self) -> bool {
        self.next_review().is_some() || self.next_behind().is_some() || self.has_pending() || self.offers()
    }

    fn offers(&self) -> bool {
        let views = &self.index.views;
        self.index.offering.has_work(|space| views.contains_key(space))
    }

    fn has_pending(&self) -> bool {
        let index = &self.index;
        index.pending.iter().any(|(space, pending)| !pending.is_empty() && index.views.contains_key(space))
    }

    /// Ends all waits, since nobody knows when there will be room.
    fn give_up_waits(&mut self, error: StoreError) {
        let error = Arc::new(error);
        for waiter in self.waiters.drain(..) {
            // The one who waited may have gone.
            let _ = waiter.done.send(Err(DocumentError::Behind(error.clone())));
        }
    }

    /// Ends the waits that have nothing left to wait for.
    fn release(&mut self) {
        if self.waiters.is_empty() {
            return;
        }
        let summarised = !self.has_pending();
        let views = &self.index.views;
        let offered = summarised && self.index.offering.is_done(|space| views.contains_key(space));
        for waiter in std::mem::take(&mut self.waiters) {
            let index = &self.index;
            let taken_in = waiter.targets.iter().all(|(log, end)| !index.goes_on(log) || index.next(log) >= *end);
            let reviewed = match waiter.space {
                Some(space) => !index.is_under_review(space),
                None => self.next_review().is_none(),
            };
            let made = match waiter.stage {
                Stage::Indexed => true,
                Stage::Summarised => summarised,
                Stage::Searchable => offered,
            };
            if reviewed && taken_in && made {
                // The one who waited may have gone.
                let _ = waiter.done.send(Ok(()));
            } else {
                self.waiters.push(waiter);
            }
        }
    }
}
