//! Grants and removals by the member whom they are about, and the role that follows from a set of them. Which of them
//! count is the business of `fold`.

use std::collections::BTreeMap;

use super::{
    clock::Clock,
    graph::{Body, Graph, Index},
};
use crate::{control::Role, id::NodeId};

/// Whose grants and removals are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// Root's only.
    Root,
    /// Root's and admins'.
    Any,
}

/// Grants and removals about members, by the log that they stand in.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    members: BTreeMap<NodeId, Record>,
}

#[derive(Clone, Debug, Default)]
struct Record {
    grants: Acts,
    removals: Acts,
}

/// Acts of one sort about one member: by log number, in the order of the log.
#[derive(Clone, Debug, Default)]
struct Acts(BTreeMap<usize, LogActs>);

#[derive(Clone, Debug)]
struct LogActs {
    rank: Rank,
    acts: Vec<(u64, Index)>,
}

impl Acts {
    fn push(&mut self, graph: &Graph, index: Index) {
        let link = graph.link(index);
        let rank = if graph.is_creator(link.author()) { Rank::Root } else { Rank::Any };
        let log = self.0.entry(link.log).or_insert(LogActs { rank, acts: Vec::new() });
        let place = log.acts.partition_point(|(seq, _)| *seq < link.seq());
        log.acts.insert(place, (link.seq(), index));
    }

    /// All acts within `scope`, log by log, the latest of each log first.
    fn within<'a>(&'a self, rank: Rank, scope: &'a Clock) -> impl Iterator<Item = impl Iterator<Item = Index> + 'a> {
        self.0.iter().filter(move |(_, log)| rank == Rank::Any || log.rank == Rank::Root).map(|(number, log)| {
            let count = log.acts.partition_point(|(seq, _)| *seq < scope.count(*number));
            log.acts[..count].iter().rev().map(|(_, index)| *index)
        })
    }
}

impl Ledger {
    /// Adds a grant or a removal; anything else is left out.
    pub(super) fn push(&mut self, graph: &Graph, index: Index) {
        match &graph.link(index).body {
            Body::Grant { member, .. } => self.members.entry(*member).or_default().grants.push(graph, index),
            Body::Remove(remove) => self.members.entry(remove.member).or_default().removals.push(graph, index),
            Body::Genesis | Body::Epoch(_) | Body::Unknown(_) | Body::Void => {}
        }
    }

    /// Everyone of whom anything was ever said, the creator aside.
    pub(super) fn members(&self) -> impl Iterator<Item = NodeId> {
        self.members.keys().copied()
    }

    pub(super) fn has(&self, member: NodeId) -> bool {
        self.members.contains_key(&member)
    }

    pub(super) fn members_count(&self) -> usize {
        self.members.len()
    }

    /// Grants of `member` within `scope`, in no useful order.
    pub(super) fn grants<'a>(
        &'a self,
        member: NodeId,
        rank: Rank,
        scope: &'a Clock,
    ) -> impl Iterator<Item = Index> + 'a {
        self.members.get(&member).into_iter().flat_map(move |record| record.grants.within(rank, scope).flatten())
    }

    /// Removals of `member` within `scope`, in no useful order.
    pub(super) fn removals<'a>(
        &'a self,
        member: NodeId,
        rank: Rank,
        scope: &'a Clock,
    ) -> impl Iterator<Item = Index> + 'a {
        self.members.get(&member).into_iter().flat_map(move |record| record.removals.within(rank, scope).flatten())
    }

    /// The grants of `member` in force within `scope`: ended by no removal, and superseded by no later grant. `counts`
    /// says which acts count. More than one remain where grants are concurrent.
    pub(super) fn in_force(
        &self,
        graph: &Graph,
        member: NodeId,
        rank: Rank,
        scope: &Clock,
        counts: impl Fn(Index) -> bool,
    ) -> Vec<Index> {
        let Some(record) = self.members.get(&member) else { return Vec::new() };
        // Of each log the latest is enough: it descends from the others, so it supersedes or outdoes them.
        let mut grants: Vec<Index> =
            record.grants.within(rank, scope).filter_map(|mut acts| acts.find(|act| counts(*act))).collect();
        if grants.is_empty() {
            return grants;
        }
        let removals: Vec<Index> =
            record.removals.within(rank, scope).filter_map(|mut acts| acts.find(|act| counts(*act))).collect();
        grants.retain(|grant| removals.iter().all(|removal| graph.descends(*grant, *removal)));
        let all = grants.clone();
        grants.retain(|grant| !all.iter().any(|later| graph.descends(*later, *grant)));
        grants
    }
}

/// The lowest role among concurrent grants, and the grant that gives it: of several, the one with the smallest reference.
pub(super) fn lowest(graph: &Graph, grants: &[Index]) -> Option<(Role, Index)> {
    grants
        .iter()
        .filter_map(|index| match &graph.link(*index).body {
            Body::Grant { grant, .. } => Some((grant.role, graph.link(*index).reference, *index)),
            _ => None,
        })
        .min()
        .map(|(role, _, index)| (role, index))
}
