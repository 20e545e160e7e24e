//! A member signs two histories of one log: everyone is alarmed, and everyone cuts the log at the same place.

use portolan_protocol::{control::Role, effects::Notice, page::Tip};
use portolan_tests::{
    checkers::convergence,
    world::{forger::Forger, network::Place, universe::World},
};

/// Two honest nodes, parted from one another, and a member that lies to both.
fn lied_to(seed: u64) -> (World, [Place; 3], portolan_protocol::id::SpaceId) {
    let mut world = World::new(seed);
    let (rome, tunis, mallory) = (world.machine("rome"), world.machine("tunis"), world.puppet("mallory"));
    for (one, other) in [(rome, tunis), (rome, mallory), (tunis, mallory)] {
        world.introduce(one, other);
        world.link(one, other);
    }
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.grant(rome, space, mallory, Role::Writer).unwrap();
    world.settle();
    world.part(rome, tunis);
    (world, [rome, tunis, mallory], space)
}

fn alarms(world: &World, at: Place) -> Vec<u64> {
    let fork = |notice: &Notice| match notice {
        Notice::Fork { seq, .. } => Some(*seq),
        _ => None,
    };
    world.machines[at].notices.iter().filter_map(fork).collect()
}

/// Says one branch to each and lets the two meet. The branches part after `common` entries.
fn part_after(seed: u64, common: usize, lengths: (usize, usize)) {
    let (mut world, [rome, tunis, mallory], space) = lied_to(seed);
    let forger = Forger::new(&world.machines[mallory].identity, world.view(rome, space).unwrap(), 7);
    let both: Vec<&[u8]> = vec![b"common"; common];
    for (to, other, length) in [(rome, b"to rome", lengths.0), (tunis, b"totunis", lengths.1)] {
        let mut tip = Tip::empty();
        let mut branch = both.clone();
        branch.extend(std::iter::repeat_n(other.as_slice(), length));
        for payload in branch {
            let run = forger.run(&tip, &[payload]);
            tip = run.tip().clone();
            world.say(mallory, to, forger.frame(&run));
        }
    }
    world.settle();
    assert!(alarms(&world, rome).is_empty() && alarms(&world, tunis).is_empty());
    world.link(rome, tunis);
    world.settle();
    for place in [rome, tunis] {
        assert_eq!(alarms(&world, place), [common as u64], "{} is alarmed once", world.machines[place].name);
    }
    convergence::assert_same(&world, rome, tunis, space);
    convergence::assert_receipted(&world, rome, tunis, space);
    // The proof outlives a restart.
    let before = world.machines[rome].node().unwrap().status().spaces[0].digest;
    world.crash(rome);
    world.start(rome);
    assert_eq!(world.machines[rome].node().unwrap().status().spaces[0].digest, before);
    world.settle();
    world.write(tunis, space, 1);
    world.settle();
    convergence::assert_same(&world, rome, tunis, space);
}

#[test]
fn branches_of_different_length() {
    part_after(50, 3, (1, 4));
    part_after(51, 3, (4, 1));
}

#[test]
fn branches_of_equal_length() {
    part_after(52, 3, (2, 2));
}

#[test]
fn branches_that_part_at_the_first_entry() {
    part_after(53, 0, (1, 3));
    part_after(54, 0, (2, 2));
}

#[test]
fn long_branches_are_compared_piece_by_piece() {
    part_after(55, 40, (60, 75));
}

#[test]
fn one_who_never_held_the_log_is_told() {
    let (mut world, [rome, tunis, mallory], space) = lied_to(56);
    let forger = Forger::new(&world.machines[mallory].identity, world.view(rome, space).unwrap(), 7);
    for payload in [b"one".as_slice(), b"other"] {
        let run = forger.run(&Tip::empty(), &[payload]);
        world.say(mallory, rome, forger.frame(&run));
    }
    world.settle();
    world.link(rome, tunis);
    world.settle();
    assert_eq!((alarms(&world, rome), alarms(&world, tunis)), (vec![0], vec![0]));
    convergence::assert_same(&world, rome, tunis, space);
    world.crash(tunis);
    world.start(tunis);
    convergence::assert_same(&world, rome, tunis, space);
}
