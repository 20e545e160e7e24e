//! What people and the shell ask of the node.

use super::{
    Node, Turn,
    peers::Peer,
    space::{LogState, Space},
};
use crate::{
    card::{Card, SignedHeader},
    control::{Control, Cut, Role},
    effects::{Notice, Send},
    id::{NodeId, OrganisationId, SpaceId},
    input::{Command, CommandError, Reply},
    limits::{RUN_ENTRIES_MAX, SPACES_MAX},
    membership::{Offer, found},
};

impl Node {
    pub(super) fn command(&mut self, command: Command, turn: &mut Turn<'_>) -> Result<Reply, CommandError> {
        match command {
            Command::AddPeer { card } => self.add_peer(*card, turn),
            Command::RemovePeer { peer } => self.remove_peer(peer, turn),
            Command::UpdateCard { card } => self.update_card(*card),
            Command::CreateSpace { organisation } => self.create_space(organisation, turn),
            Command::Grant { space, member, role, history } => self.grant(&space, member, role, history, turn),
            Command::Revoke { space, member } => self.revoke(&space, member, turn),
            Command::Rotate { space } => self.rotate(&space, turn).map(|()| Reply::Done),
            Command::Append { space, log, changes } if changes.len() < RUN_ENTRIES_MAX => {
                self.append(&space, log, &changes, turn).map(Reply::Appended)
            }
            Command::Append { .. } => Err(CommandError::TooLarge),
            Command::Sync { peer } => {
                self.summarise_all(peer, turn);
                Ok(Reply::Done)
            }
            Command::Pack { recipients, space, load } => {
                self.pack(recipients, space, load, turn).map(|plan| Reply::Plan(Box::new(plan)))
            }
            Command::Unpack { peer, pouch, said, message } => {
                self.unpack((peer, pouch), said, *message, turn).map(Reply::Unpacked)
            }
            Command::EndVolume { peer, whole } => {
                Ok(Reply::Volume(Box::new(self.end_volume(peer, whole.as_ref(), turn))))
            }
            Command::TakeHeld { recipients, held, kept, plan } => {
                self.take_held(&recipients, &held, &kept, &plan, turn)
            }
            Command::TakenPouches => Ok(Reply::TakenPouches(self.taken_pouches())),
            Command::Arrived { peer, contents } => {
                Ok(Reply::Arrived(contents.iter().map(|contents| self.arrived(&peer, contents)).collect()))
            }
            Command::Weigh { contents } => Ok(Reply::Weighed(self.weigh(&contents))),
            Command::Holdings { space, entries } => self.holdings(&space, &entries).map(Reply::Holdings),
            Command::Status => Ok(Reply::Status(Box::new(self.status()))),
        }
    }

    fn add_peer(&mut self, card: Card, turn: &mut Turn<'_>) -> Result<Reply, CommandError> {
        let id = card.node();
        if id == self.id() {
            return Err(CommandError::NotAllowed("the card is this node's own".into()));
        }
        match self.peers.get_mut(&id) {
            Some(peer) if peer.card.version() >= card.version() => return Ok(Reply::Done),
            Some(peer) => peer.card = card,
            None => {
                self.peers.insert(id, Peer::new(card).ok_or(CommandError::UnknownPeer)?);
            }
        }
        if let Some(peer) = self.peers.get(&id) {
            turn.effects.commit.state.push(peer.row());
            turn.effects.notices.push(Notice::PeerCard { card: Box::new(peer.card.clone()) });
        }
        Ok(Reply::Done)
    }

    fn remove_peer(&mut self, id: NodeId, turn: &mut Turn<'_>) -> Result<Reply, CommandError> {
        let peer = self.peers.remove(&id).ok_or(CommandError::UnknownPeer)?;
        self.invitations.retain(|(by, _), _| *by != id);
        turn.effects.commit.state.extend(peer.removal());
        turn.effects.send.push(Send::Close { peer: id, reason: "no longer a peer of this node".into() });
        turn.effects.notices.push(Notice::PeerGone { peer: id });
        Ok(Reply::Done)
    }

    fn update_card(&mut self, card: Card) -> Result<Reply, CommandError> {
        if card.node() != self.id() || card.version() <= self.identity.card.version() {
            return Err(CommandError::NotAllowed("not a later version of this node's card".into()));
        }
        self.identity.card = card;
        Ok(Reply::Done)
    }

    fn create_space(&mut self, organisation: OrganisationId, turn: &mut Turn<'_>) -> Result<Reply, CommandError> {
        if self.spaces.len() >= SPACES_MAX {
            return Err(CommandError::Limit("this node takes part in as many spaces as it can".into()));
        }
        let genesis = found(self.identity.card.first_header().clone(), organisation, turn.rng)?;
        let id = genesis.space();
        let mut space = Space::new(id, self.keyring());
        space.ensure_own_logs(self.id(), turn.rng);
        self.spaces.insert(id, space);
        self.write(&id, &Control::Genesis(genesis), turn)?;
        self.rotate(&id, turn)?;
        Ok(Reply::Space(id))
    }

    fn grant(
        &mut self,
        space: &SpaceId,
        member: NodeId,
        role: Role,
        history: bool,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, CommandError> {
        let state = self.writable(space)?;
        let (header, organisation) = self.introduction(state, member)?;
        let offer = Offer { member: header, role, organisation, history };
        let plan = state.membership.plan_grant(self.control_log(state)?, offer, &state.keyring, turn.rng)?;
        self.carry_out(space, &plan, turn).map(|()| Reply::Done)
    }

    /// The keys of whoever is to become a member: of a peer, or of somebody the space knows.
    fn introduction(&self, space: &Space, node: NodeId) -> Result<(SignedHeader, OrganisationId), CommandError> {
        if let Some(peer) = self.peers.get(&node) {
            return Ok((peer.card.first_header().clone(), peer.card.profile().organisation));
        }
        let member = space.membership.member(node).ok_or(CommandError::UnknownPeer)?;
        Ok((member.header, member.organisation))
    }

    fn revoke(&mut self, space: &SpaceId, member: NodeId, turn: &mut Turn<'_>) -> Result<Reply, CommandError> {
        let state = self.writable(space)?;
        let plan = state.membership.plan_remove(self.control_log(state)?, member, state.cuts(&member))?;
        self.carry_out(space, &plan, turn).map(|()| Reply::Done)
    }
}

impl Space {
    /// A cut at what is held of a member now, in its logs of both kinds. A forked log is cut where it forks.
    fn cuts(&self, member: &NodeId) -> Vec<Cut> {
        let logs = self.logs.values().filter(|log| log.context.log.author == *member);
        let held = logs.map(LogState::frontier).filter(|log| log.next_seq > 0);
        held.map(|log| Cut { log: log.log.log, seq: log.next_seq - 1, hash: log.hash }).collect()
    }
}
