//! Disks that are put back, machines that are cloned, and power that fails at every point of a commit.

use portolan_protocol::{control::Role, effects::Notice, id::Incarnation};
use portolan_tests::{
    checkers::{authenticity, convergence, durability},
    world::{network::Place, universe::World},
};

fn incarnation(world: &World, at: Place) -> Incarnation {
    world.machines[at].node().unwrap().status().incarnation
}

#[test]
fn a_rolled_back_disk_opens_a_new_log_and_nothing_that_left_it_is_lost() {
    let (mut world, [rome, tunis]) = World::partners(30, ["rome", "tunis"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    let first = world.write(tunis, space, 1);
    world.settle();
    let backup = world.machines[tunis].disk.clone();
    let lost_here = world.write(tunis, space, 1);
    world.settle();
    world.roll_back(tunis, &backup);
    let again = world.write(tunis, space, 2);
    assert_ne!(again.log, lost_here.log, "a log whose end is not known is not continued");
    world.settle();
    convergence::check(&world, rome, space);
    for place in [rome, tunis] {
        assert_eq!(world.shown(place, space).all(), [first, lost_here, again].into());
    }
    assert!(world.machines.iter().all(|m| !m.notices.iter().any(|notice| matches!(notice, Notice::Fork { .. }))));
}

#[test]
fn a_rollback_that_is_noticed_once_is_not_forgotten_by_the_next_start() {
    let (mut world, [rome, tunis]) = World::partners(31, ["rome", "tunis"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    world.write(tunis, space, 1);
    let backup = world.machines[tunis].disk.clone();
    let sent = world.write(tunis, space, 1);
    world.settle();
    world.part(rome, tunis);
    world.roll_back(tunis, &backup);
    world.crash(tunis);
    world.start(tunis);
    let again = world.write(tunis, space, 2);
    assert_ne!(again.log, sent.log);
    world.link(rome, tunis);
    world.settle();
    convergence::check(&world, rome, space);
}

#[test]
fn a_rollback_that_goes_unnoticed_is_healed_by_a_peer_that_knows_more() {
    let (mut world, [rome, tunis]) = World::partners(32, ["rome", "tunis"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    world.write(tunis, space, 1);
    world.settle();
    let backup = world.machines[tunis].disk.clone();
    let sent = world.write(tunis, space, 1);
    world.settle();
    // A snapshot of the whole machine: journal and store agree.
    world.crash(tunis);
    world.machines[tunis].disk = backup;
    world.machines[tunis].told.clear();
    world.machines[tunis].acknowledged.clear();
    world.start(tunis);
    world.settle();
    let again = world.write(tunis, space, 1);
    assert_ne!(again.log, sent.log, "its own entries, shown by a peer, end the log");
    world.settle();
    convergence::assert_same(&world, rome, tunis, space);
    assert!(world.shown(rome, space).all().is_superset(&[sent, again].into()));
}

#[test]
fn receipts_given_after_a_rollback_count_although_their_counters_repeat() {
    let (mut world, [rome, tunis]) = World::partners(34, ["rome", "tunis"]);
    let (space, second) = (world.found(rome), world.found(rome));
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.grant(rome, second, tunis, Role::Writer).unwrap();
    world.settle();
    world.write(tunis, space, 1);
    world.settle();
    let backup = world.machines[tunis].disk.clone();
    let before = incarnation(&world, tunis);
    // A start sets a new block of counters aside; this one is set aside again after the disk was put back.
    world.crash(tunis);
    world.start(tunis);
    world.settle();
    for _ in 0..20 {
        world.write(tunis, space, 1);
        world.write(rome, second, 1);
        world.settle();
    }
    world.crash(tunis);
    world.machines[tunis].disk = backup;
    world.machines[tunis].told.clear();
    world.machines[tunis].acknowledged.clear();
    world.start(tunis);
    world.settle();
    world.write(rome, space, 2);
    world.settle();
    for space in [space, second] {
        convergence::assert_receipted(&world, rome, tunis, space);
        convergence::assert_receipted(&world, tunis, rome, space);
    }
    let drawn = incarnation(&world, tunis);
    assert_ne!(drawn, before);
    world.crash(tunis);
    world.start(tunis);
    assert_eq!(incarnation(&world, tunis), drawn, "the new life outlives a start");
}

#[test]
fn a_cloned_node_forks_its_log_and_both_write_on_in_new_ones() {
    let (mut world, [rome, tunis]) = World::partners(33, ["rome", "tunis"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    world.write(tunis, space, 1);
    world.settle();
    world.part(rome, tunis);
    let twin = world.clone_machine(tunis, "tunis again");
    let one = world.write(tunis, space, 1);
    let other = world.write(twin, space, 1);
    assert_eq!((one.log, one.seq), (other.log, other.seq));
    world.link(rome, tunis);
    world.settle();
    world.part(rome, tunis);
    world.link(rome, twin);
    world.settle();
    assert!(world.machines[rome].notices.iter().any(|notice| matches!(notice, Notice::Fork { .. })));
    let fresh = world.write(twin, space, 2);
    assert_ne!(fresh.log, one.log);
    world.settle();
    assert!(world.shown(rome, space).all().contains(&fresh), "what is written after the fork counts");
}

#[test]
fn power_that_fails_at_any_point_loses_nothing_acknowledged() {
    for seed in 40..46 {
        let (mut world, [rome, tunis]) = World::partners(seed, ["rome", "tunis"]);
        let space = world.found(rome);
        world.grant(rome, space, tunis, Role::Writer).unwrap();
        world.settle();
        world.failure_odds = 12;
        for _ in 0..60 {
            for place in [rome, tunis] {
                world.start(place);
                drop(world.try_write(place, space, 1));
            }
            world.steps(6);
            durability::check(&world);
        }
        world.failure_odds = 0;
        world.start(rome);
        world.start(tunis);
        world.settle();
        durability::check(&world);
        authenticity::check(&world);
        convergence::check(&world, rome, space);
        assert!(world.machines.iter().all(|m| !m.notices.iter().any(|notice| matches!(notice, Notice::Fork { .. }))));
    }
}
