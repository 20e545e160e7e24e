//! Runs that wait for something they refer to, counted against the peer that brought them.

use std::collections::BTreeMap;

use crate::{
    effects::Way,
    id::{NodeId, PouchId},
    limits::{PARKED_BYTES_PER_PEER_MAX, PARKED_RUNS_PER_PEER_MAX},
    page::LogContext,
};

/// A run that waits.
#[derive(Clone, Debug)]
pub(super) struct Parked {
    pub(super) peer: NodeId,
    /// The pouch that it came in; none where it came over a link.
    pub(super) pouch: Option<PouchId>,
    pub(super) context: LogContext,
    pub(super) pages: Vec<Vec<u8>>,
}

impl Parked {
    /// By which way it came.
    pub(super) fn way(&self) -> Way {
        self.pouch.map_or(Way::Link(self.peer), |pouch| Way::Pouch(self.peer, pouch))
    }

    /// What it takes in memory: many small pages cost more than their bytes.
    fn bytes(&self) -> usize {
        self.pages.iter().map(|page| page.len() + size_of::<Vec<u8>>()).sum()
    }
}

/// What one peer has parked.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    runs: usize,
    bytes: usize,
}

/// All runs of one space that wait.
#[derive(Debug, Default)]
pub(super) struct Parking {
    runs: Vec<Parked>,
    loads: BTreeMap<NodeId, Load>,
}

impl Parking {
    /// Keeps a run, unless its peer has parked too much; what is not kept is offered again by the peer's next summary.
    /// Tells whether it was kept.
    pub(super) fn keep(&mut self, run: Parked) -> bool {
        if self.runs.iter().any(|parked| parked.context == run.context && parked.pages == run.pages) {
            return true;
        }
        let load = self.loads.entry(run.peer).or_default();
        if load.runs >= PARKED_RUNS_PER_PEER_MAX || load.bytes + run.bytes() > PARKED_BYTES_PER_PEER_MAX {
            return false;
        }
        load.runs += 1;
        load.bytes += run.bytes();
        self.runs.push(run);
        true
    }

    /// Takes out what `matches`, to be tried again.
    pub(super) fn take(&mut self, matches: impl Fn(&Parked) -> bool) -> Vec<Parked> {
        let (taken, kept) = std::mem::take(&mut self.runs).into_iter().partition(|run| matches(run));
        self.runs = kept;
        self.loads.clear();
        for run in &self.runs {
            let load = self.loads.entry(run.peer).or_default();
            load.runs += 1;
            load.bytes += run.bytes();
        }
        taken
    }

    /// Pages parked for the same log, which a run that follows may vouch for.
    pub(super) fn pages_of(&self, context: &LogContext) -> impl Iterator<Item = &Vec<Vec<u8>>> {
        self.runs.iter().filter(move |run| run.context == *context).map(|run| &run.pages)
    }

    /// Whether anything that a peer brought waits.
    pub(super) fn holds_of(&self, peer: &NodeId) -> bool {
        self.loads.get(peer).is_some_and(|load| load.runs > 0)
    }

    /// Bytes of what a peer brought and that waits.
    pub(super) fn bytes_of(&self, peer: &NodeId) -> usize {
        self.loads.get(peer).map_or(0, |load| load.bytes)
    }

    /// How many runs wait.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Their bytes.
    pub(super) fn bytes(&self) -> usize {
        self.loads.values().map(|load| load.bytes).sum()
    }
}
