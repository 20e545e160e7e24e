//! What waits to be sent to one peer, and the task that sends it.
//!
//! Messages and control entries go before data. Ranges of entries are read from the store as the link takes them, so a slow
//! peer costs a few words of memory for each log, never its entries.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portolan_protocol::{entry::LogKind, message::Message, page::LogContext};
use tokio::{sync::Notify, task::spawn_blocking};
use tracing::{debug, warn};

use crate::{
    store::{Frames, Store, StoreError},
    transport::{CloseCode, FrameSender, TransportError},
};

/// Aim for the size of a frame of entries, in bytes.
const FRAME_BYTES_AIM: usize = 256 << 10;
/// Messages that may wait for a peer that does not read; with more it is cut off.
const MESSAGES_MAX: usize = 16_384;

/// Entries `from..to` of one log.
#[derive(Clone, Copy, Debug)]
struct Range {
    context: LogContext,
    from: u64,
    to: u64,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Message>,
    control: VecDeque<Range>,
    data: VecDeque<Range>,
    payloads: VecDeque<(LogContext, u64)>,
    closed: Option<(CloseCode, String)>,
}

/// What the sending task does next.
enum Next {
    Message(Message),
    Range(Range),
    Payload(LogContext, u64),
    Close(CloseCode, String),
}

/// See the head of the file. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Outbox {
    waiting: Arc<Mutex<Waiting>>,
    wake: Arc<Notify>,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message.
    pub(super) fn message(&self, message: Message) {
        let mut waiting = self.waiting();
        if waiting.messages.len() >= MESSAGES_MAX {
            waiting.closed.get_or_insert((CloseCode::Busy, "the peer does not read what it is sent".into()));
        } else {
            waiting.messages.push_back(message);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Adds entries `from..to` of a log; one that continues what waits already is joined to it.
    pub(super) fn range(&self, context: LogContext, from: u64, to: u64) {
        let mut waiting = self.waiting();
        let queue = match context.kind {
            LogKind::Control => &mut waiting.control,
            LogKind::Data => &mut waiting.data,
        };
        match queue.iter_mut().find(|range| range.context == context && range.to == from) {
            Some(range) => range.to = to,
            None => queue.push_back(Range { context, from, to }),
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Adds the payload of one entry.
    pub(super) fn payload(&self, context: LogContext, seq: u64) {
        self.waiting().payloads.push_back((context, seq));
        self.wake.notify_one();
    }

    /// Closes the connection after what was said before.
    pub(super) fn close(&self, code: CloseCode, reason: String) {
        self.waiting().closed.get_or_insert((code, reason));
        self.wake.notify_one();
    }

    fn next(&self) -> Option<Next> {
        let mut waiting = self.waiting();
        if let Some(message) = waiting.messages.pop_front() {
            return Some(Next::Message(message));
        }
        if let Some((code, reason)) = waiting.closed.take() {
            return Some(Next::Close(code, reason));
        }
        if let Some(range) = waiting.control.pop_front() {
            return Some(Next::Range(range));
        }
        if let Some((context, seq)) = waiting.payloads.pop_front() {
            return Some(Next::Payload(context, seq));
        }
        waiting.data.pop_front().map(Next::Range)
    }

    /// Puts back what is left of a range: before the others of control, behind the others of data, so that a short log need
    /// not wait for a long one.
    fn put_back(&self, range: Range) {
        let mut waiting = self.waiting();
        match range.context.kind {
            LogKind::Control => waiting.control.push_front(range),
            LogKind::Data => waiting.data.push_back(range),
        }
    }

    /// Sends what waits until the connection ends.
    pub(super) async fn run(self, store: Store, mut sender: FrameSender) {
        let handle = sender.handle().clone();
        loop {
            let sent = match self.next() {
                None => {
                    tokio::select! {
                        () = self.wake.notified() => continue,
                        _ = handle.closed() => return,
                    }
                }
                Some(Next::Message(message)) => sender.send(message.encode()).await,
                Some(Next::Range(range)) => self.send_range(&store, &mut sender, range).await,
                Some(Next::Payload(context, seq)) => send_payload(&store, &mut sender, context, seq).await,
                Some(Next::Close(code, reason)) => {
                    handle.close(code, &reason);
                    return;
                }
            };
            if let Err(error) = sent {
                debug!(peer = %handle.peer(), %error, "sending ended");
                return;
            }
        }
    }

    /// Sends one frame of a range and puts the rest back.
    async fn send_range(&self, store: &Store, sender: &mut FrameSender, range: Range) -> Result<(), TransportError> {
        let Range { context, from, to } = range;
        let frames = store.run_frames(&context, from, to, FRAME_BYTES_AIM);
        let (pages, rest) = match spawn_blocking(move || read_frame(frames)).await {
            Ok(Ok(Some(frame))) => frame,
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => {
                warn!(%error, "entries could not be read for a peer");
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        if rest < to {
            self.put_back(Range { from: rest, ..range });
        }
        sender.send(Message::run(&context, pages).encode()).await
    }
}

type Frame = (Vec<Vec<u8>>, u64);

fn read_frame(mut frames: Frames) -> Result<Option<Frame>, StoreError> {
    let Some(pages) = frames.next().transpose()? else { return Ok(None) };
    Ok(Some((pages, frames.reached())))
}

async fn send_payload(
    store: &Store,
    sender: &mut FrameSender,
    context: LogContext,
    seq: u64,
) -> Result<(), TransportError> {
    let reader = store.clone();
    let entry = spawn_blocking(move || reader.entry(&context, seq)).await;
    let payload = match entry {
        Ok(Ok(entry)) => entry.and_then(|entry| entry.payload),
        Ok(Err(error)) => {
            warn!(%error, "a payload could not be read for a peer");
            None
        }
        Err(_) => None,
    };
    match payload {
        Some(payload) => {
            let message = Message::Payload { space: context.space, log: context.log, seq, payload };
            sender.send(message.encode()).await
        }
        None => Ok(()),
    }
}
