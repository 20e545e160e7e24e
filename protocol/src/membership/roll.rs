//! The roll of a space: its control entries and what follows from them. A value: cheap to clone, the same on every node
//! that holds the same entries.

use std::{cmp::Reverse, sync::Arc};

use super::{
    clock::Clock,
    epochs::{Epochs, readers},
    fold::{Fold, Forks, Proposed, Status, rank_allows, rank_known},
    graph::{Body, ControlEntry, Graph, Index, InsertError},
    ledger::Rank,
};
use crate::{
    card::SignedHeader,
    control::{Remove, Role},
    crypto::signing::Verifier,
    entry::{EntryRef, Heads, LogKey},
    id::{EpochId, NodeId, OrganisationId, SpaceId},
    limits::HEADS_MAX,
};

/// What became of an entry that was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is new. Roles or standings may have changed.
    New,
    /// It was held already.
    Known,
}

/// A member of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which node.
    pub node: NodeId,
    /// What it may do.
    pub role: Role,
    /// Its organisation, as the grant names it.
    pub organisation: OrganisationId,
    /// Whether it may read what was written before it came.
    pub history: bool,
    /// The entry that gives it this role: a grant, or for the creator the space's first entry.
    pub granted_by: EntryRef,
    /// Its first card header.
    pub header: SignedHeader,
}

/// The membership of one space.
#[derive(Clone, Debug)]
pub struct Membership {
    pub(super) graph: Arc<Graph>,
    pub(super) proposed: Arc<Proposed>,
    pub(super) epochs: Arc<Epochs>,
    pub(super) fold: Arc<Fold>,
    forks: Forks,
    /// Entries that were valid as known at each of them: what is worth citing.
    sound: Arc<Vec<bool>>,
    heads: Arc<Heads>,
    revision: u64,
}

impl Membership {
    /// A space of which nothing is held.
    pub fn new(space: SpaceId) -> Membership {
        Membership {
            graph: Arc::new(Graph::new(space)),
            proposed: Arc::default(),
            epochs: Arc::default(),
            fold: Arc::default(),
            forks: Forks::new(),
            sound: Arc::default(),
            heads: Arc::default(),
            revision: 0,
        }
    }

    /// Takes in one authentic control entry.
    ///
    /// # Errors
    /// [`InsertError`]: what it cites is missing, its place is taken, or the space is of an unsupported kind.
    pub fn insert(&mut self, entry: ControlEntry) -> Result<Inserted, InsertError> {
        self.extend([entry]).pop().unwrap_or(Ok(Inserted::Known))
    }

    /// Takes in many authentic control entries, parents first, at the cost of one fold. One answer for each.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = ControlEntry>) -> Vec<Result<Inserted, InsertError>> {
        let mut refold = false;
        let mut changed = false;
        let answers = entries
            .into_iter()
            .map(|entry| {
                let Some(index) = Arc::make_mut(&mut self.graph).insert(entry)? else { return Ok(Inserted::Known) };
                changed = true;
                refold |= self.judge(index);
                Ok(Inserted::New)
            })
            .collect();
        if changed {
            self.settle(refold);
        }
        answers
    }

    /// Declares that the author of `log` has signed two entries at one place after the first `last_common` + 1 entries,
    /// or from the start. Of several forks of one log the earliest counts, so the order does not matter.
    pub fn set_fork(&mut self, log: LogKey, last_common: Option<u64>) {
        let count = last_common.map_or(0, |seq| seq.saturating_add(1));
        let limit = self.forks.entry(log).or_insert(count);
        *limit = (*limit).min(count);
        self.settle(true);
    }

    /// Judges an entry by its ancestors, and says whether everything has to be folded again.
    fn judge(&mut self, index: Index) -> bool {
        let graph = &*self.graph;
        let link = graph.link(index);
        let mut admitted = None;
        let (sound, refold) = match &link.body {
            Body::Genesis => (true, true),
            Body::Grant { .. } | Body::Remove(_) => {
                let allowed = rank_allows(graph, &self.proposed, link, &link.before);
                if allowed {
                    Arc::make_mut(&mut self.proposed).push(graph, index);
                    Arc::make_mut(&mut self.epochs).note_grant(graph, index);
                    admitted = match &link.body {
                        Body::Grant { grant, .. } => Some(grant.clone()),
                        _ => None,
                    };
                }
                (allowed, allowed)
            }
            Body::Epoch(_) => {
                let counts = Arc::make_mut(&mut self.epochs).consider(graph, &self.proposed, index);
                (counts, !self.forks.is_empty())
            }
            Body::Unknown(_) => {
                let writes = rank_known(graph, &self.proposed, link.author(), &link.before).is_some_and(Role::writes);
                (link.rooted && writes, true)
            }
            Body::Void => (false, false),
        };
        Arc::make_mut(&mut self.sound).push(sound);
        if let Some(grant) = admitted {
            Arc::make_mut(&mut self.graph).learn(&grant.member);
        }
        refold
    }

    fn settle(&mut self, refold: bool) {
        self.revision += 1;
        if refold {
            self.fold = Arc::new(Fold::new(&self.graph, self.epochs.all(), &self.forks));
        } else {
            Arc::make_mut(&mut self.fold).grow(&self.graph, &self.forks);
        }
        self.heads = Arc::new(self.sound_heads());
    }

    /// The entries worth citing that no other such entry descends from.
    fn sound_heads(&self) -> Heads {
        let mut covered = Clock::default();
        let mut heads = Vec::new();
        for (index, link) in self.graph.links().rev() {
            if self.sound[index] {
                if !covered.covers(link.log, link.seq()) {
                    heads.push(link.reference);
                }
                covered.join(&link.before);
                covered.raise(link.log, link.seq() + 1);
            }
        }
        if heads.len() > HEADS_MAX {
            // Only many logs written at once by writers come to this; what decides about members is cited first.
            heads.sort_by_key(|head| {
                let rank = self.fold.role(&self.graph, head.log.author, &self.fold.top).map(|(role, _)| role);
                (Reverse(rank), *head)
            });
            heads.truncate(HEADS_MAX);
        }
        Heads::new(heads)
    }

    /// Which space.
    pub fn space(&self) -> SpaceId {
        self.graph.space()
    }

    /// Who founded the space; none while its first entry is not held.
    pub fn creator(&self) -> Option<NodeId> {
        self.graph.founder().map(|founder| founder.node)
    }

    /// Whether the entries can be judged, and so whether this node may write.
    pub fn status(&self) -> Status {
        self.fold.status.unwrap_or(Status::Empty)
    }

    /// Counts changes of this value, so that what was computed from it can be known to be old.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What an entry written now cites: the valid entries that no other valid one descends from, as many as a header takes.
    pub fn heads(&self) -> Arc<Heads> {
        self.heads.clone()
    }

    /// Whether exactly this entry is held.
    pub fn holds(&self, entry: &EntryRef) -> bool {
        self.graph.find(entry).is_some()
    }

    /// Of the entries that `heads` name, those that are not held.
    pub fn missing(&self, heads: &Heads) -> Vec<EntryRef> {
        self.graph.missing(heads)
    }

    /// Whether one who cites `heads` has seen `entry`: it is among them or their ancestors. None when a head is not held.
    pub fn has_seen(&self, heads: &Heads, entry: &EntryRef) -> Option<bool> {
        let clock = self.graph.clock(heads)?;
        Some(self.graph.find(entry).is_some_and(|index| {
            let link = self.graph.link(index);
            clock.covers(link.log, link.seq())
        }))
    }

    /// Whether a grant, a removal, or an epoch counts.
    pub fn accepts(&self, entry: &EntryRef) -> bool {
        self.graph.find(entry).is_some_and(|index| match self.graph.link(index).body {
            Body::Genesis => true,
            Body::Epoch(_) => self.epochs.find(&EpochId(entry.hash.0)).is_some(),
            Body::Unknown(_) => self.fold.obeys(&self.graph, self.graph.link(index)),
            Body::Grant { .. } | Body::Remove(_) | Body::Void => self.fold.counts(index),
        })
    }

    /// The role of a node for one who cites `heads`, judged with everything held. None for those who are no members there,
    /// and when a head is not held.
    pub fn role_at(&self, node: NodeId, heads: &Heads) -> Option<Role> {
        let clock = self.graph.clock(heads)?;
        self.fold.role(&self.graph, node, &clock).map(|(role, _)| role)
    }

    /// The role of a node now.
    pub fn role(&self, node: NodeId) -> Option<Role> {
        self.fold.role(&self.graph, node, &self.fold.top).map(|(role, _)| role)
    }

    /// A member now.
    pub fn member(&self, node: NodeId) -> Option<Member> {
        let header = self.graph.node(node)?.header.clone();
        let (role, grant) = self.fold.role(&self.graph, node, &self.fold.top)?;
        let Some(index) = grant else {
            let founder = self.graph.founder()?;
            let organisation = founder.genesis.organisation;
            return Some(Member { node, role, organisation, history: true, granted_by: founder.entry, header });
        };
        let link = self.graph.link(index);
        let Body::Grant { grant, .. } = &link.body else { return None };
        let (organisation, granted_by) = (grant.organisation, link.reference);
        Some(Member { node, role, organisation, history: grant.history, granted_by, header })
    }

    /// The members now, by node.
    pub fn members(&self) -> Vec<Member> {
        let mut nodes: Vec<NodeId> = self.fold.accepted.members().chain(self.creator()).collect();
        nodes.sort_unstable();
        nodes.into_iter().filter_map(|node| self.member(node)).collect()
    }

    /// The signing key of anyone whom a held grant or the space's first entry names, removed members included.
    pub fn author_key(&self, node: NodeId) -> Option<&Verifier> {
        self.graph.node(node).map(|known| &known.verifier)
    }

    /// The first card header of anyone whom a held grant or the space's first entry names.
    pub fn header(&self, node: NodeId) -> Option<&SignedHeader> {
        self.graph.node(node).map(|known| &known.header)
    }

    /// The removals of a node that count, by reference.
    pub fn removals(&self, node: NodeId) -> Vec<(EntryRef, &Remove)> {
        let removals = self.fold.accepted.removals(node, Rank::Any, &self.fold.top);
        let mut removals: Vec<(EntryRef, &Remove)> = removals
            .filter_map(|index| match &self.graph.link(index).body {
                Body::Remove(remove) => Some((self.graph.link(index).reference, remove.as_ref())),
                _ => None,
            })
            .collect();
        removals.sort_unstable_by_key(|(reference, _)| *reference);
        removals
    }

    /// The epochs that count and that one who cites `heads` finds to be the latest, sorted. None when a head is not held.
    pub fn latest_epochs(&self, heads: &Heads) -> Option<Vec<EpochId>> {
        Some(self.epochs.maximal(&self.graph, &self.graph.clock(heads)?))
    }

    /// The latest epochs that one who cites `heads` may write under, and that everyone can read who may read there; sorted.
    pub fn usable_epochs(&self, heads: &Heads) -> Vec<EpochId> {
        let Some(clock) = self.graph.clock(heads) else { return Vec::new() };
        let readers = readers(&self.graph, &self.proposed, &clock);
        let mut epochs = self.epochs.maximal(&self.graph, &clock);
        epochs.retain(|epoch| {
            // Nobody may hold it who may not read, and everybody must who may.
            self.epochs.holders(&self.graph, epoch, &clock) == readers
        });
        epochs
    }

    /// After how many entries a log was forked, if that was declared.
    pub(super) fn fork(&self, log: &LogKey) -> Option<u64> {
        self.forks.get(log).copied()
    }
}
