//! Links between machines: connections that deliver frames in order, late, or not at all once they are cut.
//!
//! A connection is what QUIC gives: frames of one direction come whole and in order; whatever is on its way when it is cut
//! is lost; and the two ends learn of the cut at different moments.

use std::collections::{BTreeMap, BTreeSet};

/// A machine's number.
pub type Place = usize;

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its two ends.
    pub ends: (Place, Place),
    /// When the last frame towards each end arrives.
    arrivals: (u64, u64),
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Network {
    /// Pairs that connect whenever they can, with the longest delay of a frame in milliseconds.
    links: BTreeMap<(Place, Place), u64>,
    connections: BTreeMap<u64, Connection>,
    last: u64,
}

/// A pair, in canonical order.
pub fn pair(one: Place, other: Place) -> (Place, Place) {
    (one.min(other), one.max(other))
}

impl Network {
    /// Lets a pair connect.
    pub fn link(&mut self, one: Place, other: Place, delay_ms: u64) {
        self.links.insert(pair(one, other), delay_ms.max(1));
    }

    /// Lets a pair connect no more. An open connection stays until it is cut.
    pub fn unlink(&mut self, one: Place, other: Place) {
        self.links.remove(&pair(one, other));
    }

    /// Pairs that may connect and are not connected.
    pub fn idle(&self) -> Vec<(Place, Place)> {
        let busy: BTreeSet<(Place, Place)> = self.connections.values().map(|c| pair(c.ends.0, c.ends.1)).collect();
        self.links.keys().filter(|ends| !busy.contains(ends)).copied().collect()
    }

    /// Whether a pair may connect.
    pub fn linked(&self, one: Place, other: Place) -> bool {
        self.links.contains_key(&pair(one, other))
    }

    /// Opens a connection.
    pub fn open(&mut self, ends: (Place, Place), now: u64) -> u64 {
        self.last += 1;
        self.connections.insert(self.last, Connection { ends, arrivals: (now, now) });
        self.last
    }

    /// The open connection of a pair.
    pub fn between(&self, one: Place, other: Place) -> Option<u64> {
        let found = self.connections.iter().find(|(_, c)| pair(c.ends.0, c.ends.1) == pair(one, other));
        found.map(|(id, _)| *id)
    }

    /// A connection, while it is open.
    pub fn connection(&self, id: u64) -> Option<&Connection> {
        self.connections.get(&id)
    }

    /// All open connections of a machine, or of all.
    pub fn open_of(&self, place: Option<Place>) -> Vec<u64> {
        let touches = |c: &Connection| place.is_none_or(|place| c.ends.0 == place || c.ends.1 == place);
        self.connections.iter().filter(|(_, c)| touches(c)).map(|(id, _)| *id).collect()
    }

    /// Cuts a connection, and tells whose it was.
    pub fn cut(&mut self, id: u64) -> Option<(Place, Place)> {
        self.connections.remove(&id).map(|connection| connection.ends)
    }

    /// When something sent now to `to` arrives, `dice` permitting; never before what was sent earlier.
    pub fn arrival(&mut self, id: u64, to: Place, now: u64, dice: u64) -> Option<u64> {
        let connection = self.connections.get_mut(&id)?;
        let delay = self.links.get(&pair(connection.ends.0, connection.ends.1)).copied().unwrap_or(1);
        let last = if connection.ends.0 == to { &mut connection.arrivals.0 } else { &mut connection.arrivals.1 };
        *last = (now + 1 + dice % delay).max(*last);
        Some(*last)
    }
}
