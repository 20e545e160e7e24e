//! The thread that owns the `Node`. It hands every effect to the committer and never waits for a disk or a network.

use std::{collections::BTreeMap, sync::Arc};

use portolan_protocol::{
    effects::Effects,
    id::NodeId,
    input::{Command, CommandError, Fetch, Input, Reply},
    node::Node,
};
use tokio::sync::{mpsc, oneshot};

use super::outbox::Outbox;
use crate::{clock, transport::Handle};

/// Where the answer to a command goes.
pub(super) type Answer = oneshot::Sender<Result<Reply, CommandError>>;

/// Something happened.
pub(super) enum Event {
    Command { command: Command, answer: Answer },
    Connected { link: Handle, outbox: Outbox },
    Disconnected { link: Handle },
    Frame { link: Handle, frame: Vec<u8> },
    Fetched { fetch: Fetch, pages: Option<Vec<Vec<u8>>> },
    Stop,
}

/// Open connections as they were when effects came about: what was meant for one connection must not go into the next.
pub(super) type Outboxes = Arc<BTreeMap<NodeId, Outbox>>;

/// Effects on their way to the committer.
pub(super) struct Job {
    pub(super) effects: Effects,
    pub(super) outboxes: Outboxes,
    pub(super) answer: Option<Answer>,
}

/// Runs until nobody can send events any more, or nobody carries effects out.
pub(super) fn run(mut node: Node, mut events: mpsc::Receiver<Event>, jobs: &std::sync::mpsc::SyncSender<Job>) {
    let mut rng = clock::rng();
    let mut links: BTreeMap<NodeId, Handle> = BTreeMap::new();
    let mut outboxes = Outboxes::default();
    let effects = node.handle(Input::Started, clock::now(), &mut rng);
    if jobs.send(Job { effects, outboxes: outboxes.clone(), answer: None }).is_err() {
        return;
    }
    while let Some(event) = events.blocking_recv() {
        let mut answer = None;
        let input = match event {
            Event::Command { command, answer: waiting } => {
                answer = Some(waiting);
                Input::Command { number: 0, command }
            }
            Event::Connected { link, outbox } => {
                let peer = link.peer();
                Arc::make_mut(&mut outboxes).insert(peer, outbox);
                links.insert(peer, link);
                Input::Connected { peer }
            }
            Event::Disconnected { link } => {
                if !counts(&links, &link) {
                    continue;
                }
                let peer = link.peer();
                links.remove(&peer);
                Arc::make_mut(&mut outboxes).remove(&peer);
                Input::Disconnected { peer }
            }
            Event::Frame { link, frame } => {
                if !counts(&links, &link) {
                    continue;
                }
                Input::Received { peer: link.peer(), frame }
            }
            Event::Stop => return,
            Event::Fetched { fetch, pages } => Input::Fetched { fetch, pages },
        };
        let effects = node.handle(input, clock::now(), &mut rng);
        if jobs.send(Job { effects, outboxes: outboxes.clone(), answer }).is_err() {
            return;
        }
    }
}

fn counts(links: &BTreeMap<NodeId, Handle>, link: &Handle) -> bool {
    links.get(&link.peer()).is_some_and(|held| held.same(link))
}
