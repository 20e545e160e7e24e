//! Nodes that hold the same entries show the same; and once faults stop and links are up, members hold the same entries.

use std::collections::{BTreeMap, BTreeSet};

use portolan_protocol::{
    control::Role,
    entry::EntryRef,
    id::SpaceId,
    membership::{Reason, Standing},
    status::SpaceStatus,
};

use crate::world::{network::Place, readers::Shown, universe::World};

/// The members of a space, as `at` sees them, that run the real core.
///
/// # Panics
/// When `at` does not know the space.
pub fn members(world: &World, at: Place, space: SpaceId) -> BTreeSet<Place> {
    let view = world.view(at, space);
    assert!(view.is_some(), "{} knows the space", world.machines[at].name);
    let is_member =
        |place: &Place| view.is_some_and(|view| view.membership.role(world.machines[*place].id()).is_some());
    world.nodes().into_iter().filter(is_member).collect()
}

/// Checks that everyone whom `at` finds to be a member holds and shows the same as it does, and has its receipt.
///
/// # Panics
/// When one does not.
pub fn check(world: &World, at: Place, space: SpaceId) {
    let members = members(world, at, space);
    for place in &members {
        assert_same(world, at, *place, space);
    }
    for one in &members {
        for other in members.iter().filter(|other| *other != one && world.network.linked(*one, **other)) {
            assert_receipted(world, *one, *other, space);
        }
    }
}

/// Checks that two nodes hold the same and show the same.
///
/// # Panics
/// When they do not.
pub fn assert_same(world: &World, one: Place, other: Place, space: SpaceId) {
    let names = format!("{} and {}", world.machines[one].name, world.machines[other].name);
    let (mine, theirs) = (status(world, one, space), status(world, other, space));
    let parked = |status: &SpaceStatus| (status.parked_runs, status.parked_bytes);
    assert_eq!(
        held(&mine),
        held(&theirs),
        "{names} hold the same; parked {:?} and {:?}",
        parked(&mine),
        parked(&theirs)
    );
    let (Some(mine), Some(theirs)) = (world.view(one, space), world.view(other, space)) else {
        assert!(world.view(one, space).is_none() == world.view(other, space).is_none(), "{names} know the space");
        return;
    };
    let (my_members, their_members) = (mine.membership.members(), theirs.membership.members());
    assert_eq!(my_members, their_members, "{names} find the same members");
    let heads = mine.membership.heads();
    assert_eq!(heads, theirs.membership.heads(), "{names} would cite the same heads");
    let epochs = |view: &portolan_protocol::view::SpaceView| view.membership.latest_epochs(&heads);
    assert_eq!(epochs(mine), epochs(theirs), "{names} find the same epochs");
    let (here, there) = (world.shown(one, space), world.shown(other, space));
    assert_eq!(judged(&here), judged(&there), "{names} judge every entry alike");
    // A relay, or one who may not read what came before it, is shown less.
    let unread = |shown: &Shown| shown.unreadable.iter().filter(|e| shown.applies(e)).copied().collect::<BTreeSet<_>>();
    if unread(&here) == unread(&there) {
        assert_eq!(here.documents, there.documents, "{names} show the same documents");
    }
}

/// The standings of all entries but those beyond a fork: of these each node may hold another branch, and shows none.
fn judged(shown: &Shown) -> BTreeMap<EntryRef, Standing> {
    let beyond = |standing: &Standing| *standing == Standing::Quarantined(Reason::Fork);
    shown.standings.iter().filter(|(_, s)| !beyond(s)).map(|(entry, standing)| (*entry, standing.clone())).collect()
}

fn status(world: &World, at: Place, space: SpaceId) -> SpaceStatus {
    let status = world.machines[at].node().map(portolan_protocol::node::Node::status);
    let found = status.and_then(|status| status.spaces.into_iter().find(|status| status.space == space));
    assert!(found.is_some(), "{} takes part in the space", world.machines[at].name);
    found.unwrap_or_else(|| unreachable!("asserted"))
}

fn held(status: &SpaceStatus) -> impl PartialEq + std::fmt::Debug + use<> {
    (status.entries, status.digest, status.logs, status.gaps, status.forks)
}

/// Checks that `one` has a receipt of `other` for everything.
///
/// # Panics
/// When it has not.
pub fn assert_receipted(world: &World, one: Place, other: Place, space: SpaceId) {
    let peer = world.id(other);
    let status = world.machines[one].node().map(portolan_protocol::node::Node::status);
    let receipts = status.into_iter().flat_map(|status| status.peers).find(|status| status.card.node() == peer);
    let receipt = receipts.and_then(|peer| peer.receipts.into_iter().find(|receipt| receipt.space == space));
    let names = (&world.machines[one].name, &world.machines[other].name);
    let up_to_date = receipt.as_ref().is_some_and(|receipt| receipt.up_to_date);
    assert!(up_to_date, "{} has the receipt of {}: {receipt:?}", names.0, names.1);
}

/// Checks that everyone who may read and has history reads everything that is accepted.
///
/// # Panics
/// When one cannot.
pub fn assert_readable(world: &World, at: Place, space: SpaceId) {
    for place in members(world, at, space) {
        let Some(view) = world.view(place, space) else { continue };
        let member = view.membership.member(world.id(place));
        if member.is_some_and(|member| member.history && member.role >= Role::Reader) {
            let shown = world.shown(place, space);
            let unread: Vec<&EntryRef> = shown.unreadable.iter().filter(|entry| shown.applies(entry)).collect();
            assert!(unread.is_empty(), "{} cannot read {unread:?}", world.machines[place].name);
        }
    }
}
