//! The thread that carries effects out, in their order: first durable, then everything that follows from it.
//!
//! Whatever effects wait are made durable together, so that a busy node syncs its disk once for many changes.

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
};

use portolan_protocol::{
    commit::Commit,
    effects::{Appended, Effects, Notice, Send},
    id::SpaceId,
    input::Fetch,
    page::AuthenticRun,
    view::SpaceView,
};
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{error, info, warn};

use super::{
    core::{Event, Job},
    roster::Roster,
};
use crate::{
    store::{Store, StoreError},
    transport::CloseCode,
};

/// Effects made durable together, at most.
const JOBS_MAX: usize = 256;
/// Bytes of entries made durable together, about.
const BYTES_AIM: usize = 8 << 20;

/// Whoever derives documents from logs.
pub trait Follower: std::marker::Send + 'static {
    /// Membership or keys of spaces changed.
    fn views(&self, views: &[Arc<SpaceView>]);
    /// New entries are durable.
    fn appended(&self, appended: &[Appended]);
}

/// Pictures of all spaces, as they are durable.
pub type Views = BTreeMap<SpaceId, Arc<SpaceView>>;

/// See the head of the file.
pub(super) struct Committer {
    pub(super) store: Store,
    /// Set before the waiting learn that there is no answer.
    pub(super) full: Arc<AtomicBool>,
    pub(super) events: mpsc::WeakSender<Event>,
    pub(super) views: watch::Sender<Views>,
    pub(super) notices: broadcast::Sender<Notice>,
    pub(super) follower: Box<dyn Follower>,
    pub(super) roster: Roster,
    pub(super) runtime: tokio::runtime::Handle,
}

impl Committer {
    /// Runs until the core is gone, or a commit fails: then memory is ahead of the disk, nothing of the failed batch has left
    /// the node, and the service has to start anew from what is durable.
    pub(super) fn run(self, jobs: &Receiver<Job>) -> Result<(), StoreError> {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            let mut bytes = weight(&batch[0].effects);
            while batch.len() < JOBS_MAX && bytes < BYTES_AIM {
                let Ok(job) = jobs.try_recv() else { break };
                bytes += weight(&job.effects);
                batch.push(job);
            }
            let commits: Vec<Commit> = batch.iter_mut().map(|job| mem::take(&mut job.effects.commit)).collect();
            if let Err(error) = self.store.commit(&commits) {
                error!(%error, "what was to be made durable could not be");
                self.full.store(matches!(error, StoreError::Full { .. }), Ordering::Release);
                return Err(error);
            }
            drop(commits);
            if !self.store.trusted() {
                // The first commit after a loss says that the old logs are left alone: now the loss is dealt with.
                self.store.settle()?;
            }
            batch.into_iter().for_each(|job| self.carry(job));
        }
        Ok(())
    }

    fn carry(&self, job: Job) {
        let Effects { commit: _, fetch, send, replies, views, appended, notices } = job.effects;
        fetch.into_iter().for_each(|fetch| self.fetch(fetch));
        for send in send {
            match send {
                Send::Message { peer, message } => {
                    if let Some(outbox) = job.outboxes.get(&peer) {
                        outbox.message(&message);
                    }
                }
                Send::Range { peer, context, from, to } => {
                    if let Some(outbox) = job.outboxes.get(&peer) {
                        outbox.range(context, from, to);
                    }
                }
                Send::Payload { peer, context, seq } => {
                    if let Some(outbox) = job.outboxes.get(&peer) {
                        outbox.payload(context, seq);
                    }
                }
                Send::Close { peer, reason } => {
                    if let Some(outbox) = job.outboxes.get(&peer) {
                        outbox.close(CloseCode::Protocol, reason);
                    }
                }
            }
        }
        if !views.is_empty() {
            self.follower.views(&views);
            self.views.send_modify(|held| held.extend(views.into_iter().map(|view| (view.space, view))));
        }
        if !appended.is_empty() {
            self.follower.appended(&appended);
        }
        if let (Some(answer), Some((_, reply))) = (job.answer, replies.into_iter().next()) {
            // The one who asked may have gone.
            let _ = answer.send(reply);
        }
        for notice in notices {
            log(&notice);
            self.roster.note(&notice);
            let _ = self.notices.send(notice);
        }
    }

    /// Reads entries for the core. Rare: only when a log may be forked.
    fn fetch(&self, fetch: Fetch) {
        let Fetch { context, from, to, .. } = fetch;
        let frames = self.store.run_frames(&context, from, to, usize::MAX);
        let pages = frames.collect::<Result<Vec<_>, _>>().map(|pages| pages.concat()).ok();
        if let Some(events) = self.events.upgrade() {
            // The core may be waiting for this thread to take effects, so this one must not wait for the core.
            self.runtime.spawn(async move { events.send(Event::Fetched { fetch, pages }).await });
        }
    }
}

fn weight(effects: &Effects) -> usize {
    let pages = |run: &AuthenticRun| run.pages().iter().map(Vec::len).sum::<usize>();
    effects.commit.runs.iter().map(pages).sum()
}

fn log(notice: &Notice) {
    match notice {
        Notice::Refused { peer, reason } => warn!(%peer, reason, "bytes of a peer were refused"),
        Notice::Fork { context, seq } => {
            warn!(space = %context.space, author = %context.log.author, log = %context.log.log, seq, "an author signed two entries for one place");
        }
        Notice::TooManyLogs { space, author } => {
            warn!(%space, %author, "an author has more logs than a member may have: an administrator should remove it");
        }
        Notice::Joined { space } => info!(%space, "joined a space"),
        Notice::Removed { space } => warn!(%space, "this node is no longer a member of a space"),
        Notice::UpgradeNeeded { space } => {
            warn!(%space, "a space uses something newer than this release: upgrade to write in it")
        }
        Notice::PeerCard { card } => info!(peer = %card.node(), version = card.version(), "a peer's card is held"),
        Notice::PeerGone { peer } => info!(%peer, "no longer a peer"),
        Notice::Receipted { .. } => {}
    }
}
