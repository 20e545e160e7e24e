//! Entries signed by a machine that does not keep the rules: its core is not asked.

use std::sync::Arc;

use portolan_protocol::{
    entry::{Heads, LogKey, LogKind},
    id::{LogId, SpaceId},
    message::Message,
    node::Identity,
    page::{AuthenticRun, LogContext, RunWriter, Tip},
    time::Timestamp,
    view::SpaceView,
};

/// A log that a test writes as it likes.
pub struct Forger {
    identity: Identity,
    context: LogContext,
    heads: Arc<Heads>,
    view: SpaceView,
}

impl Forger {
    /// Writes in the name of `identity`, citing what `view` has seen.
    pub fn new(identity: &Identity, view: &SpaceView, log: u8) -> Forger {
        let log = LogKey { author: identity.card.node(), log: LogKind::Data.log_id([log; 16]) };
        let context = LogContext { space: view.space, log, kind: LogKind::Data };
        Forger { identity: identity.clone(), context, heads: view.membership.heads(), view: view.clone() }
    }

    /// Cites other heads from now on.
    pub fn cite(mut self, heads: Heads) -> Forger {
        self.heads = Arc::new(heads);
        self
    }

    /// Writes into a log of this id, whatever its kind is.
    pub fn into_log(mut self, log: LogId) -> Forger {
        self.context.log.log = log;
        self
    }

    /// The log.
    pub fn context(&self) -> LogContext {
        self.context
    }

    /// The space.
    pub fn space(&self) -> SpaceId {
        self.context.space
    }

    /// A run after `tip` with one entry for each payload.
    ///
    /// # Panics
    /// When a payload is too large.
    #[allow(clippy::expect_used, reason = "a failing test")]
    pub fn run(&self, tip: &Tip, payloads: &[&[u8]]) -> AuthenticRun {
        let epoch = self.view.membership.latest_epochs(&self.view.membership.heads()).and_then(|mut all| all.pop());
        let mut writer = RunWriter::new(self.context, tip, None, &self.identity.signing);
        for payload in payloads {
            writer.push(self.heads.clone(), epoch, Timestamp(1), |_| payload.to_vec()).expect("a small entry");
        }
        writer.finish().expect("at least one payload")
    }

    /// The frame that carries a run.
    pub fn frame(&self, run: &AuthenticRun) -> Vec<u8> {
        Message::run(&self.context, run.pages().to_vec()).encode()
    }
}
