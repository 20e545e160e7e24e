//! A node with its disk and clock: it hands inputs to the core and carries out what comes back, in the order of the fields,
//! and the power may fail in between. It watches the core: what leaves must be durable and hold no plaintext.

use std::{collections::BTreeMap, sync::Arc};

use portolan_protocol::{
    card::{Card, Profile},
    crypto::{sealing::SealingSecret, signing::SigningKey},
    effects::{Effects, Notice, Send},
    entry::{EntryRef, LogKey},
    frontier::LogFrontier,
    id::{EntryHash, Incarnation, NodeId, OrganisationId, PouchId, SpaceId},
    input::{CommandError, Fetch, Input, Reply},
    message::Message,
    node::{Identity, Node},
    pouch::{Contents, Plan},
    view::SpaceView,
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use super::{clock::Clock, disk::Disk, readers};
use crate::checkers::secrecy;

/// What a sender keeps of a pouch.
#[derive(Clone)]
pub struct Sent {
    /// As it was packed.
    pub plan: Plan,
    /// What its volumes held, by number.
    pub kept: Vec<(u16, Contents)>,
}

/// What a machine keeps beside its store: the pouches that it sent.
pub type SentPouches = BTreeMap<PouchId, Sent>;

/// When the power fails while effects are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It does not.
    Steady,
    /// After the commit was written and before it was synced.
    FailsBeforeSync,
    /// After the commit is durable and before anything leaves.
    FailsAfterSync,
}

/// What answers on a machine.
pub enum Mind {
    /// The real core.
    Node(Box<Node>),
    /// Nothing: the machine is off.
    Off,
    /// A test that speaks in the machine's name. It keeps what it hears.
    Puppet(Vec<Message>),
}

/// What leaves the machine after an input.
#[derive(Default)]
pub struct Outcome {
    /// Frames, in order, with the connection that they were meant for.
    pub frames: Vec<(u64, NodeId, Vec<u8>)>,
    /// Connections that the core wants closed, and why.
    pub closed: Vec<(NodeId, String)>,
    /// What the core wanted to see.
    pub fetched: Vec<(Fetch, Option<Vec<Vec<u8>>>)>,
    /// Answers to commands.
    pub replies: Vec<(u64, Result<Reply, CommandError>)>,
    /// The power failed.
    pub failed: bool,
}

/// See the head of the file.
pub struct Machine {
    /// For messages of failing tests.
    pub name: String,
    /// Card and secrets.
    pub identity: Identity,
    /// What it holds.
    pub disk: Disk,
    /// What time it thinks it is.
    pub clock: Clock,
    /// What answers.
    pub mind: Mind,
    /// Open connections, by peer.
    pub open: BTreeMap<NodeId, u64>,
    /// The latest view of each space.
    pub views: BTreeMap<SpaceId, Arc<SpaceView>>,
    /// What the operator was told.
    pub notices: Vec<Notice>,
    /// Changes that were acknowledged to a person.
    pub acknowledged: Vec<(SpaceId, EntryRef)>,
    /// The most that was told of each log to any peer, in frontiers and receipts.
    pub told: BTreeMap<(SpaceId, LogKey), LogFrontier>,
    /// The pouches that it wrote, as it keeps them.
    pub sent: SentPouches,
    /// The hashes of all entries that the machine wrote itself, whether they survived or not.
    pub wrote: Vec<EntryHash>,
}

impl Machine {
    /// A machine with a fresh identity, switched off.
    ///
    /// # Panics
    /// When the card of the test is not a card.
    #[allow(clippy::expect_used, reason = "constants of the test")]
    pub fn new(name: &str, rng: &mut ChaCha20Rng) -> Machine {
        let mut seed = || {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            seed
        };
        let (signing, transport, recovery) =
            (SigningKey::from_seed(&seed()), SigningKey::from_seed(&seed()), SigningKey::from_seed(&seed()));
        let sealing = SealingSecret::from_seed(&seed()).expect("a seed");
        let profile = Profile {
            name: name.into(),
            organisation_name: name.into(),
            organisation: OrganisationId(seed().first_chunk().copied().unwrap_or_default()),
            country: "IT".into(),
            addresses: Vec::new(),
        };
        let clock = Clock::new(rng.next_u64());
        let (transport, recovery) = (transport.public(), recovery.public());
        let card = Card::first(&signing, transport, &sealing, recovery, profile, clock.read(0)).expect("a card");
        Machine {
            name: name.into(),
            identity: Identity { card, signing, sealing },
            disk: Disk::new(life(rng)),
            clock,
            mind: Mind::Off,
            open: BTreeMap::new(),
            views: BTreeMap::new(),
            notices: Vec::new(),
            acknowledged: Vec::new(),
            told: BTreeMap::new(),
            sent: SentPouches::new(),
            wrote: Vec::new(),
        }
    }

    /// The node's id.
    pub fn id(&self) -> NodeId {
        self.identity.card.node()
    }

    /// The core, while the machine is on.
    pub fn node(&self) -> Option<&Node> {
        match &self.mind {
            Mind::Node(node) => Some(node),
            Mind::Off | Mind::Puppet(_) => None,
        }
    }

    /// Switches the machine on: the core is loaded from the disk.
    ///
    /// # Panics
    /// When the core refuses what it wrote itself.
    #[allow(clippy::expect_used, reason = "a failing test")]
    pub fn start(&mut self, rng: &mut ChaCha20Rng) {
        let image = self.disk.open(life(rng));
        let node = Node::load(self.identity.clone(), image, rng).expect("the machine's own keys");
        self.views = node.views().into_iter().map(|view| (view.space, view)).collect();
        self.mind = Mind::Node(Box::new(node));
        self.handle(Input::Started, 0, rng, Power::Steady);
        self.disk.settle();
    }

    /// The power fails.
    pub fn stop(&mut self) {
        self.disk.crash();
        self.mind = Mind::Off;
        self.open.clear();
    }

    /// What people are shown of a space.
    pub fn shown(&self, space: SpaceId) -> readers::Shown {
        self.views.get(&space).map(|view| readers::shown(&self.disk, view)).unwrap_or_default()
    }

    /// Hands an input to the core and carries out what comes back.
    pub fn handle(&mut self, input: Input, now_ms: u64, rng: &mut ChaCha20Rng, power: Power) -> Outcome {
        let Mind::Node(node) = &mut self.mind else { return Outcome::default() };
        let effects = node.handle(input, self.clock.read(now_ms), rng);
        self.carry_out(effects, power)
    }

    fn carry_out(&mut self, effects: Effects, power: Power) -> Outcome {
        self.note_own(&effects);
        self.disk.write(&effects.commit);
        if power == Power::FailsBeforeSync {
            self.stop();
            return Outcome { failed: true, ..Outcome::default() };
        }
        self.disk.sync();
        secrecy::check_disk(&self.disk, &effects.commit, &self.name);
        if power == Power::FailsAfterSync {
            self.stop();
            return Outcome { failed: true, ..Outcome::default() };
        }
        self.disk.settle();
        let mut outcome = Outcome::default();
        for fetch in effects.fetch {
            outcome.fetched.push((fetch, self.disk.pages(&fetch.context, fetch.from, fetch.to)));
        }
        effects.send.into_iter().for_each(|send| self.send(send, &mut outcome));
        for (number, reply) in effects.replies {
            if let (Ok(Reply::Appended(entries)), Some(space)) = (&reply, effects.appended.first()) {
                self.acknowledged.extend(entries.iter().map(|entry| (space.context.space, *entry)));
            }
            outcome.replies.push((number, reply));
        }
        self.views.extend(effects.views.into_iter().map(|view| (view.space, view)));
        self.notices.extend(effects.notices);
        outcome
    }

    fn note_own(&mut self, effects: &Effects) {
        let own = self.id();
        let runs = effects.commit.runs.iter().filter(|run| run.context().log.author == own);
        self.wrote.extend(runs.flat_map(|run| run.hashes().iter().copied()));
    }

    fn send(&mut self, send: Send, outcome: &mut Outcome) {
        let (peer, messages) = match send {
            Send::Message { peer, message } => (peer, vec![message]),
            Send::Range { peer, context, from, to } => {
                let frames = self.disk.frames(&context, from, to);
                (peer, frames.into_iter().map(|pages| Message::run(&context, pages)).collect())
            }
            Send::Payload { peer, context, seq } => {
                let message = |payload| Message::Payload { space: context.space, log: context.log, seq, payload };
                (peer, self.disk.payload(&context, seq).map(message).into_iter().collect())
            }
            Send::Close { peer, reason } => {
                outcome.closed.push((peer, reason));
                return;
            }
        };
        let Some(connection) = self.open.get(&peer).copied() else { return };
        for message in messages {
            self.check_told(&message);
            let frame = message.encode();
            secrecy::check_frame(&message, &frame, &self.name);
            outcome.frames.push((connection, peer, frame));
        }
    }

    /// Nothing is said to be held that is not durable.
    fn check_told(&mut self, message: &Message) {
        let (space, logs) = match message {
            Message::Frontier { space, logs, .. } => (*space, logs),
            Message::Receipt { receipt, logs } => (receipt.statement.space, logs),
            _ => return,
        };
        for log in logs {
            let durable = self.disk.vouches_for(space, log);
            assert!(durable, "{} tells of entries that are not durable: {log:?}", self.name);
            let told = self.told.entry((space, log.log)).or_insert_with(|| log.clone());
            if told.next_seq < log.next_seq || log.forked {
                *told = log.clone();
            }
        }
    }
}

fn life(rng: &mut ChaCha20Rng) -> Incarnation {
    let mut life = Incarnation::default();
    rng.fill_bytes(&mut life.0);
    life
}
