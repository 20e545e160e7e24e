//! The core itself: a verified member that says, signs and carries whatever it likes, while two honest nodes work, crash and
//! start. At the end the honest two agree, and what waits is within its bounds.

use portolan_protocol::{
    control::Role, id::SpaceId, input::Command, limits::PARKED_BYTES_PER_PEER_MAX, message::Message, page::Tip,
};

use super::bytes::Bytes;
use crate::{
    checkers::{authenticity, convergence},
    world::{forger::Forger, machine::Mind, network::Place, universe::World},
};

/// Things that happen in one world, at most.
const DEEDS_MAX: usize = 48;

/// See the head of the file.
#[allow(clippy::expect_used, reason = "a world that was made here")]
pub fn node(data: &[u8]) {
    let mut world = World::new(1);
    let (rome, tunis, mallory) = (world.machine("rome"), world.machine("tunis"), world.puppet("mallory"));
    for (one, other) in [(rome, tunis), (rome, mallory), (tunis, mallory)] {
        world.introduce(one, other);
        world.link(one, other);
    }
    let space = world.found(rome);
    for other in [tunis, mallory] {
        world.grant(rome, space, other, Role::Writer).expect("rome is root");
    }
    world.settle();
    let mut told = vec![Tip::empty(); 4];
    let mut data = Bytes(data);
    for _ in 0..DEEDS_MAX {
        if data.is_empty() {
            break;
        }
        let at = [rome, tunis][data.below(2)];
        deed(&mut world, &mut data, space, at, mallory, &mut told);
    }
    [rome, tunis].into_iter().for_each(|place| world.start(place));
    world.link(rome, tunis);
    world.settle();
    authenticity::check(&world);
    convergence::assert_same(&world, rome, tunis, space);
    for machine in &world.machines {
        let spaces = machine.node().map(|node| node.status().spaces).unwrap_or_default();
        let parked: usize = spaces.iter().map(|space| space.parked_bytes).sum();
        assert!(parked <= 2 * PARKED_BYTES_PER_PEER_MAX, "{parked} bytes wait");
    }
}

fn deed(world: &mut World, data: &mut Bytes<'_>, space: SpaceId, at: Place, mallory: Place, told: &mut [Tip]) {
    match data.below(9) {
        0 => say(world, mallory, at, data.piece().to_vec()),
        1 => {
            // Something that was heard, said back or changed.
            let heard = world.heard(mallory);
            let Some(message) = heard.get(data.below(heard.len())) else { return };
            let mut frame = message.encode();
            let (place, byte) = (usize::from(u16::from_be_bytes([data.byte(), data.byte()])), data.byte());
            let length = frame.len().max(1);
            if let Some(changed) = frame.get_mut(place % length) {
                *changed ^= byte;
            }
            say(world, mallory, at, frame);
        }
        2 => {
            let Some(view) = world.view(at, space) else { return };
            let log = data.below(told.len());
            let forger = Forger::new(&world.machines[mallory].identity, view, log as u8);
            let payload = data.piece();
            let payloads = vec![payload; 1 + data.below(4)];
            let run = forger.run(&told[log], &payloads);
            // Not always going on from there, so branches and gaps come about.
            if !data.byte().is_multiple_of(4) {
                told[log] = run.tip().clone();
            }
            say(world, mallory, at, forger.frame(&run));
        }
        3 => {
            if let Ok(message) = Message::decode(data.piece()) {
                unpack(world, at, mallory, message, data);
            }
        }
        4 => {
            let heard = world.heard(mallory);
            let Some(message) = heard.get(data.below(heard.len())).cloned() else { return };
            unpack(world, at, mallory, message, data);
        }
        5 => drop(world.try_command(at, Command::EndVolume { peer: world.id(mallory), whole: None })),
        6 => world.steps(1 + data.byte() as u64),
        7 => drop(world.try_write(at, space, data.byte() % 4)),
        _ => {
            world.crash(at);
            world.start(at);
            world.settle();
        }
    }
}

fn say(world: &mut World, mallory: Place, at: Place, frame: Vec<u8>) {
    if world.machines[mallory].open.contains_key(&world.id(at)) && !matches!(world.machines[at].mind, Mind::Off) {
        world.say(mallory, at, frame);
    }
}

fn unpack(world: &mut World, at: Place, mallory: Place, message: Message, data: &mut Bytes<'_>) {
    let said = portolan_protocol::time::Timestamp(u64::from(data.byte()) << data.below(40));
    let pouch = portolan_protocol::id::PouchId::default();
    let command = Command::Unpack { peer: world.id(mallory), pouch, said, message: Box::new(message) };
    drop(world.try_command(at, command));
}
