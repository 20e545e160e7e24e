//! The rules of rank, one by one.

use super::world::{World, grant, id, identities};
use crate::{
    control::{Control, Genesis, Role},
    entry::Heads,
    id::{OrganisationId, SpaceId},
    limits::HEADS_MAX,
    membership::{ControlEntry, GenesisError, InsertError, Membership, Status},
};

#[test]
fn the_creator_is_root_and_grants_every_role_below() {
    let world = World::with(&[(1, Role::Admin), (2, Role::Writer), (3, Role::Reader), (4, Role::Relay)]);
    let roles: Vec<_> = (0..6).map(|node| world.role(3, node)).collect();
    let expected =
        [Some(Role::Root), Some(Role::Admin), Some(Role::Writer), Some(Role::Reader), Some(Role::Relay), None];
    assert_eq!(roles, expected);
    assert_eq!(world.view(3).status(), Status::Ready);
    assert_eq!(world.view(0).members().len(), 5);
}

#[test]
fn nobody_else_is_made_root_and_the_creator_cannot_be_removed() {
    let mut world = World::with(&[(1, Role::Admin)]);
    let made = world.grant(0, 2, Role::Root);
    let gone = world.remove(0, 0);
    let by_admin = world.remove(1, 0);
    world.sync_all();
    assert!([made, gone, by_admin].iter().all(|entry| !world.view(0).accepts(entry)));
    assert_eq!((world.role(0, 0), world.role(0, 2)), (Some(Role::Root), None));
}

#[test]
fn admins_cannot_touch_each_other_nor_make_another() {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Admin), (3, Role::Writer)]);
    let duel =
        [world.remove(1, 2), world.remove(2, 1), world.grant(1, 3, Role::Admin), world.grant(2, 1, Role::Reader)];
    world.sync_all();
    assert!(duel.iter().all(|entry| !world.view(3).accepts(entry)));
    let roles: Vec<_> = (1..4).map(|node| world.role(3, node)).collect();
    assert_eq!(roles, [Some(Role::Admin), Some(Role::Admin), Some(Role::Writer)]);
}

#[test]
fn writers_readers_and_strangers_change_nothing() {
    let mut world = World::with(&[(1, Role::Writer), (2, Role::Reader)]);
    let tries = [world.grant(1, 3, Role::Reader), world.remove(2, 1), world.grant(5, 5, Role::Writer)];
    world.sync_all();
    assert!(tries.iter().all(|entry| !world.view(0).accepts(entry)));
    assert_eq!(world.view(0).members().len(), 3);
}

#[test]
fn whom_nobody_could_admit_becomes_no_author() {
    let mut world = World::with(&[(1, Role::Writer), (2, Role::Admin)]);
    // A writer names three, one of them admitted later by one who may.
    for node in 3..6 {
        world.grant(1, node, Role::Relay);
    }
    world.sync_all();
    assert!((3..6).all(|node| world.view(0).author_key(id(node)).is_none()));
    world.grant(2, 4, Role::Relay);
    world.sync_all();
    let authors: Vec<bool> = (3..6).map(|node| world.view(0).author_key(id(node)).is_some()).collect();
    assert_eq!(authors, [false, true, false]);
}

#[test]
fn a_later_grant_supersedes_and_concurrent_grants_give_the_lowest_role() {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Admin)]);
    world.grant(1, 3, Role::Reader);
    world.sync_all();
    world.grant(1, 3, Role::Writer);
    assert_eq!(world.role(1, 3), Some(Role::Writer));
    world.grant(2, 3, Role::Relay);
    world.sync_all();
    assert_eq!(world.role(0, 3), Some(Role::Relay));
    world.grant(2, 3, Role::Writer);
    world.sync_all();
    assert_eq!(world.role(0, 3), Some(Role::Writer));
}

#[test]
fn a_removal_ends_concurrent_grants_and_a_later_grant_begins_anew() {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Admin), (3, Role::Writer)]);
    world.remove(1, 3);
    world.grant(2, 3, Role::Writer);
    world.sync_all();
    assert_eq!(world.role(0, 3), None);
    world.grant(2, 3, Role::Reader);
    world.sync_all();
    assert_eq!(world.role(0, 3), Some(Role::Reader));
}

#[test]
fn root_decides_who_is_admin_whatever_admins_do_at_the_same_time() {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Writer)]);
    world.grant(0, 2, Role::Admin);
    let concurrent = world.remove(1, 2);
    world.sync_all();
    assert!(!world.view(0).accepts(&concurrent));
    assert_eq!(world.role(0, 2), Some(Role::Admin));
    // As a writer again it is within an admin's reach.
    world.remove(0, 2);
    world.grant(0, 2, Role::Writer);
    world.sync_all();
    let later = world.remove(1, 2);
    assert!(world.view(1).accepts(&later));
    assert_eq!(world.role(1, 2), None);
}

#[test]
fn what_an_admin_granted_before_a_promotion_still_stands_for_that_time() {
    let mut world = World::with(&[(1, Role::Admin)]);
    world.grant(1, 2, Role::Writer);
    world.sync_all();
    let as_writer = world.view(2).heads();
    world.grant(0, 2, Role::Admin);
    world.sync_all();
    assert_eq!(world.view(0).role_at(id(2), &as_writer), Some(Role::Writer));
    assert_eq!(world.role(0, 2), Some(Role::Admin));
}

#[test]
fn a_removed_admin_cannot_grant_behind_the_cut_by_citing_old_heads() {
    let mut world = World::with(&[(1, Role::Admin)]);
    let kept = world.grant(1, 2, Role::Writer);
    let old_heads = world.view(1).heads();
    world.sync_all();
    world.remove(0, 1);
    let in_same_log = world.write_citing(1, grant(3, Role::Writer).encode(), old_heads.clone());
    world.reopen(1);
    let in_new_log = world.write_citing(1, grant(4, Role::Writer).encode(), old_heads);
    world.sync_all();
    let view = world.view(0);
    assert!(view.accepts(&kept) && !view.accepts(&in_same_log) && !view.accepts(&in_new_log));
    assert_eq!([world.role(0, 2), world.role(0, 3), world.role(0, 4)], [Some(Role::Writer), None, None]);
}

#[test]
fn an_admin_that_comes_back_writes_in_a_new_log() {
    let mut world = World::with(&[(1, Role::Admin)]);
    world.grant(1, 2, Role::Reader);
    world.sync_all();
    world.remove(0, 1);
    world.grant(0, 1, Role::Admin);
    world.sync_all();
    let in_old_log = world.grant(1, 3, Role::Writer);
    world.reopen(1);
    let in_new_log = world.grant(1, 4, Role::Writer);
    world.sync_all();
    assert!(!world.view(0).accepts(&in_old_log) && world.view(0).accepts(&in_new_log));
}

#[test]
fn concurrent_removals_cut_at_the_lower_place_of_each_log() {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Admin), (3, Role::Writer)]);
    world.epoch(0);
    world.sync_all();
    let first = world.data(3);
    let low = world.cuts(1, 3);
    let second = world.data(3);
    let high = world.cuts(2, 3);
    world.remove_at(1, 3, low);
    world.remove_at(2, 3, high);
    assert!(matches!(world.standing(2, &second), crate::membership::Standing::Accepted));
    world.sync_all();
    assert_eq!(world.standing(2, &first), crate::membership::Standing::Accepted);
    assert!(matches!(world.standing(2, &second), crate::membership::Standing::Quarantined(_)));
}

#[test]
fn a_fork_voids_what_lies_beyond_it_save_what_others_cite() {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Admin)]);
    let log = world.replicas[1].log;
    let (below, cited, beyond) =
        (world.grant(1, 3, Role::Writer), world.grant(1, 4, Role::Writer), world.grant(1, 5, Role::Writer));
    let entry = |world: &World, which| world.replicas[1].held.iter().find(|e| e.reference == which).cloned().unwrap();
    for reference in [below, cited] {
        let entry = entry(&world, reference);
        world.deliver(2, &entry).unwrap();
    }
    let witness = world.grant(2, 6, Role::Reader);
    world.sync_all();
    let view = &mut world.replicas[0].membership;
    view.set_fork(log, Some(below.seq));
    let accepted: Vec<bool> = [below, cited, beyond, witness].iter().map(|entry| view.accepts(entry)).collect();
    assert_eq!(accepted, [true, true, false, true]);
}

#[test]
fn an_unknown_kind_from_a_writer_stops_and_one_from_a_reader_does_not() {
    let mut world = World::with(&[(1, Role::Writer), (2, Role::Reader)]);
    world.write_bytes(2, vec![1, 77, 0]);
    world.sync_all();
    assert_eq!(world.view(0).status(), Status::Ready);
    let at = world.write_bytes(1, vec![1, 77, 0]);
    world.sync_all();
    assert_eq!(world.view(0).status(), Status::Stopped { at, kind: 77 });
    // A removal whose cut lies before it puts an end to the stop.
    world.remove_at(0, 1, Vec::new());
    assert_eq!(world.view(0).status(), Status::Ready);
}

#[test]
fn a_malformed_payload_is_void_and_does_not_stop() {
    let mut world = World::with(&[(1, Role::Admin)]);
    let mut bytes = grant(2, Role::Writer).encode();
    bytes.push(0);
    let trailing = world.write_bytes(1, bytes);
    let mut forged = grant(3, Role::Writer);
    if let Control::Grant(grant) = &mut forged {
        grant.member.header.time.0 += 1;
    }
    let forged = world.write(1, &forged);
    world.sync_all();
    assert!(!world.view(0).accepts(&trailing) && !world.view(0).accepts(&forged));
    assert_eq!((world.view(0).status(), world.view(0).members().len()), (Status::Ready, 2));
}

#[test]
fn an_entry_waits_for_what_it_cites_and_for_what_precedes_it() {
    let mut world = World::with(&[(1, Role::Admin)]);
    let first = world.grant(1, 2, Role::Writer);
    world.grant(1, 3, Role::Writer);
    let held = world.replicas[1].held.clone();
    let [.., one, two] = held.as_slice() else { panic!("two entries") };
    assert_eq!(world.deliver(0, two), Err(InsertError::MissingHeads(vec![first])));
    let blind = ControlEntry { heads: one.heads.clone(), ..two.clone() };
    assert_eq!(world.deliver(0, &blind), Err(InsertError::MissingPrevious));
    world.deliver(0, one).unwrap();
    world.deliver(0, two).unwrap();
    let mut other = one.clone();
    other.reference.hash.0[0] ^= 1;
    assert_eq!(world.deliver(0, &other), Err(InsertError::Forked { held: first }));
    let citing_other = Heads::new(vec![other.reference]);
    assert_eq!(world.view(0).missing(&citing_other), vec![other.reference]);
}

fn founded(change: impl FnOnce(&mut Genesis)) -> (Membership, Result<(), InsertError>) {
    let creator = &identities()[0];
    let mut genesis = Genesis {
        nonce: [1; 32],
        roots: vec![creator.header.header.keys.signing],
        threshold: 1,
        creator: creator.header.clone(),
        organisation: OrganisationId([0; 16]),
    };
    change(&mut genesis);
    let mut membership = Membership::new(genesis.space());
    let entry = World::new().replicas[0].held[0].clone();
    let entry = ControlEntry { payload: Control::Genesis(genesis).encode(), ..entry };
    let inserted = membership.insert(entry).map(|_| ());
    (membership, inserted)
}

#[test]
fn a_space_of_another_kind_is_refused() {
    let other = identities()[1].header.header.keys.signing;
    assert_eq!(founded(|_| ()).1, Ok(()));
    assert_eq!(founded(|genesis| genesis.roots.push(other)).1, Err(GenesisError::Roots.into()));
    assert_eq!(founded(|genesis| genesis.roots.clear()).1, Err(GenesisError::Roots.into()));
    assert_eq!(founded(|genesis| genesis.threshold = 2).1, Err(GenesisError::Roots.into()));
    assert_eq!(founded(|genesis| genesis.roots = vec![other]).1, Err(GenesisError::ForeignRoot.into()));
    let forge = |genesis: &mut Genesis| genesis.creator.signature.0[0] ^= 1;
    assert_eq!(founded(forge).1, Err(GenesisError::Creator.into()));
}

#[test]
fn a_genesis_of_another_space_founds_nothing() {
    let entry = World::new().replicas[0].held[0].clone();
    let mut membership = Membership::new(SpaceId([5; 32]));
    membership.insert(entry).unwrap();
    assert_eq!((membership.status(), membership.creator()), (Status::Empty, None));
}

#[test]
fn no_more_heads_are_cited_than_a_header_takes_and_admins_come_first() {
    let mut world = World::with(&[(1, Role::Writer), (2, Role::Admin)]);
    let shared = world.replicas[1].held.clone();
    for _ in 0..HEADS_MAX {
        // Each log as if opened by one who has seen nothing of the others.
        world.replicas[1].membership = Membership::new(world.space);
        world.replicas[1].held.clear();
        for entry in &shared {
            world.deliver(1, entry).unwrap();
        }
        world.reopen(1);
        world.epoch(1);
        world.sync(1, 0);
    }
    let by_admin = world.grant(2, 3, Role::Reader);
    world.sync(2, 0);
    let heads = world.view(0).heads();
    assert_eq!(heads.entries().len(), HEADS_MAX);
    assert!(heads.entries().contains(&by_admin));
}
