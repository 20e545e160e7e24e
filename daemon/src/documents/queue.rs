//! What people wait for, in the order in which they asked. What nobody waits for any more is left out.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::{cores, index::Index, reading::Asked};

/// Jobs that wait, at most, before further ones are turned away at the door.
const JOBS_MAX: usize = 1_024;

/// Something that somebody waits for.
pub(super) enum Job {
    /// Anything at all.
    Run(Box<dyn Task>),
    /// A record. Different ones asked for one behind another are opened side by side.
    Show(Asked),
}

/// Work on the derived data, and the one who wants to hear of it.
pub(super) trait Task: Send {
    /// Whether somebody waits for the answer.
    fn is_awaited(&self) -> bool;
    /// Does it, and answers.
    fn run(self: Box<Self>, index: &mut Index);
}

/// A [`Task`] from a function.
pub(super) struct Call<J, T> {
    pub(super) job: J,
    pub(super) answer: oneshot::Sender<T>,
}

impl<T: Send, J: FnOnce(&mut Index) -> T + Send> Task for Call<J, T> {
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

    fn run(self: Box<Self>, index: &mut Index) {
        let Call { job, answer } = *self;
        // Who asked may have gone meanwhile.
        let _ = answer.send(job(index));
    }
}

/// What is done at a time.
pub(super) enum Answer {
    Run(Box<dyn Task>),
    Show(Vec<Asked>),
}

/// See the head of the file.
#[derive(Default)]
pub(super) struct Jobs(VecDeque<Job>);

impl Job {
    fn is_awaited(&self) -> bool {
        match self {
            Job::Run(task) => task.is_awaited(),
            Job::Show(asked) => !asked.answer.is_closed(),
        }
    }
}

impl Jobs {
    pub(super) fn push(&mut self, job: Job) {
        self.0.push_back(job);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether as many wait as may.
    pub(super) fn is_full(&mut self) -> bool {
        if self.0.len() >= JOBS_MAX {
            self.0.retain(Job::is_awaited);
        }
        self.0.len() >= JOBS_MAX
    }

    /// What was asked first, and what can be answered beside it.
    pub(super) fn next(&mut self) -> Option<Answer> {
        self.skip();
        match self.0.pop_front()? {
            Job::Run(task) => Some(Answer::Run(task)),
            Job::Show(first) => {
                let mut asked = vec![first];
                self.skip();
                while asked.len() < cores::count()
                    && let Some(Job::Show(next)) = self.0.front()
                    && asked.iter().all(|other| other.document != next.document)
                    && let Some(Job::Show(next)) = self.0.pop_front()
                {
                    asked.push(next);
                    self.skip();
                }
                Some(Answer::Show(asked))
            }
        }
    }

    /// Drops from the front what nobody waits for.
    fn skip(&mut self) {
        while self.0.front().is_some_and(|job| !job.is_awaited()) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use portolan_protocol::id::{DocumentId, SpaceId};

    use super::*;
    use crate::documents::{DocumentError, Shown, reading::When};

    type Waiting = oneshot::Receiver<Result<Option<Shown>, DocumentError>>;

    fn show(id: u8) -> (Job, Waiting) {
        let (answer, wait) = oneshot::channel();
        let (space, document, when) = (SpaceId([0; 32]), DocumentId([id; 16]), When::Now);
        (Job::Show(Asked { space, document, when, answer }), wait)
    }

    fn run() -> (Job, oneshot::Receiver<()>) {
        let (answer, wait) = oneshot::channel();
        (Job::Run(Box::new(Call { job: |_: &mut Index| (), answer })), wait)
    }

    #[test]
    fn nothing_is_done_for_those_who_have_gone() {
        let mut jobs = Jobs::default();
        let (left, gone) = run();
        jobs.push(left);
        drop(gone);
        let mut waiting = Vec::new();
        for id in 0..4 {
            let (job, wait) = show(id);
            jobs.push(job);
            waiting.push(wait);
        }
        let (last, _waits) = run();
        jobs.push(last);
        waiting.drain(1..).for_each(drop);
        let Some(Answer::Show(asked)) = jobs.next() else { panic!() };
        assert_eq!(asked.iter().map(|asked| asked.document.0[0]).collect::<Vec<_>>(), [0]);
        assert!(matches!(jobs.next(), Some(Answer::Run(_))));
        assert!(jobs.next().is_none());
    }

    #[test]
    fn as_many_wait_as_may_and_those_who_have_gone_take_no_place() {
        let mut jobs = Jobs::default();
        let mut waiting = Vec::new();
        for _ in 0..JOBS_MAX {
            assert!(!jobs.is_full());
            let (job, wait) = run();
            jobs.push(job);
            waiting.push(wait);
        }
        assert!(jobs.is_full());
        waiting.pop();
        assert!(!jobs.is_full());
    }
}
