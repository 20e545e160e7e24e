//! What was acknowledged, to a person or to a peer, is there after every crash.

use crate::world::universe::World;

/// Checks all disks.
///
/// # Panics
/// When an acknowledged change, or an entry that a frontier or a receipt told of, is not held any more.
pub fn check(world: &World) {
    for machine in &world.machines {
        for (space, entry) in &machine.acknowledged {
            let place = usize::try_from(entry.seq).unwrap_or(usize::MAX);
            let log = machine.disk.logs(*space).find(|log| log.context.log == entry.log);
            let held = log.and_then(|log| log.entries.get(place));
            assert!(held.is_some_and(|held| held.hash == entry.hash), "{} lost {entry:?}", machine.name);
        }
        for ((space, _), told) in &machine.told {
            let durable = machine.disk.vouches_for(*space, told);
            assert!(durable, "{} has told a peer of {told:?} and holds it no more", machine.name);
        }
    }
}
