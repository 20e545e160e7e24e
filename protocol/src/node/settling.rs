//! What follows from having taken entries in: they are made durable, shown, passed on and receipted.

use super::{
    Node, Turn,
    rows::{Key, LifeRow},
    space::Progress,
};
use crate::{
    commit::Fill,
    effects::{Appended, Notice, Way},
    id::{NodeId, SpaceId},
    membership::Status,
    message::Message,
};

impl Node {
    /// What follows from having taken entries in: they are made durable, shown, passed on and receipted.
    pub(super) fn settle(&mut self, space: &SpaceId, mut progress: Progress, turn: &mut Turn<'_>) {
        self.blame(&mut progress, turn);
        self.overflowed.extend(progress.overflowed.drain(..).map(|peer| (*space, peer)));
        for (peer, author) in progress.crowded {
            let peers = self.crowded.entry((*space, author)).or_default();
            if peers.is_empty() {
                turn.effects.notices.push(Notice::TooManyLogs { space: *space, author });
            }
            peers.insert(peer);
        }
        for (peer, branch) in progress.branches {
            self.suspect(peer, branch, turn);
        }
        let mut logs = Vec::new();
        for fill in progress.fills {
            let Fill { context, seq, .. } = fill;
            turn.effects.appended.push(Appended { context, from: seq, to: seq + 1, way: None });
            turn.effects.commit.fills.push(fill);
            if logs.last() != Some(&context.log) {
                logs.push(context.log);
            }
        }
        if progress.runs.is_empty() {
            if !logs.is_empty() {
                self.advance(space, &logs, turn);
            }
            return;
        }
        let own = self.id();
        let mut view_changed = progress.control;
        let mut rolled_back = false;
        for (way, run) in progress.runs {
            let (context, tip) = (*run.context(), run.tip().next_seq);
            turn.effects.appended.push(Appended { context, from: run.first_seq(), to: tip, way: Some(way) });
            let is_foreign = way != Way::Written;
            let of_own = context.log.author == own;
            // The row of an own log says what its first entry cites, so it is kept with that entry.
            view_changed |= of_own && (is_foreign || run.first_seq() == 0);
            if of_own
                && is_foreign
                && let Some(state) = self.spaces.get_mut(space)
            {
                rolled_back |= state.retire_log(&context.log) || run.first_seq() == 0;
            }
            // Only the peer that brought a run is known to hold it: what waited may have come from another one.
            if let Some(session) =
                way.peer().and_then(|id| self.peers.get_mut(&id)).and_then(|peer| peer.session(space))
            {
                session.came(context.log, tip);
            }
            logs.push(context.log);
            turn.effects.commit.runs.push(run);
        }
        if rolled_back {
            self.begin_life(space, turn);
        }
        if view_changed {
            self.membership_changed(space, turn);
        }
        self.advance(space, &logs, turn);
        self.ask_again(space, turn);
    }

    pub(super) fn blame(&mut self, progress: &mut Progress, turn: &mut Turn<'_>) {
        for (id, reason) in progress.refused.drain(..) {
            if let Some(peer) = self.peers.get_mut(&id) {
                turn.refuse(peer, reason);
            }
        }
    }

    /// The store was put back to an earlier state without knowing it: what was receipted after that may be lost, and the
    /// receipt counters of that time come again. So a new incarnation begins, which voids all receipts so far. Those of
    /// `space` follow when its logs are told; all others are given anew here.
    pub(super) fn begin_life(&mut self, space: &SpaceId, turn: &mut Turn<'_>) {
        turn.rng.fill_bytes(&mut self.incarnation.0);
        let life = LifeRow { store: self.store, drawn: self.incarnation };
        turn.effects.commit.state.push(Key::Life.put(&life));
        let connected = self.peers.iter().filter(|(_, peer)| peer.connection.is_some());
        let connected: Vec<NodeId> = connected.map(|(id, _)| *id).collect();
        for id in &connected {
            self.greet(*id, turn);
        }
        let others: Vec<SpaceId> = self.spaces.keys().filter(|other| *other != space).copied().collect();
        for other in others {
            self.send_receipt(&other, &connected, turn);
        }
    }

    /// Sessions follow membership: they open for new members and end for those who are none any more.
    pub(super) fn membership_changed(&mut self, space: &SpaceId, turn: &mut Turn<'_>) {
        self.refresh_keys(space, turn.rng);
        turn.effects.views.extend(self.view(space));
        let Some(state) = self.spaces.get(space) else { return };
        turn.effects.commit.state.push(Key::Own(*space).put(&state.own));
        if matches!(state.membership.status(), Status::Stopped { .. }) {
            turn.effects.notices.push(Notice::UpgradeNeeded { space: *space });
        }
        if state.membership.role(self.identity.card.node()).is_none() {
            turn.effects.notices.push(Notice::Removed { space: *space });
        }
        let freed = |(of, author): &(SpaceId, NodeId)| of == space && state.membership.role(*author).is_none();
        let freed: Vec<(SpaceId, NodeId)> = self.crowded.keys().copied().filter(freed).collect();
        for key in freed {
            let peers = self.crowded.remove(&key).into_iter().flatten();
            self.overflowed.extend(peers.map(|peer| (*space, peer)));
        }
        let connected = self.peers.iter().filter(|(_, peer)| peer.connection.is_some());
        let (members, others): (Vec<NodeId>, Vec<NodeId>) =
            connected.map(|(id, _)| *id).partition(|id| state.membership.role(*id).is_some());
        for id in members {
            self.open_session(space, &id, turn);
        }
        for id in others {
            if self.peers.get_mut(&id).is_some_and(|peer| peer.session(space).is_some()) {
                self.farewell(space, &id, turn);
            }
        }
    }

    /// What did not fit while it waited is asked for again of a peer once nothing of that peer waits any more.
    pub(super) fn ask_again(&mut self, space: &SpaceId, turn: &mut Turn<'_>) {
        let Some(state) = self.spaces.get(space) else { return };
        let emptied = |(overflowed, peer): &&(SpaceId, NodeId)| overflowed == space && !state.parking.holds_of(peer);
        let again: Vec<NodeId> = self.overflowed.iter().filter(emptied).map(|(_, peer)| *peer).collect();
        for peer in again {
            self.overflowed.remove(&(*space, peer));
            turn.say(peer, Message::Again { space: *space });
        }
    }
}
