//! Random worlds: a seed decides how many machines there are, what people do, and what breaks.

use portolan_protocol::{control::Role, id::SpaceId, input::Command};

use super::{disk::Disk, machine::Mind, network::Place, universe::World};
use crate::checkers::{authenticity, convergence, durability};

/// Things that people do, or that break, in one world.
const DEEDS: u64 = 60;

/// Lives through the world of a seed and checks all that must hold, on the way and at the end.
///
/// # Panics
/// When something does not hold.
pub fn live(seed: u64) {
    let mut world = World::new(seed);
    let count = 3 + world.dice(3);
    let places: Vec<Place> = (0..count).map(|number| world.machine(&format!("node {number}"))).collect();
    for one in &places {
        for other in places.iter().filter(|other| *other > one) {
            world.introduce(*one, *other);
            if world.dice(3) > 0 {
                world.link(*one, *other);
            }
        }
    }
    let space = world.found(places[0]);
    let mut backups: Vec<(Place, Disk)> = Vec::new();
    world.failure_odds = [0, 40, 400][world.dice(3) as usize];
    for _ in 0..DEEDS {
        deed(&mut world, &places, space, &mut backups);
        let steps = world.dice(25);
        world.steps(steps);
        durability::check(&world);
    }
    heal(&mut world, &places);
    world.settle();
    // Whoever came while others opened epochs without knowing of it is given their secrets by the next epoch.
    let founder = places[0];
    assert!(world.command(founder, Command::Rotate { space }).is_ok(), "the founder may always open an epoch");
    world.settle();
    durability::check(&world);
    authenticity::check(&world);
    convergence::check(&world, places[0], space);
    convergence::assert_readable(&world, places[0], space);
    authenticity::check_shown(&world, places[0], space);
    assert!(world.closed.is_empty(), "honest nodes close no connection: {:?}", world.closed);
}

fn deed(world: &mut World, places: &[Place], space: SpaceId, backups: &mut Vec<(Place, Disk)>) {
    let (at, other) = (pick(world, places), pick(world, places));
    let off = matches!(world.machines[at].mind, Mind::Off);
    match world.dice(24) {
        0..=7 if !off => {
            let document = world.dice(3) as u8;
            drop(world.try_write(at, space, document));
        }
        8..=10 if !off => {
            // Most changes of membership are the founder's, so that the space grows.
            let at = if world.dice(3) > 0 && world.machines[places[0]].node().is_some() { places[0] } else { at };
            let role = [Role::Relay, Role::Reader, Role::Writer, Role::Writer, Role::Admin][world.dice(5) as usize];
            let (member, history) = (world.id(other), world.dice(5) > 0);
            drop(world.try_command(at, Command::Grant { space, member, role, history }));
        }
        11 if !off => {
            let member = world.id(other);
            drop(world.try_command(at, Command::Revoke { space, member }));
        }
        12 if !off => drop(world.try_command(at, Command::Rotate { space })),
        13 if !off => drop(world.try_command(at, Command::Sync { peer: None })),
        14..=15 if at != other => world.link(at, other),
        16..=17 if at != other => world.part(at, other),
        18 => {
            for connection in world.network.open_of(Some(at)) {
                world.cut(connection);
            }
        }
        19 => world.crash(at),
        20 | 21 => places.iter().for_each(|place| world.start(*place)),
        22 => backups.push((at, world.machines[at].disk.clone())),
        23 if world.dice(2) == 0 => {
            if let Some((place, older)) = backups.pop() {
                world.roll_back(place, &older);
            }
        }
        _ => world.steps(30),
    }
}

fn pick(world: &mut World, places: &[Place]) -> Place {
    places[world.dice(places.len() as u64) as usize]
}

/// Everything works again: power, links between all, and what was lost on its way is asked for.
fn heal(world: &mut World, places: &[Place]) {
    world.failure_odds = 0;
    for place in places {
        world.start(*place);
        for other in places.iter().filter(|other| *other > place) {
            world.link(*place, *other);
        }
    }
}
