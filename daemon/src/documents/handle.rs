//! The handle to records: it asks the worker's thread and never blocks the async runtime.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread::{self, JoinHandle},
};

use futures_util::future::BoxFuture;
use portolan_protocol::{
    api::{DocumentQuery, Event, Facets},
    effects::Appended,
    entry::{EntryRef, LogKey, LogKind},
    id::{DocumentId, SpaceId},
    image::Image,
    limits::SPACE_NAME_BYTES_MAX,
    record::{Summary, shortened},
    view::SpaceView,
};
use tokio::sync::{broadcast, oneshot};

use super::{
    aside::SetAside,
    cursor::Cursor,
    error::{AppendError, DocumentError},
    index::Index,
    locks::Locks,
    news::{Asking, Fresh},
    offering::Offering,
    planning,
    queue::{Call, Job},
    reading::{Asked, HeldBack, HistoryItem, Listed, Progress, Shown, When},
    settings::settings_document,
    worker::{Channel, Stage, Worker},
};
use crate::{
    looks::Mark,
    search::Search,
    store::{Store, StoreError},
};

/// Appends changes to this node's own data log, and answers when they are durable.
pub type Appender =
    Arc<dyn Fn(SpaceId, LogKey, Vec<Vec<u8>>) -> BoxFuture<'static, Result<Vec<EntryRef>, AppendError>> + Send + Sync>;

/// Records that one step of a list reads: short enough for others who wait.
const LIST_STEP_RECORDS: usize = 200;

/// Bytes of records in one answer to a list, about.
const LIST_BYTES_AIM: usize = 4 << 20;

/// Local preferences; they decide nothing that is shown.
#[derive(Clone)]
pub struct Options {
    /// Memory for open documents, by estimate.
    pub cache_bytes: usize,
    /// Where records are handed that are to be found by their words.
    pub search: Option<Search>,
}

impl Default for Options {
    fn default() -> Options {
        Options { cache_bytes: 64 << 20, search: None }
    }
}

/// The records of this node. Clones share them.
#[derive(Clone)]
pub struct Documents {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    channel: Arc<Channel>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(super) appender: OnceLock<Appender>,
    feed: Arc<OnceLock<broadcast::Sender<Event>>>,
    pub(super) locks: Arc<Locks>,
    /// Drawn once per start; enters the actors of this start's changes.
    pub(super) salt: [u8; 16],
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.channel.stop();
    }
}

impl Documents {
    /// Takes up what was derived before from `store`, and starts the thread that goes on from there. Call
    /// [`Documents::catch_up`] and [`Documents::views`] next.
    ///
    /// # Errors
    /// [`DocumentError::Store`]; [`DocumentError::Stopped`] when no thread can be started.
    pub fn open(store: &Store, options: Options) -> Result<Documents, DocumentError> {
        let channel = Arc::new(Channel::default());
        let offering = || {
            // Weak, or the search and the worker would keep each other.
            let channel = Arc::downgrade(&channel);
            let nudge = move || channel.upgrade().iter().for_each(|channel| channel.nudge());
            Offering::new(options.search.clone(), Arc::new(nudge))
        };
        let index = match Index::load(store, options.cache_bytes, offering()) {
            // Damaged rows are no loss: everything is in the log.
            Err(StoreError::Damaged(_)) => {
                store.derived().clear()?;
                Index::load(store, options.cache_bytes, offering())?
            }
            other => other?,
        };
        let feed = index.feed.clone();
        let worker = Worker::new(channel.clone(), index);
        let thread = thread::Builder::new().name("documents".to_owned()).spawn(move || worker.run());
        let thread = Mutex::new(Some(thread.map_err(|_| DocumentError::Stopped)?));
        let (appender, locks) = (OnceLock::new(), Arc::new(Locks::default()));
        let shared = Shared { channel, thread, appender, feed, locks, salt: planning::draw_salt() };
        Ok(Documents { shared: Arc::new(shared) })
    }

    /// Gives the way to the log. Before that nothing can be saved; a second call changes nothing.
    pub fn connect(&self, appender: Appender) {
        let _ = self.shared.appender.set(appender);
    }

    /// Gives the feed on which it is told that the list knows of a change to a record. A second call changes nothing.
    pub fn announce(&self, feed: broadcast::Sender<Event>) {
        let _ = self.shared.feed.set(feed);
    }

    /// New entries are durable. Returns at once.
    pub fn appended(&self, appended: impl IntoIterator<Item = Appended>) {
        self.shared.channel.appended(appended);
    }

    /// Membership or keys of spaces are now these. Returns at once.
    pub fn views(&self, views: impl IntoIterator<Item = Arc<SpaceView>>) {
        self.shared.channel.views(views);
    }

    /// Everything that the store holds, at the start: what was committed and not derived is found here.
    pub fn catch_up(&self, image: &Image) {
        let logs = image.logs.iter().filter(|log| log.context.kind == LogKind::Data);
        let reached = |context, next| Appended { context, from: next, to: next, way: None };
        self.appended(logs.map(|log| reached(log.context, log.tip.next_seq)));
    }

    /// Waits until `stage` is reached for everything that was announced before.
    ///
    /// # Errors
    /// [`DocumentError::Behind`] and [`DocumentError::Search`] when it cannot be reached now, [`DocumentError::Stopped`].
    pub async fn flush(&self, stage: Stage) -> Result<(), DocumentError> {
        self.shared.channel.wait(stage, None).await.map_err(|_| DocumentError::Stopped)??;
        if let (Stage::Searchable, Some(search)) = (stage, self.search().await?) {
            search.flush().await?;
        }
        Ok(())
    }

    async fn search(&self) -> Result<Option<Search>, DocumentError> {
        self.ask(|index| index.offering.search().cloned()).await
    }

    /// Whether so many wait to be answered that others are better turned away. A save that has begun comes to its end.
    pub fn is_full(&self) -> bool {
        self.shared.channel.is_full()
    }

    /// Ends the thread, after the step it is at.
    pub async fn close(&self) {
        self.shared.channel.stop();
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that panicked has ended as well.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// Has the thread run `job` and waits for its answer. The job is left out when this is dropped before its turn comes.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Index) -> T + Send + 'static,
    ) -> Result<T, DocumentError> {
        let (answer, wait) = oneshot::channel();
        if !self.shared.channel.ask(Job::Run(Box::new(Call { job, answer }))) {
            return Err(DocumentError::Stopped);
        }
        wait.await.map_err(|_| DocumentError::Stopped)
    }

    /// As [`Documents::ask`], once everything of `space` that is durable now was taken in; where nothing is behind, that is at
    /// once.
    pub(super) async fn ask_level<T: Send + 'static>(
        &self,
        space: SpaceId,
        job: impl FnOnce(&mut Index) -> T + Send + 'static,
    ) -> Result<T, DocumentError> {
        let asked = self.ask(move |index| if index.is_level(space) { Ok(job(index)) } else { Err(job) });
        match asked.await? {
            Ok(answer) => Ok(answer),
            Err(job) => {
                self.level(space).await?;
                self.ask(job).await
            }
        }
    }

    /// Waits until everything of `space` that is durable now was taken in.
    async fn level(&self, space: SpaceId) -> Result<(), DocumentError> {
        let wait = self.shared.channel.wait(Stage::Indexed, Some(space));
        wait.await.map_err(|_| DocumentError::Stopped)?
    }

    /// A record; none where it is to be shown `when` it is not yet.
    async fn look_up(&self, space: SpaceId, document: DocumentId, when: When) -> Result<Option<Shown>, DocumentError> {
        let (answer, wait) = oneshot::channel();
        if !self.shared.channel.ask(Job::Show(Asked { space, document, when, answer })) {
            return Err(DocumentError::Stopped);
        }
        wait.await.map_err(|_| DocumentError::Stopped)?
    }

    /// A record with everything of it that is durable, opened at once if it is not open. While entries of the space are not
    /// looked at, it is waited for.
    ///
    /// # Errors
    /// [`DocumentError::NotFound`], [`DocumentError::UnknownSpace`], [`DocumentError::Fault`], [`DocumentError::Store`],
    /// [`DocumentError::Behind`].
    pub async fn show(&self, space: SpaceId, document: DocumentId) -> Result<Shown, DocumentError> {
        if let Some(shown) = self.look_up(space, document, When::Level).await? {
            return Ok(shown);
        }
        self.level(space).await?;
        self.look_up(space, document, When::Now).await?.ok_or(DocumentError::NotFound(document))
    }

    /// A record as it was at the changes named, which must be heads of a state that it has been in here.
    ///
    /// # Errors
    /// [`DocumentError::UnknownHeads`], and as [`Documents::show`].
    pub async fn show_at(
        &self,
        space: SpaceId,
        document: DocumentId,
        heads: Vec<String>,
    ) -> Result<Shown, DocumentError> {
        self.ask_level(space, move |index| index.record_at(space, document, &heads)).await?
    }

    /// Every entry of a record, applied or not, each after those it was made on.
    ///
    /// # Errors
    /// As [`Documents::show`].
    pub async fn history(&self, space: SpaceId, document: DocumentId) -> Result<Vec<HistoryItem>, DocumentError> {
        self.ask_level(space, move |index| index.history(space, document)).await?
    }

    /// Records in the order that `query` asks for, behind `after`, a place in the same order. A page may hold fewer than `limit`
    /// while there is a next one.
    ///
    /// # Errors
    /// [`DocumentError::UnknownSpace`], [`DocumentError::BadPrefix`], [`DocumentError::Store`].
    pub async fn list(
        &self,
        space: SpaceId,
        query: DocumentQuery,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Listed, DocumentError> {
        let places = self.ask(move |index| index.places(space, &query, after.as_ref(), limit));
        let (mut places, mut more) = places.await??;
        let ids: Vec<DocumentId> = places.iter().map(|place| place.id).collect();
        let mut listed = Listed::default();
        let (mut bytes, mut seen) = (0, 0);
        for step in ids.chunks(LIST_STEP_RECORDS) {
            if bytes >= LIST_BYTES_AIM {
                break;
            }
            let (step, left) = (step.to_vec(), LIST_BYTES_AIM - bytes);
            let part = self.ask(move |index| index.summaries(space, &step, left)).await??;
            listed.documents.extend(part.records);
            (bytes, seen) = (bytes + part.bytes, seen + part.looked_at);
        }
        if seen < places.len() {
            places.truncate(seen);
            more = true;
        }
        listed.next = places.pop().filter(|_| more);
        Ok(listed)
    }

    /// How many records pass the filters of `query`, by the values that they have in each facet.
    ///
    /// # Errors
    /// [`DocumentError::UnknownSpace`], [`DocumentError::Stopped`].
    pub async fn facets(&self, space: SpaceId, query: DocumentQuery) -> Result<Facets, DocumentError> {
        self.ask(move |index| index.facets(space, &query)).await?
    }

    /// The short forms of records, as they are now, in the order of `ids`; those that have none are left out.
    ///
    /// # Errors
    /// [`DocumentError::Store`], [`DocumentError::Stopped`].
    pub async fn summaries(&self, space: SpaceId, ids: Vec<DocumentId>) -> Result<Vec<Summary>, DocumentError> {
        Ok(self.ask(move |index| index.summaries(space, &ids, usize::MAX)).await??.records)
    }

    /// Where the order of what became known begins anew after a start: everything up to there is durable.
    ///
    /// # Errors
    /// [`DocumentError::Store`], [`DocumentError::Stopped`].
    pub async fn begun(&self) -> Result<Mark, DocumentError> {
        Ok(self.ask(|index| index.begun()).await??)
    }

    /// What became known of records since somebody looked.
    ///
    /// # Errors
    /// [`DocumentError::Store`], [`DocumentError::Stopped`].
    pub async fn fresh(&self, asking: Asking) -> Result<Fresh, DocumentError> {
        self.ask(move |index| index.fresh(&asking)).await?
    }

    /// The records whose ids begin with `prefix`: at most `limit`.
    ///
    /// # Errors
    /// As [`Documents::list`].
    pub async fn resolve(&self, space: SpaceId, prefix: &str, limit: usize) -> Result<Vec<DocumentId>, DocumentError> {
        let query = DocumentQuery { prefix: Some(prefix.to_owned()), ..DocumentQuery::default() };
        let listed = self.list(space, query, None, limit).await?;
        Ok(listed.documents.into_iter().map(|summary| summary.id).collect())
    }

    /// How far the derived data of a space is, and what is held back in it.
    ///
    /// # Errors
    /// [`DocumentError::Stopped`].
    pub async fn progress(&self, space: SpaceId) -> Result<Progress, DocumentError> {
        self.ask(move |index| index.progress(space)).await
    }

    /// Entries that are held and not applied, with the reason: at most `limit`.
    ///
    /// # Errors
    /// [`DocumentError::Store`], [`DocumentError::Stopped`].
    pub async fn held_back(&self, space: SpaceId, limit: usize) -> Result<Vec<HeldBack>, DocumentError> {
        self.ask(move |index| index.held_back(space, limit)).await?
    }

    /// The logs of a space that records are derived from no more, since something of them is damaged: until the service is
    /// started again, or [`Documents::rebuild`].
    ///
    /// # Errors
    /// [`DocumentError::Stopped`].
    pub async fn set_aside(&self, space: SpaceId) -> Result<Vec<SetAside>, DocumentError> {
        self.ask(move |index| index.all_aside(space)).await
    }

    /// The name of a space in the first of `languages` that it has one in, from the space's settings; too long a one is cut.
    ///
    /// # Errors
    /// [`DocumentError::Fault`], [`DocumentError::Store`], [`DocumentError::UnknownSpace`].
    pub async fn space_name(&self, space: SpaceId, languages: &[&str]) -> Result<Option<String>, DocumentError> {
        match self.look_up(space, settings_document(&space), When::Now).await {
            Ok(shown) => Ok(shown
                .and_then(|shown| shown.record.title_in(languages).map(|name| shortened(name, SPACE_NAME_BYTES_MAX)))),
            Err(DocumentError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Forgets everything derived and begins anew from the log. [`Documents::flush`] tells when it is done.
    ///
    /// # Errors
    /// [`DocumentError::Store`], [`DocumentError::Stopped`].
    pub async fn rebuild(&self) -> Result<(), DocumentError> {
        Ok(self.ask(Index::rebuild).await??)
    }
}
