//! What waits to be sent to one peer, and the task that sends it.
//!
//! Messages and control entries go before data. Ranges of entries are read from the store as the link takes them, so a slow
//! peer costs a few words of memory for each log, never its entries.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portolan_protocol::{
    entry::{LogKey, LogKind},
    id::SpaceId,
    limits::FRAME_BYTES_MAX,
    message::Message,
    page::LogContext,
};
use tokio::{sync::Notify, task::spawn_blocking};
use tracing::{debug, error, warn};

use crate::{
    store::{Frames, Store, StoreError},
    transport::{CloseCode, FrameSender, TransportError},
};

/// Aim for the size of a frame of entries, in bytes.
const FRAME_BYTES_AIM: usize = 256 << 10;
/// Messages that may wait for a peer that does not read; with more it is cut off.
const MESSAGES_MAX: usize = 16_384;
/// Their bytes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Payloads that may wait. What is beyond is let go: the next comparison of frontiers offers it again.
const PAYLOADS_MAX: usize = 16_384;
/// Ranges of one log that wait apart from one another; more of them become one, with what lies between.
const SPANS_MAX: usize = 4;

/// Entries `from..to` of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    context: LogContext,
    from: u64,
    to: u64,
}

/// Which of the logs that wait is next once a range is added.
#[derive(Clone, Copy)]
enum Turn {
    First,
    Last,
}

/// Ranges that wait, log after log. However often a peer asks, they are no more than a few for each log that is held.
#[derive(Default)]
struct Ranges {
    turns: VecDeque<LogContext>,
    spans: BTreeMap<(SpaceId, LogKey), VecDeque<(u64, u64)>>,
}

impl Ranges {
    fn add(&mut self, range: Range, turn: Turn) {
        let Range { context, from, to } = range;
        let spans = self.spans.entry((context.space, context.log)).or_default();
        match (spans.is_empty(), turn) {
            (true, Turn::First) => self.turns.push_front(context),
            (true, Turn::Last) => self.turns.push_back(context),
            (false, _) => {}
        }
        let full = spans.len() >= SPANS_MAX;
        let joins = |span: &&mut (u64, u64)| full || (span.0 <= to && from <= span.1);
        match spans.iter_mut().find(joins) {
            Some(span) => *span = (span.0.min(from), span.1.max(to)),
            None => spans.push_back((from, to)),
        }
    }

    fn take(&mut self) -> Option<Range> {
        let context = self.turns.pop_front()?;
        let key = (context.space, context.log);
        let spans = self.spans.get_mut(&key)?;
        let (from, to) = spans.pop_front()?;
        if spans.is_empty() {
            self.spans.remove(&key);
        } else {
            self.turns.push_back(context);
        }
        Some(Range { context, from, to })
    }
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Vec<u8>>,
    message_bytes: usize,
    control: Ranges,
    data: Ranges,
    payloads: BTreeMap<(SpaceId, LogKey, u64), LogKind>,
    closed: Option<(CloseCode, String)>,
}

/// What the sending task does next.
#[derive(Debug, PartialEq)]
enum Next {
    Message(Vec<u8>),
    Range(Range),
    Payload(LogContext, u64),
    Close(CloseCode, String),
}

/// See the head of the file. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Outbox {
    waiting: Arc<Mutex<Waiting>>,
    wake: Arc<Notify>,
    /// Too much waits: even what is being sent is not waited for.
    cut: Arc<Notify>,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message.
    pub(super) fn message(&self, message: &Message) {
        let frame = message.encode();
        if frame.len() > FRAME_BYTES_MAX {
            // Nobody would take it. Closing would cost all spaces of the connection, and the next one would end the same way.
            error!(bytes = frame.len(), "a message to a peer is larger than a frame and is left out");
            return;
        }
        let mut waiting = self.waiting();
        if waiting.messages.len() >= MESSAGES_MAX || waiting.message_bytes + frame.len() > MESSAGE_BYTES_MAX {
            waiting.messages.clear();
            waiting.message_bytes = 0;
            waiting.closed = Some((CloseCode::Busy, "the peer does not read what it is sent".into()));
            self.cut.notify_one();
        } else if waiting.closed.is_none() {
            waiting.message_bytes += frame.len();
            waiting.messages.push_back(frame);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Adds entries `from..to` of a log; what touches a range that waits already is joined to it.
    pub(super) fn range(&self, context: LogContext, from: u64, to: u64) {
        let mut waiting = self.waiting();
        waiting.ranges(context.kind).add(Range { context, from, to }, Turn::Last);
        drop(waiting);
        self.wake.notify_one();
    }

    /// Adds the payload of one entry.
    pub(super) fn payload(&self, context: LogContext, seq: u64) {
        let mut waiting = self.waiting();
        if waiting.payloads.len() < PAYLOADS_MAX {
            waiting.payloads.insert((context.space, context.log, seq), context.kind);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Closes the connection after what was said before.
    pub(super) fn close(&self, code: CloseCode, reason: String) {
        self.waiting().closed.get_or_insert((code, reason));
        self.wake.notify_one();
    }

    fn next(&self) -> Option<Next> {
        let mut waiting = self.waiting();
        if let Some(frame) = waiting.messages.pop_front() {
            waiting.message_bytes -= frame.len();
            return Some(Next::Message(frame));
        }
        if let Some((code, reason)) = waiting.closed.take() {
            return Some(Next::Close(code, reason));
        }
        if let Some(range) = waiting.control.take() {
            return Some(Next::Range(range));
        }
        if let Some(((space, log, seq), kind)) = waiting.payloads.pop_first() {
            return Some(Next::Payload(LogContext { space, log, kind }, seq));
        }
        waiting.data.take().map(Next::Range)
    }

    /// Puts back what is left of a range: before the others of control, behind the others of data, so that a short log need
    /// not wait for a long one.
    fn put_back(&self, range: Range) {
        let turn = match range.context.kind {
            LogKind::Control => Turn::First,
            LogKind::Data => Turn::Last,
        };
        self.waiting().ranges(range.context.kind).add(range, turn);
    }

    /// Sends what waits until the connection ends.
    pub(super) async fn run(self, store: Store, mut sender: FrameSender) {
        let handle = sender.handle().clone();
        loop {
            let next = match self.next() {
                None => {
                    tokio::select! {
                        () = self.wake.notified() => continue,
                        _ = handle.closed() => return,
                    }
                }
                Some(Next::Close(code, reason)) => return handle.close(code, &reason),
                Some(next) => next,
            };
            let sent = tokio::select! {
                biased;
                // A peer that does not read would have us wait for ever.
                () = self.cut.notified() => continue,
                sent = self.send(&store, &mut sender, next) => sent,
            };
            if let Err(error) = sent {
                debug!(peer = %handle.peer(), %error, "sending ended");
                // Where it is not at an end already: nothing can follow what was left out.
                return handle.close(CloseCode::Done, "sending failed");
            }
        }
    }

    async fn send(&self, store: &Store, sender: &mut FrameSender, next: Next) -> Result<(), TransportError> {
        match next {
            Next::Message(frame) => sender.send(frame).await,
            Next::Range(range) => self.send_range(store, sender, range).await,
            Next::Payload(context, seq) => send_payload(store, sender, context, seq).await,
            Next::Close(..) => Ok(()),
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

impl Waiting {
    fn ranges(&mut self, kind: LogKind) -> &mut Ranges {
        match kind {
            LogKind::Control => &mut self.control,
            LogKind::Data => &mut self.data,
        }
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

#[cfg(test)]
mod tests {
    use portolan_protocol::id::NodeId;

    use super::*;

    fn context(kind: LogKind, log: u8) -> LogContext {
        let log = LogKey { author: NodeId([1; 32]), log: kind.log_id([log; 16]) };
        LogContext { space: SpaceId([1; 32]), log, kind }
    }

    fn range(context: LogContext, from: u64, to: u64) -> Option<Next> {
        Some(Next::Range(Range { context, from, to }))
    }

    #[test]
    fn one_who_asks_again_and_again_makes_nothing_grow() {
        let outbox = Outbox::default();
        let (one, other) = (context(LogKind::Data, 1), context(LogKind::Data, 2));
        for round in 0..10_000 {
            outbox.range(one, 0, 100 + round);
            outbox.range(other, round * 10, round * 10 + 1);
            outbox.payload(one, round % 3);
        }
        for seq in 0..3 {
            assert_eq!(outbox.next(), Some(Next::Payload(one, seq)));
        }
        let mut ranges = Vec::new();
        while let Some(Next::Range(range)) = outbox.next() {
            ranges.push(range);
        }
        assert_eq!(ranges.iter().filter(|range| range.context == one).count(), 1);
        let asked = |seq: u64| ranges.iter().any(|r| r.context == other && r.from <= seq && seq < r.to);
        assert!(ranges.len() <= 1 + SPANS_MAX && (0..10_000).all(|round| asked(round * 10)));
    }

    #[test]
    fn one_who_does_not_read_is_cut_off_before_memory_runs_out() {
        let outbox = Outbox::default();
        let message = Message::Payload {
            space: SpaceId([1; 32]),
            log: context(LogKind::Data, 1).log,
            seq: 0,
            payload: vec![0; 1 << 20],
        };
        for _ in 0..100 {
            outbox.message(&message);
        }
        assert!(matches!(outbox.next(), Some(Next::Close(CloseCode::Busy, _))));
        assert_eq!((outbox.next(), outbox.waiting().message_bytes), (None, 0));
    }

    #[test]
    fn what_is_left_of_control_goes_on_before_data() {
        let outbox = Outbox::default();
        let (one, other) = (context(LogKind::Control, 1), context(LogKind::Control, 2));
        outbox.range(context(LogKind::Data, 1), 0, 9);
        outbox.range(one, 0, 9);
        outbox.range(other, 0, 9);
        assert_eq!(outbox.next(), range(one, 0, 9));
        outbox.range(one, 9, 12);
        outbox.put_back(Range { context: one, from: 5, to: 9 });
        assert_eq!(outbox.next(), range(other, 0, 9));
        assert_eq!(outbox.next(), range(one, 5, 12));
        assert_eq!(outbox.next(), range(context(LogKind::Data, 1), 0, 9));
        assert_eq!(outbox.next(), None);
    }
}
