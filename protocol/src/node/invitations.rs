//! Invitations: spaces that peers offer and of which this node is not known to be a member yet. What comes of them stays in
//! memory, within bounds, until the control entries show that it is one.

use super::{
    Invitation, Node, Turn,
    parking::Parked,
    space::{Progress, Space},
};
use crate::{
    effects::{Notice, Way},
    frontier::{BucketDigest, Frontier},
    id::{NodeId, PouchId, SpaceId},
    limits::{INVITATIONS_PER_PEER_MAX, INVITED_BYTES_PER_PEER_MAX, SPACES_MAX},
    message::Message,
    page::LogContext,
};

impl Node {
    /// A peer offers a space that this node does not know: it may have been made a member.
    pub(super) fn invited(
        &mut self,
        id: NodeId,
        space: SpaceId,
        buckets: &[BucketDigest],
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        if !self.invite(id, space) {
            return Ok(());
        }
        let mask = Frontier::default().differing(buckets).ok_or("a summary without all buckets")?;
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.told_nothing.insert(space);
        }
        turn.say(id, Message::Frontier { space, mask, logs: Vec::new() });
        Ok(())
    }

    /// Makes room for what a peer brings of a space that this node does not know. Tells whether there is any.
    pub(super) fn invite(&mut self, id: NodeId, space: SpaceId) -> bool {
        let of_peer = self.invitations.keys().filter(|(by, _)| *by == id).count();
        let is_new = !self.invitations.contains_key(&(id, space));
        if is_new && (self.spaces.len() >= SPACES_MAX || of_peer >= INVITATIONS_PER_PEER_MAX) {
            return false;
        }
        let keyring = self.keyring();
        let invitation =
            || Invitation { space: Space::new(space, keyring), runs: Vec::new(), bytes: 0, overflowed: false };
        self.invitations.entry((id, space)).or_insert_with(invitation);
        true
    }

    pub(super) fn run_of_invitation(
        &mut self,
        (id, pouch): (NodeId, Option<PouchId>),
        context: LogContext,
        pages: Vec<Vec<u8>>,
        turn: &mut Turn<'_>,
    ) {
        let own = self.id();
        let of_peer = self.invitations.iter().filter(|((by, _), _)| *by == id);
        let held: usize = of_peer.map(|(_, invitation)| invitation.bytes).sum();
        let Some(invitation) = self.invitations.get_mut(&(id, context.space)) else { return };
        let bytes = pages.iter().map(Vec::len).sum::<usize>();
        if held + bytes > INVITED_BYTES_PER_PEER_MAX {
            invitation.overflowed = true;
            return;
        }
        invitation.bytes += bytes;
        let mut progress = Progress::default();
        invitation.space.offer(Parked { peer: id, pouch, context, pages }, &mut progress);
        invitation.runs.append(&mut progress.runs);
        invitation.overflowed |= !progress.overflowed.is_empty() || !progress.crowded.is_empty();
        let is_member = invitation.space.membership.role(own).is_some();
        self.blame(&mut progress, turn);
        if is_member {
            self.join(context.space, id, turn);
        }
    }

    /// The invitation of `by` shows that this node is a member: it takes the space in, and what others brought of it.
    fn join(&mut self, space: SpaceId, by: NodeId, turn: &mut Turn<'_>) {
        let Some(invitation) = self.invitations.remove(&(by, space)) else { return };
        let of_space = |(_, of): &(NodeId, SpaceId)| *of == space;
        let others: Vec<(NodeId, SpaceId)> = self.invitations.keys().copied().filter(of_space).collect();
        self.spaces.insert(space, invitation.space);
        turn.effects.notices.push(Notice::Joined { space });
        let mut progress = Progress { runs: invitation.runs, control: true, ..Progress::default() };
        if invitation.overflowed {
            self.overflowed.insert((space, by));
        }
        for key in others {
            let Some(mut other) = self.invitations.remove(&key) else { continue };
            if other.overflowed {
                self.overflowed.insert((space, key.0));
            }
            let Some(state) = self.spaces.get_mut(&space) else { return };
            for (way, run) in other.runs {
                let pouch = if let Way::Pouch(_, pouch) = way { Some(pouch) } else { None };
                let (context, pages) = (*run.context(), run.pages().to_vec());
                state.offer(Parked { peer: key.0, pouch, context, pages }, &mut progress);
            }
            for parked in other.space.parking.take(|_| true) {
                state.offer(parked, &mut progress);
            }
        }
        self.settle(&space, progress, turn);
    }
}
