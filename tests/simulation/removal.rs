//! A member is removed: what it wrote later counts nowhere, and what others write later is closed to it.

use portolan_protocol::{
    control::Role,
    effects::Notice,
    input::Command,
    membership::{Reason, Standing},
};
use portolan_tests::{
    checkers::{authenticity, convergence},
    world::{network::Place, universe::World},
};

fn three(seed: u64) -> (World, [Place; 3], portolan_protocol::id::SpaceId) {
    let (mut world, places) = World::partners(seed, ["rome", "tunis", "amman"]);
    let space = world.found(places[0]);
    world.grant(places[0], space, places[1], Role::Writer).unwrap();
    world.grant(places[0], space, places[2], Role::Writer).unwrap();
    world.settle();
    (world, places, space)
}

#[test]
fn later_entries_of_a_removed_member_are_quarantined_everywhere() {
    let (mut world, [rome, tunis, amman], space) = three(20);
    let before = world.write(tunis, space, 1);
    world.settle();
    world.part(rome, tunis);
    world.part(rome, amman);
    world.revoke(rome, space, tunis).unwrap();
    let after = world.write(tunis, space, 2);
    world.settle();
    world.link(rome, amman);
    world.settle();
    convergence::check(&world, rome, space);
    for place in [rome, amman] {
        let shown = world.shown(place, space);
        assert!(shown.all().contains(&before), "what the cut leaves standing is shown");
        let standing = shown.standings.get(&after);
        assert!(matches!(standing, Some(Standing::Quarantined(Reason::Cut { .. }))), "held, not applied: {standing:?}");
        assert!(!shown.all().contains(&after));
        authenticity::check_shown(&world, place, space);
    }
}

#[test]
fn a_removed_member_learns_of_it_and_reads_nothing_later() {
    let (mut world, [rome, tunis, amman], space) = three(21);
    world.revoke(rome, space, tunis).unwrap();
    world.settle();
    assert!(world.machines[tunis].notices.contains(&Notice::Removed { space }));
    assert!(world.try_write(tunis, space, 1).unwrap().is_err(), "it may not write any more");
    let later = world.write(rome, space, 1);
    world.settle();
    assert!(!world.machines[tunis].disk.logs(space).any(|log| log.context.log == later.log));
    // Even with the entry in hand it has no key: a copy of the disk of another one shows it nothing.
    world.machines[tunis].disk = world.machines[amman].disk.clone();
    let shown = world.shown(tunis, space);
    assert!(shown.standings.contains_key(&later) && shown.unreadable.contains(&later));
}

#[test]
fn a_member_removed_while_it_was_away_learns_of_it_when_it_returns() {
    let (mut world, [rome, tunis, _], space) = three(22);
    world.crash(tunis);
    world.revoke(rome, space, tunis).unwrap();
    world.settle();
    world.start(tunis);
    world.settle();
    assert!(world.machines[tunis].notices.contains(&Notice::Removed { space }));
}

#[test]
fn a_member_that_comes_back_writes_again_in_a_new_log() {
    let (mut world, [rome, tunis, _], space) = three(23);
    let first = world.write(tunis, space, 1);
    world.settle();
    world.revoke(rome, space, tunis).unwrap();
    world.settle();
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    let second = world.write(tunis, space, 1);
    world.settle();
    assert_ne!(first.log, second.log);
    convergence::check(&world, rome, space);
    convergence::assert_readable(&world, rome, space);
    assert_eq!(world.shown(rome, space).all(), [first, second].into());
}

#[test]
fn what_remaining_members_built_on_stays_shown_the_same_everywhere() {
    let (mut world, [rome, tunis, amman], space) = three(24);
    world.part(rome, tunis);
    world.part(rome, amman);
    let cut_off = world.write(tunis, space, 1);
    world.settle();
    let built_on_it = world.write(amman, space, 1);
    world.revoke(rome, space, tunis).unwrap();
    world.link(rome, amman);
    world.settle();
    convergence::check(&world, rome, space);
    let shown = world.shown(rome, space);
    assert!(shown.lifted.contains(&cut_off) && shown.all().contains(&built_on_it), "{:?}", shown.standings);
}

#[test]
fn concurrent_grants_and_removals_end_the_same_everywhere() {
    let (mut world, [rome, tunis, amman, cairo]) = World::partners(25, ["rome", "tunis", "amman", "cairo"]);
    let space = world.found(rome);
    for admin in [tunis, amman] {
        world.grant(rome, space, admin, Role::Admin).unwrap();
    }
    world.settle();
    for (one, other) in [(rome, tunis), (rome, amman), (tunis, amman)] {
        world.part(one, other);
    }
    world.crash(cairo);
    world.grant(tunis, space, cairo, Role::Writer).unwrap();
    world.grant(amman, space, cairo, Role::Reader).unwrap();
    world.revoke(rome, space, amman).unwrap();
    world.command(tunis, Command::Rotate { space }).unwrap();
    for place in [rome, tunis] {
        world.write(place, space, 1);
    }
    world.start(cairo);
    for (one, other) in [(rome, tunis), (rome, amman), (tunis, amman)] {
        world.link(one, other);
    }
    world.settle();
    convergence::check(&world, rome, space);
    let role = |place: Place| world.view(rome, space).unwrap().membership.role(world.id(place));
    assert_eq!((role(amman), role(cairo)), (None, Some(Role::Writer)), "the grant of the removed admin is cut off");
}

#[test]
fn an_epoch_opened_by_one_who_did_not_know_of_the_removal_is_not_written_under() {
    let (mut world, [rome, tunis, amman], space) = three(26);
    world.part(rome, amman);
    world.part(rome, tunis);
    world.revoke(rome, space, tunis).unwrap();
    // Sealed to tunis too, at the same time as the removal.
    for _ in 0..3 {
        world.command(amman, Command::Rotate { space }).unwrap();
    }
    world.settle();
    world.link(rome, amman);
    world.settle();
    let later = [world.write(rome, space, 1), world.write(amman, space, 1)];
    world.settle();
    convergence::check(&world, rome, space);
    assert_eq!(world.shown(rome, space).all(), later.into());
    world.machines[tunis].disk = world.machines[amman].disk.clone();
    assert_eq!(world.shown(tunis, space).unreadable, later.into());
}
