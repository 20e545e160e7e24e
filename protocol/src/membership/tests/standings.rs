//! The standing of data entries, and epochs.

use std::sync::Arc;

use super::world::{World, id};
use crate::{
    control::{Control, Role},
    entry::{EntryRef, Heads},
    id::{EntryHash, EpochId},
    membership::{DataPosition, Reason, Standing, StandingCache},
};

fn world() -> World {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Writer), (3, Role::Writer), (4, Role::Reader)]);
    world.epoch(0);
    world.sync_all();
    world
}

fn reason(standing: Standing) -> Option<Reason> {
    match standing {
        Standing::Quarantined(reason) => Some(reason),
        Standing::Accepted | Standing::Waiting => None,
    }
}

#[test]
fn writers_write_and_others_do_not() {
    let mut world = world();
    let (by_writer, by_reader, by_stranger) = (world.data(2), world.data(4), world.data(6));
    assert_eq!(world.standing(0, &by_writer), Standing::Accepted);
    assert_eq!(reason(world.standing(0, &by_reader)), Some(Reason::Role { role: Some(Role::Reader) }));
    assert_eq!(reason(world.standing(0, &by_stranger)), Some(Reason::Role { role: None }));
}

#[test]
fn an_entry_waits_for_the_heads_that_it_cites() {
    let mut world = world();
    world.grant(1, 5, Role::Writer);
    world.sync(1, 2);
    let data = world.data(2);
    assert_eq!(world.standing(3, &data), Standing::Waiting);
    world.sync(2, 3);
    assert_ne!(world.standing(3, &data), Standing::Waiting);
}

#[test]
fn entries_after_a_removal_are_quarantined_whatever_they_cite() {
    let mut world = world();
    let before = world.data(2);
    let old = world.view(2).heads();
    let removal = world.remove(1, 2);
    let epoch = before.epoch;
    let backdated = world.data_citing(2, old.clone(), epoch);
    world.reopen(2);
    let in_new_log = world.data_citing(2, old, epoch);
    world.sync_all();
    let honest = world.data(2);
    assert_eq!(world.standing(0, &before), Standing::Accepted);
    let cut = Some(Reason::Cut { by: vec![removal] });
    assert_eq!(reason(world.standing(0, &backdated)), cut);
    assert_eq!(reason(world.standing(0, &in_new_log)), cut);
    assert_eq!(reason(world.standing(0, &honest)), Some(Reason::Role { role: None }));
}

#[test]
fn a_member_that_comes_back_writes_in_a_log_opened_after_that() {
    let mut world = world();
    let before = world.data(2);
    let removal = world.remove(1, 2);
    world.grant(1, 2, Role::Writer);
    world.epoch(1);
    world.sync_all();
    let in_old_log = world.data(2);
    world.reopen(2);
    let in_new_log = world.data(2);
    assert_eq!(world.standing(0, &before), Standing::Accepted);
    assert_eq!(reason(world.standing(0, &in_old_log)), Some(Reason::Cut { by: vec![removal] }));
    assert_eq!(world.standing(0, &in_new_log), Standing::Accepted);
}

#[test]
fn heads_never_go_back_within_a_log_nor_from_its_predecessor() {
    let mut world = world();
    let old = world.view(2).heads();
    let epoch = world.data(2).epoch;
    world.grant(0, 5, Role::Relay);
    world.sync_all();
    let newer = world.data(2);
    let back = world.data_citing(2, old.clone(), epoch);
    assert_eq!(world.standing(0, &newer), Standing::Accepted);
    assert_eq!(reason(world.standing(0, &back)), Some(Reason::Regressed));
    world.reopen(2);
    let opening = world.data_citing(2, old, epoch);
    let following = DataPosition { predecessor_heads: Some(&newer.heads), ..opening.position() };
    let standing = world.view(0).standing(&following, &mut StandingCache::default());
    assert_eq!(reason(standing), Some(Reason::Regressed));
    assert_eq!(world.standing(0, &opening), Standing::Accepted);
}

#[test]
fn work_of_one_whose_granter_was_cut_can_be_lifted() {
    let mut world = world();
    world.grant(1, 5, Role::Writer);
    world.epoch(1);
    world.sync_all();
    let data = world.data(5);
    let others = world.data(2);
    assert_eq!(world.standing(0, &data), Standing::Accepted);
    let removal = world.remove_at(0, 1, Vec::new());
    world.sync_all();
    assert_eq!(world.role(0, 5), None);
    assert_eq!(reason(world.standing(0, &data)), Some(Reason::Cut { by: vec![removal] }));
    // The epoch counted the cut member among its readers in good faith, and so stands for everybody else.
    assert_eq!(world.standing(0, &others), Standing::Accepted);
}

#[test]
fn an_epoch_is_good_while_it_is_the_latest_and_nobody_removed_can_read_it() {
    let mut world = world();
    let first = world.data(2).epoch;
    let second = world.epoch(3);
    world.sync_all();
    let heads = world.view(2).heads();
    let (stale, none) = (world.data_citing(2, heads.clone(), first), world.data_citing(2, heads, None));
    let fresh = world.data(2);
    assert_eq!(fresh.epoch, Some(second));
    assert_eq!(world.standing(0, &fresh), Standing::Accepted);
    assert_eq!(reason(world.standing(0, &stale)), Some(Reason::Epoch));
    assert_eq!(reason(world.standing(0, &none)), Some(Reason::Epoch));
    world.remove(1, 4);
    world.sync_all();
    let heads = world.view(2).heads();
    assert_eq!(world.view(2).usable_epochs(&heads), []);
    let leaky = world.data_citing(2, heads, Some(second));
    assert_eq!(reason(world.standing(0, &leaky)), Some(Reason::Epoch));
    world.epoch(2);
    let good = world.data(2);
    world.sync_all();
    assert_eq!(world.standing(0, &good), Standing::Accepted);
}

#[test]
fn concurrent_epochs_are_both_good_until_one_takes_them_up() {
    let mut world = world();
    let (one, two) = (world.epoch(2), world.epoch(3));
    world.sync_all();
    let heads = world.view(0).heads();
    let mut both = [one, two];
    both.sort_unstable();
    assert_eq!(world.view(0).latest_epochs(&heads), Some(both.to_vec()));
    for epoch in both {
        let data = world.data_citing(2, heads.clone(), Some(epoch));
        assert_eq!(world.standing(0, &data), Standing::Accepted);
    }
    let merged = world.epoch(0);
    assert_eq!(world.view(0).latest_epochs(&world.view(0).heads()), Some(vec![merged]));
}

#[test]
fn an_epoch_with_a_reader_too_many_or_too_few_or_without_its_predecessor_is_void() {
    let mut world = world();
    let good = world.epoch_payload(2);
    let mut bad = [good.clone(), good.clone(), good.clone()];
    bad[0].recipients.pop();
    bad[1].recipients.swap(0, 1);
    bad[2].previous.clear();
    for epoch in bad {
        let entry = world.write(2, &Control::Epoch(epoch));
        assert!(!world.view(2).accepts(&entry));
    }
    let entry = world.write(4, &Control::Epoch(good));
    assert!(!world.view(4).accepts(&entry), "readers open no epochs");
}

#[test]
fn a_forked_data_log_is_cut_at_the_last_common_entry() {
    let mut world = world();
    let (one, two) = (world.data(2), world.data(2));
    world.replicas[0].membership.set_fork(one.reference.log, Some(0));
    assert_eq!(world.standing(0, &one), Standing::Accepted);
    assert_eq!(reason(world.standing(0, &two)), Some(Reason::Fork));
    world.replicas[0].membership.set_fork(one.reference.log, None);
    assert_eq!(reason(world.standing(0, &one)), Some(Reason::Fork));
}

#[test]
fn the_cache_answers_like_a_fresh_one_after_every_change() {
    let mut world = world();
    let entries: Vec<_> = (0..3).map(|_| world.data(2)).collect();
    let mut cache = StandingCache::default();
    let answers = |world: &World, cache: &mut StandingCache| -> Vec<Standing> {
        entries.iter().map(|data| world.view(1).standing(&data.position(), cache)).collect()
    };
    assert_eq!(answers(&world, &mut cache), vec![Standing::Accepted; 3]);
    let mut cuts = world.cuts(1, 2);
    cuts.retain(|cut| cut.log != entries[0].reference.log.log);
    world.remove_at(1, 2, cuts);
    assert!(answers(&world, &mut cache).iter().all(|standing| reason(standing.clone()).is_some()));
}

#[test]
fn a_cut_with_another_hash_does_not_keep_the_entry() {
    let mut world = world();
    let data = world.data(2);
    let mut cuts = world.cuts(1, 2);
    cuts.iter_mut().for_each(|cut| cut.hash = EntryHash([7; 32]));
    let removal = world.remove_at(1, 2, cuts);
    assert_eq!(reason(world.standing(1, &data)), Some(Reason::Cut { by: vec![removal] }));
    assert_eq!(world.view(1).data_cuts(&data.reference, &data.opening), vec![removal]);
}

#[test]
fn standings_have_a_stable_text_form() {
    let entry = EntryRef { log: World::new().replicas[0].log, seq: 3, hash: EntryHash([1; 32]) };
    for standing in [
        Standing::Accepted,
        Standing::Waiting,
        Standing::Quarantined(Reason::Cut { by: vec![entry] }),
        Standing::Quarantined(Reason::Role { role: Some(Role::Reader) }),
    ] {
        let text = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
    }
    assert_eq!(Standing::Quarantined(Reason::Epoch).to_string().split(':').next(), Some("quarantined"));
    let empty = Arc::new(Heads::default());
    let unknown = DataPosition {
        reference: EntryRef { log: crate::entry::LogKey { author: id(0), log: entry.log.log }, ..entry },
        heads: &empty,
        opening_heads: &empty,
        predecessor_heads: None,
        previous_heads: None,
        epoch: Some(EpochId([0; 32])),
    };
    let standing = World::new().view(0).standing(&unknown, &mut StandingCache::default());
    assert_eq!(reason(standing), Some(Reason::Role { role: None }));
}
