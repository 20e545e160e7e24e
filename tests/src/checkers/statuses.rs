//! What a node says of its peers is so.

use portolan_protocol::{entry::LogKey, id::SpaceId, node::Node};

use crate::world::{disk::HeldLog, machine::Machine, universe::World};

/// Checks what every node that is on believes of every other: it holds at least the entries that it is said to have receipted, and
/// where it is said to hold all that the node holds, it holds the contents too.
///
/// Not for worlds in which stores are put back to an earlier state: until that is known, what was said before is believed.
///
/// # Panics
/// When a node has less than another one shows of it.
pub fn check(world: &World) {
    for machine in &world.machines {
        let Some(status) = machine.node().map(Node::status) else { continue };
        for peer in &status.peers {
            let Some(other) = world.machines.iter().find(|other| other.id() == peer.card.node()) else { continue };
            for receipt in &peer.receipts {
                let shared =
                    shared(&machine.disk.logs(receipt.space).map(ends).collect::<Vec<_>>(), other, receipt.space);
                let names = (&machine.name, &other.name);
                assert!(
                    receipt.entries <= shared,
                    "{} says that {} has {receipt:?}; it has {shared}",
                    names.0,
                    names.1
                );
                let lacking = lacking_payload(machine, other, receipt.space);
                assert!(
                    !receipt.up_to_date || lacking.is_none(),
                    "{} says that {} holds everything; it lacks the content of {lacking:?}",
                    names.0,
                    names.1
                );
            }
        }
    }
}

/// An entry whose payload one machine holds and another one does not.
fn lacking_payload(machine: &Machine, other: &Machine, space: SpaceId) -> Option<(LogKey, usize)> {
    let held = |key: LogKey| other.disk.logs(space).find(|held| held.context.log == key);
    machine.disk.logs(space).find_map(|log| {
        let theirs = held(log.context.log).map_or(&[][..], |held| &held.entries);
        let lacks = |seq: &usize| {
            log.entries[*seq].payload.is_some() && theirs.get(*seq).is_none_or(|entry| entry.payload.is_none())
        };
        (0..log.entries.len()).find(lacks).map(|seq| (log.context.log, seq))
    })
}

fn ends(log: &HeldLog) -> (LogKey, u64) {
    (log.context.log, log.entries.len() as u64)
}

/// How many entries of these logs another machine holds durably too.
fn shared(logs: &[(LogKey, u64)], other: &Machine, space: SpaceId) -> u64 {
    let held =
        |log| other.disk.logs(space).find(|held| held.context.log == log).map_or(0, |held| held.entries.len() as u64);
    logs.iter().map(|(log, length)| held(*log).min(*length)).sum()
}
