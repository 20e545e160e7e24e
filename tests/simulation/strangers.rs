//! A verified peer that keeps to no rule: others are unaffected, nothing false is taken, and memory stays bounded.

use portolan_protocol::{
    control::Role,
    effects::Notice,
    entry::{EntryRef, Heads, LogKey, LogKind},
    frontier::LogFrontier,
    id::{EntryHash, FrontierDigest, Incarnation, NodeId, SpaceId},
    input::Command,
    limits::{LOGS_PER_MEMBER_MAX, PARKED_BYTES_PER_PEER_MAX, PARKED_RUNS_PER_PEER_MAX},
    membership::Standing,
    message::Message,
    page::{Tip, without_payloads},
    receipt::{Receipt, Statement},
    status::SpaceStatus,
    time::Timestamp,
};
use portolan_tests::{
    checkers::{authenticity, convergence},
    world::{forger::Forger, network::Place, universe::World},
};

fn with_mallory(seed: u64, role: Role) -> (World, [Place; 3], SpaceId) {
    let mut world = World::new(seed);
    let (rome, tunis, mallory) = (world.machine("rome"), world.machine("tunis"), world.puppet("mallory"));
    for (one, other) in [(rome, tunis), (rome, mallory), (tunis, mallory)] {
        world.introduce(one, other);
        world.link(one, other);
    }
    let space = world.found(rome);
    world.grant(rome, space, tunis, Role::Writer).unwrap();
    world.grant(rome, space, mallory, role).unwrap();
    world.settle();
    (world, [rome, tunis, mallory], space)
}

/// Whatever was said, the honest two go on as if nothing was.
fn unaffected(world: &mut World, [rome, tunis, _]: [Place; 3], space: SpaceId) {
    world.settle();
    world.write(rome, space, 1);
    world.write(tunis, space, 1);
    world.settle();
    authenticity::check(world);
    convergence::assert_same(world, rome, tunis, space);
    convergence::assert_receipted(world, rome, tunis, space);
}

fn status(world: &World, at: Place) -> SpaceStatus {
    world.machines[at].node().unwrap().status().spaces.remove(0)
}

fn log(number: u32) -> LogFrontier {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    let log = LogKey { author: NodeId([9; 32]), log: LogKind::Data.log_id(id) };
    LogFrontier { log, kind: LogKind::Data, next_seq: 1, hash: EntryHash([1; 32]), gaps: vec![], forked: false }
}

#[test]
fn garbage_closes_the_connection() {
    let (mut world, places, space) = with_mallory(60, Role::Writer);
    world.say(places[2], places[0], vec![1, 0xff, 0xff, 3]);
    unaffected(&mut world, places, space);
    assert_eq!(world.closed.len(), 1);
}

#[test]
fn every_first_byte_of_a_frame_is_survived() {
    for first in 0..=24 {
        let (mut world, places, space) = with_mallory(61, Role::Writer);
        let mut frame = vec![1, first];
        frame.extend((0..200).map(|_| world.dice(256) as u8).collect::<Vec<u8>>());
        world.say(places[2], places[0], frame);
        unaffected(&mut world, places, space);
    }
}

#[test]
fn an_unasked_frontier_closes_the_connection() {
    let (mut world, places, space) = with_mallory(62, Role::Writer);
    // The first answers rome's summary, the second answers nothing.
    for _ in 0..2 {
        world.say(places[2], places[0], Message::Frontier { space, mask: u64::MAX, logs: vec![] }.encode());
    }
    unaffected(&mut world, places, space);
    assert!(world.closed.iter().any(|(_, _, reason)| reason.contains("answers no summary")), "{:?}", world.closed);
}

#[test]
fn a_giant_frontier_is_refused() {
    let (mut world, places, space) = with_mallory(63, Role::Writer);
    let logs = (0..40_001).map(log).collect();
    world.say(places[2], places[0], Message::Frontier { space, mask: u64::MAX, logs }.encode());
    unaffected(&mut world, places, space);
    assert_eq!(world.closed.len(), 1);
}

#[test]
fn frontiers_that_claim_everything_make_nobody_lose_anything() {
    let (mut world, places, space) = with_mallory(64, Role::Writer);
    let claim = LogFrontier { next_seq: u64::MAX, gaps: vec![(0, u64::MAX)], ..log(1) };
    world.say(places[2], places[0], Message::Frontier { space, mask: u64::MAX, logs: vec![claim] }.encode());
    unaffected(&mut world, places, space);
}

#[test]
fn a_payload_that_one_withholds_comes_with_the_run_of_the_next() {
    let (mut world, places, space) = with_mallory(77, Role::Writer);
    let [rome, tunis, mallory] = places;
    world.part(rome, tunis);
    let forger = Forger::new(&world.machines[mallory].identity, world.view(rome, space).unwrap(), 5);
    let run = forger.run(&Tip::empty(), &[b"one", b"two", b"three"]);
    let stripped = without_payloads(run.context(), run.pages()).unwrap();
    world.say(mallory, rome, Message::run(run.context(), stripped).encode());
    world.settle();
    assert_eq!(status(&world, rome).gaps, 3);
    world.say(mallory, rome, forger.frame(&run));
    world.settle();
    assert_eq!(status(&world, rome).gaps, 0);
    // They are in the store too.
    world.crash(rome);
    world.start(rome);
    assert_eq!(status(&world, rome).gaps, 0);
    world.link(rome, tunis);
    unaffected(&mut world, places, space);
}

#[test]
fn one_id_cannot_stand_for_logs_of_both_kinds() {
    let (mut world, places, space) = with_mallory(75, Role::Writer);
    let [rome, tunis, mallory] = places;
    let before = [status(&world, rome).entries, status(&world, tunis).entries];
    let view = world.view(rome, space).unwrap();
    let forger = Forger::new(&world.machines[mallory].identity, view, 3).into_log(LogKind::Control.log_id([3; 16]));
    let run = forger.run(&Tip::empty(), &[b"data in a control log"]);
    world.say(mallory, rome, forger.frame(&run));
    world.settle();
    assert_eq!([status(&world, rome).entries, status(&world, tunis).entries], before);
    assert!(world.machines[rome].node().unwrap().status().peers.iter().any(|peer| peer.refused.is_some()));
    unaffected(&mut world, places, space);
}

#[test]
fn logs_beyond_number_fill_no_room_and_count_alike_once_their_author_is_removed() {
    let (mut world, places, space) = with_mallory(76, Role::Writer);
    let [rome, tunis, mallory] = places;
    world.part(rome, tunis);
    let forgers: Vec<Forger> = (0..LOGS_PER_MEMBER_MAX as u8 + 6)
        .map(|log| Forger::new(&world.machines[mallory].identity, world.view(rome, space).unwrap(), log))
        .collect();
    for forger in &forgers {
        let run = forger.run(&Tip::empty(), &[b"one", b"two"]);
        world.say(mallory, rome, forger.frame(&run));
    }
    for forger in forgers.iter().rev() {
        let run = forger.run(&Tip::empty(), &[b"one", b"two"]);
        world.say(mallory, tunis, forger.frame(&run));
    }
    world.settle();
    world.link(rome, tunis);
    world.settle();
    for place in [rome, tunis] {
        assert_eq!(status(&world, place).parked_runs, 0, "what can never be taken takes no room");
        let alarm = Notice::TooManyLogs { space, author: world.id(mallory) };
        assert_eq!(world.machines[place].notices.iter().filter(|notice| **notice == alarm).count(), 1);
    }
    world.revoke(rome, space, mallory).unwrap();
    world.settle();
    let accepted = |world: &World, place: Place| -> Vec<EntryRef> {
        let standings = world.shown(place, space).standings;
        standings.into_iter().filter(|(_, s)| *s == Standing::Accepted).map(|(entry, _)| entry).collect()
    };
    assert_eq!(accepted(&world, rome), accepted(&world, tunis));
    assert_eq!(accepted(&world, rome).len(), 2 * LOGS_PER_MEMBER_MAX);
}

#[test]
fn runs_that_their_author_did_not_sign_are_not_taken() {
    let (mut world, places, space) = with_mallory(65, Role::Writer);
    let [rome, tunis, mallory] = places;
    let before = status(&world, rome).entries;
    // Mallory signs in the name of tunis, and then spoils a signature of its own.
    let forger = Forger::new(&world.machines[tunis].identity, world.view(rome, space).unwrap(), 3);
    let genuine = forger.run(&Tip::empty(), &[b"said by tunis"]);
    let page = genuine.pages()[0].clone();
    for place in 0..page.len() {
        let mut forged = page.clone();
        forged[place] ^= 1;
        world.say(mallory, rome, Message::run(&forger.context(), vec![forged]).encode());
    }
    world.settle();
    let after = status(&world, rome);
    assert_eq!(after.entries, before, "nothing forged is held");
    assert!(after.parked_runs <= PARKED_RUNS_PER_PEER_MAX);
    unaffected(&mut world, places, space);
}

#[test]
fn runs_that_refer_to_what_was_never_sent_wait_within_bounds() {
    let (mut world, places, space) = with_mallory(66, Role::Writer);
    let [rome, _, mallory] = places;
    let identity = world.machines[mallory].identity.clone();
    let view = world.view(rome, space).unwrap().clone();
    let nowhere = EntryRef { log: log(5).log, seq: 4, hash: EntryHash([7; 32]) };
    let large = vec![0; 60_000];
    for number in 0..3_000u32 {
        let forger = Forger::new(&identity, &view, 9).cite(Heads::new(vec![nowhere]));
        let payload = [number.to_le_bytes().as_slice(), &large[..if number > 500 { 1_000 } else { 60_000 }]].concat();
        let run = forger.run(&Tip::empty(), &[&payload]);
        world.say(mallory, rome, forger.frame(&run));
    }
    world.settle();
    let held = status(&world, rome);
    assert!(held.parked_runs > 200, "{} wait", held.parked_runs);
    assert!(held.parked_runs <= PARKED_RUNS_PER_PEER_MAX && held.parked_bytes <= PARKED_BYTES_PER_PEER_MAX);
    unaffected(&mut world, places, space);
}

#[test]
fn a_log_sent_backwards_costs_no_more_than_one_sent_forwards() {
    let (mut world, places, space) = with_mallory(67, Role::Writer);
    let [rome, _, mallory] = places;
    let forger = Forger::new(&world.machines[mallory].identity, world.view(rome, space).unwrap(), 9);
    let mut runs = Vec::new();
    let mut tip = Tip::empty();
    for _ in 0..400 {
        let run = forger.run(&tip, &[b"one"]);
        tip = run.tip().clone();
        runs.push(run);
    }
    for run in runs.iter().rev() {
        world.say(mallory, rome, forger.frame(run));
    }
    unaffected(&mut world, places, space);
    assert_eq!(status(&world, rome).parked_runs, 0);
    let held = world.machines[rome].disk.log(&forger.context()).map(|log| log.entries.len());
    assert_eq!(held, Some(400));
}

#[test]
fn a_writer_without_the_right_is_held_and_not_shown() {
    let (mut world, places, space) = with_mallory(68, Role::Reader);
    let [rome, _, mallory] = places;
    let forger = Forger::new(&world.machines[mallory].identity, world.view(rome, space).unwrap(), 9);
    let run = forger.run(&Tip::empty(), &[b"not allowed"]);
    world.say(mallory, rome, forger.frame(&run));
    unaffected(&mut world, places, space);
    let shown = world.shown(rome, space);
    let standing = shown.standings.iter().find(|(entry, _)| entry.log == forger.context().log);
    assert!(standing.is_some_and(|(entry, _)| !shown.applies(entry)), "{standing:?}");
}

#[test]
fn invitations_to_many_spaces_stay_bounded() {
    let (mut world, places, space) = with_mallory(69, Role::Writer);
    let buckets = vec![[1; 16]; 64];
    for number in 0..2_000u32 {
        let mut id = [3; 32];
        id[..4].copy_from_slice(&number.to_le_bytes());
        let (space, buckets) = (SpaceId(id), buckets.clone());
        let summary = Message::Summary { space, digest: Default::default(), buckets };
        world.say(places[2], places[0], summary.encode());
    }
    world.settle();
    let answered =
        world.heard(places[2]).iter().filter(|m| matches!(m, Message::Frontier { logs, .. } if logs.is_empty()));
    assert!(answered.count() <= 64 + 2, "no more invitations are followed at a time than one peer may make");
    // The honest one can still bring a new space.
    let other = world.found(places[1]);
    world.grant(places[1], other, places[0], Role::Writer).unwrap();
    world.settle();
    assert!(world.view(places[0], other).is_some());
    unaffected(&mut world, places, space);
}

#[test]
fn what_waited_goes_on_to_the_one_who_brought_what_it_waited_for() {
    let (mut world, [rome, tunis, mallory], space) = with_mallory(70, Role::Writer);
    world.part(rome, tunis);
    world.command(tunis, Command::Rotate { space }).unwrap();
    let forger = Forger::new(&world.machines[mallory].identity, world.view(tunis, space).unwrap(), 9);
    let run = forger.run(&Tip::empty(), &[b"cites what rome has not seen"]);
    world.say(mallory, rome, forger.frame(&run));
    world.settle();
    assert_eq!(status(&world, rome).parked_runs, 1);
    world.link(rome, tunis);
    world.settle();
    assert_eq!(status(&world, rome).parked_runs, 0);
    convergence::assert_same(&world, rome, tunis, space);
    assert!(world.machines[tunis].disk.log(&forger.context()).is_some());
}

#[test]
fn a_receipt_counts_once_signed_right_and_only_for_the_life_of_the_store_that_signed_it() {
    let (mut world, [rome, _, mallory], space) = with_mallory(71, Role::Reader);
    let identity = world.machines[mallory].identity.clone();
    // As if mallory held just what rome does.
    world.say(mallory, rome, Message::Frontier { space, mask: 0, logs: vec![] }.encode());
    let said = |counter: u64, world: &World| Statement {
        issuer: identity.card.node(),
        space,
        incarnation: Incarnation([1; 16]),
        counter,
        digest: status(world, rome).digest,
        time: Timestamp(5),
    };
    let receipted = |world: &World| {
        let peers = world.machines[rome].node().unwrap().status().peers;
        let peer = peers.into_iter().find(|peer| peer.card.node() == identity.card.node()).unwrap();
        peer.receipts.first().is_some_and(|receipt| receipt.up_to_date)
    };
    let wrong = Receipt::sign(Statement { digest: FrontierDigest([1; 32]), ..said(1, &world) }, &identity.signing);
    world.say(mallory, rome, Message::Receipt { receipt: wrong, logs: vec![] }.encode());
    world.settle();
    assert!(!receipted(&world));
    world.say(mallory, rome, Message::Frontier { space, mask: 0, logs: vec![] }.encode());
    let receipt = Receipt::sign(said(2, &world), &identity.signing);
    world.say(mallory, rome, Message::Receipt { receipt, logs: vec![] }.encode());
    world.settle();
    assert!(receipted(&world));
    let hello = Message::Hello { card: identity.card.encode(), incarnation: Incarnation([2; 16]) };
    world.say(mallory, rome, hello.encode());
    world.settle();
    assert!(!receipted(&world), "a store that lives anew has promised nothing");
}
