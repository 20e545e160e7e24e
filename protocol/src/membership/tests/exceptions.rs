//! The dependency exception and what closes it.

use super::world::{Data, World, id};
use crate::{
    control::Role,
    entry::EntryRef,
    membership::{DataEntry, DataLog, Standing, lifted},
};

/// Node 2 is removed by 1 with nothing left standing; 3 has not heard of it.
fn removed() -> (World, Data) {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Writer), (3, Role::Writer), (4, Role::Writer)]);
    world.epoch(0);
    world.sync_all();
    let quarantined = world.data(2);
    world.remove_at(1, 2, Vec::new());
    (world, quarantined)
}

#[test]
fn what_a_remaining_member_built_on_in_good_faith_is_lifted() {
    let (mut world, below) = removed();
    let above = world.data(2);
    let beside = world.data(2);
    let honest = world.data(3);
    world.sync_all();
    assert!(matches!(world.standing(0, &below), Standing::Quarantined(_)));
    let entries: [(&Data, &[&Data]); 4] =
        [(&below, &[]), (&above, &[&below]), (&beside, &[&below]), (&honest, &[&above])];
    let mut expected = vec![below.reference, above.reference];
    expected.sort_unstable();
    assert_eq!(world.lifted(0, &entries), expected, "not what nobody depends on");
}

#[test]
fn it_reaches_through_accepted_entries_of_removed_members() {
    let (mut world, below) = removed();
    let between = world.data(4);
    let cuts = world.cuts(1, 4);
    world.remove_at(1, 4, cuts);
    let honest = world.data(3);
    world.sync_all();
    let alone: [(&Data, &[&Data]); 2] = [(&below, &[]), (&between, &[&below])];
    assert_eq!(world.lifted(0, &alone), [], "one who was removed does not vouch");
    let all: [(&Data, &[&Data]); 3] = [(&below, &[]), (&between, &[&below]), (&honest, &[&between])];
    assert_eq!(world.lifted(0, &all), [below.reference]);
}

#[test]
fn one_who_knew_of_the_removal_does_not_vouch() {
    let (mut world, below) = removed();
    world.epoch(1);
    world.sync_all();
    let knowing = world.data(3);
    assert_eq!(world.standing(0, &knowing), Standing::Accepted);
    assert_eq!(world.lifted(0, &[(&below, &[]), (&knowing, &[&below])]), []);
}

#[test]
fn one_whose_other_log_knew_does_not_vouch_unless_that_log_came_after() {
    let (mut world, below) = removed();
    let (old, epoch) = (world.view(3).heads(), below.epoch);
    let first_log = world.replicas[3].data_log;
    let honest = world.data(3);
    world.epoch(1);
    world.sync_all();
    world.reopen(3);
    let knowing = world.data(3);
    world.replicas[3].data_log = first_log;
    let backdated = world.data_citing(3, old, epoch);
    assert_eq!(world.standing(0, &backdated), Standing::Accepted);
    let answer = |predecessor: Option<EntryRef>, voucher: &Data| {
        let entry = |data: &Data, dependencies: Vec<EntryRef>| DataEntry {
            reference: data.reference,
            standing: world.standing(0, data),
            heads: data.heads.clone(),
            dependencies,
        };
        let log = |data: &Data, predecessor| DataLog {
            log: data.reference.log,
            predecessor,
            cited: vec![data.heads.clone()],
        };
        let entries = [entry(&below, vec![]), entry(voucher, vec![below.reference])];
        lifted(world.view(0), &entries, &[log(&honest, None), log(&knowing, predecessor)]).len()
    };
    assert_eq!(answer(None, &honest), 0, "the other log says nothing of when it was opened");
    assert_eq!(answer(Some(honest.reference), &honest), 1, "it came after the entry");
    assert_eq!(answer(Some(honest.reference), &backdated), 0, "the entry was written behind it");
    assert_eq!(answer(Some(knowing.reference), &honest), 0, "a circle leads nowhere");
}

#[test]
fn a_lack_of_rights_is_never_lifted() {
    let mut world = World::with(&[(2, Role::Reader), (3, Role::Writer)]);
    world.epoch(0);
    world.sync_all();
    let by_reader = world.data(2);
    let honest = world.data(3);
    assert_eq!(world.lifted(0, &[(&by_reader, &[]), (&honest, &[&by_reader])]), []);
}

#[test]
fn what_lies_beyond_a_fork_is_lifted_by_those_who_built_on_it() {
    let (mut world, _) = removed();
    let forked = world.data(4);
    let honest = world.data(3);
    world.sync_all();
    world.replicas[0].membership.set_fork(forked.reference.log, None);
    assert_eq!(world.lifted(0, &[(&forked, &[]), (&honest, &[&forked])]), [forked.reference]);
}

#[test]
fn the_higher_of_two_cuts_lifts_nothing_for_one_who_knew_of_the_lower() {
    let (mut world, below) = removed();
    world.sync(1, 3);
    world.epoch(3);
    let knows_one = world.data(3);
    let second = world.remove_at(0, 2, Vec::new());
    world.sync_all();
    assert!(world.view(0).removals(id(2)).iter().any(|(entry, _)| *entry == second));
    assert_eq!(world.standing(0, &knows_one), Standing::Accepted);
    assert_eq!(world.lifted(0, &[(&below, &[]), (&knows_one, &[&below])]), []);
}
