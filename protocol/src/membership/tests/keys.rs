//! Planning and the keyring together: what is planned counts, and opens for those it is meant for.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::world::{World, id, identities};
use crate::{
    control::{Control, Role},
    crypto::signing::PublicKey,
    id::{EpochId, OrganisationId},
    membership::{Keyring, Offer, Plan, Refusal, found, log_key},
};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([3; 32])
}

fn keyring(node: usize) -> Keyring {
    Keyring::new(id(node), identities()[node].sealing.clone())
}

fn offer(node: usize, role: Role, history: bool) -> Offer {
    Offer { member: identities()[node].header.clone(), role, organisation: OrganisationId([node as u8; 16]), history }
}

fn absorbed(world: &World, node: usize) -> Keyring {
    let mut ring = keyring(node);
    assert_eq!(ring.absorb(world.view(node)), []);
    ring
}

fn plan(world: &World, by: usize, offer: Offer) -> Result<Plan, Refusal> {
    world.view(by).plan_grant(world.replicas[by].log, offer, &absorbed(world, by), &mut rng())
}

fn carry_out(world: &mut World, by: usize, plan: &Plan) {
    let entry = world.write(by, &plan.payload);
    assert!(world.view(by).accepts(&entry), "what is planned counts");
    world.sync_all();
}

fn rotate(world: &mut World, by: usize) -> EpochId {
    let ring = absorbed(world, by);
    let (plan, _) = world.view(by).plan_epoch(world.replicas[by].log, &ring, &mut rng()).unwrap();
    let entry = world.write(by, &plan.payload);
    assert!(world.view(by).accepts(&entry));
    world.sync_all();
    EpochId(entry.hash.0)
}

#[test]
fn readers_open_what_is_sealed_to_them_and_relays_nothing() {
    let mut world = World::with(&[(1, Role::Writer), (2, Role::Relay)]);
    let epoch = rotate(&mut world, 0);
    let key = |node| absorbed(&world, node).content_key(&epoch).copied();
    assert!(key(0).is_some() && key(0) == key(1));
    assert_eq!((key(2), key(5)), (None, None));
    let heads = world.view(1).heads();
    assert_eq!(absorbed(&world, 1).usable_epoch(world.view(1), &heads), Some(epoch));
    assert_eq!(absorbed(&world, 2).usable_epoch(world.view(2), &heads), None);
}

#[test]
fn a_joiner_with_history_reads_every_earlier_epoch_and_one_without_only_what_follows() {
    let mut world = World::with(&[(1, Role::Admin)]);
    let epochs = [rotate(&mut world, 0), rotate(&mut world, 1), rotate(&mut world, 0)];
    let with = plan(&world, 1, offer(2, Role::Writer, true)).unwrap();
    assert!(!with.needs_epoch);
    carry_out(&mut world, 1, &with);
    let ring = absorbed(&world, 2);
    assert!(epochs.iter().all(|epoch| ring.content_key(epoch).is_some()));
    assert_eq!(ring.usable_epoch(world.view(2), &world.view(2).heads()), Some(epochs[2]));
    let without = plan(&world, 1, offer(3, Role::Writer, false)).unwrap();
    assert!(without.needs_epoch);
    carry_out(&mut world, 1, &without);
    assert_eq!(world.view(2).usable_epochs(&world.view(2).heads()), [], "the new reader could not read it");
    let later = rotate(&mut world, 2);
    let ring = absorbed(&world, 3);
    assert!(ring.content_key(&later).is_some() && !ring.has_history(&later));
    assert!(epochs.iter().all(|epoch| ring.content_key(epoch).is_none()));
    let refused = world.view(3).plan_epoch(world.replicas[3].log, &ring, &mut rng()).map(|_| ());
    assert_eq!(refused, Err(Refusal::NoHistory));
}

#[test]
fn a_removed_reader_cannot_open_what_follows() {
    let mut world = World::with(&[(1, Role::Writer), (2, Role::Reader)]);
    let before = rotate(&mut world, 0);
    let removal = world.view(0).plan_remove(world.replicas[0].log, id(2), world.cuts(0, 2)).unwrap();
    assert!(removal.needs_epoch);
    carry_out(&mut world, 0, &removal);
    let after = rotate(&mut world, 1);
    let ring = absorbed(&world, 2);
    assert!(ring.content_key(&before).is_some() && ring.content_key(&after).is_none());
}

#[test]
fn a_wrap_of_other_keys_is_told_and_left_out() {
    let mut world = World::with(&[(1, Role::Writer)]);
    let (plan, _) = world.view(1).plan_epoch(world.replicas[1].log, &keyring(1), &mut rng()).unwrap();
    let Control::Epoch(mut epoch) = plan.payload else { panic!("an epoch") };
    epoch.content_commitment = [0; 32];
    let id = EpochId(world.write(1, &Control::Epoch(epoch)).hash.0);
    world.sync_all();
    let mut ring = keyring(0);
    assert_eq!(ring.absorb(world.view(0)).iter().map(|bad| bad.epoch).collect::<Vec<_>>(), [id]);
    assert_eq!(ring.content_key(&id), None);
    // Such an epoch keeps nobody from moving on.
    let (plan, _) = world.view(0).plan_epoch(world.replicas[0].log, &ring, &mut rng()).unwrap();
    carry_out(&mut world, 0, &plan);
}

#[test]
fn merged_epochs_lead_back_to_both() {
    let mut world = World::with(&[(1, Role::Writer), (2, Role::Writer)]);
    let mut concurrent = Vec::new();
    for node in [1, 2] {
        let (plan, _) = world.view(node).plan_epoch(world.replicas[node].log, &keyring(node), &mut rng()).unwrap();
        concurrent.push(EpochId(world.write(node, &plan.payload).hash.0));
    }
    world.sync_all();
    rotate(&mut world, 0);
    let grant = plan(&world, 0, offer(3, Role::Reader, true)).unwrap();
    carry_out(&mut world, 0, &grant);
    let ring = absorbed(&world, 3);
    assert!(concurrent.iter().all(|epoch| ring.has_history(epoch)));
}

#[test]
fn a_keyring_absorbs_step_by_step_what_it_absorbs_at_once() {
    let mut world = World::with(&[(1, Role::Writer)]);
    let mut ring = keyring(1);
    let epochs = [rotate(&mut world, 0), rotate(&mut world, 1)].map(|epoch| {
        ring.absorb(world.view(1));
        epoch
    });
    let at_once = absorbed(&world, 1);
    assert!(epochs.iter().all(|epoch| ring.content_key(epoch) == at_once.content_key(epoch)));
}

#[test]
fn refusals_say_what_is_wrong() {
    let mut world = World::with(&[(1, Role::Admin), (2, Role::Writer), (3, Role::Admin)]);
    let cases = [
        (5, offer(6, Role::Reader, true), Refusal::NotAMember),
        (2, offer(6, Role::Reader, true), Refusal::RankTooLow { own: "writer" }),
        (1, offer(6, Role::Admin, true), Refusal::RankTooLow { own: "admin" }),
        (1, offer(3, Role::Writer, true), Refusal::RankTooLow { own: "admin" }),
        (0, offer(6, Role::Root, true), Refusal::RankTooLow { own: "root" }),
        (1, offer(2, Role::Writer, true), Refusal::AlreadyMember),
        (1, offer(2, Role::Reader, true), Refusal::DemotionNeedsRemoval),
    ];
    for (by, offer, refusal) in cases {
        assert_eq!(plan(&world, by, offer), Err(refusal));
    }
    let mut forged = offer(6, Role::Reader, true);
    forged.member.header.keys.transport = PublicKey([0; 32]);
    assert_eq!(plan(&world, 1, forged), Err(Refusal::BadCard));
    let log = world.replicas[1].log;
    assert_eq!(world.view(1).plan_remove(log, id(6), vec![]), Err(Refusal::NoSuchMember));
    assert_eq!(world.view(1).plan_remove(log, id(3), vec![]), Err(Refusal::RankTooLow { own: "admin" }));
    let twice = [world.cuts(0, 1), world.cuts(0, 1)].concat();
    world.grant(1, 6, Role::Reader);
    let twice = [twice, world.cuts(1, 1), world.cuts(1, 1)].concat();
    assert_eq!(world.view(1).plan_remove(log, id(2), twice), Err(Refusal::BadCuts));
    world.remove_at(0, 1, Vec::new());
    world.grant(0, 1, Role::Admin);
    world.sync_all();
    assert_eq!(plan(&world, 1, offer(7, Role::Reader, true)), Err(Refusal::WouldBeVoid));
    world.write_bytes(2, vec![1, 99]);
    world.sync_all();
    assert_eq!(plan(&world, 0, offer(7, Role::Reader, true)), Err(Refusal::Stopped));
}

#[test]
fn a_space_is_founded_by_a_genuine_card_only() {
    let header = identities()[0].header.clone();
    assert!(found(header.clone(), OrganisationId([0; 16]), &mut rng()).is_ok());
    let mut forged = header;
    forged.signature.0[0] ^= 1;
    assert_eq!(found(forged, OrganisationId([0; 16]), &mut rng()).err(), Some(Refusal::BadCard));
}

#[test]
fn each_log_has_a_key_of_its_own() {
    let world = World::new();
    let (one, two) = (world.replicas[0].log, world.replicas[1].log);
    let sealed = log_key(&[1; 32], &world.space, &one).seal(&[0; 32], b"", b"text");
    assert!(log_key(&[1; 32], &world.space, &one).open(b"", &sealed).is_ok());
    assert!(log_key(&[1; 32], &world.space, &two).open(b"", &sealed).is_err());
    assert!(log_key(&[2; 32], &world.space, &one).open(b"", &sealed).is_err());
}
