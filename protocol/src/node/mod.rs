//! The node: something happened, this is the time, here are the dice; back comes what should be done.
//!
//! A plain value with one door, [`Node::handle`]. It keeps membership, the ends of logs and what peers receipted in memory,
//! and never a document or a data payload. It advances as if every commit succeeds; the shell that fails to carry one out
//! discards the node and loads it again from the store.

mod commands;
mod forks;
mod heard;
mod holding;
mod invitations;
mod packing;
mod parking;
mod peers;
mod rows;
mod settling;
mod space;
mod sync;
mod unpacking;
mod volumes;
mod writing;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rand_core::CryptoRng;
use thiserror::Error;

use self::{
    peers::{Mark, Peer, Receipted},
    rows::{ForkRow, Key, LifeRow, LivesRow, PeerRow, ReceiptRow, VolumesRow},
    space::Space,
};
use crate::{
    card::Card,
    crypto::{sealing::SealingSecret, signing::SigningKey},
    effects::{Effects, Notice, Way},
    entry::LogKey,
    frontier::{Frontier, LogFrontier},
    id::{Incarnation, NodeId, PouchId, SpaceId},
    image::{Image, LogImage},
    input::Input,
    membership::{Keyring, Status},
    page::AuthenticRun,
    receipt::Statement,
    session::Session,
    status::{NodeStatus, PeerStatus, ReceiptStatus, SpaceStatus},
    time::Timestamp,
    view::SpaceView,
};

/// Who the node is: its card and the secrets that belong to it.
#[derive(Clone)]
pub struct Identity {
    /// The node's own card, in its latest version.
    pub card: Card,
    /// Signs entries and receipts.
    pub signing: SigningKey,
    /// Opens what is sealed to the node.
    pub sealing: SealingSecret,
}

/// Why a node cannot be taken up from what the store holds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The secrets are not those of the card.
    #[error("the keys are not those of the node's card")]
    Keys,
}

/// A space that a peer offers and of which this node is not known to be a member yet. Nothing of it is stored.
struct Invitation {
    space: Space,
    runs: Vec<(Way, AuthenticRun)>,
    bytes: usize,
    /// Something of it was let go, for want of room.
    overflowed: bool,
}

/// See the head of the file.
pub struct Node {
    identity: Identity,
    sealing: Arc<SealingSecret>,
    /// The store's incarnation, and the one that counts.
    store: Incarnation,
    incarnation: Incarnation,
    trusted: bool,
    /// The last receipt counter used, and the end of the block set aside in the store.
    counter: u64,
    counter_end: u64,
    spaces: BTreeMap<SpaceId, Space>,
    invitations: BTreeMap<(NodeId, SpaceId), Invitation>,
    peers: BTreeMap<NodeId, Peer>,
    /// The other branch of a log, while it is not known where it parts from the one that is held.
    suspects: BTreeMap<(SpaceId, LogKey, u64), AuthenticRun>,
    /// Spaces with peers whose runs did not all fit while they waited.
    overflowed: BTreeSet<(SpaceId, NodeId)>,
    /// Authors of a space with more logs than they may have, and the peers that brought what was let go.
    crowded: BTreeMap<(SpaceId, NodeId), BTreeSet<NodeId>>,
    /// Volumes of peers' pouches that this node has signed for.
    volumes: BTreeMap<(NodeId, PouchId), VolumesRow>,
    /// Spaces whose own logs are not those that the store names. Without any, a node starts on a full disk.
    unsaved: BTreeSet<SpaceId>,
}

/// One call of [`Node::handle`]: the moment, the dice, and what is to be done so far.
struct Turn<'a> {
    now: Timestamp,
    rng: &'a mut dyn CryptoRng,
    effects: Effects,
}

impl Node {
    /// Takes the node up from what the store holds.
    ///
    /// # Errors
    /// [`LoadError`] when the identity does not fit together. Damaged rows are left out: they come again from peers.
    pub fn load(identity: Identity, image: Image, rng: &mut dyn CryptoRng) -> Result<Node, LoadError> {
        let keys = identity.card.keys();
        if keys.signing != identity.signing.public() || keys.sealing != identity.sealing.public() {
            return Err(LoadError::Keys);
        }
        let mut rows = Rows::read(&image.state);
        let drawn = rows.life.filter(|life| life.store == image.incarnation).map(|life| life.drawn);
        let mut node = Node {
            sealing: Arc::new(identity.sealing.clone()),
            identity,
            store: image.incarnation,
            incarnation: drawn.unwrap_or(image.incarnation),
            trusted: image.trusted,
            counter: rows.counter,
            counter_end: rows.counter,
            spaces: BTreeMap::new(),
            invitations: BTreeMap::new(),
            peers: rows.peers,
            suspects: BTreeMap::new(),
            overflowed: BTreeSet::new(),
            crowded: BTreeMap::new(),
            volumes: rows.volumes,
            unsaved: BTreeSet::new(),
        };
        // What was signed for in another life may be lost.
        let incarnation = node.incarnation;
        node.volumes.retain(|_, row| row.held.incarnation == incarnation);
        let mut logs: BTreeMap<SpaceId, Vec<LogImage>> = BTreeMap::new();
        for log in image.logs {
            logs.entry(log.context.space).or_default().push(log);
        }
        for (id, logs) in logs {
            let mut space = Space::load(id, node.keyring(), logs, rows.forks.remove(&id).unwrap_or_default());
            space.own = rows.own.get(&id).cloned().unwrap_or_default();
            if !node.trusted {
                space.retire_own_logs();
            }
            node.spaces.insert(id, space);
        }
        let ids: Vec<SpaceId> = node.spaces.keys().copied().collect();
        for id in ids {
            node.refresh_keys(&id, rng);
        }
        let changed = node.spaces.iter().filter(|(id, space)| rows.own.get(id) != Some(&space.own));
        node.unsaved = changed.map(|(id, _)| *id).collect();
        Ok(node)
    }

    /// What should be done about `input`.
    pub fn handle(&mut self, input: Input, now: Timestamp, rng: &mut dyn CryptoRng) -> Effects {
        let mut turn = Turn { now, rng, effects: Effects::default() };
        match input {
            Input::Started => self.started(&mut turn),
            Input::Command { number, command } => {
                let reply = self.command(command, &mut turn);
                turn.effects.replies.push((number, reply));
            }
            Input::Connected { peer } => self.connected(peer, &mut turn),
            Input::Disconnected { peer } => self.disconnected(peer, &mut turn),
            Input::Received { peer, frame } => self.received(peer, &frame, &mut turn),
            Input::Fetched { fetch, pages } => self.fetched(fetch, pages, &mut turn),
        }
        turn.effects
    }

    /// Makes durable which logs are written from now on: after a loss, none of the old ones.
    fn started(&mut self, turn: &mut Turn<'_>) {
        let unsaved = std::mem::take(&mut self.unsaved);
        for (id, space) in self.spaces.iter().filter(|(id, _)| unsaved.contains(id)) {
            turn.effects.commit.state.push(Key::Own(*id).put(&space.own));
        }
    }

    fn keyring(&self) -> Keyring {
        Keyring::new(self.id(), self.sealing.clone())
    }

    /// The node's own card.
    pub fn card(&self) -> &Card {
        &self.identity.card
    }

    /// The cards of all peers.
    pub fn peer_cards(&self) -> impl Iterator<Item = &Card> {
        self.peers.values().map(|peer| &peer.card)
    }

    /// Pictures of all spaces, for those who start.
    pub fn views(&self) -> Vec<Arc<SpaceView>> {
        self.spaces.keys().filter_map(|space| self.view(space)).collect()
    }

    /// Who this node is.
    pub fn id(&self) -> NodeId {
        self.identity.card.node()
    }

    fn view(&self, space: &SpaceId) -> Option<Arc<SpaceView>> {
        let state = self.spaces.get(space)?;
        Some(Arc::new(SpaceView {
            space: *space,
            membership: Arc::new(state.membership.clone()),
            keyring: Arc::new(state.keyring.clone()),
            own_log: LogKey { author: self.id(), log: state.own.data.as_ref()?.log },
            role: state.membership.role(self.id()),
            upgrade_needed: matches!(state.membership.status(), Status::Stopped { .. }),
        }))
    }

    /// How things stand.
    pub fn status(&self) -> NodeStatus {
        NodeStatus {
            node: self.id(),
            incarnation: self.incarnation,
            trusted: self.trusted,
            spaces: self.spaces.values().map(|space| self.space_status(space)).collect(),
            peers: self.peers.values().map(|peer| self.peer_status(peer)).collect(),
        }
    }

    fn space_status(&self, space: &Space) -> SpaceStatus {
        SpaceStatus {
            space: space.id,
            role: space.membership.role(self.id()),
            members: space.membership.members().into_iter().map(|member| (member.node, member.role)).collect(),
            epoch: space.usable_epoch(),
            entries: space.frontier.entries(),
            digest: space.frontier.digest(),
            logs: space.logs.len(),
            gaps: space.logs.values().map(|log| log.gaps.len() as u64).sum(),
            forks: space.logs.values().filter(|log| log.fork.is_some()).count(),
            parked_runs: space.parking.runs(),
            parked_bytes: space.parking.bytes(),
            upgrade_needed: matches!(space.membership.status(), Status::Stopped { .. }),
        }
    }

    fn peer_status(&self, peer: &Peer) -> PeerStatus {
        let node = peer.card.node();
        let shared = self.spaces.values().filter(|space| {
            space.membership.role(node).is_some()
                || peer.receipted.contains_key(&space.id)
                || peer.not_member.contains(&space.id)
        });
        PeerStatus {
            connected: peer.connection.is_some(),
            heard: peer.heard,
            pouch: peer.lives.pouch,
            receipts: shared.map(|space| receipt_status(space, peer)).collect(),
            refused: peer.refused.clone(),
            card: peer.card.clone(),
        }
    }
}

fn receipt_status(space: &Space, peer: &Peer) -> ReceiptStatus {
    let receipted = peer.receipted.get(&space.id);
    let session = peer.connection.as_ref().and_then(|sessions| sessions.get(&space.id));
    let told = session.filter(|session| session.compared()).and_then(Session::known);
    let covered = |log: &LogFrontier| {
        let theirs = receipted.and_then(|receipted| receipted.frontier.log(&log.log)).map_or(0, |log| log.next_seq);
        theirs.min(log.next_seq)
    };
    ReceiptStatus {
        space: space.id,
        entries: space.frontier.logs().map(covered).sum(),
        up_to_date: receipted.is_some_and(|receipted| covers(&receipted.frontier, &space.frontier)),
        caught_up: told.is_some_and(|told| covers(&space.frontier, told)),
        // A word for volumes does not say when.
        signed: receipted.map(|receipted| receipted.signed).filter(|signed| *signed > Timestamp::default()),
        not_member: peer.not_member.contains(&space.id),
    }
}

/// Whether `theirs` holds everything that `ours` does.
fn covers(theirs: &Frontier, ours: &Frontier) -> bool {
    ours.logs().all(|log| {
        theirs.log(&log.log).is_some_and(|their| {
            their.next_seq >= log.next_seq
                && (their.next_seq > log.next_seq || their.hash == log.hash)
                && their.gaps.iter().all(|gap| gap.0 >= log.next_seq || lies_in(gap, &log.gaps, log.next_seq))
        })
    })
}

/// Whether the places of `gap` before `end` are gaps of ours too.
fn lies_in(gap: &(u64, u64), ours: &[(u64, u64)], end: u64) -> bool {
    let last = gap.0.saturating_add(gap.1).min(end);
    ours.iter().any(|&(first, count)| first <= gap.0 && last <= first.saturating_add(count))
}

/// The core's own rows, read from the store.
#[derive(Default)]
struct Rows {
    counter: u64,
    life: Option<LifeRow>,
    peers: BTreeMap<NodeId, Peer>,
    volumes: BTreeMap<(NodeId, PouchId), VolumesRow>,
    own: BTreeMap<SpaceId, rows::OwnRow>,
    forks: BTreeMap<SpaceId, BTreeMap<LogKey, ForkRow>>,
}

impl Rows {
    fn read(state: &BTreeMap<Vec<u8>, Vec<u8>>) -> Rows {
        let mut rows = Rows::default();
        let mut receipts: Vec<(NodeId, SpaceId, ReceiptRow)> = Vec::new();
        let mut held: BTreeMap<(NodeId, SpaceId), Vec<LogFrontier>> = BTreeMap::new();
        let mut lives: Vec<(NodeId, LivesRow)> = Vec::new();
        for (key, value) in state {
            match Key::decode(key) {
                Some(Key::Life) => rows.life = rows::value(value),
                Some(Key::Counter) => rows.counter = rows::value(value).unwrap_or_default(),
                Some(Key::Peer(node)) => rows.peers.extend(read_peer(value).map(|peer| (node, peer))),
                Some(Key::Receipt(node, space)) => {
                    receipts.extend(rows::value(value).map(|row| (node, space, row)));
                }
                Some(Key::Held(node, space, _)) => {
                    held.entry((node, space)).or_default().extend(rows::value::<LogFrontier>(value));
                }
                Some(Key::Lives(node)) => lives.extend(rows::value(value).map(|row| (node, row))),
                Some(Key::Volumes(node, pouch)) => {
                    rows.volumes.extend(rows::value(value).map(|row| ((node, pouch), row)));
                }
                Some(Key::Own(space)) => rows.own.extend(rows::value(value).map(|row| (space, row))),
                Some(Key::Fork(space, log)) => {
                    let fork = rows::value::<ForkRow>(value).map(|row| (log, row));
                    rows.forks.entry(space).or_default().extend(fork);
                }
                None => {}
            }
        }
        for (node, row) in lives {
            if let Some(peer) = rows.peers.get_mut(&node) {
                peer.lives = row;
            }
        }
        for (node, space, row) in receipts {
            let mut frontier = Frontier::default();
            frontier.extend(held.remove(&(node, space)).unwrap_or_default());
            if let Some(peer) = rows.peers.get_mut(&node) {
                let ReceiptRow { incarnation, counter, signed } = row;
                peer.receipted.insert(space, Receipted { mark: Mark { incarnation, counter }, signed, frontier });
            }
        }
        rows
    }
}

fn read_peer(value: &[u8]) -> Option<Peer> {
    let row: PeerRow = rows::value(value)?;
    let mut peer = Peer::new(Card::decode(&row.card).ok()?)?;
    peer.heard = row.heard;
    Some(peer)
}

impl Turn<'_> {
    /// Notes that a peer's bytes were refused.
    fn refuse(&mut self, peer: &mut Peer, reason: impl Into<String>) {
        let reason = reason.into();
        peer.refused = Some(reason.clone());
        self.effects.notices.push(Notice::Refused { peer: peer.card.node(), reason });
    }

    /// Keeps a peer's card where it is a later version.
    fn renew_card(&mut self, peer: &mut Peer, card: Card) {
        if card.version() > peer.card.version() {
            peer.card = card.clone();
            self.effects.commit.state.push(peer.row());
            self.effects.notices.push(Notice::PeerCard { card: Box::new(card) });
        }
    }

    /// Takes a receipt of a peer whose signature was checked, and whose digest is that of `frontier`.
    fn receipted(&mut self, peer: &mut Peer, statement: &Statement, frontier: Frontier) {
        let Statement { space, incarnation, counter, time, .. } = *statement;
        let rows = peer.receipt(space, Mark { incarnation, counter }, time, frontier);
        if !rows.is_empty() {
            self.effects.notices.push(Notice::Receipted { peer: peer.card.node(), space });
        }
        self.effects.commit.state.extend(rows);
    }
}
