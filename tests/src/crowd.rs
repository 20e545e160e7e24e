//! A space of many readers, as one of its members holds it: real cards, real signatures, no nodes and no network.

use std::sync::Arc;

use portolan_protocol::{
    card::{Card, Profile},
    control::{Control, Grant, Role},
    crypto::{
        sealing::SealingSecret,
        signing::{PublicKey, SigningKey},
    },
    entry::{Heads, LogKey, LogKind},
    id::{OrganisationId, SpaceId},
    membership::{ControlEntry, Keyring, Membership, found},
    node::Identity,
    page::{AuthenticRun, LogContext, RunWriter, Tip},
    time::Timestamp,
};
use rand_core::CryptoRng;

/// A founder, and readers to whom it has granted history.
pub struct Crowd {
    /// Who may read, the founder first.
    pub readers: Vec<Identity>,
    /// All that was written so far, judged.
    pub membership: Membership,
    context: LogContext,
    tip: Tip,
}

/// The keys and the card of a node of this number.
///
/// # Panics
/// When the keys cannot be made; no number is known for which that is so.
#[allow(clippy::expect_used, reason = "a failing test")]
pub fn identity(number: usize) -> Identity {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let signing = SigningKey::from_seed(&seed);
    let sealing = SealingSecret::from_seed(&seed).expect("any seed is one of a sealing key");
    let profile = Profile { name: format!("node {number}"), country: "IT".into(), ..Profile::default() };
    let key = PublicKey(seed);
    let card = Card::first(&signing, key, &sealing, key, profile, Timestamp(0)).expect("a card");
    Identity { card, signing, sealing }
}

impl Crowd {
    /// A space that `readers` nodes may read, the founder among them. It has no epoch yet.
    ///
    /// # Panics
    /// When a space cannot be founded or have so many members.
    #[allow(clippy::expect_used, reason = "a failing test")]
    pub fn new(readers: usize, rng: &mut dyn CryptoRng) -> Crowd {
        let readers: Vec<Identity> = (0..readers).map(identity).collect();
        let organisation = OrganisationId([1; 16]);
        let genesis = found(readers[0].card.first_header().clone(), organisation, rng).expect("a genuine card");
        let space = genesis.space();
        let log = LogKey { author: readers[0].card.node(), log: LogKind::Control.log_id([2; 16]) };
        let context = LogContext { space, log, kind: LogKind::Control };
        let mut crowd = Crowd { readers, membership: Membership::new(space), context, tip: Tip::empty() };
        let grant = |reader: &Identity| {
            let member = reader.card.first_header().clone();
            Control::Grant(Grant { member, role: Role::Reader, organisation, history: true, secrets: Vec::new() })
        };
        let grants: Vec<Control> = crowd.readers[1..].iter().map(grant).collect();
        crowd.write([Control::Genesis(genesis)].into_iter().chain(grants));
        crowd
    }

    /// The space.
    pub fn space(&self) -> SpaceId {
        self.context.space
    }

    /// The founder's control log.
    pub fn log(&self) -> LogKey {
        self.context.log
    }

    /// What a reader can open, once its keyring has absorbed the membership.
    pub fn keyring(&self, reader: usize) -> Keyring {
        let reader = &self.readers[reader];
        Keyring::new(reader.card.node(), Arc::new(reader.sealing.clone()))
    }

    /// Signs these payloads as the founder's next control entries, and takes them in.
    ///
    /// # Panics
    /// When there are none, one is too large, or membership does not take them.
    pub fn write(&mut self, payloads: impl IntoIterator<Item = Control>) -> AuthenticRun {
        let (run, entries) = self.signed(payloads);
        assert!(self.membership.extend(entries).iter().all(Result::is_ok), "membership takes what its founder wrote");
        run
    }

    /// Signs this payload as the founder's next control entry, for membership to take in.
    ///
    /// # Panics
    /// When it is too large.
    #[allow(clippy::expect_used, reason = "a failing test")]
    pub fn sign(&mut self, payload: Control) -> ControlEntry {
        self.signed([payload]).1.pop().expect("one payload gives one entry")
    }

    #[allow(clippy::expect_used, reason = "a failing test")]
    fn signed(&mut self, payloads: impl IntoIterator<Item = Control>) -> (AuthenticRun, Vec<ControlEntry>) {
        let mut writer = RunWriter::new(self.context, &self.tip, None, &self.readers[0].signing);
        let mut heads = self.membership.heads();
        let mut entries: Vec<ControlEntry> = Vec::new();
        for payload in payloads {
            let payload = payload.encode();
            let stored = payload.clone();
            let reference = writer.push(heads.clone(), None, Timestamp(1), |_| stored).expect("an entry that may be");
            entries.push(ControlEntry { reference, heads, predecessor: None, payload });
            heads = Arc::new(Heads::new(vec![reference]));
        }
        let run = writer.finish().expect("at least one payload");
        self.tip = run.tip().clone();
        (run, entries)
    }
}
