//! Nothing is held that its author did not sign, in a chain, and nothing is shown of those who may not write.

use std::collections::BTreeSet;

use portolan_protocol::{
    crypto::signing::Purpose,
    entry::{Entry, LogKind, payload_hash},
    id::{EntryHash, SpaceId},
};

use crate::world::{network::Place, universe::World};

/// Checks all disks: chains are unbroken, signatures verify, payloads are those that were signed, and entries of honest
/// machines are ones that they wrote.
///
/// # Panics
/// When something is not so.
#[allow(clippy::expect_used, reason = "a failing test")]
pub fn check(world: &World) {
    let honest: BTreeSet<EntryHash> =
        world.nodes().into_iter().flat_map(|place| world.machines[place].wrote.clone()).collect();
    for machine in &world.machines {
        for log in machine.disk.all_logs() {
            let author = world.machines.iter().find(|author| author.id() == log.context.log.author);
            let author = author.expect("every author is a machine of the world");
            let key = author.identity.signing.public().verifier().expect("a key");
            let mut previous = EntryHash::default();
            for (seq, held) in (0..).zip(&log.entries) {
                let entry = Entry { header: held.header.clone(), signature: held.signature, payload: None };
                assert_eq!(
                    (held.header.seq, held.header.previous, entry.hash()),
                    (seq, previous, held.hash),
                    "{} holds a broken chain",
                    machine.name
                );
                let signed = key.verify(Purpose::ENTRY, &held.header.encode(), &held.signature);
                assert!(signed.is_ok(), "{} holds an entry that {} did not sign", machine.name, author.name);
                let genuine = held.payload.as_ref().is_none_or(|p| payload_hash(p) == held.header.payload_hash);
                assert!(genuine, "{} holds another payload than was signed", machine.name);
                let wrote = author.node().is_none() || honest.contains(&held.hash);
                assert!(wrote, "{} holds an entry that {} never wrote", machine.name, author.name);
                previous = held.hash;
            }
        }
    }
}

/// Checks that nothing is shown at `at` of authors who are no members there, unless it was written before their removal.
///
/// # Panics
/// When something is.
pub fn check_shown(world: &World, at: Place, space: SpaceId) {
    let Some(view) = world.view(at, space) else { return };
    let shown = world.shown(at, space);
    for entry in shown.all().difference(&shown.lifted) {
        let log = world.machines[at].disk.logs(space).find(|log| log.context.log == entry.log);
        let held = log.and_then(|log| log.entries.get(usize::try_from(entry.seq).unwrap_or(usize::MAX)));
        let role = held.and_then(|held| view.membership.role_at(entry.log.author, &held.header.heads));
        assert!(role.is_some_and(|role| role.writes()), "{entry:?} is shown and its author might not write it");
        assert!(log.is_some_and(|log| log.context.kind == LogKind::Data), "what is shown is data");
    }
}
