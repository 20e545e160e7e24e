//! Sticks: what a courier carries does what a connection does, in whatever order and however often it comes.

use portolan_protocol::{
    control::Role,
    id::SpaceId,
    input::{Command, CommandError, Reply},
    limits::PARKED_BYTES_PER_PEER_MAX,
    pouch::{Held, Load, from_code, to_code},
};
use portolan_tests::{
    checkers::{authenticity, convergence, durability, statuses},
    world::{
        machine::Mind,
        network::Place,
        sticks::{Read, SMALL_VOLUME_BYTES},
        universe::World,
    },
};

/// Rome with a space, and Tunis, which nothing connects to it. Both know each other.
fn apart(seed: u64) -> (World, Place, Place, SpaceId) {
    let mut world = World::new(seed);
    let [rome, tunis] = ["rome", "tunis"].map(|name| world.machine(name));
    world.introduce(rome, tunis);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    (world, rome, tunis, space)
}

fn write_many(world: &mut World, at: Place, space: SpaceId, numbers: std::ops::Range<u16>, document: fn(u16) -> u16) {
    for number in numbers {
        world.write(at, space, document(number) as u8);
    }
}

fn carry(world: &mut World, from: Place, to: Place, load: Load) -> Vec<Read> {
    let volumes = world.export(from, &[to], None, load, SMALL_VOLUME_BYTES).unwrap();
    volumes.iter().map(|volume| world.import(to, volume).unwrap().unwrap()).collect()
}

#[test]
fn two_that_never_meet_hold_and_show_the_same_and_know_it() {
    let (mut world, rome, tunis, space) = apart(1);
    write_many(&mut world, rome, space, 0..20, |number| number % 3);
    let read = carry(&mut world, rome, tunis, Load::Missing);
    assert!(read.iter().all(|read| read.report.held.is_some() && read.report.lacking.is_empty()), "{read:?}");
    write_many(&mut world, tunis, space, 0..20, |number| number % 3);
    statuses::check(&world);
    carry(&mut world, tunis, rome, Load::Missing);
    convergence::assert_same(&world, rome, tunis, space);
    convergence::assert_readable(&world, rome, space);
    // Rome has the receipt already; Tunis gets it with a stick that carries nothing else.
    convergence::assert_receipted(&world, rome, tunis, space);
    carry(&mut world, rome, tunis, Load::Receipts);
    convergence::assert_receipted(&world, tunis, rome, space);
    authenticity::check(&world);
    durability::check(&world);
    statuses::check(&world);
}

#[test]
fn a_stick_carries_what_is_not_receipted_and_the_same_again_until_it_is() {
    let (mut world, rome, tunis, space) = apart(2);
    write_many(&mut world, rome, space, 0..50, |_| 1);
    let plan = |world: &mut World, from: Place, to: Place, load| {
        let recipients = vec![world.id(to)];
        match world.command(from, Command::Pack { recipients, space: None, load }) {
            Ok(Reply::Plan(plan)) => plan,
            other => panic!("{other:?}"),
        }
    };
    let first = plan(&mut world, rome, tunis, Load::Missing);
    assert!(first.data[0].to >= 50 && first.data[0].from == 0);
    // Having been written is no receipt.
    let volumes = world.export(rome, &[tunis], None, Load::Missing, SMALL_VOLUME_BYTES).unwrap();
    assert_eq!(plan(&mut world, rome, tunis, Load::Missing).data, first.data);
    volumes.iter().for_each(|volume| drop(world.import(tunis, volume).unwrap()));
    carry(&mut world, tunis, rome, Load::Receipts);
    let after = plan(&mut world, rome, tunis, Load::Missing);
    assert_eq!((after.entries(), after.data.len()), (0, 0));
    assert_eq!(plan(&mut world, rome, tunis, Load::Everything).data, first.data);
    // The way back carries what is new on that side only.
    let back = plan(&mut world, tunis, rome, Load::Missing);
    assert_eq!(back.data.len(), 0, "{:?}", back.data);
    world.write(tunis, space, 2);
    assert_eq!(plan(&mut world, tunis, rome, Load::Missing).data.len(), 1);
    world.write(rome, space, 2);
    assert_eq!(plan(&mut world, rome, tunis, Load::Missing).entries(), 1);
}

#[test]
fn volumes_come_twice_and_in_any_order() {
    let (mut world, rome, tunis, space) = apart(3);
    write_many(&mut world, rome, space, 0..700, |number| number % 5);
    let mut volumes = world.export(rome, &[tunis], None, Load::Missing, SMALL_VOLUME_BYTES).unwrap();
    assert!(volumes.len() > 2, "{}", volumes.len());
    let entries = world.machines[rome].disk.logs(space).map(|log| log.entries.len() as u64).sum::<u64>();
    // The last one first: it waits for those between, and nobody signs for it.
    volumes.rotate_right(1);
    let last = world.import(tunis, &volumes[0]).unwrap().unwrap();
    assert!(last.report.held.is_none() && last.report.lacking_ranges == 1, "{last:?}");
    assert_eq!(last.report.lacking[0].suppliers, vec![world.id(rome)]);
    statuses::check(&world);
    let mut new = last.new;
    for volume in &volumes[1..] {
        new += world.import(tunis, volume).unwrap().unwrap().new;
    }
    assert_eq!(new, entries);
    // The one that waited is signed for too, without being read again.
    let words = world.command(tunis, Command::TakenPouches);
    let Ok(Reply::TakenPouches(words)) = words else { panic!("{words:?}") };
    assert_eq!(words[0].1.volumes.iter().count(), volumes.len());
    convergence::assert_same(&world, rome, tunis, space);
    for volume in &volumes {
        let again = world.import(tunis, volume).unwrap().unwrap();
        assert!(again.new == 0 && again.report.held.is_some(), "{again:?}");
    }
    durability::check(&world);
}

#[test]
fn what_is_too_much_to_wait_is_taken_when_it_comes_again() {
    let (mut world, rome, tunis, space) = apart(6);
    world.change_bytes = 200 << 10;
    write_many(&mut world, rome, space, 0..150, |number| number % 5);
    let volumes = world.export(rome, &[tunis], None, Load::Missing, 8 << 20).unwrap();
    assert!(volumes[1..].iter().map(Vec::len).sum::<usize>() > PARKED_BYTES_PER_PEER_MAX, "{}", volumes.len());
    let [first, later @ ..] = volumes.as_slice() else { panic!() };
    for volume in later {
        assert!(world.import(tunis, volume).unwrap().unwrap().report.held.is_none());
        let waiting = world.machines[tunis].node().unwrap().status().spaces;
        assert!(waiting.iter().all(|space| space.parked_bytes <= PARKED_BYTES_PER_PEER_MAX));
    }
    world.import(tunis, first).unwrap().unwrap();
    statuses::check(&world);
    for volume in later {
        assert!(world.import(tunis, volume).unwrap().unwrap().report.held.is_some());
    }
    convergence::assert_same(&world, rome, tunis, space);
    statuses::check(&world);
}

#[test]
fn contents_that_were_lacking_are_receipted_like_entries() {
    let (mut world, rome, tunis, space) = apart(7);
    let entries: Vec<_> = (0..9).map(|_| world.write(rome, space, 1)).collect();
    carry(&mut world, rome, tunis, Load::Missing);
    world.crash(tunis);
    world.machines[tunis].told.clear();
    for entry in [entries[1], entries[2], entries[4]] {
        world.machines[tunis].disk.forget_payload(space, entry.log, entry.seq);
    }
    world.start(tunis);
    // Rome hears of it by stick, and sends what is lacking, and no entry.
    carry(&mut world, tunis, rome, Load::Receipts);
    statuses::check(&world);
    let volumes = world.export(rome, &[tunis], None, Load::Missing, SMALL_VOLUME_BYTES).unwrap();
    let sent = world.machines[rome].sent.values().find(|sent| !sent.plan.payloads.is_empty()).unwrap();
    let contents = sent.kept[0].1.clone();
    assert_eq!((contents.entries(), contents.payload_count()), (0, 3));
    let arrived = |world: &mut World| {
        let peer = world.id(tunis);
        match world.command(rome, Command::Arrived { peer, contents: vec![contents.clone()] }) {
            Ok(Reply::Arrived(arrived)) => arrived[0],
            other => panic!("{other:?}"),
        }
    };
    assert!(!arrived(&mut world));
    let read = world.import(tunis, &volumes[0]).unwrap().unwrap();
    assert_eq!((read.new, read.report.lacking_ranges), (3, 0));
    world.take_held(rome, read.report.held.unwrap()).unwrap().unwrap();
    assert!(arrived(&mut world));
    convergence::assert_receipted(&world, rome, tunis, space);
    convergence::assert_same(&world, rome, tunis, space);
    statuses::check(&world);
}

/// The last word of a machine for a pouch, after reading all of its volumes.
fn word_for(world: &mut World, at: Place, volumes: &[Vec<u8>]) -> Held {
    let read: Vec<Read> = volumes.iter().map(|volume| world.import(at, volume).unwrap().unwrap()).collect();
    read.into_iter().last().and_then(|read| read.report.held).unwrap()
}

#[test]
fn a_code_does_for_a_receipt() {
    let (mut world, rome, tunis, space) = apart(4);
    write_many(&mut world, rome, space, 0..400, |number| number % 5);
    let volumes = world.export(rome, &[tunis], None, Load::Missing, SMALL_VOLUME_BYTES).unwrap();
    let partial = world.import(tunis, &volumes[0]).unwrap().unwrap().report.held.unwrap();
    let take = |world: &mut World, held: Held| world.take_held(rome, from_code(&to_code(&held)).unwrap()).unwrap();
    let entries = |world: &World| {
        let status = world.machines[rome].node().unwrap().status();
        status.peers[0].receipts[0].entries
    };
    assert!(matches!(take(&mut world, partial.clone()), Ok(Reply::Held { news: true, .. })));
    let part = entries(&world);
    assert!(part > 0 && part < 400);
    statuses::check(&world);
    let whole = word_for(&mut world, tunis, &volumes);
    take(&mut world, whole).unwrap();
    convergence::assert_receipted(&world, rome, tunis, space);
    // The earlier word takes nothing back.
    assert!(matches!(take(&mut world, partial.clone()), Ok(Reply::Held { news: false, .. })));
    convergence::assert_receipted(&world, rome, tunis, space);
    // What nobody signed, or what is said of other volumes, is none.
    let mut altered = partial;
    altered.counter += 50;
    assert!(matches!(take(&mut world, altered), Err(CommandError::NoReceipt(_))));
    world.write(tunis, space, 3);
    let foreign = world.export(tunis, &[rome], None, Load::Missing, SMALL_VOLUME_BYTES).unwrap();
    let foreign = word_for(&mut world, rome, &foreign);
    assert!(matches!(world.take_held(rome, foreign), Some(Err(CommandError::NoReceipt(_)))));
    statuses::check(&world);
}

#[test]
fn an_old_stick_does_not_bring_back_a_life_that_is_over() {
    let (mut world, rome, tunis, space) = apart(5);
    write_many(&mut world, rome, space, 0..5, |_| 1);
    carry(&mut world, rome, tunis, Load::Missing);
    let backup = world.machines[tunis].disk.clone();
    write_many(&mut world, rome, space, 0..5, |_| 1);
    carry(&mut world, rome, tunis, Load::Missing);
    let late = world.export(tunis, &[rome], None, Load::Missing, SMALL_VOLUME_BYTES).unwrap();
    // Tunis loses the second half and says so on its next stick; then the stick from before comes.
    world.roll_back(tunis, &backup);
    carry(&mut world, tunis, rome, Load::Missing);
    statuses::check(&world);
    late.iter().for_each(|volume| drop(world.import(rome, volume).unwrap()));
    statuses::check(&world);
    carry(&mut world, rome, tunis, Load::Missing);
    convergence::assert_same(&world, rome, tunis, space);
}

#[test]
fn a_removal_that_only_a_stick_brings_acts_as_on_a_connection() {
    let (mut world, [rome, tunis, mallory]) = World::partners(6, ["rome", "tunis", "mallory"]);
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.grant(rome, space, mallory, Role::Writer).unwrap();
    world.settle();
    let before = world.write(mallory, space, 9);
    world.settle();
    for (one, other) in [(rome, tunis), (rome, mallory), (tunis, mallory)] {
        world.part(one, other);
    }
    world.settle();
    world.revoke(rome, space, mallory).unwrap();
    let late = world.write(mallory, space, 9);
    let of_mallory = world.export(mallory, &[tunis], None, Load::Everything, SMALL_VOLUME_BYTES).unwrap();
    carry(&mut world, rome, tunis, Load::Missing);
    let mallory_id = world.id(mallory);
    assert!(world.view(tunis, space).unwrap().membership.role(mallory_id).is_none());
    for volume in of_mallory {
        let read = world.import(tunis, &volume).unwrap().unwrap();
        assert!(read.report.held.is_none() && read.report.lacking[0].refused.is_some(), "{read:?}");
    }
    let shown = world.shown(tunis, space).all();
    assert!(shown.contains(&before) && !shown.contains(&late));
    carry(&mut world, tunis, rome, Load::Missing);
    convergence::assert_same(&world, rome, tunis, space);
    // For one who is no member nothing of the space is packed.
    let id = vec![world.id(mallory)];
    let pack = |space| Command::Pack { recipients: id.clone(), space, load: Load::Everything };
    assert!(matches!(world.command(rome, pack(Some(space))), Err(CommandError::NotAllowed(_))));
    assert!(matches!(world.command(rome, pack(None)), Err(CommandError::NothingShared)));
}

/// Things that happen in one world.
const DEEDS: u64 = 80;

/// Weeks of edits on all sides, and sticks that are lost, delayed, swapped and brought twice; the power fails now and then.
fn weeks(seed: u64) {
    let mut world = World::new(seed);
    let places = ["rome", "tunis", "valletta"].map(|name| world.machine(name));
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        world.introduce(places[one], places[other]);
    }
    // Two have a link; the third is reached by sticks alone.
    world.link(places[0], places[1]);
    let space = world.found(places[0]);
    for place in &places[1..] {
        world.grant(places[0], space, *place, Role::Writer).unwrap();
    }
    world.failure_odds = [0, 0, 60][world.dice(3) as usize];
    let mut underway: Vec<(Place, Vec<u8>)> = Vec::new();
    for _ in 0..DEEDS {
        let (at, other) = (places[world.dice(3) as usize], places[world.dice(3) as usize]);
        places.iter().for_each(|place| world.start(*place));
        match world.dice(10) {
            0..=2 => {
                let document = world.dice(3) as u8;
                (0..1 + world.dice(30)).for_each(|_| drop(world.try_write(at, space, document)));
            }
            3..=5 if at != other => {
                let load = [Load::Missing, Load::Missing, Load::Everything, Load::Receipts][world.dice(4) as usize];
                let third = places.into_iter().find(|place| *place != at && *place != other);
                let to: Vec<Place> =
                    if world.dice(4) == 0 { third.into_iter().chain([other]).collect() } else { vec![other] };
                if world.machines[at].node().is_some() {
                    // One who has not heard of its membership shares nothing yet.
                    let volumes = match world.export(at, &to, None, load, SMALL_VOLUME_BYTES) {
                        Err(CommandError::NothingShared) => continue,
                        packed => packed.unwrap(),
                    };
                    underway.extend(to.iter().flat_map(|to| volumes.iter().map(|volume| (*to, volume.clone()))));
                }
            }
            6..=8 if !underway.is_empty() => {
                let index = world.dice(underway.len() as u64) as usize;
                let (to, volume) = underway[index].clone();
                // Kept for another time, or used up; sometimes it comes to the wrong place.
                if world.dice(3) > 0 {
                    underway.swap_remove(index);
                }
                let to = if world.dice(6) == 0 { at } else { to };
                if !matches!(world.machines[to].mind, Mind::Off) {
                    // What is not for this node is refused, and harms nothing.
                    drop(world.import(to, &volume));
                }
            }
            9 if !underway.is_empty() => drop(underway.swap_remove(world.dice(underway.len() as u64) as usize)),
            _ => world.steps(20),
        }
        durability::check(&world);
        statuses::check(&world);
    }
    world.failure_odds = 0;
    places.iter().for_each(|place| world.start(*place));
    world.settle();
    // A last round by stick: everything to everyone, and the receipts back.
    for load in [Load::Missing, Load::Missing, Load::Receipts] {
        for (from, to) in [(0, 2), (2, 0), (2, 1), (1, 2)] {
            carry(&mut world, places[from], places[to], load);
            world.settle();
        }
    }
    for other in &places[1..] {
        convergence::assert_same(&world, places[0], *other, space);
    }
    convergence::assert_readable(&world, places[0], space);
    convergence::assert_receipted(&world, places[0], places[2], space);
    convergence::assert_receipted(&world, places[2], places[0], space);
    durability::check(&world);
    authenticity::check(&world);
    statuses::check(&world);
    assert!(world.closed.is_empty(), "honest nodes close no connection: {:?}", world.closed);
}

#[test]
fn weeks_of_sticks_that_are_lost_delayed_and_swapped_converge() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let seeds = 0..variable("PORTOLAN_SEEDS").unwrap_or(12);
    for seed in variable("PORTOLAN_SEED").map_or(seeds, |seed: u64| seed..seed + 1) {
        println!("PORTOLAN_SEED={seed}");
        weeks(seed);
    }
}
