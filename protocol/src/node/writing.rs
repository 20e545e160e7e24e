//! Entries of the node's own: which log they go into, and how they are written.

use rand_core::CryptoRng;

use super::{
    Identity, Node, Turn,
    rows::OwnLog,
    space::{Progress, Space},
};
use crate::{
    control::Control,
    effects::Way,
    entry::{EntryRef, Heads, LogKey, LogKind},
    id::{EpochId, LogId, NodeId, SpaceId},
    input::CommandError,
    membership::{Plan, Refusal, Status, log_key},
    page::{AuthenticRun, LogContext, RunWriter, Tip},
    time::Timestamp,
};

impl Space {
    /// The epoch that may be written under now, if this node holds its key.
    pub(super) fn usable_epoch(&self) -> Option<EpochId> {
        self.keyring.usable_epoch(&self.membership, &self.heads())
    }

    /// No entry goes into the present logs any more: the store cannot vouch that it knows their ends.
    pub(super) fn retire_own_logs(&mut self) {
        self.own.control = None;
        self.own.data = None;
    }

    /// A log of this node's own turned up longer than it was known here: it is left alone from now on. Tells whether it was
    /// one that the node would have written on.
    pub(super) fn retire_log(&mut self, log: &LogKey) -> bool {
        let own = self.own_mut(log.kind());
        let is_present = own.as_ref().is_some_and(|own| own.log == log.log);
        if is_present {
            *own = None;
        }
        is_present
    }

    /// Makes sure that there is a log of each kind that the node's next entry may go into.
    pub(super) fn ensure_own_logs(&mut self, author: NodeId, rng: &mut dyn CryptoRng) {
        for kind in [LogKind::Control, LogKind::Data] {
            if !self.continues(author, kind) {
                let mut random = [0; LogId::BYTES];
                rng.fill_bytes(&mut random);
                let predecessor = self.end_of_last(author, kind);
                *self.own_mut(kind) = Some(OwnLog { log: kind.log_id(random), opening: None, predecessor });
            }
        }
    }

    fn own_mut(&mut self, kind: LogKind) -> &mut Option<OwnLog> {
        match kind {
            LogKind::Control => &mut self.own.control,
            LogKind::Data => &mut self.own.data,
        }
    }

    fn own(&self, kind: LogKind) -> Option<&OwnLog> {
        match kind {
            LogKind::Control => self.own.control.as_ref(),
            LogKind::Data => self.own.data.as_ref(),
        }
    }

    /// Whether the present log of a kind may be written on: it is not forked, and no removal cut it.
    fn continues(&self, author: NodeId, kind: LogKind) -> bool {
        let Some(own) = self.own(kind) else { return false };
        let log = LogKey { author, log: own.log };
        let Some(state) = self.logs.get(&log) else { return true };
        let Some(opening) = own.opening.clone().map(Heads::new) else { return false };
        // Whatever a removal cut stays cut; what is written after a later grant goes into a log that starts after it.
        let seen = |removal: &EntryRef| self.membership.has_seen(&opening, removal) == Some(true);
        state.fork.is_none() && self.membership.removals(author).iter().all(|(removal, _)| seen(removal))
    }

    /// Where the author's last log of a kind ends, for a new log to name.
    fn end_of_last(&self, author: NodeId, kind: LogKind) -> Option<EntryRef> {
        let own = self.logs.values().filter(|log| log.context.log.author == author && log.context.kind == kind);
        let whole = own.filter(|log| log.fork.is_none() && log.tip.next_seq > 0);
        // Of several, the one whose author had seen the most: logs are opened one after another.
        let last =
            whole.max_by_key(|log| (log.tip.heads.entries().iter().map(|head| head.seq).max(), log.context.log))?;
        Some(EntryRef { log: last.context.log, seq: last.tip.next_seq - 1, hash: last.tip.hash })
    }

    /// Starts a run at the end of this node's own log of a kind.
    fn writer<'a>(&mut self, identity: &'a Identity, kind: LogKind) -> Result<RunWriter<'a>, CommandError> {
        let author = identity.card.node();
        let heads = self.heads();
        let own = self.own_mut(kind).as_mut().ok_or(CommandError::LogChanged)?;
        let log = LogKey { author, log: own.log };
        own.opening.get_or_insert_with(|| heads.entries().to_vec());
        let predecessor = own.predecessor;
        let tip = self.logs.get(&log).map_or_else(Tip::empty, |log| log.tip.clone());
        let context = LogContext { space: self.id, log, kind };
        Ok(RunWriter::new(context, &tip, predecessor, &identity.signing))
    }

    /// Writes one control entry.
    pub(super) fn write_control(
        &mut self,
        identity: &Identity,
        control: &Control,
        now: Timestamp,
    ) -> Result<AuthenticRun, CommandError> {
        let heads = self.heads();
        let payload = control.encode();
        let mut writer = self.writer(identity, LogKind::Control)?;
        writer.push(heads, None, now, |_| payload).map_err(|_| CommandError::TooLarge)?;
        self.finish(writer)
    }

    /// Encrypts and writes changes under `epoch`.
    pub(super) fn write_changes(
        &mut self,
        identity: &Identity,
        epoch: EpochId,
        changes: &[Vec<u8>],
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<(AuthenticRun, Vec<EntryRef>), CommandError> {
        let heads = self.heads();
        let log =
            LogKey { author: identity.card.node(), log: self.own.data.as_ref().ok_or(CommandError::LogChanged)?.log };
        let no_key = || CommandError::NotAllowed("the space's content key is not held".into());
        let key = log_key(self.keyring.content_key(&epoch).ok_or_else(no_key)?, &self.id, &log);
        let mut writer = self.writer(identity, LogKind::Data)?;
        let mut references = Vec::with_capacity(changes.len());
        for change in changes {
            let mut randomness = [0; 32];
            rng.fill_bytes(&mut randomness);
            let reference = writer
                .push(heads.clone(), Some(epoch), now, |associated| key.seal(&randomness, associated, change))
                .map_err(|_| CommandError::TooLarge)?;
            references.push(reference);
        }
        Ok((self.finish(writer)?, references))
    }

    fn finish(&mut self, writer: RunWriter<'_>) -> Result<AuthenticRun, CommandError> {
        let run = writer.finish().ok_or(CommandError::TooLarge)?;
        self.absorb(&run).map_err(CommandError::NotAllowed)?;
        Ok(run)
    }
}

impl Node {
    /// Reads the keys that membership gives this node, and chooses the logs to write.
    pub(super) fn refresh_keys(&mut self, space: &SpaceId, rng: &mut dyn CryptoRng) {
        let own = self.id();
        if let Some(state) = self.spaces.get_mut(space) {
            state.keyring.absorb(&state.membership);
            state.ensure_own_logs(own, rng);
        }
    }

    /// The control log that this node writes in a space.
    pub(super) fn control_log(&self, space: &Space) -> Result<LogKey, CommandError> {
        let own = space.own.control.as_ref().ok_or(CommandError::LogChanged)?;
        Ok(LogKey { author: self.id(), log: own.log })
    }

    /// Writes one control entry and settles what follows.
    pub(super) fn write(
        &mut self,
        space: &SpaceId,
        control: &Control,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let state = self.spaces.get_mut(space).ok_or(CommandError::UnknownSpace)?;
        let run = state.write_control(&self.identity, control, turn.now)?;
        self.settle(space, Progress { runs: vec![(Way::Written, run)], control: true, ..Progress::default() }, turn);
        Ok(())
    }

    /// Writes what was planned, and the new epoch that it asks for.
    pub(super) fn carry_out(&mut self, space: &SpaceId, plan: &Plan, turn: &mut Turn<'_>) -> Result<(), CommandError> {
        self.write(space, &plan.payload, turn)?;
        if !plan.needs_epoch {
            return Ok(());
        }
        match self.rotate(space, turn) {
            // The change of membership is written and stays. Nothing is written under the old epoch any more, and the
            // next writer that can opens a new one.
            Err(CommandError::NotAllowed(_) | CommandError::Limit(_)) => Ok(()),
            other => other,
        }
    }

    /// Opens a new epoch.
    pub(super) fn rotate(&mut self, space: &SpaceId, turn: &mut Turn<'_>) -> Result<(), CommandError> {
        let state = self.writable(space)?;
        let log = self.control_log(state)?;
        let (plan, _) = state.membership.plan_epoch(log, &state.keyring, turn.rng)?;
        self.write(space, &plan.payload, turn)
    }

    /// The space, if nothing stops this node from writing in it.
    pub(super) fn writable(&self, space: &SpaceId) -> Result<&Space, CommandError> {
        let state = self.spaces.get(space).ok_or(CommandError::UnknownSpace)?;
        match state.membership.status() {
            Status::Ready => Ok(state),
            Status::Stopped { .. } => Err(CommandError::UpgradeNeeded),
            Status::Empty => Err(CommandError::UnknownSpace),
        }
    }

    /// Appends changes to the node's own data log; rotates first where no epoch may be written under.
    pub(super) fn append(
        &mut self,
        space: &SpaceId,
        log: LogKey,
        changes: &[Vec<u8>],
        turn: &mut Turn<'_>,
    ) -> Result<Vec<EntryRef>, CommandError> {
        let own = self.id();
        let state = self.writable(space)?;
        if !state.membership.role(own).is_some_and(|role| role.writes()) {
            return Err(CommandError::NotAllowed("writing takes the role writer".into()));
        }
        if state.own.data.as_ref().map(|data| data.log) != Some(log.log) || log.author != own {
            return Err(CommandError::LogChanged);
        }
        if state.usable_epoch().is_none() {
            self.rotate(space, turn)?;
        }
        let state = self.spaces.get_mut(space).ok_or(CommandError::UnknownSpace)?;
        let epoch =
            state.usable_epoch().ok_or_else(|| CommandError::NotAllowed("no epoch may be written under".into()))?;
        let (run, references) = state.write_changes(&self.identity, epoch, changes, turn.now, turn.rng)?;
        self.settle(space, Progress { runs: vec![(Way::Written, run)], ..Progress::default() }, turn);
        Ok(references)
    }
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> CommandError {
        match refusal {
            Refusal::Stopped => CommandError::UpgradeNeeded,
            Refusal::TooManyMembers | Refusal::TooManyReaders | Refusal::TooLarge => {
                CommandError::Limit(refusal.to_string())
            }
            other => CommandError::NotAllowed(other.to_string()),
        }
    }
}
