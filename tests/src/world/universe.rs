//! The world: named machines, the network between them, and a queue of what happens when. One seed decides everything.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{
    change::{ChangePayload, PersonRef},
    control::Role,
    entry::EntryRef,
    id::{DocumentId, NodeId, OrganisationId, PersonId, SpaceId},
    input::{Command, CommandError, Fetch, Input, Reply},
    message::Message,
    view::SpaceView,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{
    disk::Disk,
    machine::{Machine, Mind, Outcome, Power},
    network::{Network, Place},
    readers::Shown,
};
use crate::checkers::secrecy;

/// More events than any scenario needs: a world that is not quiet by then never will be.
const EVENTS_MAX: usize = 2_000_000;
/// How long an end may take to notice a cut, and two machines to connect, in milliseconds.
const NOTICE_MS: u64 = 400;

/// Something that will happen.
enum Event {
    Frame { connection: u64, from: Place, to: Place, frame: Vec<u8> },
    Opened { connection: u64, at: Place, peer: Place },
    Closed { connection: u64, at: Place, peer: NodeId },
    Fetched { at: Place, fetch: Fetch, pages: Option<Vec<Vec<u8>>> },
    Dial,
}

/// See the head of the file.
pub struct World {
    /// Everything random comes from here.
    pub rng: ChaCha20Rng,
    /// The machines, by place.
    pub machines: Vec<Machine>,
    /// What connects them.
    pub network: Network,
    /// Connections that a core closed, and why. Among honest nodes there are none.
    pub closed: Vec<(Place, Place, String)>,
    /// Of how many inputs one meets a power failure; none at 0.
    pub failure_odds: u64,
    /// Bytes that a change has at least.
    pub change_bytes: usize,
    /// Whether every frame is told on the standard error (`PORTOLAN_TRACE=1`).
    traced: bool,
    now_ms: u64,
    order: u64,
    events: BTreeMap<(u64, u64), Event>,
    number: u64,
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> World {
        World {
            rng: ChaCha20Rng::seed_from_u64(seed),
            machines: Vec::new(),
            network: Network::default(),
            closed: Vec::new(),
            failure_odds: 0,
            change_bytes: 0,
            traced: std::env::var_os("PORTOLAN_TRACE").is_some(),
            now_ms: 0,
            order: 0,
            events: BTreeMap::new(),
            number: 0,
        }
    }

    /// Machines that know one another and have links between all of them. They are on.
    pub fn partners<const N: usize>(seed: u64, names: [&str; N]) -> (World, [Place; N]) {
        let mut world = World::new(seed);
        let places = names.map(|name| world.machine(name));
        for one in places {
            for other in places.into_iter().filter(|other| *other > one) {
                world.introduce(one, other);
                world.link(one, other);
            }
        }
        (world, places)
    }

    /// A number below `bound`.
    pub fn dice(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound.max(1)
    }

    /// A new machine, switched on.
    pub fn machine(&mut self, name: &str) -> Place {
        let mut machine = Machine::new(name, &mut self.rng);
        machine.start(&mut self.rng);
        self.machines.push(machine);
        self.machines.len() - 1
    }

    /// A machine that a test speaks for.
    pub fn puppet(&mut self, name: &str) -> Place {
        let mut machine = Machine::new(name, &mut self.rng);
        machine.mind = Mind::Puppet(Vec::new());
        self.machines.push(machine);
        self.machines.len() - 1
    }

    /// A second machine with the identity, and a copy of the disk, of another one.
    pub fn clone_machine(&mut self, original: Place, name: &str) -> Place {
        let copy = self.machine(name);
        let (identity, disk) = (self.machines[original].identity.clone(), self.machines[original].disk.clone());
        let machine = &mut self.machines[copy];
        machine.stop();
        (machine.identity, machine.disk) = (identity, disk);
        machine.start(&mut self.rng);
        copy
    }

    /// How long the world has lasted.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The id of the node on a machine.
    pub fn id(&self, place: Place) -> NodeId {
        self.machines[place].id()
    }

    fn place(&self, from: Place, node: NodeId) -> Option<Place> {
        let mut found = (0..self.machines.len()).filter(|place| self.machines[*place].id() == node);
        let connected = |place: &Place| self.network.between(from, *place).is_some();
        found.clone().find(connected).or_else(|| found.next())
    }

    /// Two administrators verify one another's cards.
    pub fn introduce(&mut self, one: Place, other: Place) {
        for (at, of) in [(one, other), (other, one)] {
            let card = Box::new(self.machines[of].identity.card.clone());
            if self.machines[at].node().is_some() {
                let added = self.command(at, Command::AddPeer { card });
                assert!(added.is_ok(), "a genuine card is taken: {added:?}");
            }
        }
    }

    /// Two machines connect now and whenever they are apart.
    pub fn link(&mut self, one: Place, other: Place) {
        let delay = [2, 40, 900][self.dice(3) as usize];
        self.network.link(one, other, delay);
        self.plan(1, Event::Dial);
    }

    /// Two machines lose their connection and get no other.
    pub fn part(&mut self, one: Place, other: Place) {
        self.network.unlink(one, other);
        if let Some(connection) = self.network.between(one, other) {
            self.cut(connection);
        }
    }

    /// A connection breaks: what is on its way is lost, and each end notices at its own time.
    pub fn cut(&mut self, connection: u64) {
        let Some((one, other)) = self.network.cut(connection) else { return };
        for (at, of) in [(one, other), (other, one)] {
            let (after, peer) = (self.dice(NOTICE_MS), self.id(of));
            self.plan(after, Event::Closed { connection, at, peer });
        }
        let after = self.dice(NOTICE_MS);
        self.plan(after, Event::Dial);
    }

    /// The power of a machine fails.
    pub fn crash(&mut self, place: Place) {
        self.machines[place].stop();
        for connection in self.network.open_of(Some(place)) {
            self.cut(connection);
        }
    }

    /// A machine is switched on again.
    pub fn start(&mut self, place: Place) {
        if matches!(self.machines[place].mind, Mind::Off) {
            let machine = &mut self.machines[place];
            machine.start(&mut self.rng);
            self.plan(1, Event::Dial);
        }
    }

    /// A machine comes back with an older state of its store, and its journal says so.
    pub fn roll_back(&mut self, place: Place, older: &Disk) {
        self.crash(place);
        let machine = &mut self.machines[place];
        machine.disk.restore(older);
        machine.told.clear();
        let Machine { disk, acknowledged, .. } = machine;
        acknowledged.retain(|(space, entry)| {
            disk.logs(*space).any(|log| log.context.log == entry.log && log.entries.len() as u64 > entry.seq)
        });
        self.start(place);
    }

    /// A person or the shell asks a machine something.
    ///
    /// # Errors
    /// What the core answers.
    pub fn command(&mut self, at: Place, command: Command) -> Result<Reply, CommandError> {
        let answered = self.try_command(at, command);
        assert!(answered.is_some(), "the machine {} is on", self.machines[at].name);
        answered.unwrap_or(Err(CommandError::UnknownSpace))
    }

    /// The same on a machine whose power may fail meanwhile; then there is no answer.
    pub fn try_command(&mut self, at: Place, command: Command) -> Option<Result<Reply, CommandError>> {
        self.number += 1;
        let number = self.number;
        let mut outcome = self.feed(at, Input::Command { number, command });
        outcome.replies.pop().filter(|(answered, _)| *answered == number).map(|(_, reply)| reply)
    }

    /// Founds a space.
    ///
    /// # Panics
    /// When the core refuses.
    #[allow(clippy::panic, reason = "a failing test")]
    pub fn found(&mut self, at: Place) -> SpaceId {
        match self.command(at, Command::CreateSpace { organisation: OrganisationId::default() }) {
            Ok(Reply::Space(space)) => space,
            other => panic!("a space is founded: {other:?}"),
        }
    }

    /// Grants a role.
    ///
    /// # Errors
    /// What the core answers.
    pub fn grant(&mut self, at: Place, space: SpaceId, to: Place, role: Role) -> Result<Reply, CommandError> {
        let member = self.id(to);
        self.command(at, Command::Grant { space, member, role, history: true })
    }

    /// Removes a member.
    ///
    /// # Errors
    /// What the core answers.
    pub fn revoke(&mut self, at: Place, space: SpaceId, whom: Place) -> Result<Reply, CommandError> {
        let member = self.id(whom);
        self.command(at, Command::Revoke { space, member })
    }

    /// Writes one change of a document on top of what is shown of it. Nothing when the power fails meanwhile.
    ///
    /// # Errors
    /// What the core answers.
    pub fn try_write(&mut self, at: Place, space: SpaceId, document: u8) -> Option<Result<EntryRef, CommandError>> {
        let view = self.machines[at].views.get(&space)?.clone();
        let log = view.own_log;
        let document = DocumentId([document; 16]);
        let dependencies = self.machines[at].shown(space).ends(document);
        let mut text = format!("{} {} {}", secrecy::MARKER, self.machines[at].name, self.rng.next_u64());
        text.extend(std::iter::repeat_n(' ', self.change_bytes.saturating_sub(text.len())));
        let change = ChangePayload {
            document,
            change: text.into_bytes(),
            person: PersonRef { id: PersonId::default(), name: secrecy::MARKER.into() },
            reason: String::new(),
            salt: [0; 16],
            dependencies,
            person_signature: None,
        };
        let reply = self.try_command(at, Command::Append { space, log, changes: vec![change.encode()] })?;
        Some(reply.map(|reply| match reply {
            Reply::Appended(entries) => entries[0],
            other => unreachable!("an append is answered as one: {other:?}"),
        }))
    }

    /// Writes one change; the machine is on and may write.
    ///
    /// # Panics
    /// When the core refuses.
    #[allow(clippy::expect_used, reason = "a failing test")]
    pub fn write(&mut self, at: Place, space: SpaceId, document: u8) -> EntryRef {
        self.try_write(at, space, document).expect("a machine that knows the space").expect("a member that may write")
    }

    /// What a machine is shown of a space.
    pub fn shown(&self, at: Place, space: SpaceId) -> Shown {
        self.machines[at].shown(space)
    }

    /// The view that a machine has of a space.
    pub fn view(&self, at: Place, space: SpaceId) -> Option<&SpaceView> {
        self.machines[at].views.get(&space).map(AsRef::as_ref)
    }

    /// A puppet says something to a machine.
    ///
    /// # Panics
    /// When the two are not connected.
    pub fn say(&mut self, puppet: Place, to: Place, frame: Vec<u8>) {
        let connection = self.machines[puppet].open.get(&self.id(to)).copied();
        assert!(connection.is_some(), "the puppet is connected");
        self.transmit(connection.unwrap_or_default(), puppet, to, frame);
    }

    /// What a puppet heard so far.
    pub fn heard(&self, puppet: Place) -> &[Message] {
        match &self.machines[puppet].mind {
            Mind::Puppet(heard) => heard,
            Mind::Node(_) | Mind::Off => &[],
        }
    }

    /// Lets things happen until nothing more will.
    ///
    /// # Panics
    /// When the world never comes to rest.
    pub fn settle(&mut self) {
        assert!((0..EVENTS_MAX).any(|_| !self.step()), "the world comes to rest");
    }

    /// Lets the next few things happen.
    pub fn steps(&mut self, count: u64) {
        for _ in 0..count {
            self.step();
        }
    }

    /// Lets one thing happen; tells whether there was any.
    pub fn step(&mut self) -> bool {
        let Some(((moment, _), event)) = self.events.pop_first() else { return false };
        self.now_ms = self.now_ms.max(moment);
        match event {
            Event::Dial => self.dial(),
            Event::Opened { connection, at, peer } => self.opened(connection, at, peer),
            Event::Closed { connection, at, peer } => self.lost(connection, at, peer),
            Event::Fetched { at, fetch, pages } => drop(self.feed(at, Input::Fetched { fetch, pages })),
            Event::Frame { connection, from, to, frame } if self.network.connection(connection).is_some() => {
                self.deliver(from, to, frame);
            }
            Event::Frame { .. } => {}
        }
        true
    }

    fn plan(&mut self, after_ms: u64, event: Event) {
        self.plan_at(self.now_ms + after_ms, event);
    }

    fn plan_at(&mut self, moment: u64, event: Event) {
        self.order += 1;
        self.events.insert((moment, self.order), event);
    }

    fn dial(&mut self) {
        for (one, other) in self.network.idle() {
            let off = |place: Place| matches!(self.machines[place].mind, Mind::Off);
            if off(one) || off(other) {
                continue;
            }
            let connection = self.network.open((one, other), self.now_ms);
            for (at, peer) in [(one, other), (other, one)] {
                let dice = self.rng.next_u64();
                if let Some(moment) = self.network.arrival(connection, at, self.now_ms, dice) {
                    self.plan_at(moment, Event::Opened { connection, at, peer });
                }
            }
        }
    }

    fn opened(&mut self, connection: u64, at: Place, peer: Place) {
        if self.network.connection(connection).is_none() || matches!(self.machines[at].mind, Mind::Off) {
            return;
        }
        let peer = self.id(peer);
        if self.machines[at].open.remove(&peer).is_some() {
            self.feed(at, Input::Disconnected { peer });
        }
        if !matches!(self.machines[at].mind, Mind::Off) {
            self.machines[at].open.insert(peer, connection);
            self.feed(at, Input::Connected { peer });
        }
    }

    fn lost(&mut self, connection: u64, at: Place, peer: NodeId) {
        if self.machines[at].open.get(&peer) == Some(&connection) {
            self.machines[at].open.remove(&peer);
            self.feed(at, Input::Disconnected { peer });
        }
    }

    fn deliver(&mut self, from: Place, to: Place, frame: Vec<u8>) {
        let peer = self.id(from);
        match &mut self.machines[to].mind {
            Mind::Puppet(heard) => heard.extend(Message::decode(&frame).ok()),
            Mind::Node(_) | Mind::Off => drop(self.feed(to, Input::Received { peer, frame })),
        }
    }

    fn feed(&mut self, at: Place, input: Input) -> Outcome {
        let power = match self.failure_odds {
            0 => Power::Steady,
            odds => match self.dice(2 * odds) {
                0 => Power::FailsBeforeSync,
                1 => Power::FailsAfterSync,
                _ => Power::Steady,
            },
        };
        let mut outcome = self.machines[at].handle(input, self.now_ms, &mut self.rng, power);
        if outcome.failed {
            self.crash(at);
        }
        for (fetch, pages) in outcome.fetched.drain(..) {
            let after = self.dice(30);
            self.plan(after, Event::Fetched { at, fetch, pages });
        }
        for (connection, peer, frame) in outcome.frames.drain(..) {
            if let Some(to) = self.place(at, peer) {
                self.transmit(connection, at, to, frame);
            }
        }
        for (peer, reason) in outcome.closed.drain(..) {
            let Some(other) = self.place(at, peer) else { continue };
            self.closed.push((at, other, reason));
            self.part(at, other);
        }
        outcome
    }

    fn transmit(&mut self, connection: u64, from: Place, to: Place, frame: Vec<u8>) {
        if self.traced {
            let (from, to) = (&self.machines[from].name, &self.machines[to].name);
            eprintln!("{:>8} {from} -> {to} on {connection}: {}", self.now_ms, describe(&frame));
        }
        let dice = self.rng.next_u64();
        if let Some(moment) = self.network.arrival(connection, to, self.now_ms, dice) {
            self.plan_at(moment, Event::Frame { connection, from, to, frame });
        }
    }

    /// All places whose machine runs the real core.
    pub fn nodes(&self) -> BTreeSet<Place> {
        (0..self.machines.len()).filter(|place| !matches!(self.machines[*place].mind, Mind::Puppet(_))).collect()
    }
}

/// A frame in a few words, for whoever follows a world that went wrong.
fn describe(frame: &[u8]) -> String {
    match Message::decode(frame) {
        Err(error) => format!("{} bytes: {error}", frame.len()),
        Ok(Message::Run { log, kind, pages, .. }) => format!("run of {kind:?} {log:?}, {} pages", pages.len()),
        Ok(Message::Frontier { logs, .. }) => format!("frontier of {} logs", logs.len()),
        Ok(Message::Receipt { receipt, logs }) => {
            let told: Vec<_> = logs.iter().map(|log| (log.log.log, log.next_seq)).collect();
            format!("receipt {} of {:?}", receipt.statement.counter, told)
        }
        Ok(other) => format!("{other:?}").chars().take_while(|c| *c != ' ').collect(),
    }
}
