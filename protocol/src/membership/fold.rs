//! The fold: which control entries count, rank by rank, and the roles that follow. A pure function of the set of entries.
//!
//! It is asked in two ways. *As known at* an entry: with nothing but that entry's ancestors, so that the answer can never
//! change; epochs are judged so. *As known now*: with every held entry, so that a removal reaches what was granted or
//! written behind its back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    clock::Clock,
    graph::{Body, Graph, Index, Link},
    ledger::{Ledger, Rank, lowest},
};
use crate::{
    control::{Remove, Role},
    entry::{EntryRef, LogKey},
    id::NodeId,
};

/// Whether the control entries can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Status {
    /// The space's first entry is not held yet.
    Empty,
    /// Every entry is understood.
    Ready,
    /// A control entry is of a kind that this release does not know: hold and forward, but do not write.
    Stopped {
        /// Which entry.
        at: EntryRef,
        /// Its kind, or its suite where that is unknown.
        kind: u8,
    },
}

/// Grants and removals that are valid as known at each of them: rank allowed it. They only ever grow.
pub(super) type Proposed = Ledger;

/// What counts, as known now.
#[derive(Clone, Debug, Default)]
pub(super) struct Fold {
    /// Everything held, save what a fork cuts off.
    pub(super) top: Clock,
    /// Grants and removals that count.
    pub(super) accepted: Ledger,
    /// The same, by index.
    counted: Vec<bool>,
    pub(super) status: Option<Status>,
}

/// The last entries that count of logs that were forked: a number of entries.
pub(super) type Forks = BTreeMap<LogKey, u64>;

/// Roles as known at `scope`, and nothing later.
pub(super) fn role_known(graph: &Graph, proposed: &Proposed, member: NodeId, scope: &Clock) -> Option<(Role, Index)> {
    if graph.is_creator(member) {
        return None;
    }
    let by_root = lowest(graph, &proposed.in_force(graph, member, Rank::Root, scope, |_| true));
    match by_root {
        Some((Role::Admin, _)) => by_root,
        _ => lowest(
            graph,
            &proposed.in_force(graph, member, Rank::Any, scope, |act| counts(graph, proposed, graph.link(act), scope)),
        ),
    }
}

/// The role of anyone as known at `scope`, the creator included.
pub(super) fn rank_known(graph: &Graph, proposed: &Proposed, member: NodeId, scope: &Clock) -> Option<Role> {
    if graph.is_creator(member) {
        return graph.is_founded_in(scope).then_some(Role::Root);
    }
    role_known(graph, proposed, member, scope).map(|(role, _)| role)
}

/// Whether rank allows a grant or a removal, as known at `scope`, which is no more than its ancestors.
pub(super) fn rank_allows(graph: &Graph, ledger: &Ledger, link: &Link, scope: &Clock) -> bool {
    let by_root = |member| lowest(graph, &ledger.in_force(graph, member, Rank::Root, scope, |_| true));
    let is_admin = |member| matches!(by_root(member), Some((Role::Admin, _)));
    let (member, ceiling) = match &link.body {
        Body::Grant { member, grant } => (*member, grant.role),
        Body::Remove(remove) => (remove.member, Role::Relay),
        Body::Genesis | Body::Epoch(_) | Body::Unknown(_) | Body::Void => return false,
    };
    if !link.rooted || graph.is_creator(member) || ceiling == Role::Root {
        return false;
    }
    graph.is_creator(link.author()) || ceiling < Role::Admin && is_admin(link.author()) && !is_admin(member)
}

/// Whether an act that rank allows counts for one who knows `known`: not cut by a removal of its author, not outdone by root.
fn counts(graph: &Graph, ledger: &Ledger, link: &Link, known: &Clock) -> bool {
    if graph.is_creator(link.author()) {
        return true;
    }
    cuts(graph, ledger, link, Rank::Root, known).next().is_none() && !outdone(graph, ledger, link, known)
}

/// The removals of a control entry's author within `known` that cut the entry off.
pub(super) fn cuts<'a>(
    graph: &'a Graph,
    ledger: &'a Ledger,
    link: &'a Link,
    rank: Rank,
    known: &'a Clock,
) -> impl Iterator<Item = Index> + 'a {
    let opening = &graph.opening(link).before;
    let author = link.author();
    ledger.removals(author, rank, known).filter(move |removal| {
        let Body::Remove(remove) = &graph.link(*removal).body else { return false };
        !at_or_below(remove, &link.reference) && !reopened(graph, ledger, author, *removal, opening, rank, known)
    })
}

/// Whether a removal's cuts leave the entry standing.
pub(super) fn at_or_below(remove: &Remove, entry: &EntryRef) -> bool {
    remove.cuts.binary_search_by_key(&entry.log.log, |cut| cut.log).is_ok_and(|place| {
        let cut = &remove.cuts[place];
        entry.seq < cut.seq || entry.seq == cut.seq && entry.hash == cut.hash
    })
}

/// Whether a log with this opening was opened after `member` had been granted a role again.
pub(super) fn reopened(
    graph: &Graph,
    ledger: &Ledger,
    member: NodeId,
    removal: Index,
    opening: &Clock,
    rank: Rank,
    known: &Clock,
) -> bool {
    ledger.grants(member, rank, known).any(|grant| {
        let link = graph.link(grant);
        opening.covers(link.log, link.seq()) && graph.descends(grant, removal)
    })
}

/// Whether a removal by an admin meets a grant by which root makes its member an admin, without root having seen the removal.
fn outdone(graph: &Graph, ledger: &Ledger, link: &Link, known: &Clock) -> bool {
    let Body::Remove(remove) = &link.body else { return false };
    let seen = |act: Index| link.before.covers(graph.link(act).log, graph.link(act).seq());
    ledger.grants(remove.member, Rank::Root, known).any(|grant| {
        let makes_admin = matches!(&graph.link(grant).body, Body::Grant { grant, .. } if grant.role == Role::Admin);
        let root_saw_it = graph.link(grant).before.covers(link.log, link.seq());
        let ended = || ledger.removals(remove.member, Rank::Root, known).any(|r| seen(r) && !graph.descends(grant, r));
        let superseded =
            || ledger.grants(remove.member, Rank::Root, known).any(|g| seen(g) && graph.descends(g, grant));
        makes_admin && !root_saw_it && !ended() && !superseded()
    })
}

impl Fold {
    /// Folds everything that is held.
    pub(super) fn new(graph: &Graph, epochs: &[Index], forks: &Forks) -> Fold {
        let held = graph.top();
        let mut top = held.clone();
        for (key, count) in forks {
            if let Some(log) = graph.log(key) {
                top.limit(log, *count);
            }
        }
        // What accepted entries of others cite stands although it lies beyond a fork, which may make more acceptable.
        loop {
            let fold = Fold::within(graph, top, !forks.is_empty());
            let stands = fold.cited_beyond(graph, epochs, forks, &held);
            if fold.top.includes(&stands) {
                return fold.with_status(graph);
            }
            top = fold.top;
            top.join(&stands);
        }
    }

    fn within(graph: &Graph, top: Clock, forked: bool) -> Fold {
        let mut accepted = Ledger::default();
        let mut counted = vec![false; graph.len()];
        let is_act = |link: &Link| matches!(link.body, Body::Grant { .. } | Body::Remove(_));
        let (root, admins): (Vec<Index>, Vec<Index>) = graph
            .links()
            .filter(|(_, link)| top.covers(link.log, link.seq()) && is_act(link))
            .map(|(index, _)| index)
            .partition(|act| graph.is_creator(graph.link(*act).author()));
        for act in root.into_iter().filter(|act| rank_allows(graph, &Ledger::default(), graph.link(*act), &top)) {
            accepted.push(graph, act);
            counted[act] = true;
        }
        // Admins are judged by what root did alone, so none of them can touch another.
        let by_root = accepted.clone();
        for act in admins {
            let link = graph.link(act);
            let allowed = if forked {
                rank_allows(graph, &by_root, link, &link.before.meet(&top))
            } else {
                rank_allows(graph, &by_root, link, &link.before)
            };
            if allowed && counts(graph, &by_root, link, &top) {
                accepted.push(graph, act);
                counted[act] = true;
            }
        }
        Fold { top, accepted, counted, status: None }
    }

    fn cited_beyond(&self, graph: &Graph, epochs: &[Index], forks: &Forks, held: &Clock) -> Clock {
        let mut stands = Clock::default();
        let forked: Vec<(LogKey, usize)> = forks.keys().filter_map(|key| Some((*key, graph.log(key)?))).collect();
        if forked.is_empty() {
            return stands;
        }
        let acts = self.counted.iter().enumerate().filter(|(_, counts)| **counts).map(|(index, _)| index);
        for index in acts.chain(epochs.iter().copied()) {
            let link = graph.link(index);
            for (key, log) in &forked {
                if key.author != link.author() {
                    stands.raise(*log, link.before.count(*log).min(held.count(*log)));
                }
            }
        }
        stands
    }

    /// Takes in entries that change nothing about roles: epochs and void ones.
    pub(super) fn grow(&mut self, graph: &Graph, forks: &Forks) {
        let kept: Vec<(usize, u64)> =
            forks.keys().filter_map(|key| graph.log(key)).map(|log| (log, self.top.count(log))).collect();
        self.top = graph.top();
        for (log, count) in kept {
            self.top.limit(log, count);
        }
    }

    /// Whether a grant or a removal counts.
    pub(super) fn counts(&self, act: Index) -> bool {
        self.counted.get(act).copied().unwrap_or(false)
    }

    fn with_status(mut self, graph: &Graph) -> Fold {
        self.status = graph.founder().map(|_| {
            let unknown = graph.links().filter_map(|(_, link)| match link.body {
                Body::Unknown(kind) if self.obeys(graph, link) => Some((link.reference, kind)),
                _ => None,
            });
            unknown.min().map_or(Status::Ready, |(at, kind)| Status::Stopped { at, kind })
        });
        self
    }

    /// Whether an entry of an unknown kind comes from one who may write control entries.
    pub(super) fn obeys(&self, graph: &Graph, link: &Link) -> bool {
        let writes = self.role(graph, link.author(), &link.before).is_some_and(|(role, _)| role.writes());
        let stands = self.top.covers(link.log, link.seq());
        link.rooted && writes && stands && cuts(graph, &self.accepted, link, Rank::Any, &self.top).next().is_none()
    }

    /// The role of a member for one who cites what `scope` has seen, judged with everything that is known now; with the
    /// grant that gives it, except to the creator.
    pub(super) fn role(&self, graph: &Graph, member: NodeId, scope: &Clock) -> Option<(Role, Option<Index>)> {
        if graph.is_creator(member) {
            return graph.is_founded_in(scope).then_some((Role::Root, None));
        }
        let scope = scope.meet(&self.top);
        let in_force = |rank| lowest(graph, &self.accepted.in_force(graph, member, rank, &scope, |_| true));
        let found = match in_force(Rank::Root) {
            Some((Role::Admin, index)) => Some((Role::Admin, index)),
            _ => in_force(Rank::Any),
        };
        found.map(|(role, index)| (role, Some(index)))
    }
}
