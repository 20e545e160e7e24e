//! Which peers may connect, and where they are called: kept in step with the cards that the core holds.

use portolan_protocol::{card::Card, effects::Notice};

use crate::transport::{Allowed, Dialer, Target, TransportKey};

/// See the head of the file.
#[derive(Clone)]
pub(super) struct Roster {
    pub(super) allowed: Allowed,
    /// Whether peers are called.
    pub(super) calls: bool,
    pub(super) dialer: Dialer,
}

impl Roster {
    /// Lets a peer in, and calls it where that is wanted.
    pub(super) fn add(&self, card: &Card) {
        let key = TransportKey(card.keys().transport.0);
        self.allowed.insert(key, card.node());
        if self.calls {
            self.dialer.set(card.node(), Target { key, addresses: card.profile().addresses.clone() });
        }
    }

    /// Acts on what the core made known.
    pub(super) fn note(&self, notice: &Notice) {
        match notice {
            Notice::PeerCard { card } => self.add(card),
            Notice::PeerGone { peer } => {
                self.dialer.remove(*peer);
                self.allowed.remove_peer(*peer);
            }
            _ => {}
        }
    }
}
