//! Nodes share a space: directly, through a relay, late, and with keys that were opened apart.

use portolan_protocol::{
    control::Role,
    input::{Command, CommandError},
    message::Message,
};
use portolan_tests::{
    checkers::{authenticity, convergence, durability},
    world::universe::World,
};

#[test]
fn two_nodes_hold_and_show_the_same() {
    let (mut world, [rome, tunis]) = World::partners(1, ["rome", "tunis"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    for document in 0..3 {
        world.write(rome, space, document);
        world.write(tunis, space, document);
    }
    world.settle();
    convergence::check(&world, rome, space);
    convergence::assert_readable(&world, rome, space);
    durability::check(&world);
    authenticity::check(&world);
    assert_eq!(world.shown(tunis, space).all().len(), 6);
}

#[test]
fn edits_made_apart_join() {
    let (mut world, [rome, tunis]) = World::partners(2, ["rome", "tunis"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    world.part(rome, tunis);
    for _ in 0..40 {
        world.write(rome, space, 1);
        world.write(tunis, space, 1);
    }
    world.link(rome, tunis);
    world.settle();
    convergence::check(&world, rome, space);
    assert_eq!(world.shown(rome, space).all().len(), 80);
}

#[test]
fn a_relay_in_the_middle_passes_on_what_it_cannot_read() {
    let mut world = World::new(3);
    let [rome, relay, tunis] = ["rome", "relay", "tunis"].map(|name| world.machine(name));
    world.introduce(rome, relay);
    world.introduce(relay, tunis);
    world.introduce(rome, tunis);
    world.link(rome, relay);
    world.link(relay, tunis);
    let space = world.found(rome);
    world.grant(rome, space, relay, Role::Relay).unwrap();
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    world.write(rome, space, 1);
    world.settle();
    world.write(tunis, space, 1);
    world.settle();
    convergence::check(&world, rome, space);
    assert_eq!(world.shown(rome, space).all().len(), 2);
    let relayed = world.shown(relay, space);
    assert!(relayed.changes.is_empty() && relayed.unreadable.len() == 2, "the relay reads nothing");
}

#[test]
fn a_late_joiner_with_history_reads_the_past_and_one_without_does_not() {
    let (mut world, [rome, tunis, amman]) = World::partners(4, ["rome", "tunis", "amman"]);
    let space = world.found(rome);
    let past = world.write(rome, space, 1);
    world.command(rome, Command::Rotate { space }).unwrap();
    let recent = world.write(rome, space, 2);
    let (tunis_id, amman_id) = (world.id(tunis), world.id(amman));
    world.command(rome, Command::Grant { space, member: tunis_id, role: Role::Writer, history: true }).unwrap();
    world.command(rome, Command::Grant { space, member: amman_id, role: Role::Reader, history: false }).unwrap();
    let present = world.write(rome, space, 3);
    world.settle();
    convergence::check(&world, rome, space);
    assert_eq!(world.shown(tunis, space).all(), [past, recent, present].into());
    assert_eq!(world.shown(amman, space).all(), [present].into());
    assert_eq!(world.shown(amman, space).unreadable, [past, recent].into());
}

#[test]
fn roles_bind() {
    let (mut world, [rome, reader]) = World::partners(5, ["rome", "reader"]);
    let space = world.found(rome);
    world.grant(rome, space, reader, Role::Reader).unwrap();
    world.settle();
    let refused = world.try_write(reader, space, 1);
    assert!(matches!(refused, Some(Err(CommandError::NotAllowed(_)))), "{refused:?}");
    assert!(world.grant(reader, space, rome, Role::Relay).is_err());
}

#[test]
fn epochs_opened_apart_are_both_read_by_everyone() {
    let (mut world, [rome, tunis, amman]) = World::partners(6, ["rome", "tunis", "amman"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.grant(rome, space, amman, Role::Writer).unwrap();
    world.settle();
    for (one, other) in [(rome, tunis), (rome, amman), (tunis, amman)] {
        world.part(one, other);
    }
    for place in [rome, tunis, amman] {
        world.command(place, Command::Rotate { space }).unwrap();
        world.write(place, space, 1);
    }
    for (one, other) in [(rome, tunis), (tunis, amman)] {
        world.link(one, other);
    }
    world.settle();
    convergence::check(&world, rome, space);
    convergence::assert_readable(&world, rome, space);
    assert_eq!(world.shown(amman, space).all().len(), 3);
}

#[test]
fn two_members_invite_one_node_and_nothing_of_either_is_lost() {
    let (mut world, [rome, tunis, amman]) = World::partners(7, ["rome", "tunis", "amman"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Admin).unwrap();
    world.settle();
    world.part(rome, tunis);
    for _ in 0..20 {
        world.write(rome, space, 1);
        world.write(tunis, space, 2);
    }
    world.grant(rome, space, amman, Role::Writer).unwrap();
    world.grant(tunis, space, amman, Role::Writer).unwrap();
    world.settle();
    // The two who granted are still apart: only through the third do they meet.
    convergence::check(&world, rome, space);
    assert_eq!(world.shown(amman, space).standings.len(), 40);
}

#[test]
fn a_member_that_slept_while_all_others_changed_is_taken_back_in() {
    let (mut world, [rome, tunis, amman]) = World::partners(8, ["rome", "tunis", "amman"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.settle();
    world.crash(tunis);
    world.grant(rome, space, amman, Role::Admin).unwrap();
    world.write(rome, space, 1);
    world.settle();
    world.crash(rome);
    world.write(amman, space, 1);
    world.start(tunis);
    world.settle();
    convergence::assert_same(&world, amman, tunis, space);
    convergence::assert_readable(&world, amman, space);
}

#[test]
fn a_lost_payload_comes_back_from_a_peer() {
    let (mut world, [rome, tunis]) = World::partners(9, ["rome", "tunis"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    let entries: Vec<_> = (0..5).map(|_| world.write(rome, space, 1)).collect();
    world.settle();
    world.crash(tunis);
    world.machines[tunis].told.clear();
    for entry in [entries[1], entries[2], entries[4]] {
        world.machines[tunis].disk.forget_payload(space, entry.log, entry.seq);
    }
    world.start(tunis);
    let gaps = world.machines[tunis].node().unwrap().status().spaces[0].gaps;
    assert_eq!(gaps, 3);
    world.settle();
    convergence::check(&world, rome, space);
    assert_eq!(world.shown(tunis, space).all().len(), 5);
}

#[test]
fn a_node_that_is_no_peer_is_told_nothing() {
    let mut world = World::new(10);
    let (rome, stranger) = (world.machine("rome"), world.puppet("stranger"));
    let space = world.found(rome);
    world.write(rome, space, 1);
    world.network.link(rome, stranger, 5);
    world.link(rome, stranger);
    world.settle();
    assert_eq!(world.heard(stranger), &[] as &[Message]);
    assert_eq!(world.closed.len(), 1, "the connection is closed");
}
