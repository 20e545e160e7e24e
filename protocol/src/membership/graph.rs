//! The graph of control entries: who had seen what. It holds entries, void ones included, and judges none of them.
//!
//! An entry's parents are the heads it cites, the entry before it in its log, and at the start of a log its predecessor.
//! All of them must be held before it, so entries only ever come on top, and an entry's ancestors never change.

use std::{collections::BTreeMap, sync::Arc};

use thiserror::Error;

use super::clock::Clock;
use crate::{
    card::SignedHeader,
    control::{Control, ControlError, Epoch, Genesis, Grant, Remove},
    crypto::signing::Verifier,
    entry::{EntryRef, Heads, LogKey},
    id::{NodeId, SpaceId},
};

/// A control entry that a valid signature vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlEntry {
    /// Which entry.
    pub reference: EntryRef,
    /// The control heads that it cites.
    pub heads: Arc<Heads>,
    /// At the start of a log: where the author's preceding control log ended.
    pub predecessor: Option<EntryRef>,
    /// The payload, in clear.
    pub payload: Vec<u8>,
}

/// Why a control entry is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InsertError {
    /// Entries that it cites are not held yet: park it, and bring it again when they are.
    #[error("{} cited control entries are not held yet", .0.len())]
    MissingHeads(Vec<EntryRef>),
    /// The entry before it in its log is not held yet: park it, and bring it again when that is.
    #[error("the control entry before it is not held yet")]
    MissingPrevious,
    /// Another entry is held at its place: the author signed twice. Keep both as proof and declare the fork.
    #[error("another control entry is held at its place; its author has forked the log")]
    Forked {
        /// The entry that is held there.
        held: EntryRef,
    },
    /// The space was founded in a way that this release does not support, so nothing in it can be judged.
    #[error("the space cannot be used with this release: {0}")]
    Genesis(#[from] GenesisError),
}

/// What is not supported about the space's first entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// More than one root key, or none, or a threshold other than one.
    #[error("root of several keys is not supported by this release")]
    Roots,
    /// The one root key is not the creator's signing key.
    #[error("a root key other than the creator's is not supported by this release")]
    ForeignRoot,
    /// The creator's card header is not genuine.
    #[error("the creator's card header is not genuine")]
    Creator,
}

/// What an entry says, once read and checked by itself.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Genesis,
    Grant { member: NodeId, grant: Arc<Grant> },
    Remove(Arc<Remove>),
    Epoch(Arc<Epoch>),
    Unknown(u8),
    Void,
}

/// An entry's place among the held ones, in the order in which they came. Decides nothing.
pub(super) type Index = usize;

/// An entry as it is held.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) reference: EntryRef,
    /// The number of its log.
    pub(super) log: usize,
    /// Its ancestors, itself not among them.
    pub(super) before: Clock,
    pub(super) body: Body,
    /// Whether it is the genesis or descends from it. What is not has no effect.
    pub(super) rooted: bool,
}

impl Link {
    pub(super) fn author(&self) -> NodeId {
        self.reference.log.author
    }

    pub(super) fn seq(&self) -> u64 {
        self.reference.seq
    }
}

/// A node whose keys are known from its own first card header.
#[derive(Clone, Debug)]
pub(super) struct KnownNode {
    pub(super) header: SignedHeader,
    pub(super) verifier: Verifier,
}

/// The creator and what it wrote about itself.
#[derive(Clone, Debug)]
pub(super) struct Founder {
    pub(super) node: NodeId,
    pub(super) entry: EntryRef,
    pub(super) genesis: Genesis,
}

/// All held control entries of a space.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    space: SpaceId,
    links: Vec<Arc<Link>>,
    numbers: BTreeMap<LogKey, usize>,
    logs: Vec<Vec<Index>>,
    nodes: BTreeMap<NodeId, Arc<KnownNode>>,
    founder: Option<Founder>,
    geneses: Vec<Index>,
}

impl Graph {
    pub(super) fn new(space: SpaceId) -> Graph {
        Graph {
            space,
            links: Vec::new(),
            numbers: BTreeMap::new(),
            logs: Vec::new(),
            nodes: BTreeMap::new(),
            founder: None,
            geneses: Vec::new(),
        }
    }

    pub(super) fn space(&self) -> SpaceId {
        self.space
    }

    pub(super) fn founder(&self) -> Option<&Founder> {
        self.founder.as_ref()
    }

    pub(super) fn is_creator(&self, node: NodeId) -> bool {
        self.founder.as_ref().is_some_and(|founder| founder.node == node)
    }

    pub(super) fn node(&self, node: NodeId) -> Option<&KnownNode> {
        self.nodes.get(&node).map(Arc::as_ref)
    }

    pub(super) fn link(&self, index: Index) -> &Link {
        &self.links[index]
    }

    pub(super) fn links(&self) -> impl DoubleEndedIterator<Item = (Index, &Link)> {
        self.links.iter().enumerate().map(|(index, link)| (index, link.as_ref()))
    }

    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    /// The number of a log, if any entry of it is held.
    pub(super) fn log(&self, key: &LogKey) -> Option<usize> {
        self.numbers.get(key).copied()
    }

    /// How many entries of a log are held.
    pub(super) fn log_length(&self, key: &LogKey) -> u64 {
        self.log(key).map_or(0, |log| self.logs[log].len() as u64)
    }

    /// The first entry of the log that `link` stands in.
    pub(super) fn opening(&self, link: &Link) -> &Link {
        &self.links[self.logs[link.log][0]]
    }

    /// Where the entry is held, if exactly this entry is.
    pub(super) fn find(&self, reference: &EntryRef) -> Option<Index> {
        let index = self.at(&reference.log, reference.seq)?;
        (self.links[index].reference == *reference).then_some(index)
    }

    fn at(&self, log: &LogKey, seq: u64) -> Option<Index> {
        self.logs[self.log(log)?].get(usize::try_from(seq).ok()?).copied()
    }

    /// The last held entry of a log.
    pub(super) fn last(&self, log: &LogKey) -> Option<Index> {
        self.logs[self.log(log)?].last().copied()
    }

    /// Whether `later` has `earlier` among its ancestors.
    pub(super) fn descends(&self, later: Index, earlier: Index) -> bool {
        let earlier = self.link(earlier);
        self.link(later).before.covers(earlier.log, earlier.seq())
    }

    /// Everything that is held.
    pub(super) fn top(&self) -> Clock {
        let mut clock = Clock::default();
        for (log, entries) in self.logs.iter().enumerate() {
            clock.raise(log, entries.len() as u64);
        }
        clock
    }

    /// What one who cites `heads` had seen, or none when a head is not held.
    pub(super) fn clock(&self, heads: &Heads) -> Option<Clock> {
        let mut clock = Clock::default();
        for head in heads.entries() {
            self.add(&mut clock, self.find(head)?);
        }
        Some(clock)
    }

    /// Adds an entry and its ancestors to what was seen.
    pub(super) fn add(&self, clock: &mut Clock, index: Index) {
        let link = self.link(index);
        clock.join(&link.before);
        clock.raise(link.log, link.seq() + 1);
    }

    /// The heads that are not held.
    pub(super) fn missing(&self, heads: &Heads) -> Vec<EntryRef> {
        heads.entries().iter().filter(|head| self.find(head).is_none()).copied().collect()
    }

    /// Takes in an entry; none when it was held already.
    pub(super) fn insert(&mut self, entry: ControlEntry) -> Result<Option<Index>, InsertError> {
        if let Some(held) = self.at(&entry.reference.log, entry.reference.seq) {
            let held = self.links[held].reference;
            return if held == entry.reference { Ok(None) } else { Err(InsertError::Forked { held }) };
        }
        let before = self.ancestors(&entry)?;
        let body = self.read(&entry)?;
        let is_genesis = matches!(body, Body::Genesis);
        let rooted = is_genesis || self.is_founded_in(&before);
        let next = self.logs.len();
        let log = *self.numbers.entry(entry.reference.log).or_insert(next);
        if log == next {
            self.logs.push(Vec::new());
        }
        let index = self.links.len();
        if is_genesis {
            self.geneses.push(index);
        }
        self.logs[log].push(index);
        self.links.push(Arc::new(Link { reference: entry.reference, log, before, body, rooted }));
        Ok(Some(index))
    }

    /// Whether a genesis is seen in `scope`. A creator that lies writes several; one is as good as another.
    pub(super) fn is_founded_in(&self, scope: &Clock) -> bool {
        self.geneses.iter().any(|genesis| {
            let link = self.link(*genesis);
            scope.covers(link.log, link.seq())
        })
    }

    fn ancestors(&self, entry: &ControlEntry) -> Result<Clock, InsertError> {
        let mut missing = self.missing(&entry.heads);
        missing.extend(entry.predecessor.filter(|predecessor| self.find(predecessor).is_none()));
        if !missing.is_empty() {
            return Err(InsertError::MissingHeads(missing));
        }
        let mut clock = Clock::default();
        for parent in entry.heads.entries().iter().chain(&entry.predecessor) {
            if let Some(index) = self.find(parent) {
                self.add(&mut clock, index);
            }
        }
        if let Some(seq) = entry.reference.seq.checked_sub(1) {
            let previous = self.at(&entry.reference.log, seq).ok_or(InsertError::MissingPrevious)?;
            self.add(&mut clock, previous);
        }
        Ok(clock)
    }

    /// Reads the payload and checks what can be checked without knowing who may do what.
    fn read(&mut self, entry: &ControlEntry) -> Result<Body, InsertError> {
        Ok(match Control::decode(&entry.payload) {
            Ok(Control::Genesis(genesis)) => self.read_genesis(entry, genesis)?,
            Ok(Control::Grant(grant)) => match known(&grant.member) {
                Some(member) => Body::Grant { member: member.header.node(), grant: Arc::new(grant) },
                None => Body::Void,
            },
            Ok(Control::Remove(remove)) if remove.cuts.windows(2).all(|pair| pair[0].log < pair[1].log) => {
                Body::Remove(Arc::new(remove))
            }
            Ok(Control::Epoch(epoch)) => Body::Epoch(Arc::new(epoch)),
            Err(ControlError::Unknown(kind)) => Body::Unknown(kind),
            Ok(Control::Remove(_)) | Err(ControlError::Malformed(_)) => Body::Void,
        })
    }

    fn read_genesis(&mut self, entry: &ControlEntry, genesis: Genesis) -> Result<Body, InsertError> {
        let opens = entry.reference.seq == 0 && entry.heads.entries().is_empty() && entry.predecessor.is_none();
        if !opens || genesis.space() != self.space || genesis.creator.node() != entry.reference.log.author {
            return Ok(Body::Void);
        }
        if genesis.roots.len() != 1 || genesis.threshold != 1 {
            return Err(GenesisError::Roots.into());
        }
        if genesis.roots[0] != genesis.creator.header.keys.signing {
            return Err(GenesisError::ForeignRoot.into());
        }
        let node = genesis.creator.node();
        self.learn(&genesis.creator).ok_or(GenesisError::Creator)?;
        let entry = self.founder.as_ref().map_or(entry.reference, |founder| founder.entry.min(entry.reference));
        self.founder = Some(Founder { node, entry, genesis });
        Ok(Body::Genesis)
    }

    /// Remembers a node by its own header; none when the header is not genuine. Only for those whom somebody could admit:
    /// whoever is remembered has logs of its own.
    pub(super) fn learn(&mut self, header: &SignedHeader) -> Option<()> {
        let node = header.node();
        match self.nodes.get(&node) {
            // The same keys under another valid signature: keep the smaller, so that the order of arrival does not show.
            Some(held) if held.header.signature <= header.signature => {}
            _ => drop(self.nodes.insert(node, Arc::new(known(header)?))),
        }
        Some(())
    }
}

/// A node by its own header; none when that is not genuine.
fn known(header: &SignedHeader) -> Option<KnownNode> {
    header.verify_first().ok()?;
    let verifier = header.verifier().ok()?;
    Some(KnownNode { header: header.clone(), verifier })
}
