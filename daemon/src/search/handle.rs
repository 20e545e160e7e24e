//! The handle to the search: records are handed in, questions asked. Clones share it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use portolan_protocol::id::SpaceId;
use tantivy::TantivyError;
use thiserror::Error;

use super::{
    channel::{Channel, Put, Table},
    keeper::Keeper,
    matching::{Found, Matching, Question},
};
use crate::clock;

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The index is not open yet, or cannot be opened now.
    #[error("the search index is not open yet")]
    NotOpen,
    /// The index is damaged. It is being built anew.
    #[error("the search index is damaged and is being built anew")]
    Damaged,
    /// It cannot be written now.
    #[error("the search index cannot be written now; the log says why")]
    Unwritable,
    /// The thread has ended.
    #[error("the search has been stopped")]
    Stopped,
}

/// See the head of the file.
#[derive(Clone)]
pub struct Search {
    shared: Arc<Shared>,
}

struct Shared {
    channel: Arc<Channel>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.channel.stop();
    }
}

impl Search {
    /// Starts the thread that keeps the index in `directory`. It begins with [`Search::attach`].
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(directory: PathBuf) -> Result<Search, SearchError> {
        let channel = Arc::new(Channel::default());
        let keeper = Keeper::new(directory, channel.clone());
        let thread = thread::Builder::new().name("search".to_owned()).spawn(move || keeper.run());
        let thread = Mutex::new(Some(thread.map_err(|_| SearchError::Stopped)?));
        Ok(Search { shared: Arc::new(Shared { channel, thread }) })
    }

    /// The index is one of the records in `table`: the one there is, or a new one. `nudge` is called when it is open, and when
    /// there is room again: it must not call back.
    pub fn attach(&self, table: Table, nudge: Arc<dyn Fn() + Send + Sync>) {
        self.shared.channel.attach(table, nudge);
    }

    /// From which revision on all records are to be handed over, if they are. Says so once.
    pub fn take_offer(&self) -> Option<u64> {
        self.shared.channel.take_offer()
    }

    /// Whether [`Search::take_offer`] has something to say.
    pub fn has_offer(&self) -> bool {
        self.shared.channel.has_offer()
    }

    /// Hands over a record as it is. False where it is not taken now: it is to be handed over once there is
    /// room. Never blocks.
    #[must_use]
    pub fn put(&self, put: Put) -> bool {
        self.shared.channel.put(put)
    }

    /// Whether a record would be taken.
    pub fn has_room(&self) -> bool {
        self.shared.channel.has_room()
    }

    /// Whether the index is open and nothing has to be handed over again.
    pub fn is_settled(&self) -> bool {
        self.shared.channel.is_settled()
    }

    /// Whether the index cannot be had now, for lack of room on the disk for instance: it is tried again from time to time.
    pub fn is_failing(&self) -> bool {
        self.shared.channel.is_failing()
    }

    /// Records of a space that were handed over and cannot be found yet.
    pub fn behind(&self, space: &SpaceId) -> u64 {
        self.shared.channel.behind(space)
    }

    /// Waits until everything that was handed over can be found.
    ///
    /// # Errors
    /// [`SearchError::Unwritable`].
    pub async fn flush(&self) -> Result<(), SearchError> {
        self.shared.channel.wait().await.map_err(|_| SearchError::Unwritable)
    }

    /// Looks for records. Blocks.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn find(&self, question: &Question) -> Result<Found, SearchError> {
        let readable = self.shared.channel.readable().ok_or(SearchError::NotOpen)?;
        let searcher = readable.reader.searcher();
        let matching =
            Matching { searcher: &searcher, fields: &readable.fields, analysers: readable.analysers.clone(), question };
        match catch_unwind(AssertUnwindSafe(|| matching.find())) {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(TantivyError::InvalidArgument(why))) => {
                tracing::warn!(why, "a question is none to the search index");
                Ok(Found::default())
            }
            Ok(Err(error)) => Err(self.damaged(&error.to_string())),
            Err(_) => Err(self.damaged("a question made it panic")),
        }
    }

    fn damaged(&self, why: &str) -> SearchError {
        tracing::error!(why, "the search index is damaged; it is opened again, and built anew where that is no help");
        // What is damaged shows when it is opened: a question alone has nothing thrown away.
        self.shared.channel.failed(clock::monotonic(), false);
        SearchError::Damaged
    }

    /// Ends the thread. What can be found by then can be found after the next start; the rest is handed over again.
    pub async fn close(&self) {
        // Fails where the index is not open: then there is nothing to keep.
        if self.is_settled() {
            let _ = self.flush().await;
        }
        self.shared.channel.stop();
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that panicked has ended as well.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}
