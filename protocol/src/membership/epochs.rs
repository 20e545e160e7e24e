//! Epochs: which of them count, which are maximal, and who can read them. Their secrets are the business of `keyring`.
//!
//! An epoch is judged by its own ancestors alone, so what was written under it in good faith never becomes unreadable or
//! void because of a removal that its author had not seen.

use std::collections::BTreeMap;

use super::{
    clock::Clock,
    fold::{Proposed, cuts, rank_known},
    graph::{Body, Graph, Index, Link},
    ledger::Rank,
};
use crate::{
    control::{Epoch, Role},
    id::{EpochId, NodeId},
};

/// The epochs that count.
#[derive(Clone, Debug, Default)]
pub(super) struct Epochs {
    by_id: BTreeMap<EpochId, Index>,
    by_log: BTreeMap<usize, Vec<(u64, Index)>>,
    all: Vec<Index>,
    /// Readers who came after the epoch: by the grant that gave them its secret.
    given: BTreeMap<EpochId, Vec<(Index, NodeId)>>,
}

/// The id of the epoch that an entry makes.
pub(super) fn id_of(link: &Link) -> EpochId {
    EpochId(link.reference.hash.0)
}

impl Epochs {
    /// Judges an epoch and keeps it if it counts.
    pub(super) fn consider(&mut self, graph: &Graph, proposed: &Proposed, index: Index) -> bool {
        let link = graph.link(index);
        let Body::Epoch(epoch) = &link.body else { return false };
        if !self.counts(graph, proposed, link, epoch) {
            return false;
        }
        self.by_id.insert(id_of(link), index);
        self.by_log.entry(link.log).or_default().push((link.seq(), index));
        self.all.push(index);
        true
    }

    /// Notes whom a grant gave which secrets.
    pub(super) fn note_grant(&mut self, graph: &Graph, index: Index) {
        if let Body::Grant { member, grant } = &graph.link(index).body {
            for wrap in &grant.secrets {
                self.given.entry(wrap.epoch).or_default().push((index, *member));
            }
        }
    }

    fn counts(&self, graph: &Graph, proposed: &Proposed, link: &Link, epoch: &Epoch) -> bool {
        let writes = rank_known(graph, proposed, link.author(), &link.before).is_some_and(Role::writes);
        let recipients = epoch.recipients.iter().map(|recipient| recipient.node);
        link.rooted
            && writes
            && cuts(graph, proposed, link, Rank::Any, &link.before).next().is_none()
            && recipients.eq(readers(graph, proposed, &link.before))
            && epoch.previous.iter().map(|previous| previous.epoch).eq(self.maximal(graph, &link.before))
    }

    /// Every epoch that counts, in the order in which they came.
    pub(super) fn all(&self) -> &[Index] {
        &self.all
    }

    pub(super) fn find(&self, id: &EpochId) -> Option<Index> {
        self.by_id.get(id).copied()
    }

    /// The epochs within `scope` that no other one there descends from, sorted.
    pub(super) fn maximal(&self, graph: &Graph, scope: &Clock) -> Vec<EpochId> {
        let latest = self.latest(scope);
        let is_maximal = |epoch: &&Index| !latest.iter().any(|later| graph.descends(*later, **epoch));
        let mut ids: Vec<EpochId> = latest.iter().filter(is_maximal).map(|epoch| id_of(graph.link(*epoch))).collect();
        ids.sort_unstable();
        ids
    }

    fn latest(&self, scope: &Clock) -> Vec<Index> {
        let of_log = |(log, epochs): (&usize, &Vec<(u64, Index)>)| {
            let count = epochs.partition_point(|(seq, _)| *seq < scope.count(*log));
            epochs[..count].last().map(|(_, index)| *index)
        };
        self.by_log.iter().filter_map(of_log).collect()
    }

    /// Whether one who has seen `scope` may write under the epoch: it is maximal there, and nobody can read it who may no
    /// longer read.
    pub(super) fn may_write(&self, graph: &Graph, proposed: &Proposed, id: &EpochId, scope: &Clock) -> bool {
        let Some(index) = self.find(id) else { return false };
        let link = graph.link(index);
        let reads = |node| rank_known(graph, proposed, node, scope).is_some_and(Role::reads);
        scope.covers(link.log, link.seq())
            && !self.latest(scope).iter().any(|later| graph.descends(*later, index))
            && self.holders(graph, id, scope).into_iter().all(reads)
    }

    /// Everyone who was given the epoch's secret, as far as `scope` shows: recipients, and members who came later.
    pub(super) fn holders(&self, graph: &Graph, id: &EpochId, scope: &Clock) -> Vec<NodeId> {
        let recipients = self.find(id).map(|index| &graph.link(index).body);
        let mut holders: Vec<NodeId> = match recipients {
            Some(Body::Epoch(epoch)) => epoch.recipients.iter().map(|recipient| recipient.node).collect(),
            _ => Vec::new(),
        };
        let seen = |grant: Index| scope.covers(graph.link(grant).log, graph.link(grant).seq());
        let given = self.given.get(id).into_iter().flatten();
        holders.extend(given.filter(|(grant, _)| seen(*grant)).map(|(_, node)| *node));
        holders.sort_unstable();
        holders.dedup();
        holders
    }
}

/// Everyone who may read, as known at `scope`, sorted.
pub(super) fn readers(graph: &Graph, proposed: &Proposed, scope: &Clock) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = proposed.members().chain(graph.founder().map(|founder| founder.node)).collect();
    nodes.sort_unstable();
    nodes.retain(|node| rank_known(graph, proposed, *node, scope).is_some_and(Role::reads));
    nodes
}
