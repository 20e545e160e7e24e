//! Planning: building the control payloads that this node writes next, or saying why they would be void. Nothing here
//! changes a membership; the caller signs, stores and inserts.

use rand_core::CryptoRng;
use thiserror::Error;

use super::{
    clock::Clock,
    epochs::readers,
    fold::{Status, role_known},
    graph::{Body, ControlEntry},
    keyring::{EpochSecret, Keyring},
    roll::Membership,
};
use crate::{
    card::SignedHeader,
    control::{Control, Cut, Epoch, EpochSecretWrap, Genesis, Grant, PreviousEpoch, Recipient, Remove, Role},
    crypto::sealing::SealingError,
    entry::{EntryRef, LogKey},
    id::{EntryHash, EpochId, NodeId, OrganisationId},
    limits::{MEMBERS_MAX, PAYLOAD_BYTES_MAX},
};

/// Most readers that this node lets a space have. An epoch's entry carries 1,235 bytes for each, so that 848 fill it; 840
/// leave room for 88 earlier epochs that nobody has joined yet, and for those whom others admit at the same time.
pub const READERS_MAX: usize = 840;

/// Why a control entry is not written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A control entry is held that this release does not understand.
    #[error("the space holds a membership entry that this release does not know; upgrade to take part again")]
    Stopped,
    /// The author is no member.
    #[error("this node is not a member of the space")]
    NotAMember,
    /// The one to be removed is no member.
    #[error("the node is not a member of the space")]
    NoSuchMember,
    /// The author may not do this to this member.
    #[error("this node is {own}, and only ranks below one's own can be granted or removed")]
    RankTooLow {
        /// The author's role.
        own: &'static str,
    },
    /// The member has this very role already.
    #[error("the node has this role already")]
    AlreadyMember,
    /// A lower role is given by removing the member and granting anew.
    #[error("a lower role needs a removal first, so that it is clear which of the member's work stands")]
    DemotionNeedsRemoval,
    /// The card header is not genuine.
    #[error("the member's card is not genuine")]
    BadCard,
    /// The space has had as many members as it may have.
    #[error("a space may have {MEMBERS_MAX} members over its life, and this one has had that many")]
    TooManyMembers,
    /// The secret of an epoch could not be sealed to all of them.
    #[error(
        "a space may have {READERS_MAX} readers, and this one has that many or more: admit the node as a relay, or remove \
         readers first"
    )]
    TooManyReaders,
    /// The payload would be larger than an entry may carry.
    #[error("too many members or logs for one entry")]
    TooLarge,
    /// This node lacks the keys of earlier epochs that the entry has to pass on.
    #[error("this node cannot read what was written before it came, so a member that can must do this")]
    NoHistory,
    /// The cuts name one log twice.
    #[error("a log is named twice among the cuts")]
    BadCuts,
    /// The entry would have no effect: this node's control log was cut by a removal, or root has decided otherwise.
    #[error("the entry would have no effect; if this node was removed and came back, it needs a new control log")]
    WouldBeVoid,
}

/// A payload that will count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to write, citing [`Membership::heads`].
    pub payload: Control,
    /// Whether a new epoch has to follow at once: nobody should write before it.
    pub needs_epoch: bool,
}

/// The first entry of a new space, whose id is [`Genesis::space`].
///
/// # Errors
/// [`Refusal::BadCard`] when `creator` is not genuine.
pub fn found(creator: SignedHeader, organisation: OrganisationId, rng: &mut dyn CryptoRng) -> Result<Genesis, Refusal> {
    creator.verify_first().map_err(|_| Refusal::BadCard)?;
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    Ok(Genesis { nonce, roots: vec![creator.header.keys.signing], threshold: 1, creator, organisation })
}

/// Whom to grant what.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The member's first card header.
    pub member: SignedHeader,
    /// The role to give.
    pub role: Role,
    /// The member's organisation.
    pub organisation: OrganisationId,
    /// Whether it may read what was written before.
    pub history: bool,
}

impl Membership {
    /// Plans a grant by the author of `log`, its control log.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn plan_grant(
        &self,
        log: LogKey,
        offer: Offer,
        keyring: &Keyring,
        rng: &mut dyn CryptoRng,
    ) -> Result<Plan, Refusal> {
        let own = self.own_role(log.author)?;
        let member = offer.member.verify_first().map_err(|_| Refusal::BadCard)?;
        may_change(own, offer.role)?;
        let held = self.member(member);
        if let Some(held) = &held {
            may_change(own, held.role)?;
            if (held.role, held.organisation, held.history) == (offer.role, offer.organisation, offer.history) {
                return Err(Refusal::AlreadyMember);
            }
            if offer.role < held.role || held.history && !offer.history {
                return Err(Refusal::DemotionNeedsRemoval);
            }
        } else if !self.proposed.has(member) && self.proposed.members_count() >= MEMBERS_MAX {
            return Err(Refusal::TooManyMembers);
        }
        let reads_already = held.is_some_and(|held| held.role.reads());
        if offer.role.reads() && !reads_already && self.planned_readers(&log)?.len() >= READERS_MAX {
            return Err(Refusal::TooManyReaders);
        }
        let gives = offer.role.reads() && offer.history;
        let secrets = if gives { self.secrets_for(&log, &offer.member, keyring, rng)? } else { Vec::new() };
        let needs_epoch = offer.role.reads() && !reads_already && secrets.is_empty();
        let Offer { member, role, organisation, history } = offer;
        let grant = Control::Grant(Grant { member, role, organisation, history, secrets });
        self.planned(log, grant, needs_epoch)
    }

    /// Plans the removal of `member` by the author of `log`, its control log. `cuts` names the last entry that stands of
    /// each of the member's logs, control and data.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn plan_remove(&self, log: LogKey, member: NodeId, mut cuts: Vec<Cut>) -> Result<Plan, Refusal> {
        let own = self.own_role(log.author)?;
        // A fork may have cut off the grant that others still go by: such a member can be removed too.
        let known = || role_known(&self.graph, &self.proposed, member, &self.planned_clock(&log)).map(|(role, _)| role);
        let held = self.role(member).or_else(known).ok_or(Refusal::NoSuchMember)?;
        may_change(own, held)?;
        cuts.sort_unstable();
        if cuts.windows(2).any(|pair| pair[0].log == pair[1].log) {
            return Err(Refusal::BadCuts);
        }
        self.planned(log, Control::Remove(Remove { member, cuts }), held.reads())
    }

    /// Plans a new epoch by the author of `log`, its control log: sealed to everyone who may read now.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn plan_epoch(
        &self,
        log: LogKey,
        keyring: &Keyring,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Plan, EpochSecret), Refusal> {
        let own = self.own_role(log.author)?;
        if !own.writes() {
            return Err(Refusal::RankTooLow { own: name(own) });
        }
        let secret = EpochSecret::draw(rng);
        let keys = secret.keys();
        let (content_commitment, history_commitment) = keys.commitments().ok_or(Refusal::NoHistory)?;
        let mut recipients = Vec::new();
        for (node, header, history) in self.planned_readers(&log)? {
            let reader = (&node, &header.header.keys.sealing);
            let sealed = keys.wrap(&self.space(), reader, &content_commitment, history, rng).map_err(bad_card)?;
            recipients.push(Recipient { node, sealed });
        }
        let readers = recipients.len();
        let may_read_history = self.member(log.author).is_some_and(|member| member.history);
        let mut previous = Vec::new();
        for epoch in self.latest_for(&log) {
            let sealed = match keyring.keys(&epoch) {
                // Passing on less than what there is would hide the past from all who come later.
                Some(_) if !may_read_history && !keyring.has_history(&epoch) => return Err(Refusal::NoHistory),
                Some(earlier) => keys.seal_earlier(&epoch, earlier, rng),
                // Its maker sealed rubbish to this node; that must not keep anybody from moving on.
                None if may_read_history && self.was_sealed(&epoch, log.author) => Vec::new(),
                None => return Err(Refusal::NoHistory),
            };
            previous.push(PreviousEpoch { epoch, sealed });
        }
        let epoch = Control::Epoch(Epoch { recipients, content_commitment, history_commitment, previous });
        match self.planned(log, epoch, false) {
            Err(Refusal::TooLarge) if readers >= READERS_MAX => Err(Refusal::TooManyReaders),
            planned => Ok((planned?, secret)),
        }
    }

    /// Whether an entry with this payload, written next in `log` and citing [`Membership::heads`], would count.
    pub fn would_count(&self, log: LogKey, payload: &Control) -> bool {
        let seq = self.graph.log_length(&log);
        let reference = EntryRef { log, seq, hash: EntryHash([0xff; 32]) };
        let mut trial = self.clone();
        let entry = ControlEntry { reference, heads: self.heads(), predecessor: None, payload: payload.encode() };
        trial.insert(entry).is_ok() && trial.accepts(&reference)
    }

    fn planned(&self, log: LogKey, payload: Control, needs_epoch: bool) -> Result<Plan, Refusal> {
        if payload.encode().len() > PAYLOAD_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        if !self.would_count(log, &payload) {
            return Err(Refusal::WouldBeVoid);
        }
        Ok(Plan { payload, needs_epoch })
    }

    fn own_role(&self, author: NodeId) -> Result<Role, Refusal> {
        match self.status() {
            Status::Stopped { .. } => Err(Refusal::Stopped),
            Status::Empty | Status::Ready => self.role(author).ok_or(Refusal::NotAMember),
        }
    }
}

impl Membership {
    /// What the next entry of `log` will have seen.
    fn planned_clock(&self, log: &LogKey) -> Clock {
        let mut clock = self.graph.clock(&self.heads()).unwrap_or_default();
        if let Some(last) = self.graph.last(log) {
            self.graph.add(&mut clock, last);
        }
        clock
    }

    /// Everyone who may read, sorted, with the card header and whether history is for them.
    fn planned_readers(&self, log: &LogKey) -> Result<Vec<(NodeId, &SignedHeader, bool)>, Refusal> {
        let clock = self.planned_clock(log);
        let reader = |node| {
            let header = self.header(node).ok_or(Refusal::BadCard)?;
            let grant = role_known(&self.graph, &self.proposed, node, &clock).map(|(_, grant)| self.graph.link(grant));
            let history = grant.is_none_or(|link| matches!(&link.body, Body::Grant { grant, .. } if grant.history));
            Ok((node, header, history))
        };
        readers(&self.graph, &self.proposed, &clock).into_iter().map(reader).collect()
    }

    /// Whether an epoch's secret was sealed to a node, as far as is known now.
    fn was_sealed(&self, epoch: &EpochId, node: NodeId) -> bool {
        self.epochs.holders(&self.graph, epoch, &self.graph.top()).contains(&node)
    }

    fn latest_for(&self, log: &LogKey) -> Vec<EpochId> {
        self.epochs.maximal(&self.graph, &self.planned_clock(log))
    }

    /// The secrets of the latest epochs, sealed to a new member; none where the space has no epoch yet.
    fn secrets_for(
        &self,
        log: &LogKey,
        member: &SignedHeader,
        keyring: &Keyring,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<EpochSecretWrap>, Refusal> {
        let epochs = self.latest_for(log);
        let mut secrets = Vec::new();
        for epoch in &epochs {
            // An epoch whose maker sealed rubbish to this node cannot be passed on, and need not hold up the others.
            let Some(keys) = keyring.keys(epoch).filter(|_| keyring.has_history(epoch)) else { continue };
            let (content_commitment, _) = keys.commitments().ok_or(Refusal::NoHistory)?;
            let reader = (&member.node(), &member.header.keys.sealing);
            let sealed = keys.wrap(&self.space(), reader, &content_commitment, true, rng).map_err(bad_card)?;
            secrets.push(EpochSecretWrap { epoch: *epoch, sealed });
        }
        if secrets.is_empty() && !epochs.is_empty() { Err(Refusal::NoHistory) } else { Ok(secrets) }
    }
}

/// Whether one of rank `own` may touch a member of rank `other`.
fn may_change(own: Role, other: Role) -> Result<(), Refusal> {
    if own.administers() && other < own { Ok(()) } else { Err(Refusal::RankTooLow { own: name(own) }) }
}

fn bad_card(_: SealingError) -> Refusal {
    Refusal::BadCard
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Relay => "relay",
        Role::Reader => "reader",
        Role::Writer => "writer",
        Role::Admin => "admin",
        Role::Root => "root",
    }
}
