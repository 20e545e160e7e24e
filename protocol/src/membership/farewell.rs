//! What a removed member may still be shown: the control entries that removed it, with all that they stand on.

use std::collections::BTreeMap;

use super::{clock::Clock, roll::Membership};
use crate::{entry::LogKey, id::NodeId};

impl Membership {
    /// For each control log, how many entries prove the removals of `node`. Empty for one who was never removed.
    pub fn removal_proof(&self, node: NodeId) -> Vec<(LogKey, u64)> {
        let mut clock = Clock::default();
        for (removal, _) in self.removals(node) {
            if let Some(index) = self.graph.find(&removal) {
                self.graph.add(&mut clock, index);
            }
        }
        let mut logs: BTreeMap<LogKey, u64> = BTreeMap::new();
        for (_, link) in self.graph.links().filter(|(_, link)| clock.covers(link.log, link.seq())) {
            let count = logs.entry(link.reference.log).or_default();
            *count = (*count).max(link.seq() + 1);
        }
        logs.into_iter().collect()
    }
}
